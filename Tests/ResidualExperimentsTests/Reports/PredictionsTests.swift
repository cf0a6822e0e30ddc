import ResidualFiles
import Testing

@testable import ResidualExperiments
@testable import ResidualLearning

@Suite struct PredictionsTests {
  /// Four images of 8x8 pixels, and a network that looks at nothing but its last layer's bias.
  private func predictions(bias: [Float], labels: [UInt8]) throws -> Predictions {
    var generator = RandomGenerator(seed: 1)
    var network = ResidualNetwork<Float>(.cifar(depth: 8, classes: 3), using: &generator)
    network.parameters.classifier.weight = Tensor(zeros: network.parameters.classifier.weight.shape)
    network.parameters.classifier.bias = Tensor([3], bias)
    let images = ImageDataset(
      height: 8, width: 8, channels: 3, pixels: [UInt8](repeating: 9, count: labels.count * 192), labels: labels,
      classNames: ["a", "b", "c"])
    return try Predictions(network, images, normalization: .channels(.imageNet, height: 8, width: 8), batch: 3)
  }

  @Test func `Rows of the confusion are true classes, columns the chosen ones`() throws {
    let predictions = try predictions(bias: [0, 2, 1], labels: [1, 0, 0, 2])
    #expect(predictions.chosen == [1, 1, 1, 1])
    #expect(predictions.confusion == [[0, 2, 0], [0, 1, 0], [0, 1, 0]])
    // e² / (1 + e² + e)
    #expect(predictions.confidence.allSatisfy { abs($0 - 0.665_240_96) < 1e-6 })
    #expect(predictions.mistakes == [1, 2, 3])
  }

  @Test func `The surest mistake is first, whatever the batch`() throws {
    var generator = RandomGenerator(seed: 2)
    let network = ResidualNetwork<Float>(.cifar(depth: 8), using: &generator)
    let images = SyntheticImages.make(count: 30, seed: 3, size: 16)
    let all = try [1, 7, 128].map {
      try Predictions(network, images, normalization: .channels(.imageNet, height: 16, width: 16), batch: $0)
    }
    let mistakes = all[0].mistakes
    #expect(all.allSatisfy { $0.mistakes == mistakes && $0.chosen == all[0].chosen })
    #expect(mistakes.map { all[0].confidence[$0] } == mistakes.map { all[0].confidence[$0] }.sorted(by: >))
    let right = network.evaluate(images, normalization: .channels(.imageNet, height: 16, width: 16)).correct
    #expect(mistakes.count == 30 - right && (0..<10).map { all[0].confusion[$0][$0] }.reduce(0, +) == right)
  }
}
