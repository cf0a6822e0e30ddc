import Testing

@testable import ResidualLearning

@Suite struct VGGTests {
  private let reduced = Architecture.vgg(depth: 16, classes: 3, width: 1, hidden: 4, imageSize: 32)

  @Test func `The gradients without the images' are the same`() {
    var generator = RandomGenerator(seed: 8)
    let network = VGG<Double>(reduced, using: &generator)
    let images = Tensor<Double>(normal: [1, 32, 32, 3], using: &generator)
    let (logits, cache) = network.forward(images)
    let upstream = Tensor<Double>(normal: logits.shape, using: &generator)
    let full = network.backward(upstream, cache).gradients.named
    let some = network.gradients(upstream, cache).named
    #expect(full.count == 2 * 16)
    for (a, b) in zip(full, some) { #expect(a.name == b.name && a.tensor == b.tensor) }
  }

  @Test func `Without normalization, training and inference give the same logits`() {
    var generator = RandomGenerator(seed: 9)
    let network = VGG<Float>(.vgg(depth: 19, classes: 5, width: 2, hidden: 8, imageSize: 64), using: &generator)
    let images = Tensor<Float>(normal: [2, 64, 64, 3], using: &generator)
    let logits = network.forward(images).output
    #expect(logits == network(images))
    #expect(logits.shape == [2, 5])
    #expect(network.parameters.named.count == 2 * 19)
    #expect(network.parameters.named[0].name == "stages.0.convolutions.0.weight")
    #expect(network.linear[0].parameters.weight.shape == [2 * 2 * 16, 8])
  }
}
