// BoxEncoding.swift: a box as four numbers relative to another box.
//
// Paper       Girshick et al. 2014 (R-CNN), appendix C; Ren et al. 2015 (Faster R-CNN), equation (2)
// Derivation  docs/derivations/detection.md
// Tests       Tests/ResidualDetectionTests/Boxes/BoxEncodingTests.swift

import ResidualKernels

/// How far a box lies from a reference box, an anchor or a proposal, in units that do not depend on its size.
public struct BoxOffsets: Equatable, Sendable {
  /// t_x, t_y: the step from centre to centre.
  public var x, y: Double
  /// t_w, t_h: the logarithms of the ratios of widths and heights.
  public var width, height: Double

  /// Four offsets.
  public init(x: Double, y: Double, width: Double, height: Double) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  /// t_x, t_y, t_w, t_h.
  public var elements: [Double] { [x, y, width, height] }
}

/// Takes boxes to offsets and back.
///
///     t_x = (x − x_a) / (w_a d_x),     t_w = log(w / w_a) / d_w       (1)
///     x = x_a + w_a d_x t_x,           w = w_a exp(d_w t_w)           (2)
///
/// and the same for y with h. x, y are the centre of the box, x_a, y_a, w_a, h_a the reference box.
///
/// | symbol     | in code                                   |
/// |:-----------|:------------------------------------------|
/// | t          | ``BoxOffsets``                            |
/// | d_x, d_w   | `centerDeviation`, `sizeDeviation`        |
///
/// The network learns t, and (2) takes what it says to a box. d scales the targets to a variance near one, so that one
/// loss and one rate suit them and the classes: 1 for the region proposals, 0.1 and 0.2 for the detector, as in Faster
/// R-CNN's code.
public struct BoxEncoding: Equatable, Sendable {
  /// d_x = d_y.
  public let centerDeviation: Double
  /// d_w = d_h.
  public let sizeDeviation: Double

  /// The largest d_w t_w of (2): boxes grow at most 1000/16 times. An untrained network says anything, and exp(800) is
  /// infinite.
  public static let largestExponent = Double.logarithm(1000 / 16)

  /// An encoding with these deviations.
  public init(centerDeviation: Double = 1, sizeDeviation: Double = 1) {
    precondition(centerDeviation > 0 && sizeDeviation > 0, "deviations \(centerDeviation), \(sizeDeviation)")
    (self.centerDeviation, self.sizeDeviation) = (centerDeviation, sizeDeviation)
  }

  /// The encoding of the region proposal network.
  public static let proposals = BoxEncoding()
  /// The encoding of the detector.
  public static let detector = BoxEncoding(centerDeviation: 0.1, sizeDeviation: 0.2)

  /// The offsets of `box` from `reference`, equation (1). Both have a positive width and height: there is no logarithm
  /// of nothing.
  public func encode(_ box: Box, relativeTo reference: Box) -> BoxOffsets {
    precondition(
      box.width > 0 && box.height > 0 && reference.width > 0 && reference.height > 0,
      "offsets of \(box) from \(reference)")
    return BoxOffsets(
      x: (box.centerX - reference.centerX) / (reference.width * centerDeviation),
      y: (box.centerY - reference.centerY) / (reference.height * centerDeviation),
      width: Double.logarithm(box.width / reference.width) / sizeDeviation,
      height: Double.logarithm(box.height / reference.height) / sizeDeviation)
  }

  /// The box with these offsets from `reference`, equation (2).
  public func decode(_ offsets: BoxOffsets, relativeTo reference: Box) -> Box {
    func growth(_ offset: Double) -> Double { Double.exponential(min(sizeDeviation * offset, Self.largestExponent)) }
    return Box(
      centerX: reference.centerX + reference.width * centerDeviation * offsets.x,
      centerY: reference.centerY + reference.height * centerDeviation * offsets.y,
      width: reference.width * growth(offsets.width), height: reference.height * growth(offsets.height))
  }
}
