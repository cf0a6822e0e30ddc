// PNG+Writing.swift: PNG files from pictures.
//
// Tests       Tests/ResidualFilesTests/PNGTests.swift

import Foundation

extension Picture {
  /// The bytes of a PNG file: 8 bits, grey if every pixel is grey, otherwise RGB.
  public func encoded() -> Data {
    let isGrey = (0..<width * height).allSatisfy { pixel in
      let color = pixels[(3 * pixel)..<(3 * pixel + 3)]
      return color.allSatisfy { $0 == color.first }
    }
    let channels = isGrey ? 1 : 3
    let samples = isGrey ? (0..<width * height).map { pixels[3 * $0] } : pixels
    var rows: [UInt8] = []
    rows.reserveCapacity(height * (1 + width * channels))
    for y in 0..<height {
      rows.append(0)  // no filter
      rows += samples[(y * width * channels)..<((y + 1) * width * channels)]
    }
    let format: [UInt8] = [8, isGrey ? 0 : 2, 0, 0, 0]
    var data = Data(Self.signature)
    data += Self.chunk("IHDR", Self.bigEndian(width) + Self.bigEndian(height) + format)
    data += Self.chunk("IDAT", Deflate.zlib(rows))
    data += Self.chunk("IEND", [])
    return data
  }

  /// Writes a PNG file; what was at the path before stays until the new file is complete on disk.
  ///
  /// - Throws: `InputError` if it cannot be written.
  public func write(to path: String) throws {
    try AtomicFile.write(encoded(), to: path)
  }

  static func chunk(_ type: String, _ contents: [UInt8]) -> [UInt8] {
    let typed = Array(type.utf8) + contents
    return bigEndian(contents.count) + typed + bigEndian(Int(Checksum.crc32(typed[...])))
  }

  private static func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }
}
