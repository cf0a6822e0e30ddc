// PNG.swift: pictures from PNG files.
//
// Tests       Tests/ResidualFilesTests/PNGTests.swift

import Foundation

extension Picture {
  /// The largest number of pixels that a file may announce: 2^25.
  public static let largestPixelCount = 1 << 25

  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Reads a PNG file of any kind: 1 to 16 bits, grey, RGB, palette, with or without transparency, interlaced or not.
  ///
  /// Samples of other widths are rounded to 8 bits. Transparent pixels are laid over white, since a network's input has
  /// three channels. Colour profiles and gamma are ignored.
  ///
  /// - Throws: `InputError` if the file cannot be read, breaks a rule of the format or announces more than
  ///   `largestPixelCount` pixels.
  public init(contentsOf path: String) throws {
    try self.init(decoding: readFile(path), source: path)
  }

  /// Reads the bytes of a PNG file. `source` names it in error messages.
  ///
  /// - Throws: `InputError` as for a file.
  public init(decoding data: Data, source: String = "PNG file") throws {
    var chunks = PNGChunks([UInt8](data), source: source)
    try chunks.readAll()
    let header = chunks.header
    let samples = try Inflate.zlib(chunks.compressed, size: header.sampleByteCount, source: source)
    let colors = PNGColors(header: header, palette: chunks.palette, transparency: chunks.transparency)
    self.init(height: header.height, width: header.width, pixels: try colors.pixels(samples, source: source))
  }
}

/// What the first chunk of a PNG file says.
struct PNGHeader {
  enum ColorType: UInt8 {
    case grey = 0
    case rgb = 2
    case palette = 3
    case greyAlpha = 4
    case rgba = 6

    /// The number of samples of a pixel.
    var channels: Int {
      switch self {
      case .grey, .palette: 1
      case .greyAlpha: 2
      case .rgb: 3
      case .rgba: 4
      }
    }

    var depths: [Int] {
      switch self {
      case .grey: [1, 2, 4, 8, 16]
      case .palette: [1, 2, 4, 8]
      case .rgb, .greyAlpha, .rgba: [8, 16]
      }
    }
  }

  /// A picture of every `step`-th pixel from the first: one of the seven of an interlaced file, or the whole.
  struct Pass {
    let left: Int
    let top: Int
    let stepX: Int
    let stepY: Int
    let width: Int
    let height: Int
  }

  let width: Int
  let height: Int
  let depth: Int
  let colorType: ColorType
  let isInterlaced: Bool

  init(_ bytes: ArraySlice<UInt8>, source: String) throws {
    let bytes = Array(bytes)
    guard bytes.count == 13 else { throw InputError("\(source): its IHDR should have 13 bytes, not \(bytes.count)") }
    width = bytes[0..<4].reduce(0) { $0 << 8 | Int($1) }
    height = bytes[4..<8].reduce(0) { $0 << 8 | Int($1) }
    guard width > 0, height > 0, width <= Picture.largestPixelCount / height else {
      throw InputError(
        "\(source): it should have from 1 to \(Picture.largestPixelCount) pixels and announces \(width)x\(height)")
    }
    depth = Int(bytes[8])
    guard let colorType = ColorType(rawValue: bytes[9]), colorType.depths.contains(depth) else {
      throw InputError("\(source): there is no PNG of colour type \(bytes[9]) with \(bytes[8]) bits")
    }
    self.colorType = colorType
    guard bytes[10] == 0, bytes[11] == 0, bytes[12] <= 1 else {
      throw InputError("\(source): its compression, filter or interlace method is unknown")
    }
    isInterlaced = bytes[12] == 1
  }

  var passes: [Pass] {
    // Adam7, PNG specification section 8.2.
    let origins =
      isInterlaced
      ? [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
      : [(0, 0, 1, 1)]
    return origins.map { left, top, stepX, stepY in
      Pass(
        left: left, top: top, stepX: stepX, stepY: stepY,
        width: (width - left + stepX - 1) / stepX, height: (height - top + stepY - 1) / stepY)
    }.filter { $0.width > 0 && $0.height > 0 }
  }

  /// The number of bytes in a row of that many pixels, without its filter byte.
  func rowByteCount(_ width: Int) -> Int {
    (width * colorType.channels * depth + 7) / 8
  }

  /// The number of bytes in all rows of all passes, with their filter bytes.
  var sampleByteCount: Int {
    passes.reduce(0) { $0 + $1.height * (1 + rowByteCount($1.width)) }
  }
}
