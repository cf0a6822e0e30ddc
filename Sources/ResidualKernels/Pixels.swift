// Pixels.swift: the order of the bytes of pictures, and what they are on average.

extension Kernels {
  /// Copies pictures out of records that hold a red, a green and a blue plane, as CIFAR-10's files do:
  /// `pixels[first + record, i, c] = records[record, header + c · size + i]`.
  ///
  /// - Parameters:
  ///   - records: bytes `[*, header + 3 · size]`, whole records.
  ///   - header: the number of bytes in front of the planes of each record, which are left out.
  ///   - size: the number of pixels of a picture.
  ///   - pixels: `[*, size, 3]`.
  ///   - first: the number of the picture in `pixels` that the first record becomes.
  public static func interleave(
    _ records: some Collection<UInt8>, header: Int, size: Int, into pixels: inout [UInt8], first: Int
  ) {
    let isDone: Void? = records.withContiguousStorageIfAvailable {
      interleave($0, header: header, size: size, into: &pixels, first: first)
    }
    if isDone == nil { interleave(Array(records), header: header, size: size, into: &pixels, first: first) }
  }

  private static func interleave(
    _ records: UnsafeBufferPointer<UInt8>, header: Int, size: Int, into pixels: inout [UInt8], first: Int
  ) {
    let recordSize = header + 3 * size
    let count = records.count / recordSize
    precondition(records.count % recordSize == 0, "\(records.count) bytes are no records of \(recordSize)")
    precondition(
      first >= 0 && (first + count) * 3 * size <= pixels.count,
      "\(count) pictures at \(first) of \(pixels.count / (3 * size))")
    pixels.withUnsafeMutableBufferPointer { pixels in
      guard let target = pixels.baseAddress, let source = records.baseAddress else { return }
      for record in 0..<count {
        let red = source + (record * recordSize + header)
        let (green, blue) = (red + size, red + 2 * size)
        let picture = target + (first + record) * 3 * size
        // Without checks of overflow these are vector instructions.
        for i in 0..<size {
          picture[3 &* i] = red[i]
          picture[3 &* i &+ 1] = green[i]
          picture[3 &* i &+ 2] = blue[i]
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
