// Checksum.swift: checksums of bytes.
//
// Tests       Tests/ResidualFilesTests/ChecksumTests.swift

import Foundation

/// Checksums that tell whether bytes are the ones that were written.
public enum Checksum {
  private static let crcTable: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
  }

  /// The CRC-32 of the chunks of a PNG file (ISO 3309).
  public static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    let table = crcTable
    var value = ~UInt32(0)
    for byte in bytes { value = table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8 }
    return ~value
  }

  /// The Adler-32 at the end of a zlib stream (RFC 1950).
  public static func adler32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var sum: UInt32 = 1
    var sumOfSums: UInt32 = 0
    var rest = bytes
    while !rest.isEmpty {
      // 5552 is the largest number of bytes whose sums of sums fit in 32 bits.
      for byte in rest.prefix(5552) {
        sum += UInt32(byte)
        sumOfSums += sum
      }
      sum %= 65521
      sumOfSums %= 65521
      rest = rest.dropFirst(5552)
    }
    return sumOfSums << 16 | sum
  }
}

/// A 64-bit checksum of words and bytes, in the manner of FNV-1a but eight bytes at a time: fast enough for
/// checkpoints. Each step is invertible, so a change within one word always changes the result; it is no protection
/// against forgery.
public struct Checksum64 {
  private var state: UInt64 = 0xCBF2_9CE4_8422_2325

  /// The checksum of nothing.
  public init() {}

  /// The checksum of everything added, as 16 hexadecimal digits.
  public var hexadecimal: String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Adds a word.
  public mutating func add(_ word: UInt64) {
    state = (state ^ word) &* 0x9E37_79B9_7F4A_7C15
    state ^= state >> 32
  }

  /// Adds bytes as little-endian words, the last filled with zeros, and their number.
  public mutating func add(_ data: Data) {
    unsafe data.withUnsafeBytes { bytes in
      let end = bytes.count & ~7
      var position = 0
      while position < end {
        unsafe add(bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        position += 8
      }
      unsafe add(bytes[end...].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
    add(UInt64(data.count))
  }
}
