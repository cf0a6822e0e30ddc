import Foundation
import ResidualKernels

/// Standard output or standard error: every text is written at once, nothing waits in a buffer.
struct StandardStream: Sendable {
  let descriptor: Int32

  static let standardOutput = StandardStream(descriptor: STDOUT_FILENO)
  static let standardError = StandardStream(descriptor: STDERR_FILENO)

  /// Whether a line can be rewritten here.
  var isTerminal: Bool {
    isatty(descriptor) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// The number of columns of the terminal; 80 if it is unknown.
  var width: Int {
    var size = winsize()
    let known = unsafe ioctl(descriptor, numericCast(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return known ? Int(size.ws_col) : 80
  }

  /// Writes all of `text`. When standard output cannot take it (a full disk) the process ends with status 1 and a
  /// sentence on standard error.
  func write(_ text: String) {
    do {
      try FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).write(contentsOf: Data(text.utf8))
    } catch {
      if descriptor == STDERR_FILENO { return }
      StandardStream.standardError.write("resnet: standard output cannot be written: \(error.localizedDescription)\n")
      exit(1)
    }
  }
}

/// The output of a command. Without `json`, lines and progress go to standard output; with it they go to standard error
/// and standard output gets one JSON object, as its last line.
final class Output {
  private let isJSON: Bool
  private let stream: StandardStream
  private let isTerminal: Bool
  private var isLineOpen = false

  init(json isJSON: Bool) {
    self.isJSON = isJSON
    stream = isJSON ? .standardError : .standardOutput
    isTerminal = stream.isTerminal
  }

  /// A text of one or more lines for people.
  func line(_ text: String = "") {
    clear()
    stream.write(text + "\n")
  }

  /// The result for programs; nothing without `--json`. Call it once, at the end.
  func json(_ object: JSONValue) {
    guard isJSON else { return }
    clear()
    StandardStream.standardOutput.write(Self.withArithmetic(object).encoded + "\n")
  }

  /// The object, which says at its end which of the two sets of bits its numbers belong to (docs/reproducibility.md):
  /// those of this build, unless it speaks of a run.
  static func withArithmetic(_ object: JSONValue) -> JSONValue {
    guard case .object(let members) = object, !members.contains(where: { $0.key == "arithmetic" }) else {
      return object
    }
    let arithmetic = JSONValue.string(Kernels.Arithmetic.ofThisBuild.rawValue)
    return .object(members + [JSONValue.Member(key: "arithmetic", value: arithmetic)])
  }

  /// Shows how far a task is: on a terminal one line that rewrites itself, elsewhere a line at intervals.
  /// - Parameters:
  ///   - task: the task, with its size and its start.
  ///   - done: how many of `task.total` are done.
  ///   - detail: further words ("epoch 3/12  loss 1.234"). They come last, so that a narrow terminal cuts them first.
  func progress(_ task: inout ProgressLine, _ done: Int, _ detail: String = "") {
    guard task.isDue(done, at: ProgressLine.now, isTerminal: isTerminal) else { return }
    let text = task.text(done, detail, at: ProgressLine.now)
    if isTerminal {
      stream.write("\r" + text.prefix(max(stream.width - 1, 0)) + "\u{1B}[K")
      isLineOpen = true
    } else {
      stream.write(text + "\n")
    }
  }

  /// Takes the rewritten line away, so that another text can stand there.
  func clear() {
    if isLineOpen { stream.write("\r\u{1B}[K") }
    isLineOpen = false
  }

  deinit { clear() }
}

/// The progress of a task: how far it is, how fast it goes, and when the next line is due.
struct ProgressLine {
  let total: Int
  let unit: String
  private let start: (done: Int, time: Double)
  private var last: (done: Int, time: Double)

  /// A task that begins now, or goes on at `done`.
  init(total: Int, unit: String = "images", done: Int = 0, at time: Double = ProgressLine.now) {
    (self.total, self.unit) = (total, unit)
    start = (done, time)
    last = start
  }

  /// Seconds on a clock that only goes forward.
  static var now: Double { ProcessInfo.processInfo.systemUptime }

  /// Whether to print: on a terminal ten times a second, elsewhere every ten seconds and at every tenth; everywhere at
  /// the end.
  mutating func isDue(_ done: Int, at time: Double, isTerminal: Bool) -> Bool {
    let waited = time - last.time
    let passesTenth = tenth(done) > tenth(last.done)
    let due = isTerminal ? waited >= 0.1 || done >= total : waited >= 10 || passesTenth
    if due { last = (done, time) }
    return due
  }

  private func tenth(_ done: Int) -> Int { total > 0 ? done * 10 / total : 0 }

  /// "12,800/45,000  1,280 images/s  25 s left  epoch 3/12  loss 1.234".
  func text(_ done: Int, _ detail: String, at time: Double) -> String {
    let speed = Double(done - start.done) / (time - start.time)
    var parts = ["\(grouped(done))/\(grouped(total))"]
    if speed > 0 && speed.isFinite {
      parts.append((speed < 100 ? fixed(speed, 1) : grouped(Int(speed.rounded()))) + " \(unit)/s")
      parts.append(duration(Double(max(total - done, 0)) / speed) + " left")
    }
    if !detail.isEmpty { parts.append(detail) }
    return parts.joined(separator: "  ")
  }
}
