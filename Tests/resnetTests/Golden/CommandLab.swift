import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning
import TestSupport
import Testing

@testable import resnet

/// What a command line leaves: its exit status and what it printed, without times and speeds.
struct CommandResult {
  let status: Int32
  let output: String
  let errors: String
  /// Standard output as it is. With `--json` it is one line.
  let json: String

  var text: String { "status \(status)\n" + (output.isEmpty ? "" : output + "\n") + errors }
}

/// Runs command lines in this process, one after the other, in an empty folder with small data in it. Only for a process
/// of its own (`processExitsWith`): it moves standard output and the current folder.
struct CommandLab {
  private let folder: TemporaryFolder

  /// `data` holds 37 training images in two files and 11 test images; `other` holds 5 and 3, one folder deeper. Test
  /// images are not among the training images.
  init() throws {
    folder = try TemporaryFolder()
    guard FileManager.default.changeCurrentDirectoryPath(folder.path) else { throw InputError("no such folder") }
    try Self.write(SyntheticImages.make(count: 37, seed: 41), "data/data_batch_", sizes: [23, 14])
    try Self.write(SyntheticImages.make(count: 11, seed: 42), "data/test_batch")
    try Self.write(SyntheticImages.make(count: 5, seed: 43), "other/cifar-10-batches-bin/data_batch_", sizes: [5])
    try Self.write(SyntheticImages.make(count: 3, seed: 44), "other/cifar-10-batches-bin/test_batch")
  }

  /// Writes images as CIFAR-10's files do: a label, then a red, a green and a blue plane.
  private static func write(_ images: ImageDataset, _ name: String, sizes: [Int]? = nil) throws {
    try AtomicFile.makeFolder(URL(fileURLWithPath: name).deletingLastPathComponent().path)
    var start = 0
    for (file, count) in (sizes ?? [images.count]).enumerated() {
      var bytes: [UInt8] = []
      for i in start..<start + count {
        let pixels = Array(images.image(i))
        bytes.append(images.labels[i])
        for c in 0..<3 { bytes += stride(from: c, to: pixels.count, by: 3).map { pixels[$0] } }
      }
      start += count
      try AtomicFile.write(Data(bytes), to: name + (sizes == nil ? "" : "\(file + 1)") + ".bin")
    }
  }

  /// Runs a command line, words with spaces between them.
  func run(_ line: String) throws -> CommandResult {
    try captured { Command.main(line.split(separator: " ").map(String.init)) }
  }

  /// What `body` prints, and the status that it returns.
  func captured(_ body: () throws -> Int32) throws -> CommandResult {
    let places = [(STDOUT_FILENO, "stdout"), (STDERR_FILENO, "stderr")]
    let saved = places.map { dup($0.0) }
    for (descriptor, name) in places {
      _ = FileManager.default.createFile(atPath: name, contents: nil)
      guard let file = FileHandle(forWritingAtPath: name) else { throw InputError("cannot write \(name)") }
      dup2(file.fileDescriptor, descriptor)
      try file.close()
    }
    Parallel.threads = 2
    let outcome = Result { try body() }
    for ((descriptor, _), old) in zip(places, saved) {
      dup2(old, descriptor)
      close(old)
    }
    let texts = try places.map { try String(contentsOfFile: $0.1, encoding: .utf8) }
    return CommandResult(
      status: try outcome.get(), output: Self.withoutTimes(texts[0]), errors: Self.withoutTimes(texts[1]),
      json: texts[0])
  }

  /// A text without what differs from run to run, and without the keys that say where it ran.
  private static func withoutTimes(_ text: String) -> String {
    text.replacing(#/, "(seconds|imagesPerSecondMedian|arithmetic)": [^,}]*/#, with: "")
      .replacing(#/[0-9][0-9.,]* (images|steps)\/s/#) { "N \($0.1)/s" }
      .replacing(#/s  [0-9][0-9a-z .]* left/#, with: "s  T left")
      .replacing(#/right after [0-9].* \(N/#, with: "right after T (N")
      .trimmingCharacters(in: .newlines)
  }
}

/// Checksums of the tensors in a checkpoint, by what they are, and what its description says.
struct CheckpointSums {
  let parameters, statistics, velocity, mean: UInt64
  let description: Checkpoint.Description

  init(_ folder: String) throws {
    let path = folder + "/checkpoint.safetensors"
    let file = try SafeTensorsFile(contentsOf: path)
    description = try Checkpoint(contentsOf: path).description
    func sum(_ belongs: (String) -> Bool) throws -> UInt64 {
      checksum(
        try file.entries.map(\.name).filter(belongs).flatMap { name in
          [UInt64(name.utf8.count)] + (try file.floats(name)).map { UInt64($0.bitPattern) }
        })
    }
    let isVelocity = { (name: String) in name.hasPrefix("velocity.") }
    let isStatistic = { (name: String) in name.contains(".running") }
    velocity = try sum(isVelocity)
    statistics = try sum(isStatistic)
    mean = try sum { $0 == "normalization.mean" }
    parameters = try sum { !isVelocity($0) && !isStatistic($0) && $0 != "normalization.mean" }
  }

  var text: String {
    let sums = [("parameters", parameters), ("statistics", statistics), ("velocity", velocity), ("mean", mean)]
    let options = description.architecture.options
    return sums.map { "\($0) \(String($1, radix: 16))" }.joined(separator: ", ") + "\n"
      + "\(description.architecture.name) \(options.shortcut.rawValue), zeros \(options.zeros), stride in "
      + "\(options.stridePlacement), seed \(description.seed), after \(description.state.iteration), "
      + description.images + "\n" + description.recipe.summary
  }
}

/// A file of sections that a test compares with what it finds. Of a long line it has the beginning and a checksum.
///
/// `WRITE_GOLDEN=1 swift test --filter GoldenCommand` writes the files anew, those of this kind of build: with or without
/// fused multiply-adds. docs/testing.md has more about them.
final class GoldenFile {
  private let url: URL
  private let isWritten = ProcessInfo.processInfo.environment["WRITE_GOLDEN"] != nil
  // Vectors of another width add in another order.
  #if NARROW_VECTORS
    private let hasNumbers = false
  #else
    private let hasNumbers = true
  #endif
  private var expected: [String]
  private var found: [String] = []

  /// - Parameter isExact: whether the texts are the same in both kinds of build.
  init(_ name: String, isExact: Bool = false) throws {
    let kind = isExact ? "" : Kernels.fusesMultiplyAdd ? "-fma" : "-separate"
    url = repository.appending(path: "Tests/Fixtures/golden/\(name)\(kind).txt")
    let text = isWritten ? "" : try String(contentsOf: url, encoding: .utf8)
    expected = text.components(separatedBy: "\n\n")
  }

  /// The next section. If it is not the file's, its first line that differs is reported, and the process ends.
  func append(_ title: String, _ text: String) {
    let lines = text.split(separator: "\n").map { line in
      line.count <= 120 ? String(line) : "\(line.prefix(80))... \(Self.checksum(String(line)))"
    }
    found.append((["## \(title)"] + lines).joined(separator: "\n"))
    let old = expected.count < found.count ? "" : expected[found.count - 1]
    if isWritten || !hasNumbers || old == found.last! { return }
    let pairs = zip(found.last!.components(separatedBy: "\n"), old.components(separatedBy: "\n"))
    let pair = pairs.first { $0 != $1 } ?? ("another number of lines", "")
    Issue.record("\(url.lastPathComponent), \(title): found '\(pair.0)', expected '\(pair.1)'")
    exit(EXIT_FAILURE)
  }

  /// Expects that the file has no further section, or writes it.
  func finish() throws {
    if isWritten { try AtomicFile.write(Data(found.joined(separator: "\n\n").utf8), to: url.path) }
    #expect(isWritten || !hasNumbers || expected.count == found.count, "\(url.lastPathComponent) has other sections")
  }

  static func checksum(_ text: String) -> String {
    String(TestSupport.checksum(text.utf8.map { UInt64($0) }), radix: 16)
  }
}
