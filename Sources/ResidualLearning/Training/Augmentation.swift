// Augmentation.swift: new views of the training images.
//
// Paper       He et al. 2015 §4.2: "4 pixels are padded on each side, and a 32x32 crop is randomly sampled from the
//             padded image or its horizontal flip"; §3.4: random scale, crop, flip and colours
// Tests       Tests/ResidualLearningTests/Training/AugmentationTests.swift

import ResidualFiles
import ResidualKernels

/// How training images are varied. Test images are not varied: evaluation takes the single original view (§4.2).
public struct Augmentation: Equatable, Codable, Sendable {
  /// Random crops of resized pictures, as §3.4 describes them.
  public struct ScaledCrops: Equatable, Codable, Sendable {
    /// Height and width of a crop.
    public var size: Int
    /// The range from which the shorter side of the resized picture is drawn.
    public var scales: ClosedRange<Int>
    /// The principal colours along which the light changes at random; with nil the colours stay.
    public var colors: PrincipalColors?

    /// Crops of `size` x `size` pixels out of pictures whose shorter side is drawn from `scales`.
    public init(size: Int = 224, scales: ClosedRange<Int> = 256...480, colors: PrincipalColors? = nil) {
      precondition(size > 0 && scales.lowerBound >= size, "crops of \(size) out of pictures of \(scales)")
      (self.size, self.scales, self.colors) = (size, scales, colors)
    }
  }

  /// The pixels of border on each side of the images from which crops of the original size are drawn.
  public var padding: Int
  /// Whether half of the crops are of the mirrored image.
  public var flips: Bool
  /// Crops of another size out of resized pictures, in place of the padding.
  public var scaled: ScaledCrops?

  /// Crops of the original size out of padded images or, with `scaled`, crops of another size out of resized pictures.
  public init(padding: Int, flips: Bool, scaled: ScaledCrops? = nil) {
    (self.padding, self.flips, self.scaled) = (padding, flips, scaled)
  }

  /// §4.2: 4 pixels, and flips.
  public static let paper = Augmentation(padding: 4, flips: true)
  /// The images as they are.
  public static let none = Augmentation(padding: 0, flips: false)

  /// §3.4: crops of 224 pixels out of pictures whose shorter side is drawn from [256, 480], flips, and colours.
  ///
  /// - Parameters:
  ///   - colors: the principal colours of the training images; with nil the colours stay.
  ///   - size: height and width of the crops. For other sizes than 224 the range of scales shrinks or grows with it.
  public static func imageNet(colors: PrincipalColors?, size: Int = 224) -> Augmentation {
    let scales = size * 256 / 224...size * 480 / 224
    return Augmentation(padding: 0, flips: true, scaled: ScaledCrops(size: size, scales: scales, colors: colors))
  }

  /// A random view of each of the images with these numbers.
  public func views(
    of images: ImageDataset, _ numbers: [Int], using generator: inout RandomGenerator
  ) -> [PictureView] {
    numbers.map { number in
      guard let scaled else {
        let top = padding == 0 ? 0 : generator.below(2 * padding + 1) - padding
        let left = padding == 0 ? 0 : generator.below(2 * padding + 1) - padding
        return images.view(number, top: top, left: left, isFlipped: flips && generator.below(2) == 1)
      }
      let scale = scaled.scales.lowerBound + generator.below(scaled.scales.count)
      let picture = images.picture(number).resized(shorterSide: scale)
      return PictureView(
        pixels: picture.pixels, height: picture.height, width: picture.width,
        top: generator.below(picture.height - scaled.size + 1), left: generator.below(picture.width - scaled.size + 1),
        isFlipped: flips && generator.below(2) == 1, shift: scaled.colors?.shift(using: &generator) ?? [])
    }
  }
}
