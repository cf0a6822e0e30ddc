import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct LinearTests {
  private let layer = Linear(weight: Tensor<Float>([2, 3], [1, 2, 3, 4, 5, 6]), bias: Tensor([0.5, 0, -0.5]))
  private let input = Tensor<Float>([2, 2], [1, 10, 2, -1])

  @Test func `The output by hand`() {
    #expect(layer(input) == Tensor([2, 3], [41.5, 52, 62.5, -1.5, -1, -0.5]))
    #expect(layer.forward(input).output == layer(input))
  }

  @Test func `The gradients by hand`() {
    let (_, cache) = layer.forward(input)
    let (inputGradient, gradients) = layer.backward(Tensor([2, 3], [1, 0, 2, 0, 3, 0]), cache)
    #expect(inputGradient == Tensor([2, 2], [7, 16, 6, 15]))
    #expect(gradients.weight == Tensor([2, 3], [1, 6, 2, 10, -3, 20]))
    #expect(gradients.bias == Tensor([1, 3, 2]))
  }

  @Test(arguments: [(1, 1, 1), (3, 64, 10), (128, 64, 10), (5, 20, 33), (2, 512, 1000)])
  func `Any sizes, as plain loops do it`(rows: Int, inputs: Int, outputs: Int) {
    var generator = RandomGenerator(seed: 1)
    var layer = Linear<Double>(inputs, outputs, deviation: 1, using: &generator)
    layer.parameters.bias = Tensor(normal: [outputs], using: &generator)
    let input = Tensor<Double>(normal: [rows, inputs], using: &generator)
    let (x, w, b) = (input.elements, layer.parameters.weight.elements, layer.parameters.bias.elements)
    var expected = [Double](repeating: 0, count: rows * outputs)
    for n in 0..<rows {
      for o in 0..<outputs {
        var sum = b[o]
        for i in 0..<inputs { sum += x[n * inputs + i] * w[i * outputs + o] }
        expected[n * outputs + o] = sum
      }
    }
    #expect(largestDifference(layer(input), Tensor([rows, outputs], expected)) < 1e-11)
  }

  @Test func `The first logits are nearly zero, and the first loss nearly ln K`() {
    var generator = RandomGenerator(seed: 2)
    let layer = Linear<Float>(64, 10, using: &generator)
    #expect(abs(layer.parameters.weight.deviation - 0.01) < 0.0014)  // five standard errors of 640 numbers
    #expect(layer.parameters.bias == Tensor(zeros: [10]) && layer.parameters.count == 650)
    let logits = layer(Tensor(uniform: [32, 64], using: &generator))
    let (loss, _) = SoftmaxCrossEntropy<Float>().forward(logits, labels: (0..<32).map { $0 % 10 })
    #expect(abs(loss - 2.302585) < 0.02)
  }
}
