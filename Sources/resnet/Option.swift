// Option.swift: an option has a name, a kind of value, a default and one line of help. Options.swift has their table.

/// A wrong command line: one sentence, exit status 2.
struct CommandLineError: Error, Equatable {
  let message: String
  init(_ message: String) { self.message = message }
}

/// How a value is written on the command line, read, and printed in the help text.
struct ValueKind<Value: Sendable>: Sendable {
  /// What stands for the value in the help text: `N`, `DIR`, `A|B|C`.
  let placeholder: String
  /// What an error says it expected: "a whole number of at least 1".
  let expectation: String
  /// The value of a text, `nil` for a text of another kind or out of range.
  let read: @Sendable (String) -> Value?
  let print: @Sendable (Value) -> String
}

extension ValueKind where Value == Int {
  static func whole(_ range: ClosedRange<Int>) -> Self {
    let bounds =
      range.upperBound == .max ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
    return Self(placeholder: "N", expectation: "a whole number \(bounds)") { text in
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    } print: {
      "\($0)"
    }
  }

  static func whole(_ range: PartialRangeFrom<Int>) -> Self { whole(range.lowerBound...Int.max) }

  /// One of a few numbers.
  static func choice(_ numbers: Int...) -> Self { choice(numbers) { "\($0)" } }
}

extension ValueKind where Value == Double {
  static func number(_ range: ClosedRange<Double>) -> Self {
    let (low, high) = (brief(range.lowerBound), brief(range.upperBound))
    let bounds = range.upperBound == .greatestFiniteMagnitude ? "of at least \(low)" : "from \(low) to \(high)"
    return Self(placeholder: "X", expectation: "a number \(bounds)") { text in
      Double(text).flatMap { range.contains($0) ? $0 : nil }
    } print: {
      brief($0)
    }
  }

  static func number(_ range: PartialRangeFrom<Double>) -> Self {
    number(range.lowerBound...Double.greatestFiniteMagnitude)
  }
}

extension ValueKind where Value == String {
  static func text(_ placeholder: String, _ expectation: String) -> Self {
    Self(placeholder: placeholder, expectation: expectation) {
      $0.isEmpty ? nil : $0
    } print: {
      $0
    }
  }

  static var folder: Self { text("DIR", "a folder") }
  static var file: Self { text("FILE", "a file") }
}

extension ValueKind where Value: Equatable {
  /// One of `values`, written by its name.
  static func choice(_ values: [Value], name: @escaping @Sendable (Value) -> String) -> Self {
    let names = values.map(name)
    return Self(placeholder: names.joined(separator: "|"), expectation: listed(names, "or")) { text in
      names.firstIndex(of: text).map { values[$0] }
    } print: {
      name($0)
    }
  }
}

extension ValueKind where Value: Equatable & CaseIterable & RawRepresentable<String> {
  /// One of the cases of an enumeration, written by its raw value.
  static func choice(_ type: Value.Type) -> Self { choice(Array(type.allCases)) { $0.rawValue } }
}

extension ValueKind {
  /// Values of one kind with commas between them.
  static func list<Element>(_ kind: ValueKind<Element>) -> Self where Value == [Element] {
    Self(placeholder: "LIST", expectation: "a list with commas, each \(kind.expectation)") { text in
      let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      let values = parts.compactMap { kind.read(String($0)) }
      return values.count == parts.count ? values : nil
    } print: {
      $0.map(kind.print).joined(separator: ",")
    }
  }
}

/// The part that all options have in common. `Options.swift` extends this class with the table, so that `.batch` is
/// found both in a command's list, `[AnyOption]`, and by the typed `arguments[.batch]`.
///
/// Unchecked, as a class with subclasses must be: every stored property is a constant of a `Sendable` type.
class AnyOption: @unchecked Sendable {
  /// `--batch` for an option, `NETWORK` for a positional argument.
  let name: String
  /// `N`, `DIR`, `A|B|C`; empty for a flag.
  let placeholder: String
  let help: String
  /// What the help text calls the default; `nil` when there is none to name.
  let defaultText: String?
  let isRepeatable: Bool
  let isRequired: Bool

  var isFlag: Bool { placeholder.isEmpty }

  fileprivate init(
    _ name: String, _ placeholder: String, _ help: String, _ defaultText: String?, isRepeatable: Bool, isRequired: Bool
  ) {
    (self.name, self.placeholder, self.help, self.defaultText) = (name, placeholder, help, defaultText)
    (self.isRepeatable, self.isRequired) = (isRepeatable, isRequired)
  }

  /// The value of the texts given with the option, in order; the default when there are none.
  func value(of texts: [String]) throws(CommandLineError) -> any Sendable {
    preconditionFailure("\(name) is declared without a kind of value")
  }
}

/// An option or positional argument whose value has the type `Value`.
final class Option<Value: Sendable>: AnyOption, @unchecked Sendable {
  private let initial: Value?
  private let read: @Sendable ([String]) throws(CommandLineError) -> Value
  private let print: @Sendable (Value) -> String?

  private init(
    _ name: String, _ placeholder: String, _ help: String, initial: Value?, absent: String? = nil, isRepeatable: Bool,
    read: @escaping @Sendable ([String]) throws(CommandLineError) -> Value,
    print: @escaping @Sendable (Value) -> String?
  ) {
    (self.initial, self.read, self.print) = (initial, read, print)
    super.init(
      name, placeholder, help, absent ?? initial.flatMap(print), isRepeatable: isRepeatable, isRequired: initial == nil)
  }

  /// A value with a default; without one (`nil`) it must be given.
  convenience init(_ name: String, _ kind: ValueKind<Value>, default initial: Value?, _ help: String) {
    self.init(name, kind.placeholder, help, initial: initial, isRepeatable: false) {
      texts throws(CommandLineError) in
      try kind.value(of: texts[0], for: name)
    } print: {
      kind.print($0)
    }
  }

  /// A value that may be absent, `nil`. `absent` says in the help text what happens then.
  convenience init<Wrapped>(_ name: String, _ kind: ValueKind<Wrapped>, _ help: String, absent: String? = nil)
  where Value == Wrapped? {
    self.init(name, kind.placeholder, help, initial: .some(nil), absent: absent, isRepeatable: false) {
      texts throws(CommandLineError) in
      try kind.value(of: texts[0], for: name)
    } print: {
      $0.map(kind.print)
    }
  }

  /// A value that may be given several times; with `isRequired` at least once.
  convenience init<Element>(
    _ name: String, repeated kind: ValueKind<Element>, _ help: String, isRequired: Bool = false
  ) where Value == [Element] {
    self.init(name, kind.placeholder, help, initial: isRequired ? nil : [], isRepeatable: true) {
      texts throws(CommandLineError) in
      var values: [Element] = []
      for text in texts { values.append(try kind.value(of: text, for: name)) }
      return values
    } print: {
      $0.isEmpty ? nil : $0.map(kind.print).joined(separator: " ")
    }
  }

  /// An option without a value: given or not.
  convenience init(flag name: String, _ help: String) where Value == Bool {
    self.init(name, "", help, initial: false, isRepeatable: false) { _ throws(CommandLineError) in
      true
    } print: { _ in
      nil
    }
  }

  /// The same option for a command that has another default for it, or says in words of its own what it is for and what
  /// happens when it is absent.
  func with(default value: Value? = nil, absent: String? = nil, help: String? = nil) -> Option {
    Option(
      name, placeholder, help ?? self.help, initial: value ?? initial, absent: absent, isRepeatable: isRepeatable,
      read: read, print: print)
  }

  override func value(of texts: [String]) throws(CommandLineError) -> any Sendable {
    if !texts.isEmpty { return try read(texts) }
    guard let initial else { throw CommandLineError("\(name) is missing: \(help)") }
    return initial
  }
}

extension ValueKind {
  fileprivate func value(of text: String, for name: String) throws(CommandLineError) -> Value {
    guard let value = read(text) else {
      throw CommandLineError("\(name) takes \(expectation), not \(quoted(text))")
    }
    return value
  }
}
