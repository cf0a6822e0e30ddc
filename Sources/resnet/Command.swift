import Foundation
import ResidualLearning

/// One subcommand: its help text, its arguments and options, and what it does.
struct Command: Sendable {
  let name: String
  /// One line for the list of commands.
  let summary: String
  /// A few sentences that say what it does, for its own help text.
  let description: String
  var positionals: [AnyOption] = []
  var options: [AnyOption] = []
  /// Performs the command. Throws `InputError` for a user's mistake, `CommandLineError` for options that do not go
  /// together, `Stopped` when a signal ended the run early.
  let run: @Sendable (Arguments) throws -> Void

  /// All commands in the order of the help text.
  static let all: [Command] = [
    .train, .evaluate, .predict, .summary, .checkGradients, .bench, .compare, .responses, .trace, .detectTrain,
    .detectEvaluate, .detectPredict, .help,
  ]

  static let help = Command(
    name: "help",
    summary: "explains the commands",
    description: "Prints the list of commands, or what one command does and takes.",
    positionals: [.topic]
  ) { arguments in
    let topic = arguments[.topic]
    let text = topic.isEmpty ? Command.overview : try Command.named(topic.joined(separator: " ")).helpText
    Output(json: false).line(text)
  }

  /// Runs a command line (without the program's name) and returns the exit status: 0, 1 for an error, 2 for a wrong
  /// command line, 128 plus the signal's number for a run that a signal stopped.
  static func main(_ words: [String]) -> Int32 {
    do {
      let (command, arguments) = try parse(words)
      try command.run(arguments)
      return 0
    } catch {
      return status(of: error, command: (try? split(words))?.command.name)
    }
  }

  /// Says on standard error what went wrong and returns the exit status.
  static func status(of error: any Error, command: String?) -> Int32 {
    switch error {
    case let stopped as Stopped:
      return 128 + stopped.signal
    case let error as CommandLineError:
      let command = all.first { $0.name == command && !$0.options.isEmpty }
      complain(error.message)
      complain("'resnet \(command.map { "\($0.name) --help" } ?? "help")' explains it")
      return 2
    case let error as InputError:
      complain(error.message)
    case let error as Divergence:
      complain(error.description)
    default:
      complain(error.localizedDescription)
    }
    return 1
  }

  /// The lines of `--help`: what it does, how it is called, every option with its default.
  var helpText: String {
    var lines = wrapped(description, indent: 0) + ["", "usage: \(usage)"]
    lines += Command.section("arguments", positionals.map { ($0.name, $0.explanation) })
    lines += Command.section("options", options.map { ("\($0.name) \($0.placeholder)", $0.explanation) })
    return lines.joined(separator: "\n")
  }

  private var usage: String {
    let arguments = positionals.map { positional in
      let name = positional.name + (positional.isRepeatable ? "..." : "")
      return positional.isRequired ? name : "[\(name)]"
    }
    return (["resnet", name] + arguments + (options.isEmpty ? [] : ["[options]"])).joined(separator: " ")
  }

  /// The list of commands.
  static var overview: String {
    var lines = ["Residual learning in pure Swift: He, Zhang, Ren, Sun, 2015.", "", "usage: resnet COMMAND [options]"]
    lines += section("commands", all.map { ($0.name, $0.summary) })
    lines += [
      "", "'resnet help COMMAND' explains one command and its options.",
      "'resnet --generate-completion-script bash|zsh|fish' prints them for a shell.",
    ]
    return lines.joined(separator: "\n")
  }

  /// A titled list in two columns; a long left side has a line to itself.
  private static func section(_ title: String, _ entries: [(left: String, right: String)]) -> [String] {
    if entries.isEmpty { return [] }
    return ["", "\(title):"]
      + entries.flatMap { entry in
        let left = entry.left.hasSuffix(" ") ? String(entry.left.dropLast()) : entry.left
        var right = wrapped(entry.right, indent: 24)
        if left.count > 20 { return ["  " + left] + right }
        right[0] = "  " + padded(left, to: 22) + right[0].dropFirst(24)
        return right
      }
  }
}

extension AnyOption {
  /// Help and default, as the help text shows them.
  var explanation: String {
    if let defaultText { return "\(help) (default: \(defaultText))" }
    return isRepeatable && !isRequired ? "\(help) (repeatable)" : help
  }
}

/// A text in lines of at most 80 columns, each indented.
private func wrapped(_ text: String, indent: Int) -> [String] {
  var lines: [String] = []
  var line = ""
  for word in text.split(separator: " ") {
    if !line.isEmpty && indent + line.count + 1 + word.count > 80 {
      lines.append(line)
      line = ""
    }
    line += (line.isEmpty ? "" : " ") + word
  }
  return (lines + [line]).map { String(repeating: " ", count: indent) + $0 }
}

/// An error's sentence on standard error.
private func complain(_ message: String) {
  StandardStream.standardError.write("resnet: \(message)\n")
}
