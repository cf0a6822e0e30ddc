// ImageDataset.swift: images with labels.
//
// Tests       Tests/ResidualLearningTests/Data/ImageDatasetTests.swift

import ResidualFiles
import ResidualKernels

/// Labelled images of one size, as bytes.
///
/// | symbol | shape | what |
/// | --- | --- | --- |
/// | `pixels` | `[N, H, W, C]` | image after image, row by row, the channels (R, G, B) of a pixel side by side, 0 to 255 |
/// | `labels` | `[N]` | the class of each image, an index into `classNames` |
public struct ImageDataset: Sendable, Equatable {
  /// H, the rows of an image.
  public let height: Int
  /// W, the columns of an image.
  public let width: Int
  /// C, the numbers per pixel: 3 for red, green, blue.
  public let channels: Int
  /// All images, `[N, H, W, C]`.
  public var pixels: [UInt8]
  /// The class of each image, `[N]`.
  public var labels: [UInt8]
  /// The name of each class, in the order of the labels.
  public let classNames: [String]

  /// A data set of `labels.count` images; `pixels` must hold exactly as many.
  public init(height: Int, width: Int, channels: Int, pixels: [UInt8], labels: [UInt8], classNames: [String]) {
    precondition(
      pixels.count == labels.count * height * width * channels,
      "\(pixels.count) bytes of pixels do not make [\(labels.count), \(height), \(width), \(channels)]")
    precondition(
      labels.allSatisfy { Int($0) < classNames.count },
      "label \(labels.max() ?? 0) in a data set of \(classNames.count) classes")
    self.height = height
    self.width = width
    self.channels = channels
    self.pixels = pixels
    self.labels = labels
    self.classNames = classNames
  }

  /// N, the number of images.
  public var count: Int { labels.count }

  /// The bytes of one image, H W C.
  public var imageSize: Int { height * width * channels }

  /// The bytes of image `i`, `[H, W, C]`; the slice keeps the indices of `pixels`.
  public func image(_ i: Int) -> ArraySlice<UInt8> {
    precondition(i >= 0 && i < count, "image \(i) of a data set of \(count)")
    return pixels[i * imageSize..<(i + 1) * imageSize]
  }

  /// The first `n` images, or all of them when there are fewer.
  public func prefix(_ n: Int) -> ImageDataset {
    precondition(n >= 0, "prefix(\(n)): expected a count that is not negative")
    let kept = min(n, count)
    return ImageDataset(
      height: height, width: width, channels: channels,
      pixels: Array(pixels[..<(kept * imageSize)]), labels: Array(labels[..<kept]), classNames: classNames)
  }

  /// The images with these numbers, in this order; a number may come twice.
  public func subset(_ indices: [Int]) -> ImageDataset {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(indices.count * imageSize)
    for i in indices {
      pixels.append(contentsOf: image(i))
    }
    return ImageDataset(
      height: height, width: width, channels: channels,
      pixels: pixels, labels: indices.map { labels[$0] }, classNames: classNames)
  }

  /// Image number `i` as a picture. It must have three channels.
  public func picture(_ i: Int) -> Picture { Picture(height: height, width: width, pixels: Array(image(i))) }

  /// A window of the images' own size on image number `i`, which begins `top` rows below its first row and `left`
  /// columns right of its first column; by default the whole image.
  public func view(_ i: Int, top: Int = 0, left: Int = 0, isFlipped: Bool = false) -> PictureView {
    precondition(i >= 0 && i < count, "image \(i) of a data set of \(count)")
    return PictureView(
      pixels: pixels, first: i * imageSize, height: height, width: width, top: top, left: left, isFlipped: isFlipped)
  }

  /// The images in another size: of each, the largest central part of the new aspect ratio, resized.
  func resized(height newHeight: Int, width newWidth: Int) -> ImageDataset {
    ImageDataset(
      height: newHeight, width: newWidth, channels: 3,
      pixels: (0..<count).flatMap { picture($0).resized(height: newHeight, width: newWidth).pixels }, labels: labels,
      classNames: classNames)
  }

  /// Splits the images at random into those that the recipe trains on and those that it holds out.
  ///
  /// §4.2 splits CIFAR-10's 50,000 training images into 45,000 and 5,000.
  public func split(for recipe: Recipe, seed: UInt64) -> (training: ImageDataset, heldOut: ImageDataset) {
    var generator = RandomGenerator(seed: seed)
    let order = generator.permutation(count)
    let kept = recipe.trainingCount(of: count)
    return (subset(Array(order[..<kept])), subset(Array(order[kept...])))
  }
}
