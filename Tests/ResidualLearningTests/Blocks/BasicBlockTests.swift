import Testing

@testable import ResidualLearning

@Suite struct BasicBlockTests {
  @Test func `Without a residual the block is the ReLU of its shortcut, and so is its gradient`() {
    var generator = RandomGenerator(seed: 3)
    for stride in 1...2 {
      let input = Tensor<Double>(normal: [2, 5, 4, 3], using: &generator)
      let block = makeBlock(BasicBlock<Double>.self, 3, width: 3 * stride, output: 3 * stride, stride: stride)
        .with(["bn2.scale": 0])
      let bypass = block.shortcut(input)
      let expected = Tensor(bypass.shape, bypass.elements.map { max($0, 0) })
      let (output, cache) = block.forward(input)
      #expect(output == expected && block(input) == expected)

      let upstream = Tensor<Double>(normal: output.shape, using: &generator)
      let passed = Tensor(output.shape, zip(upstream.elements, bypass.elements).map { $1 > 0 ? $0 : 0 })
      let gradient = block.backward(upstream, cache).inputGradient
      #expect(gradient == block.shortcut.backward(passed, block.shortcut.forward(input).cache).inputGradient)
    }
  }

  /// A residual of −1 everywhere.
  @Test func `The shortcut is added before the ReLU, and both branches get the gradient behind it`() {
    let block = makeBlock(BasicBlock<Double>.self, 1, width: 1, output: 1).with(["bn2.scale": 0, "bn2.shift": -1])
    let (output, cache) = block.forward(Tensor([1, 2, 2, 1], [3, 0.5, 2, -1]))
    #expect(output == Tensor([1, 2, 2, 1], [2, 0, 1, 0]))
    let (gradient, parameters) = block.backward(Tensor([1, 2, 2, 1], [1, 2, 3, 4]), cache)
    #expect(gradient == Tensor([1, 2, 2, 1], [1, 0, 3, 0]))
    #expect(parameters.bn2.shift == Tensor([4]))
  }

  @Test func `Output and gradients of three pixels are those computed by hand`() {
    let block = threePixelBlock()
    let (output, cache) = block.forward(ThreePixels.input)
    #expect(difference(output, [0, 3, 9]) < ThreePixels.tolerance)  // ReLU of (0 − 3, 3 + 0, 6 + 3)
    let (gradient, parameters) = block.backward(ThreePixels.outputGradient, cache)
    let sumGradient = Tensor<Double>([3, 1, 1, 1], [0, 1, 1])
    #expect(largestDifference(gradient, sumGradient + ThreePixels.residualGradient) < ThreePixels.tolerance)
    #expect(parameters.bn2.shift == Tensor([2]))
    #expect(abs(parameters.bn2.scale[0] - 1.5.squareRoot()) < ThreePixels.tolerance)
    // The second normalization undoes what the first one's scale and shift do.
    #expect(abs(parameters.bn1.scale[0]) < ThreePixels.tolerance && abs(parameters.bn1.shift[0]) < 1e-12)
  }

  @Test func `Tracking moves every normalization, the projection's too`() {
    var block = threePixelBlock(.c).with(["shortcut.conv.weight": 2])
    block.track(block.forward(ThreePixels.input).cache, rate: 0.5)
    let expected = [
      ("bn1.runningMean", 1.5), ("bn1.runningVariance", 5),  // mean 3, unbiased variance 9
      ("bn2.runningMean", 1), ("bn2.runningVariance", 1.25),  // x̂ + 2: mean 2, unbiased variance 1.5
      ("shortcut.bn.runningMean", 3), ("shortcut.bn.runningVariance", 18.5),  // 2x: mean 6, unbiased variance 36
    ]
    #expect(block.statistics.map(\.name) == expected.map(\.0))
    for ((name, value), expected) in zip(block.statistics, expected) {
      #expect(abs(value[0] - expected.1) < ThreePixels.tolerance, "\(name)")
    }
  }

  @Test func `Gradients agree with finite differences where everything changes`() {
    var generator = RandomGenerator(seed: 4)
    let block = withRandomParameters(
      makeBlock(BasicBlock<Double>.self, 3, width: 5, output: 5, stride: 2, options: .init(shortcut: .c)),
      using: &generator)
    let result = GradientCheck(step: 1e-6, tolerance: 1e-6).run(
      "block", block, input: Tensor(normal: [2, 3, 6, 3], using: &generator), using: &generator)
    #expect(result.passed && result.elements > 400, "\(result.failure ?? "")")
  }

  private func threePixelBlock(_ shortcut: ShortcutOption = .a) -> BasicBlock<Double> {
    makeBlock(BasicBlock<Double>.self, 1, width: 1, output: 1, options: .init(shortcut: shortcut)).with([
      "conv1.weight": 1, "bn1.shift": 2, "conv2.weight": 1, "bn2.scale": 6.0.squareRoot(),
    ])
  }

  private func difference(_ output: Tensor<Double>, _ expected: [Double]) -> Double {
    largestDifference(output, Tensor([3, 1, 1, 1], expected))
  }
}
