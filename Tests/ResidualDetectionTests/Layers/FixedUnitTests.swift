import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct FixedUnitTests {
  func trained(_ generator: inout RandomGenerator) -> ConvBN<Double> {
    var unit = ConvBN<Double>(3, 5, kernel: 3, stride: 2, using: &generator)
    unit.bn.parameters.scale = Tensor(uniform: [5], from: 0.5, to: 2, using: &generator)
    unit.bn.parameters.shift = Tensor(normal: [5], using: &generator)
    unit.bn.running.mean = Tensor(normal: [5], using: &generator)
    unit.bn.running.variance = Tensor(uniform: [5], from: 0.5, to: 2, using: &generator)
    return unit
  }

  @Test func `Scale and shift by hand`() {
    var generator = RandomGenerator(seed: 1)
    var trained = ConvBN<Double>(1, 1, kernel: 1, using: &generator)
    trained.conv = Conv2D(weight: Tensor([1, 1, 1, 1], [10]))
    trained.bn = BatchNorm2D(channels: 1, epsilon: 1)
    trained.bn.parameters.scale = Tensor([6])
    trained.bn.parameters.shift = Tensor([1])
    trained.bn.running.mean = Tensor([2])
    trained.bn.running.variance = Tensor([8])
    let unit = FixedUnit(trained)
    // 6 / √(8 + 1) = 2, and 1 − 2 · 2 = −3.
    #expect(unit.scale == Tensor([2]) && unit.shift == Tensor([-3]))
    #expect(unit(Tensor([1, 1, 1, 1], [5])) == Tensor([1, 1, 1, 1], [97]))
  }

  @Test func `It is what the convolution and the normalization are in inference`() {
    var generator = RandomGenerator(seed: 1)
    let trained = trained(&generator)
    let unit = FixedUnit(trained)
    let input = Tensor<Double>(normal: [2, 5, 7, 3], using: &generator)
    let difference = unit(input) - trained(input)
    #expect(max(difference.maximum, -difference.minimum) < 1e-13)
    #expect(unit.forward(input).output == unit(input))
  }

  @Test func `The gradient is that of the output`() {
    var generator = RandomGenerator(seed: 2)
    let result = GradientCheck().run(
      "FixedUnit", FixedUnit(trained(&generator)), input: Tensor(normal: [2, 5, 7, 3], using: &generator),
      using: &generator)
    #expect(result.passed && result.elements == 2 * 5 * 7 * 3 + 135, "\(result.tableRow)")
  }
}
