// PNG+Pixels.swift: the pixels of a PNG file.
//
// Tests       Tests/ResidualFilesTests/PNGTests.swift

/// Turns the filtered rows of a PNG file into RGB pixels of 8 bits.
struct PNGColors {
  let header: PNGHeader
  let palette: [UInt8]
  let transparency: [UInt8]

  /// The picture, `[height, width, 3]`, from the decompressed rows of all passes.
  func pixels(_ filtered: [UInt8], source: String) throws -> [UInt8] {
    var rows = filtered
    var pixels = [UInt8](repeating: 0, count: header.width * header.height * 3)
    var position = 0
    for pass in header.passes {
      let rowByteCount = header.rowByteCount(pass.width)
      for y in 0..<pass.height {
        try unfilter(&rows, at: position, count: rowByteCount, isFirst: y == 0, source: source)
        var target = ((pass.top + y * pass.stepY) * header.width + pass.left) * 3
        for x in 0..<pass.width {
          let color = try color(rows, row: position + 1, x: x, source: source)
          pixels[target] = color.red
          pixels[target + 1] = color.green
          pixels[target + 2] = color.blue
          target += 3 * pass.stepX
        }
        position += 1 + rowByteCount
      }
    }
    return pixels
  }

  /// Undoes the filter of a row (PNG specification, section 9.2), whose kind is the byte before it. The row above, with
  /// its own filter undone, lies before that.
  private func unfilter(
    _ bytes: inout [UInt8], at position: Int, count: Int, isFirst: Bool, source: String
  ) throws {
    let filter = bytes[position]
    guard filter <= 4 else { throw InputError("\(source): a row has the unknown filter \(filter)") }
    let pixelByteCount = max(1, header.colorType.channels * header.depth / 8)
    let start = position + 1
    for index in start..<(start + count) where filter > 0 {
      let hasLeft = index - start >= pixelByteCount
      let left = hasLeft ? Int(bytes[index - pixelByteCount]) : 0
      let above = isFirst ? 0 : Int(bytes[index - count - 1])
      let prediction: Int
      switch filter {
      case 1: prediction = left
      case 2: prediction = above
      case 3: prediction = (left + above) / 2
      default:
        // Paeth: whichever of left, above and aboveLeft is nearest to left + above - aboveLeft.
        let aboveLeft = hasLeft && !isFirst ? Int(bytes[index - count - 1 - pixelByteCount]) : 0
        let toLeft = abs(above - aboveLeft)
        let toAbove = abs(left - aboveLeft)
        let toAboveLeft = abs(left + above - 2 * aboveLeft)
        prediction =
          toLeft <= toAbove && toLeft <= toAboveLeft ? left : toAbove <= toAboveLeft ? above : aboveLeft
      }
      bytes[index] &+= UInt8(prediction)
    }
  }

  private func color(
    _ bytes: [UInt8], row: Int, x: Int, source: String
  ) throws -> (red: UInt8, green: UInt8, blue: UInt8) {
    let first = x * header.colorType.channels
    func sample(_ channel: Int) -> Int { self.sample(bytes, row: row, index: first + channel) }
    switch header.colorType {
    case .grey:
      let grey = sample(0)
      let isTransparent = !transparency.isEmpty && grey == key(0)
      let value = overWhite(to8Bits(grey), isTransparent ? 0 : 255)
      return (value, value, value)
    case .greyAlpha:
      let value = overWhite(to8Bits(sample(0)), to8Bits(sample(1)))
      return (value, value, value)
    case .rgb:
      let (red, green, blue) = (sample(0), sample(1), sample(2))
      let isTransparent = !transparency.isEmpty && (red, green, blue) == (key(0), key(1), key(2))
      let alpha = isTransparent ? 0 : 255
      return (overWhite(to8Bits(red), alpha), overWhite(to8Bits(green), alpha), overWhite(to8Bits(blue), alpha))
    case .rgba:
      let alpha = to8Bits(sample(3))
      return (
        overWhite(to8Bits(sample(0)), alpha), overWhite(to8Bits(sample(1)), alpha),
        overWhite(to8Bits(sample(2)), alpha)
      )
    case .palette:
      let index = sample(0)
      guard index < palette.count / 3 else {
        throw InputError("\(source): a pixel has colour \(index) of a palette of \(palette.count / 3)")
      }
      let alpha = index < transparency.count ? Int(transparency[index]) : 255
      return (
        overWhite(Int(palette[3 * index]), alpha), overWhite(Int(palette[3 * index + 1]), alpha),
        overWhite(Int(palette[3 * index + 2]), alpha)
      )
    }
  }

  /// The sample at that index of a row, from 0 to 2^depth - 1.
  private func sample(_ bytes: [UInt8], row: Int, index: Int) -> Int {
    switch header.depth {
    case 8: return Int(bytes[row + index])
    case 16: return Int(bytes[row + 2 * index]) << 8 | Int(bytes[row + 2 * index + 1])
    default:
      let bit = index * header.depth
      return Int(bytes[row + bit / 8]) >> (8 - header.depth - bit % 8) & (1 << header.depth - 1)
    }
  }

  /// A channel of the colour that stands for transparent pixels.
  private func key(_ channel: Int) -> Int {
    (Int(transparency[2 * channel]) << 8 | Int(transparency[2 * channel + 1])) & (1 << header.depth - 1)
  }

  private func to8Bits(_ sample: Int) -> Int {
    let largest = 1 << header.depth - 1
    return (sample * 255 + largest / 2) / largest
  }

  private func overWhite(_ value: Int, _ alpha: Int) -> UInt8 {
    UInt8((value * alpha + 255 * (255 - alpha) + 127) / 255)
  }
}
