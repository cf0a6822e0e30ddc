import Foundation
import ResidualExperiments
import ResidualLearning
import TestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct DrawingTests {
  private let folder = repository.appending(path: "docs/drawings")

  /// `WRITE_DRAWINGS=1 swift test --filter DrawingTests` writes the files anew.
  @Test func `The committed drawings are those drawn here`() throws {
    for (name, svg) in Drawing.files {
      let file = folder.appending(path: name)
      if ProcessInfo.processInfo.environment["WRITE_DRAWINGS"] != nil { try Data(svg.utf8).write(to: file) }
      let committed = try? String(contentsOf: file, encoding: .utf8)
      #expect(
        committed == svg, "docs/drawings/\(name) is out of date: WRITE_DRAWINGS=1 swift test --filter DrawingTests")
    }
  }

  @Test(arguments: Drawing.all)
  func `A drawing has a title, a description, words as text and colours for light and dark`(drawing: Drawing) {
    let svg = drawing.svg
    #expect(svg.contains("<title id=\"title\">\(drawing.title)</title>") && drawing.description.count > 40)
    #expect(svg.contains("role=\"img\"") && svg.contains("prefers-color-scheme:dark") && svg.contains("<text "))
    #expect(XMLParser(data: Data(svg.utf8)).parse())
  }

  @Test func `Every drawing is on a page, with words in its place`() throws {
    let pages = try ["docs/course", "docs/derivations", "docs"].flatMap { folder in
      try FileManager.default.contentsOfDirectory(
        at: repository.appending(path: folder), includingPropertiesForKeys: nil)
    }.filter { $0.pathExtension == "md" }.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
    for drawing in Drawing.all {
      let shown = try Regex(#"!\[[^\]]{10,}\]\((\.\./)?drawings/\#(drawing.name)\.svg\)"#)
      #expect(pages.contains(shown), "\(drawing.name) is on no page")
    }
  }

  @Test func `Figure 3 has a box for every layer, and the counts that the paper rounds`() throws {
    let svg = try #require(Drawing.all.first { $0.name == "figure-3" }).svg
    let boxes = { (words: String) in svg.components(separatedBy: ">\(words)</text>").count - 1 }
    // VGG-19: 2, 2, 4, 4, 4 convolutions. The others: 6, 8, 12, 6; the first of a stage has stride 2.
    #expect(boxes("3x3 conv, 64") == 2 + 2 * 6 && boxes("3x3 conv, 128") == 2 + 2 * 7)
    #expect(boxes("3x3 conv, 256") == 4 + 2 * 11 && boxes("3x3 conv, 512") == 8 + 2 * 5)
    #expect(boxes("3x3 conv, 128, /2") == 2 && boxes("3x3 conv, 512, /2") == 2 && boxes("7x7 conv, 64, /2") == 2)
    #expect(boxes("fc 4096") == 2 && boxes("fc 1000") == 3 && boxes("avg pool") == 2 && boxes("max pool, /2") == 7)
    #expect(boxes("19.63 · 10⁹") == 1 && boxes("3.64 · 10⁹") == 2)
    #expect(svg.components(separatedBy: "stroke-dasharray").count - 1 == 3)  // the shortcuts that change dimensions
  }

  @Test func `The names on the arrows of a block are those of the code`() throws {
    let drawing = try #require(Drawing.all.first { $0.name == "block-in-code" })
    let source = repository.appending(path: "Sources/ResidualLearning/Blocks/Block.swift")
    let code = try String(contentsOf: source, encoding: .utf8)
    let words = drawing.svg.matches(of: #/class="(?:forward|backward)"[^>]*>(\w+)/#).map { String($0.output.1) }
    #expect(words.count == 21)
    for word in words { #expect(code.contains(try Regex("\\b\(word)\\b")), "Block.swift has no \(word)") }
  }
}
