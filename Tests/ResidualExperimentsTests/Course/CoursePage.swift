import Foundation
import ResidualExperiments
import ResidualLearning
import TestSupport
import Testing

/// A page of the course whose numbers a test computes again.
///
/// Lines `label = … = result` in the page's blocks of text are what is checked. The test names the label and gives the values;
/// parts in between that are plain arithmetic are evaluated and must give the result too. ``finish()`` fails for every line
/// that the test did not ask for, so no number of such a block can go unchecked.
final class CoursePage {
  private struct Line {
    let label: String
    let arithmetic: [String]
    var results: [String]
    var isChecked = false
  }

  private let page: String
  private let text: String
  private var lines: [Line] = []

  /// The page at this path from the root of the repository.
  init(_ page: String) throws {
    self.page = page
    text = try String(contentsOf: repository.appending(path: page), encoding: .utf8)
    for line in Self.blocks("text", of: text).joined() {
      let line = String(line.prefix { $0 != "#" })
      let parts = line.components(separatedBy: " = ").map { $0.trimmingCharacters(in: .whitespaces) }
      let numbers = parts[parts.count - 1].split(separator: " ").map(String.init)
      guard !numbers.isEmpty, numbers.allSatisfy({ Self.number($0) != nil }) else {
        if parts.count > 1 { Issue.record("\(page): no numbers at the end of '\(line)'") }
        continue
      }
      if parts.count > 1 {
        lines.append(Line(label: parts[0], arithmetic: Array(parts[1..<(parts.count - 1)]), results: numbers))
      } else if !lines.isEmpty {
        lines[lines.count - 1].results += numbers  // another row of the same tensor
      }
    }
  }

  /// Compares the next line with this label with `values`.
  func expect(_ label: String, _ values: [Double], sourceLocation: SourceLocation = #_sourceLocation) {
    guard let i = lines.firstIndex(where: { $0.label == label && !$0.isChecked }) else {
      Issue.record("\(page) has no (other) line '\(label) = …'", sourceLocation: sourceLocation)
      return
    }
    lines[i].isChecked = true
    let shown = lines[i].results
    let fits = shown.count == values.count && zip(shown, values).allSatisfy { Self.agree($0, $1, ulps: 0.5000001) }
    #expect(fits, "\(page): '\(label)' shows \(shown), computed \(values)", sourceLocation: sourceLocation)
    guard shown.count == 1 else { return }
    for expression in lines[i].arithmetic {
      guard let value = Arithmetic.value(of: expression) else { continue }
      #expect(
        Self.agree(shown[0], value, ulps: 2), "\(page): '\(label)': \(expression) is \(value), not \(shown[0])",
        sourceLocation: sourceLocation)
    }
  }

  func expect(_ label: String, _ values: Double..., sourceLocation: SourceLocation = #_sourceLocation) {
    expect(label, values, sourceLocation: sourceLocation)
  }

  func expect(_ label: String, _ tensor: Tensor<Double>, sourceLocation: SourceLocation = #_sourceLocation) {
    expect(label, tensor.elements, sourceLocation: sourceLocation)
  }

  /// Expects these words, with numbers that the test has computed, somewhere in the page.
  func expect(words: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let spaced = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(spaced.contains(words), "\(page) does not say '\(words)'", sourceLocation: sourceLocation)
  }

  /// Fails for numbers that no test computed, and for a page without a drawing or an exercise.
  func finish(sourceLocation: SourceLocation = #_sourceLocation) {
    for line in lines where !line.isChecked {
      Issue.record("\(page): nobody checks '\(line.label) = … = \(line.results)'", sourceLocation: sourceLocation)
    }
    #expect(text.contains("../drawings/"), "\(page) has no drawing", sourceLocation: sourceLocation)
    #expect(text.contains("<details>"), "\(page) asks nothing", sourceLocation: sourceLocation)
  }

  /// Compares the page's blocks of Swift with the pieces of a source file between `// begin` and `// end`, in order.
  func expectSnippets(source: String = #filePath, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let code = try String(contentsOf: URL(filePath: source), encoding: .utf8)
    let pieces = code.components(separatedBy: "// begin\n").dropFirst().map {
      ($0.components(separatedBy: "// end")[0]).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        .filter { !$0.isEmpty }
    }
    let shown = Self.blocks("swift", of: text).map {
      $0.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
    #expect(shown.count == pieces.count, "\(page) has \(shown.count) pieces of Swift, the source \(pieces.count)")
    for (page, source) in zip(shown, pieces) { #expect(page == source, sourceLocation: sourceLocation) }
  }

  // MARK: - Parts

  private static func blocks(_ language: String, of text: String) -> [[String]] {
    var result: [[String]] = []
    var isInside = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line == "```\(language)" {
        isInside = true
        result.append([])
      } else if line == "```" {
        isInside = false
      } else if isInside {
        result[result.count - 1].append(String(line))
      }
    }
    return result
  }

  /// The value of `−1.25`, `15/18` or `2,097,152`.
  static func number(_ word: String) -> Double? {
    let parts = word.replacing("−", with: "-").replacing(",", with: "").split(separator: "/").map { Double($0) }
    if parts.count == 2, let a = parts[0], let b = parts[1] { return a / b }
    return parts.count == 1 ? parts[0] : nil
  }

  /// Whether a printed number is `value`, rounded to the digits that are printed; whole numbers and fractions are exact.
  static func agree(_ word: String, _ value: Double, ulps: Double) -> Bool {
    guard let printed = number(word) else { return false }
    let mantissa = word.lowercased().split(separator: "e")
    let exponent = mantissa.count == 2 ? Double(mantissa[1].replacing("−", with: "-")) ?? 0 : 0
    guard let point = mantissa[0].firstIndex(of: ".") else {
      return exponent == 0 ? abs(printed - value) < 1e-9 * max(1, abs(value)) : abs(printed / value - 1) < 0.5
    }
    let digits = Double(mantissa[0].distance(from: point, to: mantissa[0].endIndex) - 1)
    return abs(printed - value) <= ulps * pow(10, exponent - digits)
  }
}

/// Plain arithmetic as a page writes it: `(2·3 − 1)/4`, `√2`, `3²`, `ln 8`, `exp 1`.
enum Arithmetic {
  /// The value, or nil where the text is something else.
  static func value(of text: String) -> Double? {
    var characters = Array(
      text.replacing("ln", with: "L").replacing("exp", with: "E").filter { $0 != " " && $0 != "," })
    guard !characters.isEmpty, characters.allSatisfy({ "0123456789.+-−·×/()√²³LE".contains($0) }) else { return nil }
    characters.append("$")
    var at = 0
    func sum() -> Double? {
      guard var value = product() else { return nil }
      while "+-−".contains(characters[at]) {
        let isSum = characters[at] == "+"
        at += 1
        guard let next = product() else { return nil }
        value += isSum ? next : -next
      }
      return value
    }
    func product() -> Double? {
      guard var value = factor() else { return nil }
      while "·×/".contains(characters[at]) {
        let isQuotient = characters[at] == "/"
        at += 1
        guard let next = factor() else { return nil }
        value = isQuotient ? value / next : value * next
      }
      return value
    }
    func factor() -> Double? {
      var value: Double
      switch characters[at] {
      case "-", "−":
        at += 1
        guard let next = factor() else { return nil }
        return -next
      case "√", "L", "E":
        let name = characters[at]
        at += 1
        guard let next = factor() else { return nil }
        return name == "√" ? next.squareRoot() : name == "L" ? log(next) : exp(next)
      case "(":
        at += 1
        guard let inner = sum(), characters[at] == ")" else { return nil }
        at += 1
        value = inner
      default:
        let start = at
        while characters[at].isNumber && characters[at].isASCII || characters[at] == "." { at += 1 }
        guard let parsed = Double(String(characters[start..<at])) else { return nil }
        value = parsed
      }
      while "²³".contains(characters[at]) {
        value = pow(value, characters[at] == "²" ? 2 : 3)
        at += 1
      }
      return value
    }
    guard let value = sum(), characters[at] == "$" else { return nil }
    return value
  }
}

@Suite struct CoursePageTests {
  @Test func `Arithmetic as the pages write it is evaluated`() {
    #expect(Arithmetic.value(of: "(2·3 − 1)/4") == 1.25)
    #expect(Arithmetic.value(of: "−3² + √4") == -7)
    #expect(Arithmetic.value(of: "ln 8/ln 2").map { abs($0 - 3) < 1e-12 } == true)
    #expect(Arithmetic.value(of: "2·(−3)/4") == -1.5)
    #expect(Arithmetic.value(of: "w x + b") == nil && Arithmetic.value(of: "1 2") != 3)
  }
}
