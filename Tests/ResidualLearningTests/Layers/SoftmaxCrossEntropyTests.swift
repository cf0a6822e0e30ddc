import Foundation
import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct SoftmaxCrossEntropyTests {
  private let loss = SoftmaxCrossEntropy<Double>()

  @Test func `Probabilities, loss and gradient by hand`() {
    // exp(0), exp(ln 2), exp(ln 5) are 1, 2, 5: probabilities 1/8, 2/8, 5/8.
    let logits = Tensor<Double>([2, 3], [0, log(2), log(5), 7, 7, 7])
    let (value, cache) = loss.forward(logits, labels: [2, 0])
    let third = 1.0 / 3
    let probabilities = Tensor([2, 3], [0.125, 0.25, 0.625, third, third, third])
    #expect(largestDifference(cache.probabilities, probabilities) < 1e-15)
    #expect(abs(value - (log(1.6) + log(3)) / 2) < 1e-15)
    #expect(abs(cache.losses[0] - log(1.6)) < 1e-15 && abs(cache.losses[1] - log(3)) < 1e-15)
    let expected = Tensor<Double>([2, 3], [0.0625, 0.125, -0.1875, -third, third / 2, third / 2])
    #expect(largestDifference(loss.backward(cache), expected) < 1e-15)
  }

  @Test func `Softmax alone gives the probabilities of the loss`() {
    var generator = RandomGenerator(seed: 3)
    let logits = Tensor<Double>(normal: [4, 7], using: &generator)
    #expect(softmax(logits) == loss.forward(logits, labels: [0, 1, 2, 6]).cache.probabilities)
  }

  @Test func `Equal logits give the loss ln K`() {
    let value = loss.forward(Tensor([3, 10], repeating: 4), labels: [0, 5, 9]).loss
    #expect(value == Double.logarithm(10) && abs(value - log(10)) <= log(10).ulp)
  }

  @Test func `A row of the gradient sums to zero`() {
    var generator = RandomGenerator(seed: 1)
    let logits = Tensor<Double>(normal: [6, 1000], deviation: 5, using: &generator)
    let gradient = loss.backward(loss.forward(logits, labels: [0, 1, 2, 3, 4, 999]).cache)
    for n in 0..<6 { #expect(abs(gradient.slice(n..<n + 1).sum) < 1e-15) }
  }

  @Test func `The same number added to all logits changes nothing`() {
    let logits = Tensor<Double>([1, 3], [1, 2, 4])
    let (a, b) = (loss.forward(logits, labels: [1]), loss.forward(logits + 1024, labels: [1]))
    #expect(a.loss == b.loss && a.cache.probabilities == b.cache.probabilities)
  }

  @Test func `Huge logits overflow nowhere in Float`() {
    let loss = SoftmaxCrossEntropy<Float>()
    let logits = Tensor<Float>([3, 3], [1e30, 0, -1e30, -1e30, -1e30, -1e30, 3e38, -3e38, 0])
    let right = loss.forward(logits.slice(0..<2), labels: [0, 2])
    #expect(right.loss == Float(log(3.0)) / 2)
    let third: Float = 1 / 3
    #expect(right.cache.probabilities == Tensor([2, 3], [1, 0, 0, third, third, third]))
    // The true class has probability zero: the loss is the difference of the logits, not infinite.
    let wrong = loss.forward(logits.slice(0..<1), labels: [1])
    #expect(wrong.loss == 1e30)
    #expect(loss.backward(wrong.cache) == Tensor([1, 3], [1, -1, 0]))
    #expect(loss.forward(logits.slice(2..<3), labels: [2]).loss == 3e38)
  }

  @Test func `NaN among the logits is not hidden`() {
    let logits = Tensor<Float>([1, 3], [1, .nan, 2])
    #expect(SoftmaxCrossEntropy<Float>().forward(logits, labels: [0]).loss.isNaN)
  }
}
