import ResidualKernels
import Testing

@testable import ResidualLearning

@Suite struct ReLUTests {
  @Test func `Positive numbers pass, negative ones and both zeros give zero`() {
    let x = Tensor<Float>([2, 4], [1, -1, 0, 2.5, -0.0, -1e30, 1e30, 1e-37])
    #expect(ReLU()(x) == Tensor([2, 4], [1, 0, 0, 2.5, 0, 0, 1e30, 1e-37]))
  }

  @Test func `The gradient passes where the output is positive; at zero it is zero`() {
    let relu = ReLU<Float>()
    let (output, cache) = relu.forward(Tensor([3, -3, 0, 1e-30, -1e-30]))
    let (inputGradient, gradients) = relu.backward(Tensor([10, 20, 30, 40, 50]), cache)
    #expect(output == Tensor([3, 0, 0, 1e-30, 0]))
    #expect(inputGradient == Tensor([10, 0, 0, 40, 0]) && gradients.count == 0)
  }

  @Test func `NaN and infinity are not hidden`() {
    for count in [3, 16, 19] {
      var x = Tensor<Float>(zeros: [count])
      x[0] = .nan
      x[1] = .infinity
      x[count - 1] = .nan
      let y = ReLU()(x)
      #expect(y[0].isNaN && y[1] == .infinity && y[count - 1].isNaN)
    }
  }

  @Test func `Any shape and any number of elements`() {
    var generator = RandomGenerator(seed: 1)
    for shape in [[1], [7], [16], [17], [2, 3, 5, 3], [40, 1000]] as [Shape] {
      let x = Tensor<Float>(normal: shape, using: &generator)
      #expect(ReLU()(x) == Tensor(shape, x.elements.map { max($0, 0) }))
    }
  }
}
