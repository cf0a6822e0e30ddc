import Foundation

/// The values of one command line: typed, checked, defaults filled in.
struct Arguments: CustomStringConvertible {
  private let command: Command
  /// The command line as a shell takes it.
  let line: String
  private let values: [String: any Sendable]
  private let given: Set<String>

  /// The value of an option or positional argument that the command lists.
  subscript<Value>(option: Option<Value>) -> Value {
    guard let value = values[option.name] as? Value else {
      preconditionFailure("resnet \(command.name) reads \(option.name) as \(Value.self) but does not list it so")
    }
    return value
  }

  /// Whether the command line has the option, even with the value of the default.
  func isGiven(_ option: AnyOption) -> Bool { given.contains(option.name) }

  /// The value of an option that the command line has, else nil.
  func given<Value>(_ option: Option<Value>) -> Value? { isGiven(option) ? self[option] : nil }

  /// All values in the order of the help text, for printing.
  var description: String {
    (command.positionals + command.options).map { "\($0.name) \(values[$0.name]!)" }.joined(separator: "\n")
  }

  /// Refuses options that contradict each other.
  func allowOne(of options: AnyOption...) throws(CommandLineError) {
    let both = options.filter(isGiven).map(\.name)
    if both.count > 1 { throw CommandLineError("\(listed(both, "and")) exclude each other") }
  }

  /// Reads the words after the command's name: `--name value`, `--name=value`, flags, positional arguments; after `--`
  /// only positional arguments. A value that begins with `--` needs the form with `=`.
  init(_ words: [String], of command: Command) throws(CommandLineError) {
    line = (["resnet", command.name] + words).map(shellQuoted).joined(separator: " ")
    var texts: [String: [String]] = [:]
    var free: [String] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--" {
        free += rest
        break
      }
      guard word.hasPrefix("-"), word != "-" else {
        free.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let option = command.options.first(where: { $0.name == parts[0] }) else {
        throw command.unknownOption(parts[0])
      }
      let text: String
      switch (option.isFlag, parts.count) {
      case (true, 1): text = ""
      case (true, _): throw CommandLineError("\(option.name) takes no value, not \(quoted(parts[1]))")
      case (false, 2): text = parts[1]
      case (false, _):
        guard let next = rest.first, !next.hasPrefix("--") else {
          throw CommandLineError("\(option.name) needs a value: \(option.name) \(option.placeholder)")
        }
        text = rest.removeFirst()
      }
      guard option.isRepeatable || texts[option.name] == nil else {
        throw CommandLineError("\(option.name) is given twice")
      }
      texts[option.name, default: []].append(text)
    }
    for positional in command.positionals where !free.isEmpty {
      let count = positional.isRepeatable ? free.count : 1
      texts[positional.name] = Array(free.prefix(count))
      free.removeFirst(count)
    }
    if let extra = free.first {
      let taken =
        command.positionals.isEmpty ? "options only" : listed(command.positionals.map(\.name), "and") + " only"
      throw CommandLineError("unexpected argument \(quoted(extra)): resnet \(command.name) takes \(taken)")
    }
    var values: [String: any Sendable] = [:]
    for option in command.positionals + command.options {
      values[option.name] = try option.value(of: texts[option.name] ?? [])
    }
    (self.command, self.values, self.given) = (command, values, Set(texts.keys))
  }
}

extension Command {
  /// The command line without the program's name, understood. No words mean `help`; `--help` or `-h` after a command
  /// means `help` with its name.
  static func parse(_ words: [String]) throws(CommandLineError) -> (command: Command, arguments: Arguments) {
    guard let first = words.first, first != "--help", first != "-h" else {
      return (.help, try Arguments([], of: .help))
    }
    if first == Command.completion.name {
      return (.completion, try Arguments(Array(words.dropFirst()), of: .completion))
    }
    if first.hasPrefix("-") {
      throw CommandLineError("the command comes first, not \(quoted(first)): resnet COMMAND [options]")
    }
    let (command, rest) = try split(words)
    if rest.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
      return (.help, try Arguments(command.name.split(separator: " ").map(String.init), of: .help))
    }
    return (command, try Arguments(rest, of: command))
  }

  /// The command that the first word, or the first two, name, and the words behind its name.
  static func split(_ words: [String]) throws(CommandLineError) -> (command: Command, rest: [String]) {
    let two = words.prefix(2).joined(separator: " ")
    let isGroup = words.count > 0 && all.contains { $0.name.hasPrefix(words[0] + " ") }
    let count = isGroup ? min(2, words.count) : 1
    return (try Command.named(isGroup ? two : words.first ?? ""), Array(words.dropFirst(count)))
  }

  static func named(_ name: String) throws(CommandLineError) -> Command {
    if let command = all.first(where: { $0.name == name }) { return command }
    let hint = nearest(to: name, in: all.map(\.name)).map { "; the nearest is '\($0)'" } ?? ""
    throw CommandLineError("unknown command \(quoted(name))\(hint)")
  }

  fileprivate func unknownOption(_ name: String) -> CommandLineError {
    let owners = Command.all.filter { $0.options.contains { $0.name == name } }.map { "resnet \($0.name)" }
    if !owners.isEmpty {
      return CommandLineError("\(name) belongs to \(listed(owners, "and")), not to resnet \(self.name)")
    }
    if options.isEmpty { return CommandLineError("unknown option \(quoted(name)): resnet \(self.name) takes none") }
    let known = options.map { String($0.name.dropFirst(2)) }
    let hint = nearest(to: String(name.drop { $0 == "-" }), in: known).map { "; the nearest is --\($0)" } ?? ""
    return CommandLineError("unknown option \(quoted(name))\(hint)")
  }
}

/// The nearest of `names`: one that begins with `name`, or else the one with the fewest letters changed, inserted or
/// left out, if they are fewer than half of the longer word.
func nearest(to name: String, in names: [String]) -> String? {
  let name = name.lowercased().prefix(40)
  let costs = names.map { candidate in
    !name.isEmpty && candidate.hasPrefix(name) ? 0 : editDistance(name, candidate.lowercased())
  }
  guard let best = costs.indices.min(by: { costs[$0] < costs[$1] }) else { return nil }
  return 2 * costs[best] < max(name.count, names[best].count) ? names[best] : nil
}

/// The number of letters to change, insert or leave out to turn one word into the other (Levenshtein).
func editDistance(_ a: some Collection<Character>, _ b: some Collection<Character>) -> Int {
  var row = Array(0...b.count)
  for x in a {
    var diagonal = row[0]
    row[0] += 1
    for (j, y) in b.enumerated() {
      (row[j + 1], diagonal) = (x == y ? diagonal : 1 + min(diagonal, row[j], row[j + 1]), row[j + 1])
    }
  }
  return row[b.count]
}

/// "A, B or C".
func listed(_ names: [String], _ conjunction: String) -> String {
  guard let last = names.last, names.count > 1 else { return names.first ?? "" }
  return names.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
}

/// A user's text for an error message: in quotes, on one line, not longer than a line.
func quoted(_ text: String) -> String {
  let shown = text.unicodeScalars.prefix(60).map { $0.properties.generalCategory == .control ? "?" : String($0) }
  return "'" + shown.joined() + (text.unicodeScalars.count > 60 ? "..." : "") + "'"
}
