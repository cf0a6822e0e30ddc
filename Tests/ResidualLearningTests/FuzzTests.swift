import Foundation
import ResidualFiles
import TestSupport
import Testing

@testable import ResidualLearning

/// Feeds mutated files to the readers of data and weights: every one is read consistently or refused with an `InputError`.
@Suite struct DataFuzzTests {
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
    let accepted = try Fuzzer(seed: 7).run(files, repair: Fuzzer.repairedHeaderLength) { bytes in
      let file = try SafeTensorsFile(decoding: Data(bytes))
      recognised += 1
      let error = #expect(throws: InputError.self) { try PyTorchWeights(file) }
      #expect(error?.message.isEmpty == false)
    }
    #expect(accepted == recognised && accepted > Fuzzer.iterations / 100)
  }
}
