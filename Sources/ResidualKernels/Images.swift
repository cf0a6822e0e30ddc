// Images.swift: from bytes to the numbers a network sees.

/// Where a network's view of an image begins.
public struct ImageCrop: Sendable, Equatable {
  /// The number of the image in the data set.
  public var image: Int
  /// Rows and columns by which the view is shifted down and right; negative: up and left.
  public var top, left: Int
  /// Whether the image is mirrored, left for right.
  public var isFlipped: Bool

  /// A view of image number `image`; the whole image unless more is said.
  public init(image: Int, top: Int = 0, left: Int = 0, isFlipped: Bool = false) {
    self.image = image
    self.top = top
    self.left = left
    self.isFlipped = isFlipped
  }
}

extension Kernels {
  /// `output[n, y, x, c] = (pixels[image, y', x', c] / 255 − mean[y', x', c]) · factor[c]` with y' = y + top and
  /// x' = x + left (W − 1 − x + left when flipped), and 0 where y', x' is outside the image.
  ///
  /// - Parameters:
  ///   - pixels: bytes of images `[*, height, width, channels]`.
  ///   - crops: the view for each image of the output `[crops.count, height, width, channels]`.
  ///   - mean: `[height, width, channels]`.
  ///   - factor: `[channels]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func loadImages<Scalar: Element>(
    _ pixels: [UInt8], height: Int, width: Int, channels: Int, crops: [ImageCrop], mean: Storage<Scalar>,
    factor: Storage<Scalar>, output: Storage<Scalar>
  ) {
    let size = height * width * channels
    precondition(mean.count == size && factor.count == channels, "a mean of \(mean.count) for images of \(size)")
    precondition(output.count == crops.count * size, "\(output.count) elements for \(crops.count) images of \(size)")
    let images = pixels.count / size
    precondition(crops.allSatisfy { (0..<images).contains($0.image) }, "an image beyond the \(images) there are")
    pixels.withUnsafeBufferPointer { pixels in
      nonisolated(unsafe) let bytes = pixels.baseAddress!
      Parallel.forEachChunk(crops.count) { n in
        let crop = crops[n]
        let image = bytes + crop.image * size
        var target = output.base + n * size
        for y in crop.top..<crop.top + height {
          for x in 0..<width {
            let sourceX = (crop.isFlipped ? width - 1 - x : x) + crop.left
            if y >= 0 && y < height && sourceX >= 0 && sourceX < width {
              let source = (y * width + sourceX) * channels
              for c in 0..<channels {
                target[c] = (Scalar(image[source + c]) / 255 - mean.base[source + c]) * factor.base[c]
              }
            } else {
              for c in 0..<channels { target[c] = 0 }
            }
            target += channels
          }
        }
      }
    }
  }

  /// The mean of all images, pixel by pixel, of bytes divided by 255: `[size]`.
  public static func meanImage(_ pixels: [UInt8], size: Int) -> [Double] {
    let images = pixels.count / size
    precondition(images > 0, "the mean of no images")
    var sums = [Int](repeating: 0, count: size)
    pixels.withUnsafeBufferPointer { pixels in
      sums.withUnsafeMutableBufferPointer { sums in
        for n in 0..<images {
          for i in 0..<size { sums[i] += Int(pixels[n * size + i]) }
        }
      }
    }
    return sums.map { Double($0) / Double(images) / 255 }
  }
}
