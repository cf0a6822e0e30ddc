import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct FixedUnitTests {
  func trained(_ generator: inout RandomGenerator) -> (conv: Conv2D<Double>, bn: BatchNorm2D<Double>) {
    let conv = Conv2D<Double>(3, 5, kernel: 3, stride: 2, using: &generator)
    var bn = BatchNorm2D<Double>(channels: 5)
    bn.parameters.scale = Tensor(uniform: [5], from: 0.5, to: 2, using: &generator)
    bn.parameters.shift = Tensor(normal: [5], using: &generator)
    bn.running.mean = Tensor(normal: [5], using: &generator)
    bn.running.variance = Tensor(uniform: [5], from: 0.5, to: 2, using: &generator)
    return (conv, bn)
  }

  @Test func `Scale and shift by hand`() {
    var bn = BatchNorm2D<Double>(channels: 1, epsilon: 1)
    bn.parameters.scale = Tensor([6])
    bn.parameters.shift = Tensor([1])
    bn.running.mean = Tensor([2])
    bn.running.variance = Tensor([8])
    let unit = FixedUnit(Conv2D(weight: Tensor([1, 1, 1, 1], [10])), bn)
    // 6 / √(8 + 1) = 2, and 1 − 2 · 2 = −3.
    #expect(unit.scale == Tensor([2]) && unit.shift == Tensor([-3]))
    #expect(unit(Tensor([1, 1, 1, 1], [5])) == Tensor([1, 1, 1, 1], [97]))
  }

  @Test func `It is what the convolution and the normalization are in inference`() {
    var generator = RandomGenerator(seed: 1)
    let (conv, bn) = trained(&generator)
    let unit = FixedUnit(conv, bn)
    let input = Tensor<Double>(normal: [2, 5, 7, 3], using: &generator)
    let difference = unit(input) - bn(conv(input))
    #expect(max(difference.maximum, -difference.minimum) < 1e-13)
    #expect(unit.forward(input).output == unit(input))
  }

  @Test func `The gradient is that of the output`() {
    var generator = RandomGenerator(seed: 2)
    let (conv, bn) = trained(&generator)
    let result = GradientCheck().run(
      "FixedUnit", FixedUnit(conv, bn), input: Tensor(normal: [2, 5, 7, 3], using: &generator), using: &generator)
    #expect(result.passed && result.elements == 2 * 5 * 7 * 3 + 135, "\(result.tableRow)")
  }
}
