import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct LayerResponsesTests {
  private let images = SyntheticImages.make(count: 6, seed: 2, size: 16)

  @Test func `A layer's response is the scale of its normalization where shift and scale are one number`() {
    var generator = RandomGenerator(seed: 1)
    var network = ResidualNetwork<Float>(.cifar(depth: 14, width: 4), using: &generator)
    network.stages[1][1].units[1].bn.parameters.scale = Tensor([8], repeating: 0.25)
    network.stages[0][0].units[0].bn.parameters.scale = Tensor([4], repeating: 3)
    let responses = LayerResponses(network, images: images, normalization: .perPixel(of: images), batch: 3)
    #expect(responses.layers.count == 13)
    #expect(responses.layers.prefix(3).map(\.name) == ["stem.bn", "stages.0.blocks.0.bn1", "stages.0.blocks.0.bn2"])
    for layer in responses.layers {
      let scales: [String: Double] = ["stages.1.blocks.1.bn2": 0.25, "stages.0.blocks.0.bn1": 3]
      let scale = scales[layer.name] ?? 1
      #expect(abs(layer.deviation / scale - 1) < 2e-3, "\(layer.name)")
    }
    #expect(abs(responses.sorted[0] - 3) < 0.01 && abs(responses.sorted[12] - 0.25) < 0.01)
    #expect(abs(responses.mean - (3 + 0.25 + 11) / 13) < 0.01)
  }

  @Test func `Shifts that differ between channels count, as the deviation is over all of them`() {
    var generator = RandomGenerator(seed: 1)
    var network = ResidualNetwork<Float>(.cifar(depth: 8, plain: true, width: 4), using: &generator)
    network.stem.block.units[0].bn.parameters.shift = Tensor([2, -2, 2, -2])
    let responses = LayerResponses(network, images: images, normalization: .perPixel(of: images))
    #expect(abs(responses.layers[0].deviation - (1.0 + 4).squareRoot()) < 0.01)
  }

  @Test func `Of a bottleneck only the 3x3 layer counts, and a 7x7 stem does not`() {
    var generator = RandomGenerator(seed: 1)
    let architecture = Architecture.imageNet(depth: 50, classes: 3, width: 2)
    let network = ResidualNetwork<Float>(architecture, using: &generator)
    let large = SyntheticImages.make(count: 2, seed: 2, size: 64)
    let responses = LayerResponses(network, images: large, normalization: .perPixel(of: large))
    #expect(responses.layers.count == 16)
    #expect(responses.layers.allSatisfy { $0.name.hasSuffix("bn2") })
  }
}
