import Foundation
import Testing

@testable import ResidualFiles

@Suite struct ChecksumTests {
  private let digits = Array("123456789".utf8)
  private let long = (0..<10000).map { UInt8($0 % 251) }

  @Test func crc32AndAdler32HaveTheirPublishedValues() {
    #expect(Checksum.crc32(digits[...]) == 0xCBF4_3926)
    #expect(Checksum.crc32([]) == 0)
    #expect(Checksum.adler32(digits[...]) == 0x091E_01DE)
    #expect(Checksum.adler32([]) == 1)
  }

  @Test func longBytesHaveTheValuesThatZlibComputes() {
    #expect(Checksum.crc32(long[...]) == 0xA5BB_3071)
    #expect(Checksum.adler32(long[...]) == 0xD179_0372)
    #expect(Checksum.adler32([UInt8](repeating: 255, count: 10000)[...]) == 0xB623_EB2B)
  }

  @Test func theChecksumOf64BitsHasTheValueOfAnIndependentProgram() {
    var sum = Checksum64()
    #expect(sum.hexadecimal == "cbf29ce484222325")
    sum.add(Data(digits))
    #expect(sum.hexadecimal == "4e8bc8e5c97de134")
    var empty = Checksum64()
    empty.add(Data())
    #expect(empty.hexadecimal == "860389c57a9c1205")
  }

  @Test func everyFlippedBitAndMovedBoundaryChangesTheChecksum() {
    func sum(_ parts: [[UInt8]]) -> String {
      var sum = Checksum64()
      for part in parts { sum.add(Data(part)) }
      return sum.hexadecimal
    }
    let bytes = Array(long.prefix(37))
    var sums: Set<String> = [sum([bytes])]
    for bit in 0..<(8 * bytes.count) {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      sums.insert(sum([flipped]))
    }
    for boundary in 0...bytes.count { sums.insert(sum([Array(bytes[..<boundary]), Array(bytes[boundary...])])) }
    sums.insert(sum([bytes + [0]]))
    #expect(sums.count == 1 + 8 * 37 + 38 + 1)
  }
}
