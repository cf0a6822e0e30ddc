import Foundation
import TestSupport
import Testing

/// A piece of code that stands in a page and in a test, and what it prints.
///
/// The test brackets the code with `// begin PAGE` and `// end PAGE`. ``check(source:)`` compares the lines between them with the
/// page's block of Swift, and what the code printed with the block of text behind it.
final class Snippet {
  private let page: String
  private var printed = ""

  /// The only snippet of a page, whose path starts at the root of the repository.
  init(_ page: String) { self.page = page }

  /// Takes the place of Swift's `print` in a test.
  func print(_ items: [Any]) {
    printed += items.map { String(describing: $0) }.joined(separator: " ") + "\n"
  }

  /// Compares page and test. Lines that import modules are left out: a test has its own at its head.
  func check(source: String = #filePath) throws {
    let text = try String(contentsOf: repository.appending(path: page), encoding: .utf8)
    let test = try String(contentsOf: URL(filePath: source), encoding: .utf8)
    let begin = try #require(test.range(of: "// begin \(page)\n"), "the test has no '// begin \(page)'")
    let end = try #require(test.range(of: "// end \(page)\n"), "the test has no '// end \(page)'")
    let shown = try block("swift", of: text).filter { !$0.hasPrefix("import ") }
    let run = test[begin.upperBound..<end.lowerBound].split(separator: "\n").map { $0.trimming() }
    #expect(shown.map { $0.trimming() }.filter { !$0.isEmpty } == run.filter { !$0.isEmpty })
    let lines = try block("text", of: text)
    #expect(lines == printed.split(separator: "\n").map(String.init), "the code prints:\n\(printed)")
  }

  /// The lines of a page's first block in a language.
  private func block(_ language: String, of text: String) throws -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex(of: "```\(language)"), "\(page) has no block of \(language)")
    return lines[(start + 1)...].prefix { $0 != "```" }.map(String.init)
  }
}

extension StringProtocol {
  fileprivate func trimming() -> String { trimmingCharacters(in: .whitespaces) }
}
