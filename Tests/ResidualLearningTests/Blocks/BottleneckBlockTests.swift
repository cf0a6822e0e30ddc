import Testing

@testable import ResidualLearning

@Suite struct BottleneckBlockTests {
  @Test func `The stride is in the first 1x1 or in the 3x3, which shows in one shape only`() {
    let input = Tensor<Double>([1, 5, 8, 6], repeating: 1)
    for placement in StridePlacement.allCases {
      let block = block(6, width: 2, output: 8, stride: 2, .init(shortcut: .b, stridePlacement: placement))
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

  @Test func `It goes down to the width by a 1x1, and up to four times as many channels by another`() {
    let block = block(6, width: 2, output: 8, stride: 2, .init(shortcut: .b))
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
      let block = block(3, width: 2, output: 8, stride: 2, .init(stridePlacement: placement))
      #expect((largestDifference(block(input), block(other)) > 0.01) == reads)
      #expect((block(input) == block(other)) == !reads)
    }
  }

  @Test func `The shortcut is added before the ReLU, and both branches get the gradient behind it`() {
    let block = block(1, width: 1, output: 1).with(["bn3.scale": 0, "bn3.shift": -1])
    let (output, cache) = block.forward(Tensor([1, 2, 2, 1], [3, 0.5, 2, -1]))
    #expect(output == Tensor([1, 2, 2, 1], [2, 0, 1, 0]))
    let (gradient, parameters) = block.backward(Tensor([1, 2, 2, 1], [1, 2, 3, 4]), cache)
    #expect(gradient == Tensor([1, 2, 2, 1], [1, 0, 3, 0]))
    #expect(parameters.bn3.shift == Tensor([4]))
  }

  @Test func `Output, gradients and statistics of three pixels are those computed by hand`() {
    var block = block(1, width: 1, output: 1, .init(shortcut: .a)).with([
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
      block(3, width: 2, output: 8, stride: 2, .init(shortcut: .a, zeros: .around, stridePlacement: .middle3x3)),
      using: &generator)
    let result = GradientCheck(step: 1e-6, tolerance: 1e-6).run(
      "block", block, input: Tensor(normal: [2, 5, 4, 3], using: &generator), using: &generator)
    #expect(result.passed && result.elements > 180, "\(result.failure ?? "")")
  }

  private func block(
    _ input: Int, width: Int, output: Int, stride: Int = 1, _ options: Architecture.Options = .init()
  ) -> BottleneckBlock<Double> {
    makeBlock(BottleneckBlock<Double>.self, input, width: width, output: output, stride: stride, options: options)
  }
}
