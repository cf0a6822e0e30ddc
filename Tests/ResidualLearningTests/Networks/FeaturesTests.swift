import Testing

@testable import ResidualLearning

@Suite struct FeaturesTests {
  private func network() -> ResidualNetwork<BottleneckBlock<Float>> {
    var generator = RandomGenerator(seed: 1)
    return ResidualNetwork(.imageNet(depth: 50, classes: 3, width: 2), using: &generator)
  }

  @Test func `Feature maps have Table 1's strides and channels`() {
    let network = network()
    var generator = RandomGenerator(seed: 2)
    let images = Tensor<Float>(normal: [1, 64, 96, 3], using: &generator)
    let shapes = Feature.allCases.map { network.features(of: images, upTo: $0).shape }
    #expect(shapes == [[1, 16, 24, 2], [1, 16, 24, 8], [1, 8, 12, 16], [1, 4, 6, 32], [1, 2, 3, 64]])
    #expect(Feature.allCases.map { network.stride(of: $0) } == [4, 4, 8, 16, 32])
  }

  @Test func `The rest of the network on the features is the network`() {
    let network = network()
    var generator = RandomGenerator(seed: 3)
    let images = Tensor<Float>(normal: [2, 64, 64, 3], using: &generator)
    let shared = network.features(of: images, upTo: .conv4)
    let conv5 = network.stages[3].reduce(shared) { $1($0) }
    #expect(conv5 == network.features(of: images, upTo: .conv5))
    #expect(network.classifier(network.pool(conv5)) == network(images))
  }
}
