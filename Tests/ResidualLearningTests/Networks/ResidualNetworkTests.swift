import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct ResidualNetworkTests {
  @Test func `The stages have the architecture's blocks, and the first of a stage halves the image`() {
    var generator = RandomGenerator(seed: 1)
    let cifar = ResidualNetwork<Float>(.cifar(depth: 20, width: 2), using: &generator)
    #expect(cifar.stages.map(\.count) == [3, 3, 3])
    #expect(cifar.stages.map { $0.map(\.units[0].conv.stride) } == [[1, 1, 1], [2, 1, 1], [2, 1, 1]])
    #expect(cifar.stages.map { $0[2].units[1].bn.channels } == [2, 4, 8])
    let imageNet = ResidualNetwork<Float>(.imageNet(depth: 50, width: 2), using: &generator)
    #expect(imageNet.stages.map(\.count) == [3, 4, 6, 3])
    #expect(imageNet.stages.map { $0[0].units[0].conv.stride } == [1, 2, 2, 2])
    #expect(imageNet.stages.map { $0[0].units[2].bn.channels } == [8, 16, 32, 64])
    #expect(imageNet.classifier.parameters.weight.shape.count == 64 * 1000)
  }

  @Test func `The networks of section 4.2 have the counted parameters, and the plain one as many as option A`() {
    var generator = RandomGenerator(seed: 1)
    let a = ResidualNetwork<Float>(.cifar(depth: 20), using: &generator)
    let b = ResidualNetwork<Float>(
      .cifar(depth: 20, options: .init(shortcut: .b)), using: &generator)
    let plain = ResidualNetwork<Float>(.cifar(depth: 20, plain: true), using: &generator)
    #expect(a.parameters.count == 269_722)
    #expect(b.parameters.count == 272_474)
    #expect(plain.parameters.count == 269_722)
  }

  @Test func `Parameters have names, in the order of the forward pass`() {
    let block = ["conv1.weight", "bn1.scale", "bn1.shift", "conv2.weight", "bn2.scale", "bn2.shift"]
    let projection = ["shortcut.conv.weight", "shortcut.bn.scale", "shortcut.bn.shift"]
    for (option, projected) in [(ShortcutOption.a, []), (.b, [1, 2]), (.c, [0, 1, 2])] {
      let blocks = (0..<3).flatMap { s in
        (block + (projected.contains(s) ? projection : [])).map { "stages.\(s).blocks.0.\($0)" }
      }
      #expect(
        network(option).parameters.named.map(\.name)
          == ["stem.conv.weight", "stem.bn.scale", "stem.bn.shift"] + blocks
          + ["classifier.weight", "classifier.bias"])
    }
  }

  @Test(arguments: [false, true])
  func `Forward shows every tensor on its way, with its shape`(fused: Bool) {
    var generator = RandomGenerator(seed: 1)
    let network = Architecture.cifar(depth: 8, classes: 7, width: 8).network(
      Double.self, fused: fused, using: &generator)
    let images = Tensor<Double>(normal: [2, 9, 12, 3], using: &generator)
    var observed: [(name: String, tensor: Tensor<Double>)] = []
    let (output, _) = network.forward(images) { observed.append(($0, $1)) }
    let stages: [Shape] = [[2, 9, 12, 8], [2, 5, 6, 16], [2, 3, 3, 32]]
    var expected = ["stem.conv", "stem.bn", "stem.output"].map { ($0, stages[0]) }
    for (s, shape) in stages.enumerated() {
      for name in ["conv1", "bn1", "conv2", "bn2", "shortcut", "output"] {
        expected.append(("stages.\(s).blocks.0.\(name)", shape))
      }
    }
    expected += [("pool", [2, 32]), ("logits", [2, 7])]
    #expect(observed.map(\.name) == expected.map(\.0))
    #expect(observed.map(\.tensor.shape) == expected.map(\.1))
    #expect(observed.last?.tensor == output)
    #expect(largestDifference(output, network.forward(images).output) < 1e-10)
  }

  @Test func `Parameters set are parameters got, and with them another network gives the same logits`() {
    var generator = RandomGenerator(seed: 12)
    let images = Tensor<Double>(normal: [2, 8, 8, 3], using: &generator)
    let original = network(.b)
    var other = network(.b, seed: 2)
    #expect(largestDifference(other(images), original(images)) > 0.01)
    other.parameters = original.parameters
    #expect(other.parameters.named.map(\.tensor) == original.parameters.named.map(\.tensor))
    #expect(other(images) == original(images))
    #expect(original(images).shape == [2, 10])

    // Each name stands for a tensor of its own.
    var number = 0.0
    other.parameters.visit("") { _, tensor in
      number += 1
      tensor = Tensor(tensor.shape, repeating: number)
    }
    #expect(other.parameters.named.map { $0.tensor[flat: 0] } == (1...Int(number)).map(Double.init))
    #expect(number == 29)  // 3 + 3 · 6 + 2 · 3 + 2
  }

  @Test(arguments: ShortcutOption.allCases)
  func `The gradients without the images' are those of backward`(shortcut: ShortcutOption) {
    var generator = RandomGenerator(seed: 13)
    let network = network(shortcut)
    let (logits, cache) = network.forward(Tensor(normal: [3, 9, 10, 3], using: &generator))
    let upstream = Tensor<Double>(normal: logits.shape, using: &generator)
    let (imagesGradient, expected) = network.backward(upstream, cache)
    let gradients = network.gradients(upstream, cache)
    #expect(imagesGradient.shape == [3, 9, 10, 3])
    for (gradient, expected) in zip(gradients.named, expected.named) {
      #expect(gradient.name == expected.name)
      #expect(largestDifference(gradient.tensor, expected.tensor) < 1e-10, "\(gradient.name)")
      #expect(expected.tensor.maximum > 0, "\(gradient.name)")
    }
  }

  @Test(arguments: [false, true])
  func `What inference says of an image depends on that image alone, other than in training`(fused: Bool) {
    var generator = RandomGenerator(seed: 14)
    var network: any ImageClassifier<Double> = Architecture.cifar(depth: 8, width: 8).network(
      Double.self, fused: fused, using: &generator)
    let images = Tensor<Double>(normal: [5, 10, 8, 3], using: &generator)
    track(&network, images)
    let logits = network(images)
    let trained = network.forward(images).output
    for i in 0..<5 {
      let alone = network(images.slice(i..<i + 1))
      #expect(largestDifference(alone, logits.slice(i..<i + 1)) < 1e-10)
      #expect(largestDifference(network.forward(images.slice(i..<i + 1)).output, trained.slice(i..<i + 1)) > 1e-3)
    }
  }

  @Test func `Tracking moves every running statistic, and training none`() {
    var generator = RandomGenerator(seed: 15)
    var network = network(.c)
    let images = Tensor<Double>(normal: [2, 8, 8, 3], using: &generator)
    let before = network.statistics
    let (_, cache) = network.forward(images)
    #expect(network.statistics.map(\.tensor) == before.map(\.tensor))
    #expect(before.count == 20)  // stem, 3 · 2 in blocks, 3 projections; mean and variance
    network.track(cache, rate: 0.25)
    for (moved, before) in zip(network.statistics, before) {
      #expect(moved.name == before.name && largestDifference(moved.tensor, before.tensor) > 1e-3, "\(moved.name)")
    }
  }

  private func network(_ shortcut: ShortcutOption, seed: UInt64 = 1) -> ResidualNetwork<Double> {
    var generator = RandomGenerator(seed: seed)
    return ResidualNetwork(.cifar(depth: 8, options: .init(shortcut: shortcut), width: 4), using: &generator)
  }

  private func track(_ network: inout any ImageClassifier<Double>, _ images: Tensor<Double>) {
    func tracked(_ network: some ImageClassifier<Double>) -> any ImageClassifier<Double> {
      var network = network
      network.track(network.forward(images).cache, rate: 1)
      return network
    }
    network = tracked(network)
  }
}
