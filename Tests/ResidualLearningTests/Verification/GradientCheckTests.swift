import Foundation
import ResidualKernels
import Testing

@testable import ResidualLearning

@Suite struct GradientCheckTests {
  private let check = GradientCheck()

  private func normal(_ shape: Shape, seed: UInt64 = 1) -> Tensor<Double> {
    var generator = RandomGenerator(seed: seed)
    return Tensor(normal: shape, using: &generator)
  }

  private func run<Checked: Layer>(_ layer: Checked, _ input: Tensor<Double>, _ check: GradientCheck = GradientCheck())
    -> GradientCheck.Result where Checked.Scalar == Double
  {
    var generator = RandomGenerator(seed: 2)
    return check.run("layer", layer, input: input, using: &generator)
  }

  // MARK: What is checked

  @Test func `Every element of the input and of every parameter is compared`() {
    var generator = RandomGenerator(seed: 1)
    let conv = Conv2D<Double>(3, 5, kernel: 3, stride: 2, bias: true, using: &generator)
    let result = run(conv, normal([2, 7, 4, 3]))
    #expect(result.passed && result.skipped == 0)
    #expect(result.elements == 2 * 7 * 4 * 3 + 3 * 3 * 3 * 5 + 5)
    #expect(result.worstRelativeError > 0 && result.worstRelativeError < 1e-9)
  }

  @Test func `The worst element is named by its tensor and position`() {
    var generator = RandomGenerator(seed: 1)
    let network = ResidualNetwork<Double>(
      .cifar(depth: 8, plain: true, classes: 3, width: 2), using: &generator)
    let wrong = Wrong(network) { $0.gradients.stages[2][0].units[1].conv.weight[2, 0, 1, 5] += 1 }
    let result = run(wrong, normal([2, 5, 4, 3]), GradientCheck(step: 1e-6, tolerance: 1e-6))
    #expect(result.worstPlace == "stages.2.blocks.0.conv2.weight[2, 0, 1, 5]")
    #expect(
      result.failure?.hasPrefix("the gradient with respect to stages.2.blocks.0.conv2.weight[2, 0, 1, 5] is off by ")
        == true)
  }

  @Test func `The error is relative to the largest element of its tensor`() {
    // The gradient is (3, 0.001); 0.0009 too much in the second is 3e-4 of the first.
    let x = Tensor([1.0, 1.0])
    let gradient = Tensor([3.0, 0.0019])
    let result = check.run("f", at: [("x", x)], outputGradient: Tensor([1]), gradients: [gradient]) {
      Tensor([3 * $0[0][0] + 0.001 * $0[0][1]])
    }
    #expect(abs(result.worstRelativeError - 3e-4) < 1e-8 && result.worstPlace == "x[1]")
  }

  @Test func `A tensor whose gradient is zero except for rounding passes: a bias in front of batch normalization`() {
    var generator = RandomGenerator(seed: 1)
    let conv = Conv2D<Double>(2, 3, kernel: 1, bias: true, using: &generator)
    let bn = BatchNorm2D<Double>(channels: 3)
    let bias = Tensor([0.3, -0.2, 0.5])
    let input = normal([2, 3, 4, 2])
    let upstream = normal([2, 3, 4, 3], seed: 9)
    func output(_ values: [Tensor<Double>]) -> Tensor<Double> {
      bn.forward(Conv2D(weight: conv.parameters.weight, bias: values[1]).forward(values[0]).output).output
    }
    let layer = Conv2D(weight: conv.parameters.weight, bias: bias)
    let (convolved, convCache) = layer.forward(input)
    let convolvedGradient = bn.backward(upstream, bn.forward(convolved).cache).inputGradient
    let (inputGradient, gradients) = layer.backward(convolvedGradient, convCache)
    let result = check.run(
      "conv, bn", at: [("input", input), ("bias", bias)], outputGradient: upstream,
      gradients: [inputGradient, gradients.bias!], function: output)
    #expect(result.passed && result.elements == 51, "\(result)")
  }

  // MARK: What fails

  @Test func `A check without elements fails`() {
    let result = run(ReLU<Double>(), Tensor(zeros: [0, 4]))
    #expect(result.elements == 0 && result.failure == "no element of input was compared")
  }

  @Test func `Gradients that are all zero show nothing, and fail`() {
    let result = run(ReLU<Double>(), Tensor([2, 3], repeating: -1))
    #expect(result.failure == "all gradients are zero, which shows nothing")
  }

  @Test func `Shapes are compared first`() {
    let result = run(
      Wrong(ReLU<Double>()) { $0.inputGradient = $0.inputGradient.reshaped([3, 2]) }, normal([2, 3]))
    #expect(result.failure == "input is [2, 3], its gradient [3, 2]")
    var generator = RandomGenerator(seed: 1)
    let conv = Conv2D<Double>(1, 2, kernel: 1, bias: true, using: &generator)
    let missing = run(Wrong(conv) { $0.gradients.bias = nil }, normal([1, 2, 2, 1]))
    #expect(missing.failure == "gradients of input, weight for the tensors input, weight, bias")
    let upstream = check.run(
      "layer", ReLU<Double>(), input: normal([2, 3]), outputGradient: normal([3, 2]), using: &generator)
    #expect(upstream.failure == "the output is [2, 3], the gradient given for it [3, 2]")
    let count = check.run("f", at: [("x", normal([1]))], outputGradient: Tensor([1]), gradients: []) { $0[0] }
    #expect(count.failure == "0 gradients for 1 tensors")
  }

  @Test(arguments: [Double.nan, .infinity])
  func `A gradient or an output that is not a number fails`(bad: Double) {
    let gradient = run(Wrong(ReLU<Double>()) { $0.inputGradient[1, 2] = bad }, normal([2, 3]))
    #expect(!gradient.passed && gradient.worstRelativeError == .infinity && gradient.worstPlace == "input[1, 2]")
    var odd = Odd(base: ReLU<Double>())
    odd.onForward = { _, _, output in output + bad }
    #expect(run(odd, normal([2, 3])).failure == "the output is not finite")
  }

  @Test func `A forward that changes its input, its layer or its mind fails`() {
    let input = normal([2, 2, 2, 3])
    var overwriting = Odd(base: ReLU<Double>())
    overwriting.onForward = { _, input, output in
      input.storage[5] += 1
      return output
    }
    #expect(run(overwriting, Tensor(input.shape, input.elements)).failure == "forward or backward changes the input")

    var tracking = Odd(base: BatchNorm2D<Double>(channels: 3))
    tracking.onForward = { bn, _, output in
      bn.running.mean.storage[1] += 0.1
      return output
    }
    #expect(run(tracking, input).failure == "forward or backward changes runningMean")

    var training = Odd(base: BatchNorm2D<Double>(channels: 3))
    training.onForward = { bn, _, output in
      bn.parameters.scale.storage[1] += 0.1
      return output
    }
    #expect(run(training, input).failure == "forward or backward changes scale")

    let noise = Tensor([0.0])
    var random = Odd(base: ReLU<Double>())
    random.onForward = { _, _, output in
      noise.storage[0] += 1e-15
      return output + noise[0]
    }
    #expect(run(random, input).failure == "forward, called twice, gives two outputs")
  }

  @Test func `A backward that changes its cache or gives other bits the second time fails`() {
    let input = normal([2, 2, 2, 3])
    let counter = Tensor([0.0])
    let second = Wrong(ReLU<Double>()) { pass in
      counter.storage[0] += 1e-15
      pass.inputGradient = pass.inputGradient + counter[0]
    }
    #expect(run(second, input).failure == "backward, called twice, gives two gradients")
    let inPlace = Wrong(BatchNorm2D<Double>(channels: 3)) { $0.cache.input.storage[0] += 1 }
    #expect(run(inPlace, Tensor(input.shape, input.elements)).failure == "forward or backward changes the input")
  }

  @Test func `Running statistics that are not updated, or not by the rate, fail`() {
    let input = normal([2, 3, 2, 3])
    var still = Odd(base: BatchNorm2D<Double>(channels: 3))
    still.onTrack = { _, _, _ in }
    #expect(run(still, input).failure == "runningMean does not move towards the batch's")

    var half = still
    half.onTrack = { bn, cache, rate in
      let variance = bn.running.variance
      bn.track(cache, rate: rate)
      bn.running.variance = variance
    }
    #expect(run(half, input).failure == "runningVariance does not move towards the batch's")

    var squared = still
    squared.onTrack = { $0.track($1, rate: $2 * $2) }
    #expect(run(squared, input).failure == "runningMean does not move half as far with half the rate")
  }

  // MARK: Kinks

  /// 1,000 numbers away from zero, except the first few, which are `distances` of a step from it.
  private func nearZero(_ distances: [Double]) -> Tensor<Double> {
    var x = normal([1000])
    for i in 0..<1000 { x[i] += x[i] > 0 ? 0.1 : -0.1 }
    for (i, distance) in distances.enumerated() { x[i] = distance * check.step }
    return x
  }

  @Test func `Elements at kinks are counted, wherever in the step the kink is`() {
    let distances = [0, 0.1, 0.2, 0.25, 0.3, 1.0 / 3, 0.4, 0.5, 0.6, 0.9, -0.1, -0.25, -1.0 / 3, -0.5, -0.9]
    let result = run(ReLU<Double>(), nearZero(distances))
    #expect(result.passed && result.skipped == distances.count && result.elements == 1000 - distances.count)
    #expect(run(ReLU<Double>(), nearZero([1.1, -1.1, 2, -2])).skipped == 0)
  }

  @Test func `Ties in a max-pool are kinks`() {
    var x = normal([1, 20, 20, 1])
    x[0, 3, 4, 0] = 5
    x[0, 3, 3, 0] = 5
    let result = run(MaxPool2D<Double>(window: 2, stride: 2), x)
    #expect(result.passed && result.skipped == 0)  // columns 3 and 4 are in two windows
    let tied = run(MaxPool2D<Double>(window: 3, stride: 2), x)
    #expect(tied.passed && tied.skipped == 2 && tied.elements == 398, "\(tied)")
  }

  @Test func `Too many kinks fail, and nothing but kinks too`() {
    let result = run(ReLU<Double>(), nearZero([Double](repeating: 0.5, count: 21)))
    #expect(result.failure == "21 of 1000 elements are at kinks")
    #expect(run(ReLU<Double>(), nearZero([Double](repeating: 0.5, count: 20))).passed)
    let all = run(ReLU<Double>(), Tensor(zeros: [7]))
    #expect(!all.passed && all.elements == 0 && all.skipped == 7)
  }

  @Test func `A wrong gradient beside kinks is reported, not skipped`() {
    let wrong = Wrong(ReLU<Double>()) { $0.inputGradient[17] += 1e-4 }
    let result = run(wrong, nearZero([0, 0.5]))
    #expect(!result.passed && result.skipped == 2 && result.worstPlace == "input[17]")
  }

  @Test(arguments: [1.0, 30, 1000])
  func `A strongly curved function makes no kinks`(frequency: Double) {
    // L = sin(f x): the slope's change over a step is f² h, and (2) is off by f³ h²/6.
    let x = normal([50])
    let upstream = normal([50], seed: 5)
    let gradient = Tensor(x.elements.indices.map { frequency * cos(frequency * x[$0]) * upstream[$0] })
    let check = GradientCheck(step: 1e-6, tolerance: 1e-6)
    func result(_ factor: Double) -> GradientCheck.Result {
      check.run("sine", at: [("x", x)], outputGradient: upstream, gradients: [gradient * factor]) { values in
        Tensor(values[0].elements.map { sin(frequency * $0) })
      }
    }
    #expect(result(1).passed && result(1).skipped == 0, "\(result(1))")
    #expect(!result(1.00001).passed && result(1.00001).skipped == 0)
    #expect(!result(2).passed && result(2).skipped == 0)
  }

  // MARK: The table

  @Test func `The table has a line for each check and the reason of each failure`() {
    var generator = RandomGenerator(seed: 1)
    let x = Tensor([1.0, 2.0])
    let good = check.run("good", ReLU<Double>(), input: x, outputGradient: Tensor([1, 1]), using: &generator)
    let bad = check.run(
      "bad", Wrong(ReLU<Double>()) { $0.inputGradient[1] = 3 }, input: x, outputGradient: Tensor([1, 1]),
      using: &generator)
    let lines = GradientCheck.table([good, bad]).split(separator: "\n").map {
      $0.split(separator: " ").joined(separator: " ")
    }
    #expect(lines.count == 4 && lines[0] == "what elements skipped worst error where")
    #expect(lines[1].hasPrefix("good 2 0 ") && lines[1].hasSuffix(" input[0]"))
    #expect(lines[2] == "bad 2 0 6.7e-01 input[1]")
    #expect(lines[3] == "FAILED: the gradient with respect to input[1] is off by 6.7e-01, allowed 1.0e-07")
  }
}
