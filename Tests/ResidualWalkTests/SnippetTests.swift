import Foundation
import TestSupport
import Testing

@testable import ResidualWalk

@Suite struct SnippetTests {
  /// `WRITE_DOCS=1 swift test --filter SnippetTests` writes the file anew.
  @Test func `The functions that the walk shows stand so in the sources`() throws {
    let written = try Snippet.places.map { try text($0.key, $0.file, $0.begins) }.joined()
    let head = """
      // SnippetTexts.swift: functions of this package as text, for a program without its sources.
      //
      // Written by   WRITE_DOCS=1 swift test --filter SnippetTests

      /// The text that ``Snippet/all`` reads.
      let snippetTexts = #\"""

      """
    let file = repository.appending(path: "Sources/ResidualWalk/SnippetTexts.swift")
    let indented = written.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "  \($0)" }
    let source = head + indented.joined(separator: "\n") + "  \"\"\"#\n"
    if ProcessInfo.processInfo.environment["WRITE_DOCS"] != nil { try Data(source.utf8).write(to: file) }
    #expect(
      try String(contentsOf: file, encoding: .utf8) == source,
      "out of date: WRITE_DOCS=1 swift test --filter SnippetTests, then build again")
    #expect(snippetTexts + "\n" == written, "the program was built before its snippets were written: build again")
  }

  @Test func `A snippet has its file and its first line, and no indentation`() throws {
    let backward = try #require(Snippet.all.first { $0.key == "bn.backward" })
    #expect(backward.file == "Sources/ResidualLearning/Layers/BatchNorm2D.swift")
    #expect(backward.lines[0] == "public func backward(" && backward.lines.last == "}")
    let source = try String(contentsOf: repository.appending(path: backward.file), encoding: .utf8)
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[backward.firstLine - 1] == "  public func backward(")
  }

  /// The lines of the function in which `begins` stands first, with a head that says where it is.
  private func text(_ key: String, _ path: String, _ begins: String) throws -> String {
    let source = try String(contentsOf: repository.appending(path: path), encoding: .utf8)
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let isCode = { (line: String) in !line.drop { $0 == " " }.hasPrefix("//") }
    let found = try #require(
      lines.indices.last { lines[$0].contains(begins) && isCode(lines[$0]) }, "\(path) has no '\(begins)'")
    let start = try #require(lines[...found].lastIndex { $0.contains("func ") && isCode($0) })
    let indent = String(lines[start].prefix { $0 == " " })
    let end = try #require(lines[start...].firstIndex(of: indent + "}"))
    let code = lines[start...end].map { $0.hasPrefix(indent) ? String($0.dropFirst(indent.count)) : $0 }
    return "=== \(key) \(path) \(start + 1)\n" + code.joined(separator: "\n") + "\n"
  }
}
