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

  /// Colours that differ in lightness too, so that they can be told apart without seeing hues (Okabe and Ito).
  private static let colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]
  private static let size = (width: 640.0, height: 420.0)
  private static let frame = (left: 64.0, top: 40.0, right: 500.0, bottom: 364.0)

  /// The picture as the text of an SVG file.
  public var svg: String {
    let finite = series.flatMap { $0.points }.filter { $0.x.isFinite && $0.y.isFinite }
    let xs = Self.range(finite.map { $0.x })
    let ys = yRange ?? Self.range(finite.map { $0.y } + [0])
    let (left, top, right, bottom) = Self.frame
    func place(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
      let u = (x - xs.lowerBound) / (xs.upperBound - xs.lowerBound)
      let v = (min(max(y, ys.lowerBound), ys.upperBound) - ys.lowerBound) / (ys.upperBound - ys.lowerBound)
      return (left + u * (right - left), bottom - v * (bottom - top))
    }
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 420\" font-family=\"sans-serif\" font-size=\"13\">",
      "<rect width=\"640\" height=\"420\" fill=\"white\"/>",
      text(title, (left + right) / 2, 24, anchor: "middle", extra: " font-size=\"15\""),
      text(xLabel, (left + right) / 2, bottom + 40, anchor: "middle"),
      text(
        yLabel, 18, (top + bottom) / 2, anchor: "middle",
        extra: " transform=\"rotate(-90 18 \(number((top + bottom) / 2)))\""),
    ]
    for y in Self.ticks(ys) {
      let (_, row) = place(xs.lowerBound, y)
      lines.append(line((left, row), (right, row), "#dddddd"))
      lines.append(text(label(y), left - 6, row + 4, anchor: "end"))
    }
    for x in Self.ticks(xs) {
      let (column, _) = place(x, ys.lowerBound)
      lines.append(line((column, bottom), (column, bottom + 4), "#444444"))
      lines.append(text(label(x), column, bottom + 18, anchor: "middle"))
    }
    lines.append(line((left, top), (left, bottom), "#444444"))
    lines.append(line((left, bottom), (right, bottom), "#444444"))
    var row = top + 12
    for curve in series {
      let color = Self.colors[curve.color % Self.colors.count]
      let style = curve.isDashed ? "stroke-width=\"1.2\" stroke-dasharray=\"5 4\"" : "stroke-width=\"2.2\""
      let points = curve.points.filter { $0.x.isFinite && $0.y.isFinite }.map { point in
        let (x, y) = place(point.x, point.y)
        return "\(number(x)),\(number(y))"
      }
      lines.append(
        "<polyline fill=\"none\" stroke=\"\(color)\" \(style) points=\"\(points.joined(separator: " "))\"/>")
      if curve.name.isEmpty { continue }
      lines.append(line((right + 14, row - 4), (right + 38, row - 4), color, style))
      lines.append(text(curve.name, right + 44, row, anchor: "start"))
      row += 18
    }
    return (lines + ["</svg>", ""]).joined(separator: "\n")
  }

  /// The range of values, never empty.
  static func range(_ values: [Double]) -> ClosedRange<Double> {
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    return low < high ? low...high : low...(low + 1)
  }

  /// Four to ten round numbers in a range: multiples of 1, 2 or 5 times a power of ten.
  static func ticks(_ range: ClosedRange<Double>) -> [Double] {
    let span = range.upperBound - range.lowerBound
    // The largest power of ten that is at most the span.
    var power = 1.0
    while power * 10 <= min(span, 1e300) { power *= 10 }
    var divisor = 1.0
    while 1 / divisor > span { divisor *= 10 }
    power /= divisor
    let step = [0.1, 0.2, 0.5, 1].map { $0 * power }.first { span / $0 <= 10 } ?? power
    let first = Int((range.lowerBound / step - 1e-9).rounded(.up))
    let last = Int((range.upperBound / step + 1e-9).rounded(.down))
    return (first...max(first, last)).map { Double($0) * step }
  }

  private func line(
    _ from: (Double, Double), _ to: (Double, Double), _ color: String, _ style: String = "stroke-width=\"1\""
  ) -> String {
    "<line x1=\"\(number(from.0))\" y1=\"\(number(from.1))\" x2=\"\(number(to.0))\" y2=\"\(number(to.1))\" "
      + "stroke=\"\(color)\" \(style)/>"
  }

  private func text(_ words: String, _ x: Double, _ y: Double, anchor: String, extra: String = "") -> String {
    let escaped = words.map { $0 == "&" ? "&amp;" : $0 == "<" ? "&lt;" : String($0) }.joined()
    return "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\"\(extra)>\(escaped)</text>"
  }

  private func number(_ value: Double) -> String { value.fixed(decimals: 1) }
  private func label(_ value: Double) -> String { (abs(value) < 1e-12 ? 0 : value).rounded(digits: 6) }
}
