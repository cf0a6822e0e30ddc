// Anchors.swift: the boxes that a region proposal network starts from.
//
// Paper       Ren et al. 2015 (Faster R-CNN), §3.1.1
// Tests       Tests/ResidualDetectionTests/Boxes/AnchorsTests.swift

/// Boxes of a few sizes and shapes around the middle of every cell of a feature map.
///
/// The anchor of scale s and ratio r at the cell in row i and column j has
///
///     centre ((j + ½) stride, (i + ½) stride),   width s/√r,   height s·√r
///
/// so that its area is s² and its height r times its width.
public struct Anchors: Equatable, Codable, Sendable {
  /// Pixels of the picture from one cell to the next.
  public var stride: Int
  /// s: the side, in pixels, of a square of an anchor's area.
  public var scales: [Double]
  /// r: height over width.
  public var ratios: [Double]

  /// Anchors of these scales and ratios. Faster R-CNN's ratios are the default.
  public init(stride: Int, scales: [Double], ratios: [Double] = [0.5, 1, 2]) {
    precondition(
      stride > 0 && !scales.isEmpty && !ratios.isEmpty && (scales + ratios).allSatisfy { $0 > 0 && $0.isFinite },
      "anchors with the scales \(scales), the ratios \(ratios), every \(stride) pixels")
    (self.stride, self.scales, self.ratios) = (stride, scales, ratios)
  }

  /// k, the anchors of a cell.
  public var perCell: Int { scales.count * ratios.count }

  /// All anchors of a map of so many cells: row by row, column by column, then the scales, and innermost the ratios.
  /// Anchor number a of cell (i, j) is element `(i · columns + j) · perCell + a`, as in the network's output
  /// `[N, rows, columns, k]`.
  public func boxes(rows: Int, columns: Int) -> [Box] {
    let shapes = scales.flatMap { s in ratios.map { r in (width: s / r.squareRoot(), height: s * r.squareRoot()) } }
    var boxes: [Box] = []
    boxes.reserveCapacity(rows * columns * perCell)
    for i in 0..<rows {
      for j in 0..<columns {
        let (x, y) = ((Double(j) + 0.5) * Double(stride), (Double(i) + 0.5) * Double(stride))
        for shape in shapes { boxes.append(Box(centerX: x, centerY: y, width: shape.width, height: shape.height)) }
      }
    }
    return boxes
  }
}
