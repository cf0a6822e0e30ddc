import Testing

@testable import ResidualLearning

@Suite struct PlainBlockTests {
  @Test(arguments: [1, 2])
  func `It is the ReLU of a basic block's residual, from the same parameters`(stride: Int) {
    var generator = RandomGenerator(seed: 5)
    let input = Tensor<Double>(normal: [2, 5, 4, 3], using: &generator)
    let (plain, basic) = (
      makeBlock(PlainBlock<Double>.self, 3, width: 6, output: 6, stride: stride),
      makeBlock(BasicBlock<Double>.self, 3, width: 6, output: 6, stride: stride)
    )
    #expect(plain.parameters.named.map(\.name) == basic.parameters.named.map(\.name))
    #expect(plain.parameters.named.map(\.tensor) == basic.parameters.named.map(\.tensor))

    let observed = basic.observed(input)
    #expect(observed.map(\.name) == ["conv1", "bn1", "conv2", "bn2", "shortcut", "output"])
    let residual = observed[3].tensor
    #expect(residual.minimum < 0)
    #expect(plain.forward(input).output == Tensor(residual.shape, residual.elements.map { max($0, 0) }))
    #expect(plain.observed(input).map(\.name) == ["conv1", "bn1", "conv2", "bn2", "output"])
    #expect(plain.observed(input)[3].tensor == residual)
  }

  @Test func `Without a residual nothing passes, neither forward nor backward`() {
    var generator = RandomGenerator(seed: 6)
    let input = Tensor<Double>(normal: [2, 3, 4, 2], using: &generator)
    let block = makeBlock(PlainBlock<Double>.self, 2, width: 2, output: 2).with(["bn2.scale": 0, "bn2.shift": 1])
    let (output, cache) = block.forward(input)
    #expect(output == Tensor(input.shape, repeating: 1) && block(input) == output)
    #expect(block.backward(input, cache).inputGradient == Tensor(zeros: input.shape))
  }

  @Test func `Output, gradients and statistics of three pixels are those computed by hand`() {
    var block = makeBlock(PlainBlock<Double>.self, 1, width: 1, output: 1).with([
      "conv1.weight": 1, "bn1.shift": 2, "conv2.weight": 1, "bn2.scale": 6.0.squareRoot(), "bn2.shift": 1,
    ])
    let (output, cache) = block.forward(ThreePixels.input)
    let expected = Tensor<Double>([3, 1, 1, 1], [0, 1, 4])  // ReLU of (−3, 0, 3) + 1
    #expect(largestDifference(output, expected) < ThreePixels.tolerance)
    let (gradient, parameters) = block.backward(ThreePixels.outputGradient, cache)
    #expect(largestDifference(gradient, ThreePixels.residualGradient) < ThreePixels.tolerance)
    #expect(parameters.bn2.shift == Tensor([2]))

    block.track(cache, rate: 1)
    #expect(
      block.statistics.map(\.name)
        == ["bn1.runningMean", "bn1.runningVariance", "bn2.runningMean", "bn2.runningVariance"])
    for (value, expected) in zip(block.statistics.map(\.tensor), [3, 9, 2, 1.5]) {
      #expect(abs(value[0] - expected) < ThreePixels.tolerance)
    }
  }

  @Test func `Gradients agree with finite differences`() {
    var generator = RandomGenerator(seed: 7)
    let block = withRandomParameters(
      makeBlock(PlainBlock<Double>.self, 2, width: 4, output: 4, stride: 2), using: &generator)
    let result = GradientCheck(step: 1e-6, tolerance: 1e-6).run(
      "block", block, input: Tensor(normal: [3, 4, 5, 2], using: &generator), using: &generator)
    #expect(result.passed && result.elements > 300, "\(result.failure ?? "")")
  }
}
