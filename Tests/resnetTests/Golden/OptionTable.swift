import Testing

@testable import resnet

/// What one option does to a run that is otherwise the same.
enum Effect {
  /// Every bit is as it was.
  case none
  /// Parameters, statistics, velocity and log are others.
  case all
  /// Parameters are others by rounding alone: the losses differ by less than a thousandth.
  case rounding
  /// Parameters and velocity are as they were, the running statistics are not.
  case statistics
}

/// A command line that differs from that of another row in a few options.
struct Variation {
  let name: String
  /// Options with their values; `-` in place of a value takes the option away.
  let change: String
  let effect: Effect
  /// The row that it is compared with; the first one unless said otherwise.
  let from: String

  init(_ name: String, _ change: String, _ effect: Effect, from: String = "base") {
    (self.name, self.change, self.effect, self.from) = (name, change, effect, from)
  }
}

/// A command line as its options in order.
struct OptionWords {
  private var options: [(name: String, value: String)] = []

  /// Flags have no value.
  init(_ line: String) {
    for word in line.split(separator: " ").map(String.init) {
      if word.hasPrefix("--") { options.append((word, "")) } else { options[options.count - 1].value = word }
    }
  }

  /// The same with the options in `line` changed, added or taken away.
  func changed(by line: String) -> OptionWords {
    var result = self
    for (name, value) in OptionWords(line).options {
      let old = result.options.firstIndex { $0.name == name }
      if value == "-" {
        result.options.removeAll { $0.name == name }
      } else if let old {
        result.options[old].value = value
      } else {
        result.options.append((name, value))
      }
    }
    return result
  }

  var line: String { options.map { $0.value.isEmpty ? $0.name : "\($0.name) \($0.value)" }.joined(separator: " ") }
  var names: [String] { options.map(\.name) }
}

/// Expects that the rows of a table name every option of a command.
func expectAllOptions(of command: Command, in lines: [String]) {
  let named = Set(lines.flatMap { OptionWords($0).names })
  for option in command.options { #expect(named.contains(option.name), "\(command.name) \(option.name)") }
}
