// Normalization.swift: what is subtracted from pixels before a network sees them.
//
// Paper       He et al. 2015 §3.4, §4.2: "the per-pixel mean subtracted"
// Tests       Tests/ResidualLearningTests/Data/NormalizationTests.swift

import ResidualKernels

/// Pixels / 255, minus a mean for each pixel and channel, over a deviation for each channel.
///
/// The paper's own is the mean image of the training set and no division. Other people's weights want other numbers.
public struct Normalization: Sendable, Equatable {
  /// How it is called on the command line and in checkpoints.
  public enum Kind: String, CaseIterable, Codable, Sendable {
    /// Minus the mean image of the training set; no division (the paper).
    case perPixel = "per-pixel"
    /// Minus mean and over deviation of each channel of CIFAR-10's training images.
    case cifar
    /// Minus mean and over deviation of each channel of ImageNet, as torchvision's and many CIFAR weights want.
    case imageNet = "imagenet"
  }

  /// Which it is.
  public let kind: Kind
  /// `[H, W, C]`, in units of 255.
  public let mean: Tensor<Float>
  /// One over the deviation `[C]`.
  public let factor: Tensor<Float>

  /// The mean image of these images, and no division.
  public static func perPixel(of images: ImageDataset) -> Normalization {
    let mean = Kernels.meanImage(images.pixels, size: images.imageSize).map { Float($0) }
    return .perPixel(mean: Tensor([images.height, images.width, images.channels], mean))
  }

  /// This mean image `[H, W, C]`, and no division.
  public static func perPixel(mean: Tensor<Float>) -> Normalization {
    Normalization(kind: .perPixel, mean: mean, factor: Tensor([mean.shape[2]], repeating: 1))
  }

  /// The same three means and deviations for all pixels.
  ///
  /// - Parameters:
  ///   - kind: `.cifar` or `.imageNet`.
  public static func channels(_ kind: Kind, height: Int, width: Int) -> Normalization {
    let (mean, deviation): ([Float], [Float]) =
      kind == .imageNet
      ? ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]) : ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616])
    return Normalization(
      kind: kind, mean: Tensor([height, width, 3], (0..<height * width).flatMap { _ in mean }),
      factor: Tensor(deviation.map { 1 / $0 }))
  }

  /// Views of images as a network sees them: `[crops.count, H, W, C]`.
  ///
  /// What a crop shows beyond the border is zero: the image was padded after its mean was subtracted.
  public func callAsFunction(_ images: ImageDataset, _ crops: [ImageCrop]) -> Tensor<Float> {
    precondition(
      mean.shape == [images.height, images.width, images.channels],
      "a mean of \(mean.shape) for images of [\(images.height), \(images.width), \(images.channels)]")
    let output = Tensor<Float>(
      uninitialized: [crops.count, images.height, images.width, images.channels])
    Kernels.loadImages(
      images.pixels, height: images.height, width: images.width, channels: images.channels, crops: crops,
      mean: mean.storage, factor: factor.storage, output: output.storage)
    return output
  }

  /// Whole images by their numbers.
  public func callAsFunction(_ images: ImageDataset, _ range: Range<Int>) -> Tensor<Float> {
    self(images, range.map { ImageCrop(image: $0) })
  }
}
