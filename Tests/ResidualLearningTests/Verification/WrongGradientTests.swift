import ResidualExperiments
import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

/// Mistakes that real projects shipped, put in by hand: the check must report each of them.
@Suite struct WrongGradientTests {
  /// The layer passes as it is; with the mistake the check fails, at an element of `place`, by more than 1e-3 and not
  /// for kinks.
  private func expectReported<Base: Layer>(
    _ name: String, _ layer: Base, _ shape: Shape, at place: String = "input", outputGradient: Tensor<Double>? = nil,
    _ mistake: @escaping Wrong<Base>.Mistake
  ) where Base.Scalar == Double {
    var generator = RandomGenerator(seed: 11)
    let layer = withRandomParameters(layer, using: &generator)
    let input = Tensor<Double>(normal: shape, using: &generator)
    let check = GradientCheck(step: 1e-6, tolerance: 1e-6)
    let right = check.run(
      "right \(name)", layer, input: input, outputGradient: outputGradient, using: &generator)
    #expect(right.passed, "\(right)")
    let wrong = check.run(
      name, Wrong(layer, mistake), input: input, outputGradient: outputGradient, using: &generator)
    #expect(!wrong.passed && wrong.skipped == 0, "\(wrong)")
    #expect(wrong.worstRelativeError > 1e-3 && wrong.worstRelativeError.isFinite, "\(wrong)")
    #expect(wrong.worstPlace.hasPrefix(place + "["), "\(wrong)")
  }

  // MARK: Batch normalization

  @Test func `Batch normalization without its mean term, its variance term or both`() {
    let layer = BatchNorm2D<Double>(channels: 3)
    expectReported("no mean term", layer, [2, 3, 4, 3]) { $0.inputGradient += $0.meanTerm }
    expectReported("no variance term", layer, [2, 3, 4, 3]) { $0.inputGradient += $0.varianceTerm }
    expectReported("neither", layer, [2, 3, 4, 3]) { $0.inputGradient += $0.meanTerm + $0.varianceTerm }
  }

  @Test func `Batch normalization with sums for means or a stray factor of 2`() {
    let layer = BatchNorm2D<Double>(channels: 3)
    expectReported("sums for means", layer, [2, 3, 4, 3]) {
      $0.inputGradient -= 23 * ($0.meanTerm + $0.varianceTerm)
    }
    expectReported("variance term twice", layer, [2, 3, 4, 3]) { $0.inputGradient -= $0.varianceTerm }
    expectReported("twice", layer, [2, 3, 4, 3]) { $0.inputGradient = 2 * $0.inputGradient }
    expectReported("means for sums", layer, [2, 3, 4, 3], at: "scale") { $0.gradients.scale = $0.gradients.scale / 24 }
    expectReported("means for sums", layer, [2, 3, 4, 3], at: "shift") { $0.gradients.shift = $0.gradients.shift / 24 }
  }

  @Test func `Batch normalization that forgets its scale or sums the input, not the normalized one`() {
    let layer = BatchNorm2D<Double>(channels: 1)
    expectReported("no scale", layer, [2, 3, 4, 1]) {
      $0.inputGradient = $0.inputGradient / $0.layer.parameters.scale[0]
    }
    expectReported("input for normalized", layer, [2, 3, 4, 1], at: "scale") {
      $0.gradients.scale = Tensor([$0.outputGradient.dot($0.cache.input)])
    }
  }

  @Test func `With a plain sum as the loss the same mistakes pass, which is why the check draws a random one`() {
    var generator = RandomGenerator(seed: 3)
    let layer = Wrong(BatchNorm2D<Double>(channels: 3)) { pass in
      pass.inputGradient += pass.varianceTerm
    }
    let input = Tensor<Double>(normal: [2, 3, 4, 3], using: &generator)
    let ones = Tensor<Double>(input.shape, repeating: 1)
    let check = GradientCheck()
    #expect(check.run("sum", layer, input: input, outputGradient: ones, using: &generator).passed)
    #expect(!check.run("random", layer, input: input, using: &generator).passed)
  }

  // MARK: Convolution

  @Test func `A stride that forward knows and backward does not`() {
    var generator = RandomGenerator(seed: 1)
    let layer = Conv2D<Double>(3, 4, kernel: 3, stride: 2, using: &generator)
    expectReported("stride", layer, [1, 6, 5, 3]) { pass in
      let dense = Conv2D(weight: pass.layer.parameters.weight, padding: pass.layer.padding)
      let (output, denseCache) = dense.forward(pass.cache.input)
      var spread = Tensor<Double>(zeros: output.shape)
      for y in 0..<pass.outputGradient.shape[1] {
        for x in 0..<pass.outputGradient.shape[2] {
          for c in 0..<pass.outputGradient.shape[3] { spread[0, y, x, c] = pass.outputGradient[0, y, x, c] }
        }
      }
      pass.inputGradient = dense.backward(spread, denseCache).inputGradient
    }
  }

  @Test func `Weights transposed or not flipped on the way back`() {
    var generator = RandomGenerator(seed: 1)
    let layer = Conv2D<Double>(3, 3, kernel: 3, using: &generator)
    @Sendable func changed(_ weight: Tensor<Double>, _ position: (Int, Int, Int, Int) -> [Int]) -> Tensor<Double> {
      var result = weight
      for a in 0..<3 {
        for b in 0..<3 {
          for c in 0..<3 {
            for d in 0..<3 {
              let p = position(a, b, c, d)
              result[a, b, c, d] = weight[p[0], p[1], p[2], p[3]]
            }
          }
        }
      }
      return result
    }
    expectReported("transposed", layer, [1, 4, 5, 3]) { pass in
      let weight = changed(pass.layer.parameters.weight) { [$0, $1, $3, $2] }
      pass.inputGradient = Conv2D(weight: weight, padding: 1).backward(pass.outputGradient, pass.cache).inputGradient
    }
    expectReported("not flipped", layer, [1, 4, 5, 3]) { pass in
      let weight = changed(pass.layer.parameters.weight) { [2 - $0, 2 - $1, $2, $3] }
      pass.inputGradient = Conv2D(weight: weight, padding: 1).backward(pass.outputGradient, pass.cache).inputGradient
    }
  }

  @Test func `Parameter gradients of a convolution that are means, doubled or missing`() {
    var generator = RandomGenerator(seed: 1)
    let layer = Conv2D<Double>(3, 4, kernel: 3, bias: true, using: &generator)
    expectReported("mean", layer, [2, 4, 3, 3], at: "weight") { $0.gradients.weight = $0.gradients.weight / 2 }
    expectReported("doubled", layer, [2, 4, 3, 3], at: "bias") { $0.gradients.bias = 2 * $0.gradients.bias! }
    expectReported("zero", layer, [2, 4, 3, 3], at: "bias") { $0.gradients.bias = Tensor(zeros: [4]) }
    expectReported("one element", layer, [2, 4, 3, 3], at: "weight") { $0.gradients.weight[2, 0, 1, 3] += 0.05 }
  }

  // MARK: The other layers

  @Test func `A linear layer with its weights transposed`() {
    var generator = RandomGenerator(seed: 1)
    let layer = Linear<Double>(4, 4, deviation: 1, using: &generator)
    expectReported("transposed", layer, [3, 4]) { pass in
      var weight = pass.layer.parameters.weight
      for i in 0..<4 { for o in 0..<4 { weight[i, o] = pass.layer.parameters.weight[o, i] } }
      pass.inputGradient =
        Linear(weight: weight, bias: pass.layer.parameters.bias).backward(pass.outputGradient, pass.cache).inputGradient
    }
    expectReported("mean for sum", layer, [3, 4], at: "bias") { $0.gradients.bias = $0.gradients.bias / 3 }
  }

  @Test func `A ReLU that masks nothing, or by the gradient's sign`() {
    expectReported("no mask", ReLU<Double>(), [3, 7]) { $0.inputGradient = $0.outputGradient }
    expectReported("gradient's sign", ReLU<Double>(), [3, 7]) { $0.inputGradient = ReLU()($0.outputGradient) }
  }

  @Test func `Pooling that forgets its division, or overwrites where windows overlap`() {
    expectReported("no division", GlobalAveragePool<Double>(), [2, 3, 2, 4]) { $0.inputGradient = 6 * $0.inputGradient }
    expectReported("overwritten", MaxPool2D<Double>(window: 3, stride: 1), [1, 5, 5, 2]) { pass in
      for i in 0..<pass.inputGradient.count where pass.inputGradient[flat: i] != 0 {
        let last = (0..<pass.outputGradient.count).last { pass.cache.output[flat: $0] == pass.cache.input[flat: i] }!
        pass.inputGradient[flat: i] = pass.outputGradient[flat: last]
      }
    }
  }

  @Test func `A loss that is a sum where the gradient is a mean, or forgets the true class`() {
    var generator = RandomGenerator(seed: 8)
    let loss = SoftmaxCrossEntropy<Double>()
    let logits = Tensor<Double>(normal: [4, 3], using: &generator)
    let labels = [2, 0, 1, 2]
    let (_, cache) = loss.forward(logits, labels: labels)
    func result(_ gradient: Tensor<Double>) -> GradientCheck.Result {
      GradientCheck().run("loss", at: [("logits", logits)], outputGradient: Tensor([1]), gradients: [gradient]) {
        Tensor([loss.forward($0[0], labels: labels).loss])
      }
    }
    #expect(result(loss.backward(cache)).passed)
    #expect(result(loss.backward(cache) * 4).worstRelativeError > 0.7)
    #expect(result(cache.probabilities / 4).worstRelativeError > 0.7)
  }

  // MARK: Blocks

  private func block(_ option: ShortcutOption, stride: Int) -> Block<Double> {
    makeBlock(.basic, 3, width: 3 * stride, output: 3 * stride, stride: stride, options: .init(shortcut: option))
  }

  @Test(arguments: [(ShortcutOption.a, 1), (.a, 2), (.b, 2)])
  func `A block whose skip gradient is missing, added twice, or overwrites the other`(
    option: ShortcutOption, stride: Int
  ) {
    let block = block(option, stride: stride)
    expectReported("missing", block, [2, 5, 4, 3]) { $0.inputGradient -= $0.shortcutGradient }
    expectReported("twice", block, [2, 5, 4, 3]) { $0.inputGradient += $0.shortcutGradient }
    expectReported("overwritten", block, [2, 5, 4, 3]) { $0.inputGradient = $0.shortcutGradient }
  }

  @Test(arguments: [(ShortcutOption.a, 1), (.a, 2), (.c, 1)])
  func `A block that does not apply the mask of the last ReLU to its gradient`(option: ShortcutOption, stride: Int) {
    let block = block(option, stride: stride)
    expectReported("neither branch", block, [2, 5, 4, 3]) { pass in
      pass.inputGradient = pass.layer.backward(pass.outputGradient, pass.unmaskedCache).inputGradient
    }
    expectReported("shortcut", block, [2, 5, 4, 3]) {
      $0.inputGradient += $0.shortcutGradient(of: $0.outputGradient - $0.sumGradient)
    }
  }

  @Test func `Option A's gradient taken from the wrong channels, or put on the wrong pixels`() {
    let right = Shortcut<Double>.zeroPadded(ZeroPadding(stride: 2, front: 0, outputChannels: 6))
    expectReported("channels", right, [2, 5, 4, 3]) { pass in
      let wrong = Shortcut<Double>.zeroPadded(ZeroPadding(stride: 2, front: 1, outputChannels: 6))
      pass.inputGradient = wrong.backward(pass.outputGradient, pass.cache).inputGradient
    }
    expectReported("pixels", right, [1, 3, 3, 3]) { pass in
      let dense = ZeroPadding(stride: 1, front: 0, outputChannels: 6)
      pass.inputGradient = Tensor(zeros: [1, 3, 3, 3])
      let corner = dense.backward(pass.outputGradient, inputShape: [1, 2, 2, 3])
      for y in 0..<2 { for x in 0..<2 { for c in 0..<3 { pass.inputGradient[0, y, x, c] = corner[0, y, x, c] } } }
    }
  }

  @Test func `A network whose stages hand back a gradient of the wrong block`() {
    var generator = RandomGenerator(seed: 2)
    let network = ResidualNetwork<Double>(.cifar(depth: 8, classes: 4, width: 2), using: &generator)
    expectReported("block", network, [2, 6, 5, 3], at: "stages.1.blocks.0.bn1.shift") {
      $0.gradients.stages[1][0].units[0].bn.shift = $0.gradients.stages[1][0].units[1].bn.shift
    }
  }
}
