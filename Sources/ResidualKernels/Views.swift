// Views.swift: windows on pictures of any size, and the moments of their colours.

/// A window on a picture, as a network sees it.
public struct PictureView: Sendable {
  /// The picture's bytes `[height, width, channels]`.
  public let pixels: [UInt8]
  /// Rows and columns of the picture.
  public let height, width: Int
  /// The picture's row and column under the first pixel of the window.
  public let top, left: Int
  /// Whether the window is mirrored, left for right.
  public let isFlipped: Bool
  /// What is added to each channel, in units of 255.
  public let shift: [Double]

  /// A window that begins at row `top` and column `left`.
  public init(
    pixels: [UInt8], height: Int, width: Int, top: Int, left: Int, isFlipped: Bool = false, shift: [Double] = [0, 0, 0]
  ) {
    (self.pixels, self.height, self.width) = (pixels, height, width)
    (self.top, self.left, self.isFlipped, self.shift) = (top, left, isFlipped, shift)
  }
}

extension Kernels {
  /// `output[n, y, x, c] = (pixels[top + y, left + x', c] / 255 + shift[c] − mean[y, x, c]) · factor[c]` for the
  /// windows n, with x' = x, or `width` − 1 − x when flipped. The windows lie inside their pictures.
  ///
  /// - Parameters:
  ///   - mean: `[height, width, channels]`, of the size of the windows.
  ///   - factor: `[channels]`.
  ///   - output: `[views.count, height, width, channels]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func loadViews<Scalar: Element>(
    _ views: [PictureView], height: Int, width: Int, mean: Storage<Scalar>, factor: Storage<Scalar>,
    output: Storage<Scalar>
  ) {
    let channels = factor.count
    let size = height * width * channels
    precondition(mean.count == size, "a mean of \(mean.count) for windows of \(size)")
    precondition(output.count == views.count * size, "\(output.count) elements for \(views.count) windows of \(size)")
    for view in views {
      precondition(
        view.top >= 0 && view.left >= 0 && view.top + height <= view.height && view.left + width <= view.width
          && view.pixels.count == view.height * view.width * channels && view.shift.count == channels,
        "a window of \(height)x\(width) at \(view.top), \(view.left) of a picture of \(view.height)x\(view.width)")
    }
    Parallel.forEachChunk(views.count) { n in
      let view = views[n]
      let shift = view.shift.map { Scalar($0) }
      view.pixels.withUnsafeBufferPointer { pixels in
        var target = 0
        for y in 0..<height {
          for x in 0..<width {
            let column = view.left + (view.isFlipped ? width - 1 - x : x)
            let source = ((view.top + y) * view.width + column) * channels
            for c in 0..<channels {
              let value = Scalar(pixels[source + c]) / 255 + shift[c]
              output.base[n * size + target + c] = (value - mean.base[target + c]) * factor.base[c]
            }
            target += channels
          }
        }
      }
    }
  }

  /// Sums of the channels and of their products over the pixels of a picture `[*, 3]`, of bytes as they are:
  /// r, g, b, rr, rg, rb, gg, gb, bb.
  public static func colorSums(_ pixels: [UInt8]) -> [Int] {
    precondition(pixels.count % 3 == 0, "\(pixels.count) bytes are no pixels of three")
    var first = SIMD4<Int>.zero  // r, g, b
    var squares = SIMD4<Int>.zero  // rr, gg, bb
    var products = SIMD4<Int>.zero  // rg, rb, gb
    pixels.withUnsafeBufferPointer { pixels in
      var i = 0
      while i < pixels.count {
        let (r, g, b) = (Int(pixels[i]), Int(pixels[i + 1]), Int(pixels[i + 2]))
        first &+= SIMD4(r, g, b, 0)
        squares &+= SIMD4(r &* r, g &* g, b &* b, 0)
        products &+= SIMD4(r &* g, r &* b, g &* b, 0)
        i += 3
      }
    }
    return [
      first[0], first[1], first[2], squares[0], products[0], products[1], squares[1], products[2], squares[2],
    ]
  }
}
