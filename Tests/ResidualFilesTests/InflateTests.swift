import Foundation
import Testing

@testable import ResidualFiles

@Suite struct InflateTests {
  private let sequence = (0..<3000).map { (index: Int) -> UInt8 in UInt8(index * index % 251 * (index % 3) % 97) }

  private func problem(_ bytes: [UInt8], limit: Int = 100) -> String? {
    let message = #expect(throws: InputError.self) { try Inflate.raw(bytes, limit: limit, source: "f") }?.message
    return message?.replacing("f: its compressed data are damaged: ", with: "")
  }

  @Test func aStreamOfZlibIsRead() throws {
    #expect(try Inflate.zlib([UInt8](FormatFixtures.zlib), size: 3000, source: "f") == sequence)
  }

  @Test func storedAndFixedBlocksFollowEachOther() throws {
    // A stored block of 3 bytes, then the fixed code: "a" is 0x30 + 97 in 8 bits, the end 7 zeros.
    let bytes: [UInt8] = [0, 3, 0, 0xFC, 0xFF, 7, 8, 9, 0x4B, 0x04, 0x00]
    #expect(try Inflate.raw(bytes, limit: 4, source: "f") == [7, 8, 9, 97])
  }

  @Test func whatIsCompressedIsReadAgain() throws {
    let runs = [UInt8](repeating: 5, count: 70000) + sequence + [1, 2] + sequence
    for bytes in [
      [], [255], sequence, runs, Array(0...255), Array(repeatElement(Array("ab".utf8), count: 300).joined()),
    ] {
      #expect(try Inflate.zlib(Deflate.zlib(bytes), size: bytes.count, source: "f") == bytes)
    }
    #expect(Deflate.zlib(runs).count < 10000)
  }

  @Test func everyTruncationAndAWrongSizeOrChecksumIsRefused() throws {
    let bytes = [UInt8](FormatFixtures.zlib)
    for count in bytes.indices {
      #expect(throws: InputError.self) { try Inflate.zlib(Array(bytes.prefix(count)), size: 3000, source: "f") }
    }
    for size in [0, 2999, 3001, 1 << 40] {
      #expect(throws: InputError.self) { try Inflate.zlib(bytes, size: size, source: "f") }
    }
    #expect(throws: InputError("f: its compressed data are damaged: their checksum differs")) {
      try Inflate.zlib(bytes.dropLast() + [bytes.last! ^ 1], size: 3000, source: "f")
    }
    #expect(throws: InputError("f: its compressed data are damaged: 5 bytes follow them and 4 should")) {
      try Inflate.zlib(bytes + [0], size: 3000, source: "f")
    }
    #expect(throws: InputError("f: its compressed data do not begin as a zlib stream")) {
      try Inflate.zlib([0x79] + bytes.dropFirst(), size: 3000, source: "f")
    }
  }

  @Test func aBlockThatBreaksARuleIsRefused() {
    #expect(problem([]) == "they end too early")
    #expect(problem([0b111]) == "a block is of unknown type")
    #expect(problem([1, 3, 0, 0xFC, 0xFE]) == "the length of a stored block is inconsistent")
    #expect(problem([1, 3, 0, 0xFC, 0xFF, 1]) == "they end within a stored block")
    #expect(problem([1, 3, 0, 0xFC, 0xFF, 1, 2, 3], limit: 2) == "they hold more than 2 bytes")
    #expect(problem([0x4B, 0x04, 0x00], limit: 0) == "they hold more than 0 bytes")
    // The fixed code: length 3 is 0000001, distance 1 is 00000, without a byte before.
    #expect(problem([0b011, 0b0000_0010, 0]) == "a distance leads to before their start")
    // A dynamic block of 31 + 257 symbols; one of only zero lengths for its lengths.
    #expect(problem([0b1111_1101, 0, 0]) == "a block has too many symbols")
    #expect(problem([0b101, 0, 0, 0, 0, 0]) == "a code word is unknown")
    // Four words of one bit in the code of lengths.
    #expect(problem([0b101, 0, 0b1001_0010, 0b100]) == "a code is not a prefix code")
  }
}
