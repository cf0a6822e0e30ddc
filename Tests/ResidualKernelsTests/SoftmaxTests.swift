import Foundation
import Testing

@testable import ResidualKernels

@Suite struct SoftmaxTests {
  @Test(arguments: [(1, 2), (5, 10), (3, 1000), (4, 1)])
  func `Probabilities and losses are the definition's`(rows: Int, classes: Int) {
    let logits: Storage<Double> = numbers(rows * classes, seed: 1)
    let labels = (0..<rows).map { $0 * 7 % classes }
    let probabilities = Storage<Double>(repeating: .nan, count: logits.count)
    Kernels.softmax(logits, classes: classes, probabilities: probabilities)
    let losses = Kernels.crossEntropy(logits, classes: classes, labels: labels)
    #expect(losses.count == rows)
    for n in 0..<rows {
      let row = (0..<classes).map { exp(logits[n * classes + $0]) }
      let sum = row.reduce(0, +)
      for k in 0..<classes { #expect(abs(probabilities[n * classes + k] - row[k] / sum) < 1e-15) }
      #expect(abs(losses[n] + log(row[labels[n]] / sum)) < 1e-13)
    }
  }

  @Test(arguments: [(1, 2), (5, 10), (3, 1000), (4, 1)])
  func `The plain loops give the same`(rows: Int, classes: Int) {
    compare(rows, classes, Double.self, tolerance: 1e-14)
    compare(rows, classes, Float.self, tolerance: 1e-5)
  }

  private func compare<Scalar: Element>(_ rows: Int, _ classes: Int, _: Scalar.Type, tolerance: Double) {
    let logits = Storage<Scalar>(numbers(rows * classes, seed: 2).array(0..<rows * classes).map { 5 * $0 })
    let labels = (0..<rows).map { $0 * 7 % classes }
    let (fast, plain) = (
      Storage<Scalar>(logits.array(0..<logits.count)), Storage<Scalar>(repeating: .nan, count: logits.count)
    )
    Kernels.softmax(logits, classes: classes, probabilities: fast)
    Kernels.referenceSoftmax(logits, classes: classes, probabilities: plain)
    #expect(relativeError(fast, plain) < tolerance)
    #expect(
      relativeError(
        Storage(Kernels.crossEntropy(logits, classes: classes, labels: labels)),
        Storage(Kernels.referenceCrossEntropy(logits, classes: classes, labels: labels))) < tolerance)
  }

  @Test func `The gradient by hand`() {
    let gradient = Storage<Double>(repeating: .nan, count: 6)
    Kernels.crossEntropyGradient(Storage([0.25, 0.5, 0.25, 1, 0, 0]), classes: 3, labels: [1, 2], into: gradient)
    #expect(gradient.array(0..<6) == [0.125, -0.25, 0.125, 0.5, 0, -0.5])
  }

  @Test func `Each row's largest logit is taken away first`() {
    let logits = Storage<Float>([1000, 999, -1000, 0])
    let probabilities = Storage<Float>(repeating: .nan, count: 4)
    Kernels.softmax(logits, classes: 2, probabilities: probabilities)
    let losses = Kernels.crossEntropy(logits, classes: 2, labels: [1, 0])
    #expect(abs(losses[0] - log(1 + exp(Float(1)))) < 1e-6 && losses[1] == 1000)
    #expect(abs(probabilities[1] - 1 / (1 + exp(Float(1)))) < 1e-7)
    #expect(probabilities[2] == 0 && probabilities[3] == 1)
  }
}
