// Views.swift: from the bytes of pictures to the numbers that a network sees.

/// A window on a picture, as a network sees it.
public struct PictureView: Sendable, Equatable {
  /// Bytes that hold the picture, `[height, width, channels]`: all of them, or a part of those of a set of pictures.
  public let pixels: [UInt8]
  /// The number of the picture's first byte.
  public let first: Int
  /// The numbers of rows and of columns of the picture.
  public let height, width: Int
  /// The picture's row and column under the first pixel of the window; negative where the window begins outside.
  public let top, left: Int
  /// Whether the window is mirrored, left for right.
  public let isFlipped: Bool
  /// What is added to each channel, in units of 255; empty for nothing.
  public let shift: [Double]

  /// A window that begins at row `top` and column `left` of the picture.
  public init(
    pixels: [UInt8], first: Int = 0, height: Int, width: Int, top: Int = 0, left: Int = 0, isFlipped: Bool = false,
    shift: [Double] = []
  ) {
    (self.pixels, self.first, self.height, self.width) = (pixels, first, height, width)
    (self.top, self.left, self.isFlipped, self.shift) = (top, left, isFlipped, shift)
  }
}

extension Kernels {
  /// `output[n, y, x, c] = (pixels[y', x', c] / 255 + shift[c] − mean[y″, x″, c]) · factor[c]` for the windows n, and 0
  /// where y', x' is outside the picture, with y' = top + y and x' = left + x, or left + `width` − 1 − x when flipped.
  ///
  /// Where picture and window have one size, the mean image lies under the picture (y″ = y', x″ = x'): it is subtracted
  /// before the picture is padded, shifted and mirrored. Otherwise it lies under the window (y″ = y, x″ = x).
  ///
  /// - Parameters:
  ///   - views: the windows, each with the picture that it is cut from.
  ///   - height: the rows of every window.
  ///   - width: the columns of every window.
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
        view.first >= 0 && view.first + view.height * view.width * channels <= view.pixels.count,
        "a picture of [\(view.height), \(view.width), \(channels)] at \(view.first) of \(view.pixels.count) bytes")
      precondition(view.shift.isEmpty || view.shift.count == channels, "\(view.shift.count) shifts of \(channels)")
    }
    Parallel.forEachChunk(views.count) { n in
      let view = views[n]
      let isMeanUnderPicture = (view.height, view.width) == (height, width)
      let shift = view.shift.isEmpty ? [Scalar](repeating: 0, count: channels) : view.shift.map { Scalar($0) }
      view.pixels.withUnsafeBufferPointer { pixels in
        let target = output.base + n * size
        var place = 0
        for y in view.top..<view.top + height {
          for x in 0..<width {
            let column = view.left + (view.isFlipped ? width - 1 - x : x)
            if y >= 0 && y < view.height && column >= 0 && column < view.width {
              let source = (y * view.width + column) * channels
              let mean = mean.base + (isMeanUnderPicture ? source : place)
              for c in 0..<channels {
                let value = Scalar(pixels[view.first + source + c]) / 255 + shift[c]
                target[place + c] = (value - mean[c]) * factor.base[c]
              }
            } else {
              for c in 0..<channels { target[place + c] = 0 }
            }
            place += channels
          }
        }
      }
    }
  }
}
