import Foundation
import Testing

@testable import ResidualKernels

@Suite struct SoftmaxTests {
  @Test(arguments: [(1, 2), (5, 10), (3, 1000), (4, 1)])
  func `Probabilities and losses are the definition's`(rows: Int, classes: Int) {
    let logits: Storage<Double> = numbers(rows * classes, seed: 1)
    let labels = (0..<rows).map { $0 * 7 % classes }
    let probabilities = Storage<Double>(repeating: .nan, count: logits.count)
    let losses = Kernels.softmax(logits, classes: classes, labels: labels, probabilities: probabilities)
    #expect(losses.count == rows)
    for n in 0..<rows {
      let row = (0..<classes).map { exp(logits[n * classes + $0]) }
      let sum = row.reduce(0, +)
      for k in 0..<classes { #expect(abs(probabilities[n * classes + k] - row[k] / sum) < 1e-15) }
      #expect(abs(losses[n] + log(row[labels[n]] / sum)) < 1e-13)
    }
  }

  @Test func `Each row's largest logit is taken away first`() {
    let logits = Storage<Float>([1000, 999, -1000, 0])
    let probabilities = Storage<Float>(repeating: .nan, count: 4)
    let losses = Kernels.softmax(logits, classes: 2, labels: [1, 0], probabilities: probabilities)
    #expect(abs(losses[0] - log(1 + exp(Float(1)))) < 1e-6 && losses[1] == 1000)
    #expect(abs(probabilities[1] - 1 / (1 + exp(Float(1)))) < 1e-7)
    #expect(probabilities[2] == 0 && probabilities[3] == 1)
  }
}
