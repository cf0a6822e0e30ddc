import Foundation
import Testing

@testable import ResidualFiles

@Suite struct LinePlotTests {
  @Test func `Ticks are round numbers inside the range`() {
    let tenths = (0...10).map { Double($0) * 0.1 }
    let tenThousands = (0...6).map { Double($0) * 10_000 }
    #expect(LinePlot.ticks(0...1) == tenths)
    #expect(LinePlot.ticks(0...64_000) == tenThousands)
    #expect(LinePlot.ticks(3...17) == [4, 6, 8, 10, 12, 14, 16])
    #expect(LinePlot.ticks(-0.3...0.3).count == 7)
    #expect(LinePlot.ticks(0...8000, atMost: 6) == [0, 2000, 4000, 6000, 8000])
  }

  @Test func `Points lie where the axes say`() {
    let plot = LinePlot(
      title: "a < b & c", xLabel: "x", yLabel: "y", yRange: 0...10,
      series: [
        .init("one", [(0, 0), (5, 5), (10, 20)], color: 0), .init("", [(0, 10), (10, .nan)], color: 1, isDashed: true),
      ])
    let svg = plot.svg
    // The frame is 66 to 440 across and 300 to 40 down; what is above the range is drawn at its edge.
    #expect(svg.contains("points=\"66.0,300.0 253.0,170.0 440.0,40.0\""))
    #expect(svg.contains("stroke-dasharray=\"5 4\" points=\"66.0,40.0\""))
    #expect(svg.contains("a &lt; b &amp; c"))
    #expect(svg.hasPrefix("<svg") && svg.hasSuffix("</svg>\n"))
    #expect(svg.components(separatedBy: "<polyline").count == 3)
    #expect(
      plot.textAlternative
        == "a < b & c: y over x. one goes from 0 at 0 to 20 at 10. another curve goes from 10 at 0 to 10 at 0.")
  }

  @Test func `One point or none is a plot too`() {
    #expect(LinePlot.range([]) == 0...1)
    #expect(LinePlot.range([3, 3]) == 3...4)
    #expect(LinePlot(title: "", xLabel: "", yLabel: "", series: []).svg.contains("</svg>"))
  }

  @Test func `The file holds the picture`() throws {
    let path = NSTemporaryDirectory() + "plot-\(UUID().uuidString).svg"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let plot = LinePlot(title: "t", xLabel: "x", yLabel: "y", series: [.init("a", [(0, 1), (1, 2)], color: 2)])
    try plot.write(to: path)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == plot.svg)
    #expect(throws: InputError.self) { try plot.write(to: "/no/such/folder/plot.svg") }
  }
}
