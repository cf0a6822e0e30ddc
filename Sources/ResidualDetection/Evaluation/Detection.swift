// Detection.swift: what a detector says of a picture.

/// An object that a detector found.
public struct Detection: Equatable, Sendable {
  /// The box around it.
  public var box: Box
  /// Its class, an index into the class names.
  public var label: Int
  /// The probability of that class, 0 to 1.
  public var score: Double

  /// A detection.
  public init(box: Box, label: Int, score: Double) { (self.box, self.label, self.score) = (box, label, score) }

  /// Whether it comes before another one in a list that is judged: the higher score first. Equal scores are ordered by
  /// the boxes, so that the order of a list never changes a result.
  func precedes(_ other: Detection) -> Bool {
    if score != other.score { return score > other.score }
    let sides = [box.left, box.top, box.right, box.bottom]
    let others = [other.box.left, other.box.top, other.box.right, other.box.bottom]
    return sides.lexicographicallyPrecedes(others)
  }
}
