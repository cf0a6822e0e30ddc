// Box.swift: a rectangle around an object.
//
// Paper       He et al. 2015 §4.3; Ren et al. 2015 (Faster R-CNN), §3.1.2
// Tests       Tests/ResidualDetectionTests/Boxes/BoxTests.swift

/// A rectangle with sides along the axes, in pixels of a picture.
///
/// Coordinates are continuous: pixel (0, 0) covers the square from 0 to 1, so that the box of the pixels 2 to 5 has its
/// left side at 2, its right side at 6, and a width of 4. A width is `right − left`, never one more.
public struct Box: Equatable, Sendable {
  /// The sides. x grows to the right, y grows downwards.
  public var left, top, right, bottom: Double

  /// A box with these sides.
  public init(left: Double, top: Double, right: Double, bottom: Double) {
    (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
  }

  /// A box around a centre.
  public init(centerX: Double, centerY: Double, width: Double, height: Double) {
    self.init(
      left: centerX - width / 2, top: centerY - height / 2, right: centerX + width / 2, bottom: centerY + height / 2)
  }

  /// `right − left`.
  public var width: Double { right - left }
  /// `bottom − top`.
  public var height: Double { bottom - top }
  /// The middle between left and right.
  public var centerX: Double { (left + right) / 2 }
  /// The middle between top and bottom.
  public var centerY: Double { (top + bottom) / 2 }
  /// Square pixels; 0 for a box whose sides have changed places.
  public var area: Double { max(0, width) * max(0, height) }

  /// The part of the box that lies on a picture of this size.
  public func clipped(width: Int, height: Int) -> Box {
    func clip(_ value: Double, _ size: Int) -> Double { min(max(value, 0), Double(size)) }
    return Box(left: clip(left, width), top: clip(top, height), right: clip(right, width), bottom: clip(bottom, height))
  }

  /// Whether no part of the box lies outside a picture of this size.
  public func isInside(width: Int, height: Int) -> Bool {
    left >= 0 && top >= 0 && right <= Double(width) && bottom <= Double(height)
  }

  /// The same box on the picture mirrored left for right.
  public func mirrored(width: Int) -> Box {
    Box(left: Double(width) - right, top: top, right: Double(width) - left, bottom: bottom)
  }

  /// The same box on the picture resized by these factors.
  public func scaled(_ x: Double, _ y: Double) -> Box {
    Box(left: left * x, top: top * y, right: right * x, bottom: bottom * y)
  }

  /// The box of the whole cells that pooling rounds this one to, on a map with a cell every `stride` pixels: each side
  /// at the nearest multiple of `stride`, halves rounded away from zero. A box of one cell is one `stride` wide.
  public func aligned(stride: Double) -> Box {
    func align(_ low: Double, _ high: Double) -> (Double, Double) {
      let (first, last) = ((low / stride).rounded() * stride, (high / stride).rounded() * stride)
      return first < last ? (first, last) : (first - stride / 2, first + stride / 2)
    }
    let ((left, right), (top, bottom)) = (align(left, right), align(top, bottom))
    return Box(left: left, top: top, right: right, bottom: bottom)
  }

  /// The area that two boxes share.
  public func intersection(_ other: Box) -> Double {
    let width = min(right, other.right) - max(left, other.left)
    let height = min(bottom, other.bottom) - max(top, other.top)
    return width > 0 && height > 0 ? width * height : 0
  }

  /// Intersection over union, 0 to 1: the area that two boxes share, divided by the area that they cover together.
  ///
  /// It is 0 when both boxes are empty.
  public func iou(_ other: Box) -> Double {
    let shared = intersection(other)
    let covered = area + other.area - shared
    return covered > 0 ? shared / covered : 0
  }
}
