import Foundation
import ResidualFiles
import ResidualKernels
import Testing

@testable import ResidualLearning

@Suite struct PyTorchWeightsTests {
  /// A network whose statistics are not their initial ones, and three images.
  func network(_ architecture: Architecture) throws -> any ImageClassifier<Float> {
    var generator = RandomGenerator(seed: 3)
    return try shaken(architecture.network(Float.self, using: &generator))
  }

  private func shaken<Network: ImageClassifier<Float>>(_ network: Network) throws -> Network {
    var network = network
    var generator = RandomGenerator(seed: 4)
    try network.visitState { _, tensor in
      if tensor.shape.rank == 1 { tensor = Tensor(uniform: tensor.shape, from: 0.5, to: 1.5, using: &generator) }
    }
    return network
  }

  func logits<Network: ImageClassifier<Float>>(_ network: Network) -> [Float] {
    var generator = RandomGenerator(seed: 5)
    let side = network.architecture.takesAnySize ? 32 : network.architecture.imageSize
    return network(Tensor(normal: [2, side, side, 3], using: &generator)).elements
  }

  /// The same arrays under other names; nil leaves one out.
  func renamed(_ file: SafeTensorsFile, _ name: (String) -> String?) -> SafeTensorsFile {
    var result = SafeTensorsFile(source: "weights")
    for entry in file.entries {
      guard let name = name(entry.name) else { continue }
      result.append(name, type: entry.type, shape: entry.shape, bytes: entry.bytes)
    }
    return result
  }

  func failure(_ file: SafeTensorsFile) -> String {
    let error = #expect(throws: InputError.self) { try PyTorchWeights(file) }
    return error?.message ?? ""
  }

  static let architectures: [Architecture] = [
    .cifar(depth: 8, options: .init(zeros: .around), width: 4),
    .cifar(depth: 14, options: .init(shortcut: .b), classes: 7, width: 4),
    .cifar(depth: 8, options: .init(shortcut: .c), width: 4),
    .imageNet(depth: 18, options: .init(shortcut: .b), classes: 5, width: 4),
    .imageNet(depth: 50, options: .init(shortcut: .b, stridePlacement: .middle3x3), classes: 5, width: 4),
    .vgg(depth: 16, classes: 5, width: 4, hidden: 6, imageSize: 32),
    .vgg(depth: 19, classes: 5, width: 2, hidden: 6, imageSize: 64),
  ]

  @Test(arguments: architectures)
  func `A network is recognised from names and shapes alone and computes the same`(architecture: Architecture) throws {
    let network = try network(architecture)
    let file = try PyTorchWeights.file(of: network)
    let weights = try PyTorchWeights(renamed(file) { $0 })
    #expect(weights.architecture.imageSize == architecture.imageSize)
    let found = weights.architecture
    #expect(found.name == architecture.name && found.stages == architecture.stages)
    #expect(found.block == architecture.block && found.stem == architecture.stem)
    #expect(found.options.shortcut == architecture.options.shortcut && found.classes == architecture.classes)
    #expect(logits(try weights.network()) == logits(network))
  }

  @Test func `An exported network says what names cannot show`() throws {
    for architecture in [
      Architecture.cifar(depth: 8, options: .init(zeros: .after), width: 4), .cifar(depth: 8, plain: true, width: 4),
      .imageNet(depth: 50, options: .init(shortcut: .b, stridePlacement: .first1x1), classes: 3, width: 4),
    ] {
      let network = try network(architecture)
      let file = try SafeTensorsFile(decoding: PyTorchWeights.file(of: network).encoded())
      let weights = try PyTorchWeights(file)
      #expect(weights.architecture == architecture)
      #expect(logits(try weights.network()) == logits(network))
    }
  }

  @Test func `The place of the zeros changes the logits and can be chosen`() throws {
    let network = try network(.cifar(depth: 8, options: .init(zeros: .after), width: 4))
    let file = renamed(try PyTorchWeights.file(of: network)) { $0 }
    let around = logits(try PyTorchWeights(file).network())
    var knowledge = PyTorchWeights.Knowledge()
    knowledge.zeros = .after
    let after = logits(try PyTorchWeights(file, knowing: knowledge).network())
    #expect(after == logits(network))
    #expect(around != after)
    knowledge.isPlain = true
    #expect(try PyTorchWeights(file, knowing: knowledge).architecture.name == "plain8")
  }

  @Test func `Names may begin with module and counters are passed over`() throws {
    let network = try network(.cifar(depth: 8, width: 4))
    let file = try PyTorchWeights.file(of: network)
    var wrapped = renamed(file) { "module." + $0 }
    wrapped.append("module.bn1.num_batches_tracked", shape: [], [64000])
    let weights = try PyTorchWeights(wrapped)
    #expect(
      weights.summary
        == "PyTorch weights of resnet8 under akamaster's names: stages of 1, 1, 1 basic blocks, 4, 8, 16 channels, "
        + "shortcuts A, zeros around the channels, 10 classes")
  }

  @Test func `Names and axes are PyTorch's`() throws {
    let file = try PyTorchWeights.file(
      of: network(.imageNet(depth: 50, options: .init(shortcut: .b), classes: 5, width: 4)))
    let shapes = Dictionary(uniqueKeysWithValues: file.entries.map { ($0.name, $0.shape) })
    #expect(shapes["conv1.weight"] == [4, 3, 7, 7])
    #expect(shapes["bn1.running_var"] == [4])
    #expect(shapes["layer1.0.downsample.0.weight"] == [16, 4, 1, 1])
    #expect(shapes["layer1.0.downsample.1.bias"] == [16])
    #expect(shapes["layer4.2.conv3.weight"] == [128, 32, 1, 1])
    #expect(shapes["fc.weight"] == [5, 128])
    #expect(file.entries.count == 53 * 5 + 2)

    let vgg = try PyTorchWeights.file(of: network(.vgg(depth: 16, classes: 5, width: 4, hidden: 6, imageSize: 64)))
    let names = vgg.entries.map(\.name).filter { $0.hasSuffix("weight") }
    let features = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28].map { "features.\($0).weight" }
    #expect(names == features + [0, 3, 6].map { "classifier.\($0).weight" })
    #expect(vgg["classifier.0.weight"]?.shape == [6, 32 * 4])

    // Rows of pixels [2, 2, 3]: pixel (1, 0), channel 2 is number 8 here and 2 * 4 + 2 there.
    let rows = Tensor<Float>([12, 2], (0..<24).map { Float($0) })
    #expect(rows.elementsInPyTorchOrder(channels: 3)[12 + 10] == rows[8, 1])
    #expect(Tensor(rows.shape, inPyTorchOrder: rows.elementsInPyTorchOrder(channels: 3), channels: 3) == rows)

    let weight = Tensor<Float>([2, 3, 4, 5], (0..<120).map { Float($0) })
    let elements = weight.elementsInPyTorchOrder()  // [5, 4, 2, 3]
    #expect(elements[((4 * 4 + 3) * 2 + 1) * 3 + 2] == weight[1, 2, 3, 4])
    #expect(elements[((1 * 4 + 2) * 2 + 0) * 3 + 1] == weight[0, 1, 2, 1])
    #expect(Tensor(weight.shape, inPyTorchOrder: elements) == weight)
  }

  @Test func `Unknown and missing names and wrong shapes are listed in one error`() throws {
    let file = try PyTorchWeights.file(of: network(.cifar(depth: 8, width: 4)))
    var changed = renamed(file) { name in
      name == "bn1.bias" || name == "layer2.0.bn2.running_mean" ? nil : name == "linear.bias" ? "linear.bia" : name
    }
    changed.append("bn1.bias", shape: [5], [Float](repeating: 0, count: 5))
    #expect(
      failure(changed) == "weights does not fit: unknown: \"linear.bia\"; "
        + "missing: \"linear.bias\", \"layer2.0.bn2.running_mean\"; wrong shape: \"bn1.bias\" is [5] and should be [4]")
  }

  @Test func `Files without such a network are refused with a sentence`() throws {
    var file = SafeTensorsFile(source: "weights")
    #expect(failure(file).hasSuffix("it has no tensor \"conv1.weight\""))
    file.append("conv1.weight", shape: [4, 3, 5, 5], [Float](repeating: 0, count: 300))
    #expect(failure(file).contains("is [4, 3, 5, 5] and should be [C, 3, 3, 3] (CIFAR) or [C, 3, 7, 7]"))
    let exported = try PyTorchWeights.file(of: network(.cifar(depth: 8, width: 4)))
    #expect(failure(renamed(exported) { $0.hasPrefix("layer") ? nil : $0 }).contains("no tensor of a stage"))
    #expect(
      failure(renamed(exported) { $0.hasPrefix("linear") ? nil : $0 })
        .hasSuffix("no tensor \"fc.weight\"; its first names are \"conv1.weight\", \"bn1.weight\", \"bn1.bias\""))
  }

  @Test func `A file that claims a network too large to build is refused before it is built`() throws {
    var file = SafeTensorsFile(source: "weights")
    file.append("conv1.weight", shape: [4000, 3, 3, 3], [Float](repeating: 0, count: 108_000))
    file.append("linear.weight", shape: [4000, 0], [Float]())
    file.append("layer1.0.conv1.weight", shape: [4000, 0, 3, 3], [Float]())
    file.append("layer1.0.conv2.weight", shape: [4000, 0, 3, 3], [Float]())
    #expect(failure(file).contains("\"layer1.0.conv2.weight\" is [4000, 0, 3, 3] and should be [4000, 4000, 3, 3]"))
    file.append("layer2.0.conv1.weight", shape: [1 << 40, 0, 3, 3], [Float]())
    file.append("layer2.0.conv2.weight", shape: [1 << 40, 0, 3, 3], [Float]())
    #expect(failure(file) == "weights holds a network that there cannot be: its sizes are out of range")
  }
}
