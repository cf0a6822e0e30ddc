// LinePlot.swift: curves as an SVG picture.
//
// Tests       Tests/ResidualFilesTests/LinePlotTests.swift

/// Curves over two axes, drawn as SVG.
public struct LinePlot: Sendable {
  /// One curve.
  public struct Series: Sendable {
    /// Its name in the legend. A curve with an empty name is not in the legend.
    public let name: String
    /// Its points, from left to right.
    public let points: [(x: Double, y: Double)]
    /// The number of its colour. Curves that belong together share one.
    public let color: Int
    /// Whether it is thin and dashed, or else bold.
    public let isDashed: Bool

    /// A curve through these points.
    public init(_ name: String, _ points: [(x: Double, y: Double)], color: Int, isDashed: Bool = false) {
      (self.name, self.points, self.color, self.isDashed) = (name, points, color, isDashed)
    }
  }

  /// The title above the plot.
  public let title: String
  /// The labels of the axes.
  public let xLabel, yLabel: String
  /// The curves.
  public let series: [Series]
  /// The range of the vertical axis; nil makes it the range of the curves, with zero.
  public let yRange: ClosedRange<Double>?

  /// A plot of these curves.
  public init(
    title: String, xLabel: String, yLabel: String, yRange: ClosedRange<Double>? = nil, series: [Series]
  ) {
    (self.title, self.xLabel, self.yLabel, self.yRange, self.series) = (title, xLabel, yLabel, yRange, series)
  }

  /// Colours that differ in lightness too, so that they can be told apart without seeing hues (Okabe and Ito): on a light
  /// and on a dark background.
  private static let colors = (
    light: ["#0072b2", "#c04f00", "#007a5a", "#a8487f", "#8f6400", "#2a87bd", "#1f2328"],
    dark: ["#58b4ec", "#ff8a3d", "#2fc79b", "#e79ac3", "#f0bb3f", "#9bd4f5", "#e6edf3"]
  )
  private static let width = 460.0
  private static let frame = (left: 66.0, top: 40.0, right: 440.0, bottom: 300.0)
  private static let legendRow = 20.0

  private static let style: String = {
    func rules(_ curves: [String], _ paper: String, _ ink: String, _ axis: String, _ grid: String) -> String {
      curves.enumerated().map { ".c\($0){stroke:\($1)}" }.joined()
        + ".plot-paper{fill:\(paper)}.plot-ink{fill:\(ink)}.axis{stroke:\(axis)}.grid{stroke:\(grid)}"
    }
    return rules(colors.light, "#ffffff", "#1f2328", "#6b7280", "#dddddd") + "@media (prefers-color-scheme:dark){"
      + rules(colors.dark, "#0d1117", "#e6edf3", "#9aa4b0", "#30363d") + "}"
  }()

  /// What the plot shows, for a reader who does not see it.
  public var textAlternative: String {
    let curves = series.compactMap { curve in
      curve.finitePoints.first.map { first in
        let last = curve.finitePoints[curve.finitePoints.count - 1]
        let name = curve.name.isEmpty ? "another curve" : curve.name
        return "\(name) goes from \(label(first.y)) at \(label(first.x)) to \(label(last.y)) at \(label(last.x))."
      }
    }
    return "\(title): \(yLabel) over \(xLabel). " + curves.joined(separator: " ")
  }

  /// The picture as the text of an SVG file: light or dark as its reader prefers, legible at the width of a phone.
  public var svg: String {
    let finite = series.flatMap { $0.finitePoints }
    let xs = Self.range(finite.map { $0.x })
    let ys = yRange ?? Self.range(finite.map { $0.y } + [0])
    let (left, top, right, bottom) = Self.frame
    func place(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
      let u = (x - xs.lowerBound) / (xs.upperBound - xs.lowerBound)
      let v = (min(max(y, ys.lowerBound), ys.upperBound) - ys.lowerBound) / (ys.upperBound - ys.lowerBound)
      return (left + u * (right - left), bottom - v * (bottom - top))
    }
    let named = series.filter { !$0.name.isEmpty }
    let height = bottom + 56 + Self.legendRow * Double((named.count + 1) / 2)
    let (wide, high) = (number(Self.width), number(height))
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(wide) \(high)\" role=\"img\" "
        + "aria-label=\"\(escaped(textAlternative))\" font-family=\"sans-serif\" font-size=\"14\">",
      "<style>\(Self.style)</style>",
      "<rect class=\"plot-paper\" width=\"\(wide)\" height=\"\(high)\" rx=\"8\"/>",
      text(title, (left + right) / 2, 24, anchor: "middle", extra: " font-size=\"16\""),
      text(xLabel, (left + right) / 2, bottom + 38, anchor: "middle"),
      text(
        yLabel, 15, (top + bottom) / 2, anchor: "middle",
        extra: " transform=\"rotate(-90 15 \(number((top + bottom) / 2)))\""),
    ]
    for y in Self.ticks(ys) {
      let (_, row) = place(xs.lowerBound, y)
      lines.append(line((left, row), (right, row), "grid"))
      lines.append(text(label(y), left - 6, row + 5, anchor: "end"))
    }
    for x in Self.ticks(xs, atMost: 6) {
      let (column, _) = place(x, ys.lowerBound)
      lines.append(line((column, bottom), (column, bottom + 4), "axis"))
      lines.append(text(label(x), column, bottom + 19, anchor: "middle"))
    }
    lines.append(line((left, top), (left, bottom), "axis"))
    lines.append(line((left, bottom), (right, bottom), "axis"))
    for curve in series {
      let points = curve.finitePoints.map { point in
        let (x, y) = place(point.x, point.y)
        return "\(number(x)),\(number(y))"
      }
      lines.append("<polyline fill=\"none\" \(look(curve)) points=\"\(points.joined(separator: " "))\"/>")
    }
    for (i, curve) in named.enumerated() {
      let x = left + Double(i % 2) * (right - left) / 2
      let y = bottom + 62 + Self.legendRow * Double(i / 2)
      lines.append("<path d=\"M\(number(x)) \(number(y - 5))h24\" \(look(curve))/>")
      lines.append(text(curve.name, x + 30, y, anchor: "start"))
    }
    return (lines + ["</svg>", ""]).joined(separator: "\n")
  }

  /// The range of values, never empty.
  static func range(_ values: [Double]) -> ClosedRange<Double> {
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    return low < high ? low...high : low...(low + 1)
  }

  /// Up to `most` steps of round numbers in a range: multiples of 1, 2 or 5 times a power of ten.
  static func ticks(_ range: ClosedRange<Double>, atMost most: Double = 10) -> [Double] {
    let span = range.upperBound - range.lowerBound
    // The largest power of ten that is at most the span.
    var power = 1.0
    while power * 10 <= min(span, 1e300) { power *= 10 }
    var divisor = 1.0
    while 1 / divisor > span { divisor *= 10 }
    power /= divisor
    let step = [0.1, 0.2, 0.5, 1, 2].map { $0 * power }.first { span / $0 <= most } ?? power
    let first = Int((range.lowerBound / step - 1e-9).rounded(.up))
    let last = Int((range.upperBound / step + 1e-9).rounded(.down))
    return (first...max(first, last)).map { Double($0) * step }
  }

  /// The attributes of a curve: thin and dashed, or bold.
  private func look(_ curve: Series) -> String {
    "class=\"c\(curve.color % Self.colors.light.count)\" "
      + (curve.isDashed ? "stroke-width=\"1.2\" stroke-dasharray=\"5 4\"" : "stroke-width=\"2.2\"")
  }

  private func line(_ from: (Double, Double), _ to: (Double, Double), _ style: String) -> String {
    "<line x1=\"\(number(from.0))\" y1=\"\(number(from.1))\" x2=\"\(number(to.0))\" y2=\"\(number(to.1))\" class=\"\(style)\"/>"
  }

  private func text(_ words: String, _ x: Double, _ y: Double, anchor: String, extra: String = "") -> String {
    "<text class=\"plot-ink\" x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\"\(extra)>\(escaped(words))</text>"
  }

  private func number(_ value: Double) -> String { value.fixed(decimals: 1) }
  private func label(_ value: Double) -> String { (abs(value) < 1e-12 ? 0 : value).rounded(digits: 6) }
}

extension LinePlot.Series {
  /// The points that can be drawn.
  fileprivate var finitePoints: [(x: Double, y: Double)] { points.filter { $0.x.isFinite && $0.y.isFinite } }
}

/// Words as text between tags or quotation marks of SVG and HTML.
package func escaped(_ words: String) -> String {
  words.reduce(into: "") { text, character in
    switch character {
    case "&": text += "&amp;"
    case "<": text += "&lt;"
    case ">": text += "&gt;"
    case "\"": text += "&quot;"
    default: text.append(character)
    }
  }
}
