// Deflate.swift: compression.
//
// Tests       Tests/ResidualFilesTests/InflateTests.swift

/// Compresses bytes with deflate (RFC 1951): one block of the fixed code, with repetitions of what came before.
struct Deflate {
  /// The bytes as a zlib stream (RFC 1950).
  static func zlib(_ bytes: [UInt8]) -> [UInt8] {
    var deflate = Deflate()
    deflate.block(bytes)
    let checksum = Checksum.adler32(bytes[...])
    return [0x78, 0x01] + deflate.output + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: checksum >> $0) }
  }

  private var output: [UInt8] = []
  private var bits = 0
  private var bitCount = 0

  private mutating func block(_ bytes: [UInt8]) {
    put(0b011, 3)  // the last block, of the fixed code
    // For each hash of three bytes: where they were seen last.
    var seen = [Int](repeating: -1, count: 1 << 12)
    var position = 0
    while position < bytes.count {
      var length = 0
      var distance = 0
      if position + 3 <= bytes.count {
        let key = Int(bytes[position]) << 16 | Int(bytes[position + 1]) << 8 | Int(bytes[position + 2])
        let slot = (key &* 0x9E37_79B1) >> 20 & 0xFFF
        distance = position - seen[slot]
        if seen[slot] >= 0 && distance <= 32768 {
          let longest = min(258, bytes.count - position)
          while length < longest && bytes[position + length] == bytes[position + length - distance] { length += 1 }
        }
        seen[slot] = position
      }
      if length < 3 {
        putSymbol(Int(bytes[position]))
        position += 1
      } else {
        let lengthSymbol = Inflate.lengths.prefix { $0 <= length }.count - 1
        putSymbol(257 + lengthSymbol)
        put(length - Inflate.lengths[lengthSymbol], Inflate.lengthBits[lengthSymbol])
        let distanceSymbol = Inflate.distances.prefix { $0 <= distance }.count - 1
        putWord(distanceSymbol, 5)
        put(distance - Inflate.distances[distanceSymbol], Inflate.distanceBits[distanceSymbol])
        position += length
      }
    }
    putSymbol(256)
    put(0, 7)  // fills the last byte
  }

  /// Writes a literal, the end of the block or a length in the fixed code (RFC 1951, section 3.2.6).
  private mutating func putSymbol(_ symbol: Int) {
    switch symbol {
    case 0..<144: putWord(0b0011_0000 + symbol, 8)
    case 144..<256: putWord(0b1_1001_0000 + symbol - 144, 9)
    case 256..<280: putWord(symbol - 256, 7)
    default: putWord(0b1100_0000 + symbol - 280, 8)
    }
  }

  /// Writes a word of a code, its first bit first.
  private mutating func putWord(_ word: Int, _ count: Int) {
    for shift in (0..<count).reversed() { put(word >> shift & 1, 1) }
  }

  /// Writes a number, its lowest bit first.
  private mutating func put(_ value: Int, _ count: Int) {
    bits |= value << bitCount
    bitCount += count
    while bitCount >= 8 {
      output.append(UInt8(truncatingIfNeeded: bits))
      bits >>= 8
      bitCount -= 8
    }
  }
}
