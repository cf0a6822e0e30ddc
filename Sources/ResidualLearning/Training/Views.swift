// Views.swift: the views of a test image whose scores are averaged.
//
// Paper       He et al. 2015 §3.4: "the standard 10-crop testing", "the fully-convolutional form", "average the
//             scores at multiple scales"
// Tests       Tests/ResidualLearningTests/Training/EvaluationTests.swift

import ResidualKernels

/// The views of a test image whose scores are averaged.
///
/// A score is a probability: it is taken after the softmax, as in AlexNet's 10-crop testing.
public struct Views: Equatable, Sendable {
  /// The part of an image that the network sees.
  public enum Crops: Int, CaseIterable, Sendable {
    /// The whole image: the network runs over any size, and its linear layer sees the mean over all positions.
    ///
    /// That is one reading of "the fully-convolutional form". The other slides the 7x7 average pool of Table 1 over the
    /// image, as VGG slides its first linear layer, and averages the scores of all windows; there positions near the
    /// border count less. The paper does not say which. At the size of the training crops the two agree.
    case whole = 1
    /// Ten squares of the network's own size: the four corners, the centre, and their mirror images. The image must be
    /// larger than that (see ``Views/scales``): otherwise all five places are one, and the ten crops are the image and
    /// its mirror image, five times each.
    case ten = 10
  }

  /// The part of an image that the network sees at each scale.
  public var crops: Crops
  /// The lengths, in pixels, that the shorter side is resized to; the images stay as they are if there are none. The
  /// paper's best results are of 224, 256, 384, 480 and 640 (§3.4).
  public var scales: [Int]

  /// These crops at each of these scales. The single original view is `Views()`.
  public init(crops: Crops = .whole, scales: [Int] = []) {
    (self.crops, self.scales) = (crops, scales)
  }

  /// The number of views of an image.
  public var count: Int { crops.rawValue * max(1, scales.count) }

  /// Refuses scales that the network cannot take.
  ///
  /// - Throws: `InputError`.
  func check(for network: Architecture) throws {
    let size = network.imageSize
    for scale in scales {
      if crops == .ten {
        guard scale >= size else {
          throw InputError("a crop of \(size)x\(size) is larger than an image of scale \(scale)")
        }
      } else if network.takesAnySize {
        guard scale > 0 && scale % network.totalStride == 0 else {
          throw InputError(
            "\(network.name) takes scales that are multiples of \(network.totalStride), as its stages halve the image, "
              + "not \(scale)")
        }
      }
    }
  }

  /// The views of one picture, in the order of the scales.
  ///
  /// - Throws: `InputError` when a crop is larger than the picture, or the network cannot take the picture's size.
  public func list(_ picture: Picture, for network: Architecture) throws -> [(height: Int, width: Int, PictureView)] {
    let size = network.imageSize
    return try (scales.isEmpty ? [picture.shorterSide] : scales).flatMap { scale in
      let picture = picture.resized(shorterSide: scale)
      let (height, width) = (picture.height, picture.width)
      func view(_ top: Int, _ left: Int, _ isFlipped: Bool = false) -> PictureView {
        PictureView(
          pixels: picture.pixels, height: height, width: width, top: top, left: left, isFlipped: isFlipped)
      }
      if crops == .whole {
        guard network.takesAnySize || height == size && width == size else {
          throw InputError(
            "\(network.name) takes images of \(size)x\(size) only, as its linear layers have a weight for every pixel, "
              + "not \(height)x\(width)")
        }
        return [(height, width, view(0, 0))]
      }
      guard min(height, width) >= size else {
        throw InputError("a crop of \(size)x\(size) is larger than an image of \(height)x\(width)")
      }
      let (bottom, right) = (height - size, width - size)
      let places = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom / 2, right / 2)]
      return [false, true].flatMap { flipped in places.map { (size, size, view($0.0, $0.1, flipped)) } }
    }
  }
}
