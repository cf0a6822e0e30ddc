import ResidualLearning
import Testing

@testable import ResidualExperiments

@Suite struct ConstructionTests {
  @Test(arguments: [false, true]) func `A deeper network with layers that are the identity has the same outputs`(
    isPlain: Bool
  ) {
    var generator = RandomGenerator(seed: 1)
    var shallow = ResidualNetwork<Float>(.cifar(depth: 8, plain: isPlain, width: 4), using: &generator)
    let images = Tensor<Float>(normal: [6, 12, 12, 3], using: &generator)
    shallow.track(shallow.forward(images).cache, rate: 1)
    let deeper = shallow.deepened(to: .cifar(depth: 20, plain: isPlain, width: 4), images: images, seed: 2)
    #expect(deeper.architecture.weightedLayers == 20)

    // The images of the construction, in training and at inference, and others at inference.
    let others = Tensor<Float>(normal: [3, 8, 8, 3], using: &generator)
    let pairs = [
      (shallow.forward(images).output, deeper.forward(images).output), (shallow(images), deeper(images)),
      (shallow(others), deeper(others)),
    ]
    for (before, after) in pairs {
      #expect((after - before).largestMagnitude <= (isPlain ? 1e-5 * before.largestMagnitude : 0))
    }
    // The added layers can learn: a gradient reaches each stage's last block.
    let (output, cache) = deeper.forward(images)
    let gradients = deeper.gradients(output, cache)
    for s in 0..<3 { #expect(gradients.stages[s][2].units[1].bn.scale.largestMagnitude > 1e-5) }
  }
}
