// Resize.swift: images of another size.

extension Kernels {
  /// Resizes an image by linear interpolation between pixel centres.
  ///
  /// Along each axis an output pixel is a mean of the input pixels around its centre, weighted by a triangle: one input
  /// pixel wide on either side when the image grows (bilinear interpolation), as wide as an output pixel when it
  /// shrinks, so that no pixel is skipped. Weights beyond the border are left out and the others scaled up. Pillow's
  /// `BILINEAR`.
  ///
  /// The image is `[height, width, channels]`, the result `[newHeight, newWidth, channels]`.
  public static func resize(
    values image: [Float], height: Int, width: Int, channels: Int, toHeight newHeight: Int, width newWidth: Int
  ) -> [Float] {
    precondition(
      image.count == height * width * channels, "\(image.count) numbers for [\(height), \(width), \(channels)]")
    precondition(min(height, width, newHeight, newWidth) > 0, "\(height)x\(width) to \(newHeight)x\(newWidth) pixels")
    // Columns first, then rows: each pass is a row of weights for each output pixel.
    let columns = triangles(from: width, to: newWidth)
    var narrow = [Float](repeating: 0, count: height * newWidth * channels)
    for y in 0..<height {
      for x in 0..<newWidth {
        for (k, weight) in columns[x].weights.enumerated() {
          let source = (y * width + columns[x].first + k) * channels
          for c in 0..<channels { narrow[(y * newWidth + x) * channels + c] += weight * image[source + c] }
        }
      }
    }
    let rows = triangles(from: height, to: newHeight)
    let rowSize = newWidth * channels
    var result = [Float](repeating: 0, count: newHeight * rowSize)
    for y in 0..<newHeight {
      for (k, weight) in rows[y].weights.enumerated() {
        let source = (rows[y].first + k) * rowSize
        for i in 0..<rowSize { result[y * rowSize + i] += weight * narrow[source + i] }
      }
    }
    return result
  }

  /// Resizes an image of bytes; the results are rounded to whole numbers.
  public static func resize(
    _ pixels: [UInt8], height: Int, width: Int, channels: Int, toHeight newHeight: Int, width newWidth: Int
  ) -> [UInt8] {
    resize(
      values: pixels.map { Float($0) }, height: height, width: width, channels: channels, toHeight: newHeight,
      width: newWidth
    ).map { UInt8(min(max($0.rounded(), 0), 255)) }
  }

  /// For each of `newCount` output pixels the first input pixel, and the weights of it and of those that follow, whose
  /// sum is 1.
  private static func triangles(from count: Int, to newCount: Int) -> [(first: Int, weights: [Float])] {
    let scale = Float(count) / Float(newCount)
    let reach = max(scale, 1)
    return (0..<newCount).map { i in
      let centre = (Float(i) + 0.5) * scale
      let first = max(Int(centre - reach + 0.5), 0)
      let end = max(min(Int(centre + reach + 0.5), count), first + 1)
      let weights = (first..<end).map { max(0, 1 - abs(Float($0) + 0.5 - centre) / reach) }
      let sum = weights.reduce(0, +)
      return (first, weights.map { $0 / sum })
    }
  }
}
