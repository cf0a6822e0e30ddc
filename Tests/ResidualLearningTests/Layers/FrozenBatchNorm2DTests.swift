import Testing

@testable import ResidualLearning

@Suite struct FrozenBatchNorm2DTests {
  private func trained(_ channels: Int, _ generator: inout RandomGenerator) -> BatchNorm2D<Double> {
    var bn = BatchNorm2D<Double>(channels: channels)
    bn.parameters.scale = Tensor(uniform: [channels], from: 0.5, to: 1.5, using: &generator)
    bn.parameters.shift = Tensor(normal: [channels], using: &generator)
    bn.running.mean = Tensor(normal: [channels], using: &generator)
    bn.running.variance = Tensor(uniform: [channels], from: 0.3, to: 2, using: &generator)
    return bn
  }

  @Test(arguments: [3, 16]) func `It is what batch normalization is in inference`(channels: Int) {
    var generator = RandomGenerator(seed: 1)
    let bn = trained(channels, &generator)
    let frozen = FrozenBatchNorm2D(bn)
    let input = Tensor<Double>(normal: [2, 3, 5, channels], deviation: 3, using: &generator)
    let difference = frozen(input) - bn(input)
    #expect(difference.largestMagnitude < 1e-13)
    #expect(frozen.forward(input).output == frozen(input))
    #expect(frozen.parameters.named.map(\.name) == ["scale", "shift"])
  }

  @Test(arguments: [[2, 3, 4, 5], [1, 3, 2, 16]]) func `Its gradients agree with finite differences to 1e-8`(
    sizes: [Int]
  ) {
    var generator = RandomGenerator(seed: 2)
    let frozen = FrozenBatchNorm2D(trained(sizes[3], &generator))
    let input = Tensor<Double>(normal: Shape(sizes), using: &generator)
    let result = GradientCheck().run("FrozenBatchNorm2D", frozen, input: input, using: &generator)
    #expect(result.failure == nil)
    #expect(result.worstRelativeError < 1e-8)
    #expect(result.elements == input.count + 2 * sizes[3])
  }

  @Test func `An image's output and gradient do not depend on the rest of the batch`() {
    var generator = RandomGenerator(seed: 3)
    let frozen = FrozenBatchNorm2D(trained(4, &generator))
    let input = Tensor<Double>(normal: [3, 2, 2, 4], using: &generator)
    #expect(frozen(input).slice(1..<2) == frozen(input.slice(1..<2)))
    let upstream = Tensor<Double>(normal: input.shape, using: &generator)
    let all = frozen.backward(upstream, .init(input: input)).inputGradient
    let one = frozen.backward(upstream.slice(1..<2), .init(input: input.slice(1..<2))).inputGradient
    #expect(all.slice(1..<2) == one)
  }
}
