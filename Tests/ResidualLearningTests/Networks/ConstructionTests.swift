import ResidualLearning
import Testing

/// §1: "There exists a solution by construction to the deeper model: the added layers are identity mapping, and the other
/// layers are copied from the learned shallower model."
@Suite struct ConstructionTests {
  @Test func `A deeper residual net with silent blocks has the outputs of the shallower one, to the bit`() {
    var generator = RandomGenerator(seed: 1)
    let shallow = ResidualNetwork<Float>(.cifar(depth: 8, width: 4), using: &generator)
    var deeper = ResidualNetwork<Float>(.cifar(depth: 14, width: 4), using: &generator)
    (deeper.stem, deeper.classifier) = (shallow.stem, shallow.classifier)
    for s in 0..<3 {
      deeper.stages[s][0] = shallow.stages[s][0]
      deeper.stages[s][1].units[1].bn.parameters.scale = Tensor(zeros: [4 << s])
    }
    let images = Tensor<Float>(normal: [3, 8, 8, 3], using: &generator)
    #expect(deeper(images) == shallow(images))
    #expect(deeper.forward(images).output == shallow.forward(images).output)

    deeper.stages[1][1].units[1].bn.parameters.scale[0] = 0.5
    #expect(deeper(images) != shallow(images))
  }
}
