// Augmentation.swift: new views of the training images.
//
// Paper       He et al. 2015 §4.2: "4 pixels are padded on each side, and a 32x32 crop is randomly sampled from the
//             padded image or its horizontal flip"
// Tests       Tests/ResidualLearningTests/Training/AugmentationTests.swift

import ResidualKernels

/// How training images are varied. Test images never are: evaluation takes the single original view.
public struct Augmentation: Equatable, Codable, Sendable {
  /// Pixels of border on each side, from which crops of the original size are drawn.
  public var padding: Int
  /// Whether half of the crops are of the mirrored image.
  public var flips: Bool

  /// §4.2: 4 pixels, and flips.
  public static let paper = Augmentation(padding: 4, flips: true)
  /// The images as they are.
  public static let none = Augmentation(padding: 0, flips: false)

  /// A random view of each of these images.
  public func crops(_ images: [Int], using generator: inout RandomGenerator) -> [ImageCrop] {
    images.map { image in
      let top = padding == 0 ? 0 : generator.below(2 * padding + 1) - padding
      let left = padding == 0 ? 0 : generator.below(2 * padding + 1) - padding
      return ImageCrop(image: image, top: top, left: left, isFlipped: flips && generator.below(2) == 1)
    }
  }
}
