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
  @Test func `The committed drawings are those that the package draws`() throws {
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

  @Test func `Every drawing of the course is on a page`() throws {
    let pages = try FileManager.default.contentsOfDirectory(
      at: repository.appending(path: "docs/course"), includingPropertiesForKeys: nil
    ).filter { $0.pathExtension == "md" }.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
    for drawing in Drawing.all {
      #expect(pages.contains("../drawings/\(drawing.name).svg"), "\(drawing.name) is on no page")
    }
  }
}
