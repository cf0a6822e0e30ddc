import Foundation
import Testing

@testable import ResidualLearning

/// Feeds mutated files to each reader: every one is read consistently or refused with an `InputError`.
@Suite struct FuzzTests {
  @Test func anySafetensorsFileIsReadOrRefused() throws {
    var small = SafeTensorsFile(metadata: ["epoch": "1"])
    small.append("a", shape: [2], [Float(1), 2])
    small.append("b", shape: [], [3])
    let files = [FormatFixtures.safeTensors, small.encoded(), SafeTensorsFile().encoded()].map { [UInt8]($0) }
    let accepted = try Fuzzer(seed: 1).run(files, repair: repairHeaderLength) { bytes in
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
    let large = PNGImage(width: 16, height: 16, pixels: (0..<768).map { UInt8($0 * $0 / 300 & 255) })
    let files = FormatFixtures.png.map { [UInt8]($0.file) } + [[UInt8](large.encoded())]
    let accepted = try Fuzzer(seed: 3).run(files, repair: repairChunks) { bytes in
      let image = try PNGImage(decoding: Data(bytes))
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

  @Test func anyCIFARBatchIsReadOrRefused() throws {
    let pixels = (0..<3072).map { UInt8($0 * 7 & 255) }
    let files = [[3] + pixels, [0] + pixels + [9] + pixels.reversed()] as [[UInt8]]
    // Half of the files are cut or filled to whole records, so that labels and pixels are read at all.
    let accepted = try Fuzzer(seed: 6).run(files, repair: { Array(($0 + pixels).prefix(3073)) }) { bytes in
      let images = try CIFAR10.decode([("batch", Data(bytes))])
      #expect(images.count == bytes.count / 3073 && images.pixels.count == images.count * 3072)
      #expect(images.labels[0] == bytes[0] && images.pixels[0...2] == [bytes[1], bytes[1025], bytes[2049]])
    }
    #expect(accepted > Fuzzer.iterations / 10)
  }

  @Test func anyPyTorchFileIsReadOrRefused() throws {
    // Shapes without elements: whatever the header says, the file is small, and no network must be built from it.
    var shapes: [(String, [Int])] = [("conv1.weight", [0, 3, 3, 3]), ("linear.weight", [10, 0])]
    for layer in 1...3 { shapes += [1, 2].map { ("layer\(layer).0.conv\($0).weight", [4, 0, 3, 3]) } }
    for layer in ["features.0", "features.3", "classifier.0", "classifier.3", "classifier.6"] {
      shapes.append((layer + ".weight", layer.hasPrefix("f") ? [0, 3, 3, 3] : [5, 0]))
    }
    let files = [Array(shapes.prefix(8)), Array(shapes.suffix(5))].map { shapes -> [UInt8] in
      var file = SafeTensorsFile()
      for (name, shape) in shapes { file.append(name, shape: shape, [Float]()) }
      return [UInt8](file.encoded())
    }
    var recognised = 0
    let accepted = try Fuzzer(seed: 7).run(files, repair: repairHeaderLength) { bytes in
      let file = try SafeTensorsFile(decoding: Data(bytes))
      recognised += 1
      let error = #expect(throws: InputError.self) { try PyTorchWeights(file) }
      #expect(error?.message.isEmpty == false)
    }
    #expect(accepted == recognised && accepted > Fuzzer.iterations / 100)
  }

  /// The file with the header length that leads to its last brace, so that a mutated header is read at all.
  private func repairHeaderLength(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count > 8, let brace = bytes.lastIndex(of: UInt8(ascii: "}")), brace >= 8 else { return bytes }
    return [UInt8](Data(bytesOf: [UInt64(brace - 7)])) + bytes[8...]
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
