import ResidualExperiments
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct BlockTests {
  // MARK: Basic

  @Test func `Without a residual the block is the ReLU of its shortcut, and so is its gradient`() throws {
    var generator = RandomGenerator(seed: 3)
    for stride in 1...2 {
      let input = Tensor<Double>(normal: [2, 5, 4, 3], using: &generator)
      let block = makeBlock(.basic, 3, width: 3 * stride, output: 3 * stride, stride: stride)
        .with(["bn2.scale": 0])
      let shortcut = try #require(block.shortcut)
      let around = shortcut(input)
      let expected = Tensor(around.shape, around.elements.map { max($0, 0) })
      let (output, cache) = block.forward(input)
      #expect(output == expected && block(input) == expected)

      let upstream = Tensor<Double>(normal: output.shape, using: &generator)
      let passed = Tensor(output.shape, zip(upstream.elements, around.elements).map { $1 > 0 ? $0 : 0 })
      let gradient = block.backward(upstream, cache).inputGradient
      #expect(gradient == shortcut.backward(passed, shortcut.forward(input).cache).inputGradient)
    }
  }

  /// A residual of −1 everywhere.
  @Test func `The shortcut is added before the ReLU, and both branches get the gradient behind it`() {
    let block = makeBlock(.basic, 1, width: 1, output: 1).with(["bn2.scale": 0, "bn2.shift": -1])
    let (output, cache) = block.forward(Tensor([1, 2, 2, 1], [3, 0.5, 2, -1]))
    #expect(output == Tensor([1, 2, 2, 1], [2, 0, 1, 0]))
    let (gradient, parameters) = block.backward(Tensor([1, 2, 2, 1], [1, 2, 3, 4]), cache)
    #expect(gradient == Tensor([1, 2, 2, 1], [1, 0, 3, 0]))
    #expect(parameters.units[1].bn.shift == Tensor([4]))
  }

  @Test func `Output and gradients of three pixels are those computed by hand`() {
    let block = threePixelBlock()
    let (output, cache) = block.forward(ThreePixels.input)
    #expect(difference(output, [0, 3, 9]) < ThreePixels.tolerance)  // ReLU of (0 − 3, 3 + 0, 6 + 3)
    let (gradient, parameters) = block.backward(ThreePixels.outputGradient, cache)
    let sumGradient = Tensor<Double>([3, 1, 1, 1], [0, 1, 1])
    #expect(largestDifference(gradient, sumGradient + ThreePixels.residualGradient) < ThreePixels.tolerance)
    #expect(parameters.units[1].bn.shift == Tensor([2]))
    #expect(abs(parameters.units[1].bn.scale[0] - 1.5.squareRoot()) < ThreePixels.tolerance)
    // The second normalization undoes what the first one's scale and shift do.
    #expect(
      abs(parameters.units[0].bn.scale[0]) < ThreePixels.tolerance && abs(parameters.units[0].bn.shift[0]) < 1e-12)
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
      makeBlock(.basic, 3, width: 5, output: 5, stride: 2, options: .init(shortcut: .c)),
      using: &generator)
    let result = GradientCheck(step: 1e-6, tolerance: 1e-6).run(
      "block", block, input: Tensor(normal: [2, 3, 6, 3], using: &generator), using: &generator)
    #expect(result.passed && result.elements > 400, "\(result.failure ?? "")")
  }

  private func threePixelBlock(_ shortcut: ShortcutOption = .a) -> Block<Double> {
    makeBlock(.basic, 1, width: 1, output: 1, options: .init(shortcut: shortcut)).with([
      "conv1.weight": 1, "bn1.shift": 2, "conv2.weight": 1, "bn2.scale": 6.0.squareRoot(),
    ])
  }

  private func difference(_ output: Tensor<Double>, _ expected: [Double]) -> Double {
    largestDifference(output, Tensor([3, 1, 1, 1], expected))
  }

  // MARK: Bottleneck

  @Test func `A bottleneck's stride is in the first 1x1 or in the 3x3, which shows in one shape only`() {
    let input = Tensor<Double>([1, 5, 8, 6], repeating: 1)
    for placement in StridePlacement.allCases {
      let block = bottleneck(6, width: 2, output: 8, stride: 2, .init(shortcut: .b, stridePlacement: placement))
      let shapes: [(String, Shape)] = [
        ("conv1", placement == .first1x1 ? [1, 3, 4, 2] : [1, 5, 8, 2]),
        ("bn1", placement == .first1x1 ? [1, 3, 4, 2] : [1, 5, 8, 2]),
        ("conv2", [1, 3, 4, 2]), ("bn2", [1, 3, 4, 2]), ("conv3", [1, 3, 4, 8]), ("bn3", [1, 3, 4, 8]),
        ("shortcut", [1, 3, 4, 8]), ("output", [1, 3, 4, 8]),
      ]
      let observed = block.observed(input)
      #expect(observed.map(\.name) == shapes.map(\.0))
      #expect(observed.map(\.tensor.shape) == shapes.map(\.1))
    }
  }

  @Test func `A bottleneck goes down to the width by a 1x1, and up to four times as many channels by another`() {
    let block = bottleneck(6, width: 2, output: 8, stride: 2, .init(shortcut: .b))
    let shapes: [(String, Shape)] = [
      ("conv1.weight", [1, 1, 6, 2]), ("bn1.scale", [2]), ("bn1.shift", [2]), ("conv2.weight", [3, 3, 2, 2]),
      ("bn2.scale", [2]), ("bn2.shift", [2]), ("conv3.weight", [1, 1, 2, 8]), ("bn3.scale", [8]), ("bn3.shift", [8]),
      ("shortcut.conv.weight", [1, 1, 6, 8]), ("shortcut.bn.scale", [8]), ("shortcut.bn.shift", [8]),
    ]
    #expect(block.parameters.named.map(\.name) == shapes.map(\.0))
    #expect(block.parameters.named.map(\.tensor.shape) == shapes.map(\.1))
    let stages = Architecture.imageNet(depth: 50).stages
    #expect(stages.map(\.width) == [64, 128, 256, 512] && stages.map(\.outputChannels) == [256, 512, 1024, 2048])
  }

  @Test func `With the stride in the 1x1 three quarters of the pixels are never read`() {
    var generator = RandomGenerator(seed: 8)
    let input = Tensor<Double>(normal: [1, 6, 6, 3], using: &generator)
    var other = input
    for y in 0..<6 { for x in 0..<6 where y % 2 == 1 || x % 2 == 1 { other[0, y, x, 1] = 5 } }
    for (placement, reads) in [(StridePlacement.first1x1, false), (.middle3x3, true)] {
      let block = bottleneck(3, width: 2, output: 8, stride: 2, .init(stridePlacement: placement))
      #expect((largestDifference(block(input), block(other)) > 0.01) == reads)
      #expect((block(input) == block(other)) == !reads)
    }
  }

  @Test func `A bottleneck's shortcut is added before the ReLU, and both branches get the gradient behind it`() {
    let block = bottleneck(1, width: 1, output: 1).with(["bn3.scale": 0, "bn3.shift": -1])
    let (output, cache) = block.forward(Tensor([1, 2, 2, 1], [3, 0.5, 2, -1]))
    #expect(output == Tensor([1, 2, 2, 1], [2, 0, 1, 0]))
    let (gradient, parameters) = block.backward(Tensor([1, 2, 2, 1], [1, 2, 3, 4]), cache)
    #expect(gradient == Tensor([1, 2, 2, 1], [1, 0, 3, 0]))
    #expect(parameters.units[2].bn.shift == Tensor([4]))
  }

  @Test func `A bottleneck's output, gradients and statistics of three pixels are those computed by hand`() {
    var block = bottleneck(1, width: 1, output: 1, .init(shortcut: .a)).with([
      "conv1.weight": 1, "bn1.shift": 2, "conv2.weight": 1, "bn2.shift": 2, "conv3.weight": 1,
      "bn3.scale": 6.0.squareRoot(),
    ])
    let (output, cache) = block.forward(ThreePixels.input)
    #expect(largestDifference(output, Tensor([3, 1, 1, 1], [0, 3, 9])) < ThreePixels.tolerance)
    let (gradient, _) = block.backward(ThreePixels.outputGradient, cache)
    let sumGradient = Tensor<Double>([3, 1, 1, 1], [0, 1, 1])
    #expect(largestDifference(gradient, sumGradient + ThreePixels.residualGradient) < ThreePixels.tolerance)

    block.track(cache, rate: 1)
    #expect(
      block.statistics.map(\.name)
        == ["bn1", "bn2", "bn3"].flatMap { [$0 + ".runningMean", $0 + ".runningVariance"] })
    for (value, expected) in zip(block.statistics.map(\.tensor), [3, 9, 2, 1.5, 2, 1.5]) {
      #expect(abs(value[0] - expected) < ThreePixels.tolerance)
    }
  }

  @Test func `Gradients agree with finite differences with the stride in the 3x3 and zeros around`() {
    var generator = RandomGenerator(seed: 9)
    let block = withRandomParameters(
      bottleneck(3, width: 2, output: 8, stride: 2, .init(shortcut: .a, zeros: .around, stridePlacement: .middle3x3)),
      using: &generator)
    let result = GradientCheck(step: 1e-6, tolerance: 1e-6).run(
      "block", block, input: Tensor(normal: [2, 5, 4, 3], using: &generator), using: &generator)
    #expect(result.passed && result.elements > 180, "\(result.failure ?? "")")
  }

  private func bottleneck(
    _ input: Int, width: Int, output: Int, stride: Int = 1, _ options: Architecture.Options = .init()
  ) -> Block<Double> {
    makeBlock(.bottleneck, input, width: width, output: output, stride: stride, options: options)
  }

  // MARK: Plain

  @Test(arguments: [1, 2])
  func `A plain block is the ReLU of a basic block's residual, from the same parameters`(stride: Int) {
    var generator = RandomGenerator(seed: 5)
    let input = Tensor<Double>(normal: [2, 5, 4, 3], using: &generator)
    let (plain, basic) = (
      makeBlock(.plain, 3, width: 6, output: 6, stride: stride),
      makeBlock(.basic, 3, width: 6, output: 6, stride: stride)
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

  @Test func `Through a plain block without a residual nothing passes, neither forward nor backward`() {
    var generator = RandomGenerator(seed: 6)
    let input = Tensor<Double>(normal: [2, 3, 4, 2], using: &generator)
    let block = makeBlock(.plain, 2, width: 2, output: 2).with(["bn2.scale": 0, "bn2.shift": 1])
    let (output, cache) = block.forward(input)
    #expect(output == Tensor(input.shape, repeating: 1) && block(input) == output)
    #expect(block.backward(input, cache).inputGradient == Tensor(zeros: input.shape))
  }

  @Test func `A plain block's output, gradients and statistics of three pixels are those computed by hand`() {
    var block = makeBlock(.plain, 1, width: 1, output: 1).with([
      "conv1.weight": 1, "bn1.shift": 2, "conv2.weight": 1, "bn2.scale": 6.0.squareRoot(), "bn2.shift": 1,
    ])
    let (output, cache) = block.forward(ThreePixels.input)
    let expected = Tensor<Double>([3, 1, 1, 1], [0, 1, 4])  // ReLU of (−3, 0, 3) + 1
    #expect(largestDifference(output, expected) < ThreePixels.tolerance)
    let (gradient, parameters) = block.backward(ThreePixels.outputGradient, cache)
    #expect(largestDifference(gradient, ThreePixels.residualGradient) < ThreePixels.tolerance)
    #expect(parameters.units[1].bn.shift == Tensor([2]))

    block.track(cache, rate: 1)
    #expect(
      block.statistics.map(\.name)
        == ["bn1.runningMean", "bn1.runningVariance", "bn2.runningMean", "bn2.runningVariance"])
    for (value, expected) in zip(block.statistics.map(\.tensor), [3, 9, 2, 1.5]) {
      #expect(abs(value[0] - expected) < ThreePixels.tolerance)
    }
  }

  @Test func `A plain block's gradients agree with finite differences`() {
    var generator = RandomGenerator(seed: 7)
    let block = withRandomParameters(
      makeBlock(.plain, 2, width: 4, output: 4, stride: 2), using: &generator)
    let result = GradientCheck(step: 1e-6, tolerance: 1e-6).run(
      "block", block, input: Tensor(normal: [3, 4, 5, 2], using: &generator), using: &generator)
    #expect(result.passed && result.elements > 300, "\(result.failure ?? "")")
  }
}
