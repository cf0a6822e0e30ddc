// PixelNormalization.swift: how pixels become a network's input.
//
// Paper       He et al. 2015 §3.4, §4.2: "the per-pixel mean subtracted"
// Kernels     Sources/ResidualKernels/Views.swift
// Tests       Tests/ResidualLearningTests/Data/PixelNormalizationTests.swift

import ResidualKernels

/// Takes pixels / 255, subtracts a mean for each pixel and channel, and divides by a deviation for each channel.
///
/// The paper subtracts the mean image of the training set and divides by nothing. Other programs' weights need other
/// numbers.
public struct PixelNormalization: Sendable, Equatable {
  /// The kinds of normalization, by their names on the command line and in checkpoints.
  public enum Kind: String, CaseIterable, Codable, Sendable {
    /// The mean image of the training set is subtracted; there is no division (the paper).
    case perPixel = "per-pixel"
    /// The mean of each channel of CIFAR-10's training images is subtracted, and its deviation divides.
    case cifar
    /// The mean of each channel of ImageNet is subtracted, and its deviation divides, as the weights of torchvision and
    /// many weights for CIFAR need it.
    case imageNet = "imagenet"
  }

  /// The kind of normalization.
  public let kind: Kind
  /// The mean image `[H, W, C]`, in units of 255.
  public let mean: Tensor<Float>
  /// One divided by the deviation of each channel, `[C]`.
  public let factor: Tensor<Float>

  /// Normalization with the mean image of these images.
  public static func perPixel(of images: ImageDataset) -> PixelNormalization {
    let mean = Kernels.meanImage(images.pixels, size: images.imageSize).map { Float($0) }
    return .perPixel(mean: Tensor([images.height, images.width, images.channels], mean))
  }

  /// Normalization with the mean of the central squares of these images, each resized to `size` x `size`.
  public static func perPixel(of images: ImageDataset, size: Int) -> PixelNormalization {
    .perPixel(of: images.resized(height: size, width: size))
  }

  /// Normalization with this mean image `[H, W, C]`.
  public static func perPixel(mean: Tensor<Float>) -> PixelNormalization {
    PixelNormalization(kind: .perPixel, mean: mean, factor: Tensor([mean.shape[2]], repeating: 1))
  }

  /// Normalization of images of this size with the three means and deviations of `kind`, `.cifar` or `.imageNet`, which
  /// are the same for all pixels.
  public static func channels(_ kind: Kind, height: Int, width: Int) -> PixelNormalization {
    let (mean, deviation): ([Float], [Float]) =
      kind == .imageNet
      ? ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]) : ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616])
    return PixelNormalization(
      kind: kind, mean: Tensor([height, width, 3], (0..<height * width).flatMap { _ in mean }),
      factor: Tensor(deviation.map { 1 / $0 }))
  }

  /// This normalization for images of another size: the mean image is resized, bilinearly, to `[height, width, C]`.
  ///
  /// The paper does not say what it subtracts when it tests at several scales.
  public func resized(height: Int, width: Int) -> PixelNormalization {
    let (oldHeight, oldWidth, channels) = (mean.shape[0], mean.shape[1], mean.shape[2])
    if (oldHeight, oldWidth) == (height, width) { return self }
    guard kind == .perPixel else { return .channels(kind, height: height, width: width) }
    return .perPixel(
      mean: Tensor(
        [height, width, channels],
        Kernels.resize(
          values: mean.elements, height: oldHeight, width: oldWidth, channels: channels, toHeight: height, width: width)
      ))
  }

  /// The network's input for windows on pictures: `[views.count, H, W, C]`, H and W being those of the mean image.
  ///
  /// What a window shows beyond the border of its picture is zero: the picture was padded after its mean was
  /// subtracted.
  public func input(_ views: [PictureView]) -> Tensor<Float> {
    let output = Tensor<Float>(uninitialized: Shape([views.count] + mean.shape.sizes))
    Kernels.loadViews(
      views, height: mean.shape[0], width: mean.shape[1], mean: mean.storage, factor: factor.storage,
      output: output.storage)
    return output
  }

  /// The network's input for whole images by their numbers: `[range.count, H, W, C]`.
  public func input(_ images: ImageDataset, _ range: Range<Int>) -> Tensor<Float> {
    precondition(
      mean.shape == [images.height, images.width, images.channels],
      "a mean of \(mean.shape) for images of [\(images.height), \(images.width), \(images.channels)]")
    return input(range.map { images.view($0) })
  }
}
