import ResidualExperiments
import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct ShortcutTests {
  @Test func `Option A keeps rows and columns 0, 2 and 4 and puts zeros behind the channels, or around them`() {
    // Row 2, column 4, channel 1 is 241.
    let input = image(height: 5, width: 5) { y, x, c in Double(100 * y + 10 * x + c) + 1 }
    let kept: [Double] = [1, 21, 41, 201, 221, 241, 401, 421, 441]
    let after = shortcut(.a, 2, 5, stride: 2)
    #expect(after(input) == Tensor([1, 3, 3, 5], kept.flatMap { [$0, $0 + 1, 0, 0, 0] }))
    let around = shortcut(.a, 2, 5, stride: 2, zeros: .around)
    #expect(around(input) == Tensor([1, 3, 3, 5], kept.flatMap { [0, $0, $0 + 1, 0, 0] }))
    #expect(after.forward(input).output == after(input) && around.forward(input).output == around(input))
  }

  @Test(arguments: [(1, 1, 1, 1), (5, 4, 3, 2), (6, 7, 3, 4)])
  func `An odd size is halved upwards, with any shortcut`(height: Int, width: Int, newHeight: Int, newWidth: Int) {
    let input = Tensor<Double>([2, height, width, 3], repeating: 1)
    for option in ShortcutOption.allCases {
      #expect(shortcut(option, 3, 8, stride: 2)(input).shape == [2, newHeight, newWidth, 8])
    }
  }

  @Test func `The gradient of option A goes back to the kept pixels, and is zero elsewhere`() {
    let input = Tensor<Double>([1, 3, 2, 1], repeating: 7)
    let upstream = Tensor<Double>([1, 2, 1, 3], [1, 2, 3, 4, 5, 6])
    for (zeros, expected) in [(ZeroPlacement.after, [1.0, 0, 0, 0, 4, 0]), (.around, [2, 0, 0, 0, 5, 0])] {
      let shortcut = shortcut(.a, 1, 3, stride: 2, zeros: zeros)
      let (gradient, parameters) = shortcut.backward(upstream, shortcut.forward(input).cache)
      #expect(gradient == Tensor([1, 3, 2, 1], expected))
      #expect(parameters.named.isEmpty)
    }
  }

  /// Channels in and out, the stride, and what options A, B and C are then.
  @Test(arguments: [
    (4, 4, 1, ["identity", "identity", "projection"]), (4, 8, 1, ["zeros", "projection", "projection"]),
    (4, 4, 2, ["zeros", "projection", "projection"]), (4, 8, 2, ["zeros", "projection", "projection"]),
  ])
  func `The identity is for stride 1 and equal channels, and never with option C`(
    input: Int, output: Int, stride: Int, kinds: [String]
  ) {
    for (option, kind) in zip(ShortcutOption.allCases, kinds) {
      let shortcut = shortcut(option, input, output, stride: stride)
      switch shortcut {
      case .identity: #expect(kind == "identity")
      case .zeroPadded: #expect(kind == "zeros")
      case .projection(let projection):
        #expect(kind == "projection")
        #expect(projection.conv.parameters.weight.shape == [1, 1, input, output])
        #expect(projection.conv.stride == stride)
      }
      #expect(shortcut.parameters.count == (kind == "projection" ? input * output + 2 * output : 0))
    }
  }

  @Test func `The identity hands over its input and its gradient`() {
    let identity = shortcut(.b, 2, 2, stride: 1)
    let input = image(height: 2, width: 3) { y, x, c in Double(y - 2 * x + c) }
    let (output, cache) = identity.forward(input)
    #expect(output == input && identity(input) == input)
    #expect(identity.backward(input * 3, cache).inputGradient == input * 3)
  }

  /// W = (2, −1) on the pixels 1, 3, 7, 9 of mean 5 and variance 10.
  @Test func `A projection takes every second pixel times W, normalized and not rectified`() {
    var generator = RandomGenerator(seed: 1)
    let input = Tensor<Double>([1, 3, 3, 1], (1...9).map(Double.init))
    var projection = ConvBN<Double>(1, 2, kernel: 1, stride: 2, using: &generator)
    projection.conv.parameters.weight = Tensor([1, 1, 1, 2], [2, -1])
    var shortcut = Shortcut.projection(projection)
    #expect(shortcut.parameters.named.map(\.name) == ["conv.weight", "bn.scale", "bn.shift"])
    let values: [Double] = [2, -1, 6, -3, 14, -7, 18, -9]
    #expect(largestDifference(shortcut(input), Tensor([1, 2, 2, 2], values)) < 1e-4)

    let (output, cache) = shortcut.forward(input)
    let deviation = 10.0.squareRoot()
    let normalized = [-4, 4, -2, 2, 2, -2, 4, -4].map { Double($0) / deviation }
    #expect(largestDifference(output, Tensor([1, 2, 2, 2], normalized)) < 1e-5)

    #expect(shortcut.statistics.map(\.name) == ["bn.runningMean", "bn.runningVariance"])
    shortcut.track(cache, rate: 1)
    #expect(largestDifference(shortcut.statistics[0].tensor, Tensor([10, -5])) < 1e-12)
    #expect(largestDifference(shortcut.statistics[1].tensor, Tensor([160.0 / 3, 40.0 / 3])) < 1e-12)
  }

  @Test func `A projection's gradients agree with finite differences`() {
    var generator = RandomGenerator(seed: 1)
    let shortcut = withRandomParameters(shortcut(.b, 3, 5, stride: 3), using: &generator)
    let result = GradientCheck().run(
      "projection", shortcut, input: Tensor(normal: [2, 7, 4, 3], using: &generator), using: &generator)
    #expect(result.passed && result.elements == 168 + 15 + 10, "\(result.failure ?? "")")
  }

  private func shortcut(
    _ option: ShortcutOption, _ input: Int, _ output: Int, stride: Int, zeros: ZeroPlacement = .after
  ) -> Shortcut<Double> {
    var generator = RandomGenerator(seed: 2)
    return Shortcut(option, input, output, stride: stride, zeros: zeros, using: &generator)
  }

  /// One image of two channels.
  private func image(height: Int, width: Int, _ value: (Int, Int, Int) -> Double) -> Tensor<Double> {
    let places = (0..<height * width * 2).map { ($0 / 2 / width, $0 / 2 % width, $0 % 2) }
    return Tensor([1, height, width, 2], places.map { value($0.0, $0.1, $0.2) })
  }
}
