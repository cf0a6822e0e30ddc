import Foundation
import TestSupport
import Testing

@testable import ResidualFiles

/// Feeds mutated files to each reader: every one is read consistently or refused with an `InputError`.
@Suite struct FuzzTests {
  @Test func anySafetensorsFileIsReadOrRefused() throws {
    var small = SafeTensorsFile(metadata: ["epoch": "1"])
    small.append("a", shape: [2], [Float(1), 2])
    small.append("b", shape: [], [3])
    let files = [FormatFixtures.safeTensors, small.encoded(), SafeTensorsFile().encoded()].map { [UInt8]($0) }
    let accepted = try Fuzzer(seed: 1).run(files, repair: Fuzzer.repairedHeaderLength) { bytes in
      let file = try SafeTensorsFile(decoding: Data(bytes))
      let again = try SafeTensorsFile(decoding: file.encoded())
      #expect(again.entries == file.entries && again.metadata == file.metadata)
      for entry in file.entries where entry.bytes.count > 0 {
        let count = try? file.doubles(entry.name).count
        #expect(count == nil || count == elementCount(entry.shape))
      }
    }
    #expect(accepted > Fuzzer.iterations / 100)
  }

  @Test func anyNPYFileIsReadOrRefused() throws {
    let files = FormatFixtures.npy.sorted { $0.key < $1.key }.map { [UInt8]($0.value) }
    let accepted = try Fuzzer(seed: 2).run(files) { bytes in
      let array = try NPYArray(decoding: Data(bytes))
      #expect(array.values.count == elementCount(array.shape))
      #expect(array.values.bytes.count <= bytes.count)
    }
    #expect(accepted > Fuzzer.iterations / 100)
  }

  @Test func anyPNGFileIsReadOrRefused() throws {
    let large = Picture(height: 16, width: 16, pixels: (0..<768).map { UInt8($0 * $0 / 300 & 255) })
    let files = FormatFixtures.png.map { [UInt8]($0.file) } + [[UInt8](large.encoded())]
    let accepted = try Fuzzer(seed: 3).run(files, repair: repairChunks) { bytes in
      let image = try Picture(decoding: Data(bytes))
      #expect(image.pixels.count == image.width * image.height * 3)
      // A byte of the file holds at most 1032 bytes of rows, and a byte of a row at most 8 pixels.
      #expect(image.pixels.count <= bytes.count * 1032 * 8 * 3)
    }
    #expect(accepted > Fuzzer.iterations / 100)
  }

  @Test func anyDeflateStreamIsReadOrRefused() throws {
    let stored = [1, 3, 0, 0xFC, 0xFF, 7, 8, 9] as [UInt8]
    let fixed = Deflate.zlib(Array("a stream of the fixed code, a stream".utf8)).dropFirst(2).dropLast(4)
    let dynamic = [UInt8](FormatFixtures.zlib).dropFirst(2).dropLast(4)
    let accepted = try Fuzzer(seed: 4).run([stored, Array(fixed), Array(dynamic.prefix(150))]) {
      let output = try Inflate.raw($0, limit: 2000, source: "stream")
      #expect(output.count <= 2000)
    }
    #expect(accepted > Fuzzer.iterations / 100)
  }

  /// The file with right checksums of all chunks and of the decompressed rows, so that mutated contents are read.
  private func repairChunks(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    var position = 8
    var compressed: [UInt8] = []
    while bytes.count - position >= 12 {
      let length = bytes[position..<(position + 4)].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - position - 12 else { break }
      let end = position + 8 + length
      if bytes[(position + 4)..<(position + 8)].elementsEqual("IDAT".utf8) {
        compressed += bytes[(position + 8)..<end]
        if length >= 4, compressed.count > 6,
          let rows = try? Inflate.raw(Array(compressed[2...].dropLast(4)), limit: 2000, source: "repair")
        {
          put(Checksum.adler32(rows[...]), into: &bytes, at: end - 4)
        }
      }
      put(Checksum.crc32(bytes[(position + 4)..<end]), into: &bytes, at: end)
      position = end + 4
    }
    return bytes
  }

  private func put(_ checksum: UInt32, into bytes: inout [UInt8], at position: Int) {
    for index in 0..<4 { bytes[position + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * index)) }
  }
}
