// Drawing.swift: boxes, arrows, tables of numbers and words as an SVG picture.
//
// Docs        docs/drawings, shown by the pages in docs/course
// Tests       Tests/ResidualExperimentsTests/Drawings/DrawingTests.swift

import Foundation
import ResidualFiles
import ResidualLearning

/// A drawing for a page: shapes and words that are readable on a light and on a dark screen.
///
/// Coordinates are in pixels, x to the right and y downwards. The picture brings its own background and changes its
/// colours with the reader's preference; words stay text, and a title and a description tell a screen reader what is
/// drawn.
struct Drawing: Sendable {
  /// What a line or a word stands for. Each has a colour that differs from the others in lightness too.
  enum Ink: String, CaseIterable, Sendable {
    /// Names and outlines.
    case ink
    /// What is secondary.
    case faint
    /// Values on the way forward.
    case forward
    /// Gradients on the way back.
    case backward
    /// What is to be noticed: a mistake, a number that decides.
    case notice
  }

  /// The name of its file in `docs/drawings`, without `.svg`.
  let name: String
  /// One line that says what is drawn.
  let title: String
  /// What a reader who does not see the drawing needs to know.
  let description: String
  private let width: Double, height: Double
  private var lines: [String] = []

  /// An empty drawing of `width` x `height` pixels.
  init(_ name: String, width: Double, height: Double, title: String, description: String) {
    (self.name, self.width, self.height, self.title, self.description) = (name, width, height, title, description)
  }

  /// The picture as the text of an SVG file.
  var svg: String {
    let markers = Ink.allCases.map {
      "<marker id=\"\($0)-tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
        + "orient=\"auto-start-reverse\"><path class=\"\($0)\" d=\"M0 0.5 L8 4 L0 7.5 z\"/></marker>"
    }
    let head = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(width)) \(number(height))\" "
        + "width=\"\(number(width))\" role=\"img\" aria-labelledby=\"title description\" "
        + "font-family=\"sans-serif\" font-size=\"14\">",
      "<title id=\"title\">\(escaped(title))</title>",
      "<desc id=\"description\">\(escaped(description))</desc>",
      "<style>\(Self.style)</style>",
      "<defs>\(markers.joined())</defs>",
      "<rect class=\"paper\" width=\"\(number(width))\" height=\"\(number(height))\" rx=\"8\"/>",
    ]
    return (head + lines + ["</svg>", ""]).joined(separator: "\n")
  }

  /// Colours for light and dark, in this order: paper, box, ink, faint, forward, backward, notice. The last three are
  /// Okabe and Ito's blue, vermilion and green, which can be told apart without seeing hues.
  private static let style: String = {
    func rules(_ colors: [String]) -> String {
      let inks = zip(Ink.allCases, colors.dropFirst(2)).map { ink, color in
        ".\(ink){fill:\(color)}.\(ink)-line{stroke:\(color);fill:none}"
      }
      return inks.joined() + ".paper{fill:\(colors[0])}.box{fill:\(colors[1])}"
    }
    let light = rules(["#ffffff", "#f3f4f6", "#1f2328", "#6b7280", "#005a9c", "#b04a00", "#00734f"])
    let dark = rules(["#0d1117", "#1c222b", "#e6edf3", "#9aa4b0", "#79c0ff", "#ffa657", "#56d3a0"])
    return light + "@media (prefers-color-scheme:dark){" + dark + "}"
  }()

  // MARK: - Parts

  /// Words at (x, y): the baseline's left end, middle or right end.
  mutating func text(
    _ words: String, _ x: Double, _ y: Double, _ ink: Ink = .ink, anchor: String = "middle", size: Double = 14,
    bold: Bool = false
  ) {
    let weight = bold ? " font-weight=\"bold\"" : ""
    lines.append(
      "<text class=\"\(ink)\" x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" "
        + "font-size=\"\(number(size))\"\(weight)>\(escaped(words))</text>")
  }

  /// A box about (x, y) with words in it, one line below the other.
  mutating func box(
    _ words: [String], _ x: Double, _ y: Double, width: Double, height: Double = 34, _ ink: Ink = .ink
  ) {
    lines.append(
      "<rect class=\"\(ink)-line box\" x=\"\(number(x - width / 2))\" y=\"\(number(y - height / 2))\" "
        + "width=\"\(number(width))\" height=\"\(number(height))\" rx=\"6\"/>")
    for (i, line) in words.enumerated() {
      text(line, x, y + 5 + (Double(i) - Double(words.count - 1) / 2) * 17, ink)
    }
  }

  /// A frame around other parts, its upper left corner at (x, y).
  mutating func frame(_ x: Double, _ y: Double, width: Double, height: Double, _ ink: Ink = .faint) {
    lines.append(
      "<rect class=\"\(ink)-line\" x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" "
        + "height=\"\(number(height))\" rx=\"6\"/>")
  }

  /// A circle about (x, y) with words in it.
  mutating func circle(_ words: String, _ x: Double, _ y: Double, radius: Double = 18, _ ink: Ink = .ink) {
    lines.append(
      "<circle class=\"box\" cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"\(number(radius))\"/>"
        + "<circle class=\"\(ink)-line\" cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"\(number(radius))\"/>")
    text(words, x, y + 5, ink)
  }

  /// A path through these points, with an arrow's tip at its end unless `tip` is false.
  mutating func path(
    _ points: [(Double, Double)], _ ink: Ink = .ink, width: Double = 1.5, dashed: Bool = false, tip: Bool = true
  ) {
    let places = points.map { "\(number($0.0)),\(number($0.1))" }.joined(separator: " ")
    lines.append(
      "<polyline class=\"\(ink)-line\" stroke-width=\"\(number(width))\" points=\"\(places)\""
        + (dashed ? " stroke-dasharray=\"5 4\"" : "") + (tip ? " marker-end=\"url(#\(ink)-tip)\"" : "") + "/>")
  }

  /// A bar that stands on (x, y), or hangs from it when `height` is negative.
  mutating func bar(_ x: Double, _ y: Double, width: Double, height: Double, _ ink: Ink) {
    lines.append(
      "<rect class=\"\(ink)\" x=\"\(number(x - width / 2))\" y=\"\(number(min(y, y - height)))\" "
        + "width=\"\(number(width))\" height=\"\(number(abs(height)))\"/>")
  }

  /// A table of numbers or words whose upper left corner is at (x, y). Cells of `marked` are framed and in the colour of notice.
  mutating func grid(
    _ rows: [[String]], _ x: Double, _ y: Double, cell: Double = 34, _ ink: Ink = .ink, marked: [(Int, Int)] = []
  ) {
    for (r, row) in rows.enumerated() {
      for (c, words) in row.enumerated() {
        let (left, top) = (x + Double(c) * cell, y + Double(r) * cell)
        lines.append(
          "<rect class=\"faint-line box\" x=\"\(number(left))\" y=\"\(number(top))\" width=\"\(number(cell))\" "
            + "height=\"\(number(cell))\"/>")
        let isMarked = marked.contains { $0 == (r, c) }
        text(words, left + cell / 2, top + cell / 2 + 5, isMarked ? .notice : ink, bold: isMarked)
      }
    }
    for (r, c) in marked {
      lines.append(
        "<rect class=\"notice-line\" stroke-width=\"2.5\" x=\"\(number(x + Double(c) * cell + 1.5))\" "
          + "y=\"\(number(y + Double(r) * cell + 1.5))\" width=\"\(number(cell - 3))\" height=\"\(number(cell - 3))\"/>"
      )
    }
  }

  private func number(_ value: Double) -> String {
    value == value.rounded() ? String(Int(value)) : String(format: "%.1f", value)
  }
}
