import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

/// Whole networks, fused and layer by layer, at the sizes and batches of training: more groups of images than chunks,
/// rows in several blocks, both sides of the batch from which inference is fused.
@Suite struct FusedThresholdTests {
  @Test(arguments: [(32, 128), (13, 33), (8, 130), (32, 15), (32, 16)])
  func `ResNet-8 gives the results of its layers`(size: Int, batch: Int) throws {
    try compare(.cifar(depth: 8, options: .init(shortcut: .b)), size, batch)
  }

  @Test(arguments: [(16, 33), (56, 2)])
  func `Bottlenecks give the results of their layers`(size: Int, batch: Int) throws {
    var architecture = Architecture.imageNet(depth: 50, options: .init(shortcut: .b), classes: 10, width: 16)
    architecture.stages = Array(architecture.stages.prefix(2))
    for i in architecture.stages.indices { architecture.stages[i].blocks = 1 }
    try compare(architecture, size, batch)
  }

  private func compare(_ architecture: Architecture, _ size: Int, _ batch: Int) throws {
    let networks = [false, true].map { fused in
      var generator = RandomGenerator(seed: 1)
      return ResidualNetwork<Double>(architecture, fused: fused, using: &generator)
    }
    var generator = RandomGenerator(seed: 2)
    let input = Tensor<Double>(normal: [batch, size, size, 3], using: &generator)
    let labels = (0..<batch).map { _ in generator.below(10) }
    let results = networks.map { network -> [(name: String, tensor: Tensor<Double>)] in
      var network = network
      let loss = SoftmaxCrossEntropy<Double>()
      let (logits, cache) = network.forward(input)
      let gradients = network.gradients(loss.backward(loss.forward(logits, labels: labels).cache), cache)
      network.track(cache, rate: 0.3)
      return [("logits", logits), ("inference", network(input))] + gradients.named + network.state
    }
    for ((name, layered), (_, fused)) in zip(results[0], results[1]) {
      #expect((fused - layered).largestMagnitude <= 1e-8 * layered.largestMagnitude, "\(name)")
    }
  }
}
