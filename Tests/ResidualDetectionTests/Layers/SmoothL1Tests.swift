import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct SmoothL1Tests {
  @Test func `The loss by hand`() {
    // Differences 0.5, −2, 0 and 1: 0.125 + 1.5 + 0 + 0.5, over 4.
    let predicted = Tensor<Double>([1.5, 0, 3, 5])
    let (loss, cache) = SmoothL1<Double>().forward(predicted, targets: Tensor([1, 2, 3, 4]), divisor: 4)
    #expect(loss == 2.125 / 4)
    #expect(SmoothL1<Double>().backward(cache) == Tensor([0.125, -0.25, 0, 0.25]))
  }

  @Test func `The loss of the proposals is a square up to a ninth`() {
    let smooth = SmoothL1<Double>(threshold: 1.0 / 9)
    let (loss, cache) = smooth.forward(Tensor([1.0 / 18, 1]), targets: Tensor([0, 0]), divisor: 1)
    #expect(abs(loss - (1.0 / 72 + 1 - 1.0 / 18)) < 1e-15)
    #expect(abs(smooth.backward(cache)[0] - 0.5) < 1e-15 && smooth.backward(cache)[1] == 1)
  }

  @Test(arguments: [1, 1.0 / 9]) func `The gradient is that of the loss`(threshold: Double) {
    var generator = RandomGenerator(seed: 1)
    let predicted = Tensor<Double>(normal: [9, 4], deviation: 1.5, using: &generator)
    let targets = Tensor<Double>(normal: [9, 4], using: &generator)
    let loss = SmoothL1<Double>(threshold: threshold)
    let gradient = loss.backward(loss.forward(predicted, targets: targets, divisor: 7).cache)
    let result = GradientCheck().run(
      "SmoothL1", at: [("predicted", predicted)], outputGradient: Tensor([1]), gradients: [gradient]
    ) { Tensor([loss.forward($0[0], targets: targets, divisor: 7).loss]) }
    #expect(result.passed && result.elements == 36, "\(result.tableRow)")
  }

  @Test func `No boxes have no loss`() {
    let (loss, cache) = SmoothL1<Float>().forward(Tensor([]), targets: Tensor([]), divisor: 5)
    #expect(loss == 0 && SmoothL1<Float>().backward(cache).count == 0)
  }
}
