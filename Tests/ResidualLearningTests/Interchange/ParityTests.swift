import ResidualFiles
import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

/// Compares with what PyTorch computed: Tests/Fixtures/make_parity_fixtures.py.
///
/// Errors are relative to the largest value of a tensor: 1e-10 in Double, 1e-5 in Float.
@Suite struct ParityTests {
  /// A fixture, and what of it has been compared.
  private struct Fixture<Scalar: Element> {
    let file: SafeTensorsFile
    let tolerance = Scalar.self == Double.self ? 1e-10 : 1e-5

    init(_ name: String) throws {
      file = try SafeTensorsFile(contentsOf: fixtures.appendingPathComponent("parity-\(name).safetensors").path)
    }

    /// An array as it lies in the file.
    func tensor(_ name: String) throws -> Tensor<Scalar> {
      guard let entry = file[name] else { throw InputError("the fixture has no \(name)") }
      return Tensor(Shape(entry.shape), try file.doubles(name).map { Scalar($0) })
    }

    /// A parameter or gradient in our order of axes.
    func parameter(_ name: String, _ shape: Shape) throws -> Tensor<Scalar> {
      let stored = try tensor(name)
      #expect(stored.shape.sizes == PyTorchNames.shape(of: shape), "\(name)")
      return Tensor(shape, inPyTorchOrder: stored.elements)
    }

    func compare(_ name: String, _ found: Tensor<Scalar>, _ expected: Tensor<Scalar>) {
      #expect(found.shape == expected.shape, "\(name)")
      let scale = expected.elements.map { abs(Double($0)) }.max() ?? 0
      let worst = zip(found.elements, expected.elements).map { abs(Double($0) - Double($1)) }.max() ?? 0
      #expect(scale > 0 && worst <= tolerance * scale, "\(name): \(worst / scale)")
    }
  }

  /// A layer or block with its weights, forward, backward, a step of its statistics, and inference.
  private func check<L: Layer>(
    _ fixture: Fixture<L.Parameters.Scalar>, _ name: String, _ layer: L, prefix: String = "classifier."
  ) throws where L.Scalar == L.Parameters.Scalar {
    var layer = layer
    // What PyTorch calls a tensor of a lone layer is what is behind the last layer's name.
    func path(_ tensor: String) -> String {
      let full = PyTorchNames.akamaster.name(of: prefix + tensor)
      return full.hasPrefix("linear.") ? String(full.dropFirst(7)) : full
    }
    try layer.visitState { tensor, value in
      value = try fixture.parameter("\(name)/state/\(path(tensor))", value.shape)
    }
    let (output, cache) = layer.forward(try fixture.tensor(name + "/input"))
    fixture.compare(name + " output", output, try fixture.tensor(name + "/output"))

    let (inputGradient, gradients) = layer.backward(try fixture.tensor(name + "/outputGradient"), cache)
    fixture.compare(name + " input gradient", inputGradient, try fixture.tensor(name + "/inputGradient"))
    for (tensor, gradient) in gradients.named {
      fixture.compare(
        "\(name) \(tensor)", gradient, try fixture.parameter("\(name)/gradient/\(path(tensor))", gradient.shape))
    }

    layer.track(cache, rate: 0.1)
    let statistics = layer.statistics
    for (tensor, value) in statistics {
      fixture.compare("\(name) \(tensor)", value, try fixture.tensor("\(name)/after/\(path(tensor))"))
    }
    fixture.compare(
      name + " inference", layer(try fixture.tensor(name + "/input")), try fixture.tensor(name + "/evaluated"))
    // Nothing of the fixture is left out.
    let stored = fixture.file.entries.count { $0.name.hasPrefix(name + "/") }
    #expect(stored == 5 + 2 * gradients.named.count + 2 * statistics.count, "\(name)")
  }

  private func checkLayers<Scalar: Element>(_: Scalar.Type) throws {
    let fixture = try Fixture<Scalar>("layers")
    func convolution(_ shape: Shape, bias: Bool = false, stride: Int = 1) -> Conv2D<Scalar> {
      Conv2D(
        weight: Tensor(zeros: shape), bias: bias ? Tensor(zeros: [shape[3]]) : nil, stride: stride,
        padding: shape[0] / 2)
    }
    try check(fixture, "conv3x3", convolution([3, 3, 3, 5]))
    try check(fixture, "conv3x3-stride2", convolution([3, 3, 5, 7], stride: 2))
    try check(fixture, "conv3x3-bias", convolution([3, 3, 2, 17], bias: true))
    try check(fixture, "conv1x1-stride2", convolution([1, 1, 4, 6], stride: 2))
    try check(fixture, "conv7x7-stride2", convolution([7, 7, 3, 4], stride: 2))
    try check(fixture, "batch-norm", BatchNorm2D<Scalar>(channels: 5))
    try check(fixture, "relu", ReLU<Scalar>())
    try check(fixture, "max-pool", MaxPool2D<Scalar>(window: 3, stride: 2, padding: 1))
    try check(fixture, "average-pool", GlobalAveragePool<Scalar>())
    try check(fixture, "linear", Linear<Scalar>(weight: Tensor(zeros: [6, 10]), bias: Tensor(zeros: [10])))

    let labels = try fixture.file.integers("cross-entropy/labels")
    let (loss, cache) = SoftmaxCrossEntropy<Scalar>().forward(try fixture.tensor("cross-entropy/input"), labels: labels)
    fixture.compare("loss", Tensor([], [loss]), try fixture.tensor("cross-entropy/output"))
    fixture.compare(
      "loss's gradient", SoftmaxCrossEntropy().backward(cache), try fixture.tensor("cross-entropy/inputGradient"))
  }

  @Test func `Every layer is PyTorch's in Double`() throws { try checkLayers(Double.self) }
  @Test func `Every layer is PyTorch's in Float`() throws { try checkLayers(Float.self) }

  private func checkBlocks<Scalar: Element>(_: Scalar.Type) throws {
    let fixture = try Fixture<Scalar>("blocks")
    let shortcuts: [(name: String, option: ShortcutOption, zeros: ZeroPlacement)] = [
      ("identity", .a, .after), ("after", .a, .after), ("around", .a, .around), ("projection", .b, .after),
    ]
    for shortcut in shortcuts {
      let (inputs, stride) = shortcut.name == "identity" ? (8, 1) : (5, 2)
      for (word, placement) in [("1x1", StridePlacement.first1x1), ("3x3", .middle3x3)] {
        let options = Architecture.Options(
          shortcut: shortcut.option, zeros: shortcut.zeros, stridePlacement: placement)
        let name = "bottleneck-\(shortcut.name)-\(word)"
        guard fixture.file[name + "/input"] != nil else { continue }
        let block = makeBlock(
          .bottleneck, inputs, width: 3, output: 8, stride: stride, options: options, scalar: Scalar.self)
        try check(fixture, name, block, prefix: "stages.0.blocks.0.")
      }
      for fused in [false, true] {
        let block = makeBlock(
          .basic, inputs, width: 8, output: 8, stride: stride,
          options: .init(shortcut: shortcut.option, zeros: shortcut.zeros), fused: fused, scalar: Scalar.self)
        try check(fixture, "basic-\(shortcut.name)", block, prefix: "stages.0.blocks.0.")
      }
    }
  }

  @Test func `Both blocks with every shortcut are PyTorch's in Double`() throws { try checkBlocks(Double.self) }
  @Test func `Both blocks with every shortcut are PyTorch's in Float`() throws { try checkBlocks(Float.self) }

  /// The weights under `state/` as a file of their own.
  private func weights<Scalar>(_ fixture: Fixture<Scalar>) throws -> PyTorchWeights {
    var file = SafeTensorsFile(source: "fixture")
    for entry in fixture.file.entries where entry.name.hasPrefix("state/") {
      file.append(String(entry.name.dropFirst(6)), type: entry.type, shape: entry.shape, bytes: entry.bytes)
    }
    return try PyTorchWeights(file)
  }

  private func checkNetwork<Network: ImageClassifier>(
    _ fixture: Fixture<Network.Parameters.Scalar>, _ network: Network
  ) throws where Network.Scalar == Network.Parameters.Scalar {
    var network = network
    let images = try fixture.tensor("images")
    let labels = try fixture.file.integers("labels")
    let (logits, cache) = network.forward(images)
    fixture.compare("logits", logits, try fixture.tensor("logits"))
    let (loss, lossCache) = SoftmaxCrossEntropy<Network.Scalar>().forward(logits, labels: labels)
    fixture.compare("loss", Tensor([], [loss]), try fixture.tensor("loss"))
    let (imagesGradient, gradients) = network.backward(SoftmaxCrossEntropy().backward(lossCache), cache)
    fixture.compare("images' gradient", imagesGradient, try fixture.tensor("imagesGradient"))
    var compared = 0
    for (name, gradient) in gradients.named {
      let stored = "gradient/" + PyTorchNames.akamaster.name(of: name)
      guard fixture.file[stored] != nil else { continue }
      fixture.compare(name, gradient, try fixture.parameter(stored, gradient.shape))
      compared += 1
    }
    #expect(compared == fixture.file.entries.count { $0.name.hasPrefix("gradient/") } && compared > 40)
    network.track(cache, rate: 0.1)
    fixture.compare("inference", network(images), try fixture.tensor("evaluated"))
  }

  @Test func `ResNet-20 is PyTorch's in Double`() throws {
    let fixture = try Fixture<Double>("network")
    let weights = try weights(fixture)
    #expect(weights.architecture.name == "resnet20" && weights.architecture.stemChannels == 8)
    try checkNetwork(fixture, weights.network(Double.self))
  }

  @Test func `ResNet-20 is PyTorch's in Float`() throws {
    let fixture = try Fixture<Float>("network")
    try checkNetwork(fixture, weights(fixture).network(Float.self))
  }

  private func checkVGG<Scalar: Element>(_: Scalar.Type) throws {
    let fixture = try Fixture<Scalar>("vgg")
    let weights = try weights(fixture)
    #expect(weights.architecture == .vgg(depth: 16, classes: 5, width: 2, hidden: 6, imageSize: 64))
    let network = try weights.network(Scalar.self)
    fixture.compare("logits", network(try fixture.tensor("images")), try fixture.tensor("evaluated"))
  }

  @Test func `VGG-16 is PyTorch's in Double`() throws { try checkVGG(Double.self) }
  @Test func `VGG-16 is PyTorch's in Float`() throws { try checkVGG(Float.self) }

  private func checkTraining<Network: ImageClassifier>(
    _ fixture: Fixture<Network.Parameters.Scalar>, _ network: Network
  ) throws where Network.Scalar == Network.Parameters.Scalar {
    var network = network
    var optimizer = SGD(network.parameters, momentum: 0.9, decay: 1e-2)
    for step in 0..<3 {
      let (logits, cache) = network.forward(try fixture.tensor("images\(step)"))
      let (loss, lossCache) = SoftmaxCrossEntropy<Network.Scalar>().forward(
        logits, labels: try fixture.file.integers("labels\(step)"))
      fixture.compare("loss \(step)", Tensor([], [loss]), try fixture.tensor("loss\(step)"))
      let gradients = network.gradients(SoftmaxCrossEntropy().backward(lossCache), cache)
      var parameters = network.parameters
      optimizer.step(&parameters, gradients: gradients, rate: 0.1)
      network.parameters = parameters
      network.track(cache, rate: 0.1)
    }
    for (name, tensor) in network.state {
      let stored = "after/" + PyTorchNames.akamaster.name(of: name)
      fixture.compare(name, tensor, try fixture.parameter(stored, tensor.shape))
    }
  }

  @Test func `Three steps of SGD are PyTorch's in Double`() throws {
    let fixture = try Fixture<Double>("training")
    try checkTraining(fixture, weights(fixture).network(Double.self))
  }

  @Test func `Three steps of SGD are PyTorch's in Float`() throws {
    let fixture = try Fixture<Float>("training")
    try checkTraining(fixture, weights(fixture).network(Float.self))
  }
}
