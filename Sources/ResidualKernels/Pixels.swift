// Pixels.swift: the order of the bytes of pictures, and what they are on average.

extension Kernels {
  /// The pixels of records that hold a picture plane by plane: `[records, size, planes]`, from the plane-wise order of
  /// CIFAR-10's files.
  ///
  /// - Parameters:
  ///   - records: bytes `[*, header + planes · size]`, whole records.
  ///   - header: bytes of each record in front of its planes, which are left out.
  ///   - size: the pixels of a picture.
  public static func interleaved(_ records: [UInt8], header: Int, planes: Int, size: Int) -> [UInt8] {
    let recordSize = header + planes * size
    precondition(records.count % recordSize == 0, "\(records.count) bytes are no records of \(recordSize)")
    let count = records.count / recordSize
    return [UInt8](unsafeUninitializedCapacity: count * planes * size) { pixels, initialized in
      records.withUnsafeBufferPointer { records in
        for record in 0..<count {
          for plane in 0..<planes {
            let source = record * recordSize + header + plane * size
            let target = record * planes * size + plane
            for i in 0..<size { pixels[target + i * planes] = records[source + i] }
          }
        }
      }
      initialized = count * planes * size
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
