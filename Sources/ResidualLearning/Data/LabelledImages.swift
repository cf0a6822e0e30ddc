// LabelledImages.swift: images of one size or of many, to train on and to test with.
//
// Tests       Tests/ResidualLearningTests/Data/LabelledImagesTests.swift

import ResidualKernels

/// A picture of any size: bytes `[height, width, 3]`, red, green and blue.
public struct Picture: Sendable, Equatable {
  /// Rows and columns.
  public let height, width: Int
  /// Row by row, the channels of a pixel side by side.
  public let pixels: [UInt8]

  /// A picture of `height * width * 3` bytes.
  public init(height: Int, width: Int, pixels: [UInt8]) {
    precondition(
      height > 0 && width > 0 && pixels.count == height * width * 3,
      "\(pixels.count) bytes do not make [\(height), \(width), 3]")
    (self.height, self.width, self.pixels) = (height, width, pixels)
  }

  /// The shorter of height and width.
  public var shorterSide: Int { min(height, width) }

  /// The same picture with a shorter side of so many pixels and the same aspect ratio, the longer side rounded.
  ///
  /// Bilinear, as Pillow's: see ``Kernels/resize(_:height:width:channels:toHeight:width:)``.
  public func resized(shorterSide: Int) -> Picture {
    precondition(shorterSide > 0, "a shorter side of \(shorterSide)")
    guard shorterSide != self.shorterSide else { return self }
    let longer = (max(height, width) * shorterSide * 2 + self.shorterSide) / (2 * self.shorterSide)
    let (newHeight, newWidth) = height <= width ? (shorterSide, longer) : (longer, shorterSide)
    return Picture(
      height: newHeight, width: newWidth,
      pixels: Kernels.resize(pixels, height: height, width: width, channels: 3, toHeight: newHeight, width: newWidth))
  }
}

/// Pictures with a class each: an ``ImageDataset``, whose images have one size, or ``VariableImages``.
public protocol LabelledImages: Sendable {
  /// The class of each picture.
  var labels: [UInt8] { get }
  /// The names of the classes.
  var classNames: [String] { get }
  /// Picture number `i`.
  func picture(_ i: Int) -> Picture
}

extension LabelledImages {
  /// Pictures.
  public var count: Int { labels.count }
}

extension ImageDataset: LabelledImages {
  public func picture(_ i: Int) -> Picture { Picture(height: height, width: width, pixels: Array(image(i))) }
}

/// Pictures of different sizes, as ImageNet's are.
public struct VariableImages: LabelledImages, Equatable {
  /// The pictures.
  public let pictures: [Picture]
  public let labels: [UInt8]
  public let classNames: [String]

  /// Pictures with as many labels.
  public init(pictures: [Picture], labels: [UInt8], classNames: [String]) {
    precondition(pictures.count == labels.count, "\(pictures.count) pictures with \(labels.count) labels")
    precondition(labels.allSatisfy { Int($0) < classNames.count }, "a label beyond \(classNames.count) classes")
    (self.pictures, self.labels, self.classNames) = (pictures, labels, classNames)
  }

  public func picture(_ i: Int) -> Picture { pictures[i] }
}

extension Normalization {
  /// The mean of the central squares of all pictures, each resized to a shorter side of `size`; no division.
  public static func perPixel(of images: some LabelledImages, size: Int) -> Normalization {
    precondition(images.count > 0, "the mean of no images")
    var squares: [UInt8] = []
    for i in 0..<images.count {
      let picture = images.picture(i).resized(shorterSide: size)
      let (top, left) = ((picture.height - size) / 2, (picture.width - size) / 2)
      for y in top..<top + size {
        squares += picture.pixels[(y * picture.width + left) * 3..<(y * picture.width + left + size) * 3]
      }
    }
    let mean = Kernels.meanImage(squares, size: size * size * 3).map { Float($0) }
    return .perPixel(mean: Tensor([size, size, 3], mean))
  }

  /// The same for images of another size: the mean image is stretched, pixel by pixel bilinear, to `[height, width,
  /// 3]`.
  ///
  /// The paper does not say what it subtracts when it tests at several scales.
  public func resized(height: Int, width: Int) -> Normalization {
    guard mean.shape != [height, width, 3] else { return self }
    let size = (height: mean.shape[0], width: mean.shape[1])
    func source(_ i: Int, _ from: Int, _ to: Int) -> (Int, Int, Float) {
      let place = max(0, (Float(i) + 0.5) * Float(from) / Float(to) - 0.5)
      let first = min(Int(place), from - 1)
      return (first, min(first + 1, from - 1), place - Float(first))
    }
    let old = mean.elements
    let columns = (0..<width).map { source($0, size.width, width) }
    var stretched: [Float] = []
    stretched.reserveCapacity(height * width * 3)
    for y in 0..<height {
      let (y0, y1, v) = source(y, size.height, height)
      for (x0, x1, u) in columns {
        for c in 0..<3 {
          func value(_ y: Int, _ x: Int) -> Float { old[(y * size.width + x) * 3 + c] }
          let top = value(y0, x0) + (value(y0, x1) - value(y0, x0)) * u
          let bottom = value(y1, x0) + (value(y1, x1) - value(y1, x0)) * u
          stretched.append(top + (bottom - top) * v)
        }
      }
    }
    return Normalization(kind: kind, mean: Tensor([height, width, 3], stretched), factor: factor)
  }

  /// Windows on pictures as a network sees them: `[views.count, H, W, 3]`, H and W being the mean image's.
  public func callAsFunction(_ views: [PictureView]) -> Tensor<Float> {
    let output = Tensor<Float>(uninitialized: Shape([views.count] + mean.shape.sizes))
    Kernels.loadViews(
      views, height: mean.shape[0], width: mean.shape[1], mean: mean.storage, factor: factor.storage,
      output: output.storage)
    return output
  }
}
