import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct SGDTests {
  private struct Two: ParameterSet {
    var weight: Tensor<Double>
    var bias: Tensor<Double>
    mutating func visit(_ path: String, _ body: (String, inout Tensor<Double>) -> Void) {
      body(path + "weight", &weight)
      body(path + "bias", &bias)
    }
  }

  @Test func `Three steps with a change of rate are those computed by hand in the authors' form`() {
    var parameters = Two(weight: Tensor([1, 1], [1]), bias: Tensor([2]))
    var optimizer = SGD(parameters, momentum: 0.5, decay: 0.1, decayed: .weights)
    // v ← 0.5 v + rate (g + 0.1 w), w ← w − v; the bias does not decay.
    optimizer.step(&parameters, gradients: Two(weight: Tensor([1, 1], [1]), bias: Tensor([4])), rate: 0.1)
    #expect(abs(parameters.weight[0, 0] - (1 - 0.11)) < 1e-15)
    #expect(abs(parameters.bias[0] - 1.6) < 1e-15)
    optimizer.step(&parameters, gradients: Two(weight: Tensor([1, 1], [2]), bias: Tensor([0])), rate: 0.1)
    #expect(abs(optimizer.velocity.weight[0, 0] - (0.055 + 0.2089)) < 1e-15)
    #expect(abs(parameters.weight[0, 0] - (0.89 - 0.2639)) < 1e-15)
    #expect(abs(parameters.bias[0] - 1.4) < 1e-15)
    // The rate falls. PyTorch's velocity would shrink with it: 0.01 · (0.5 · 2.639 + …).
    optimizer.step(&parameters, gradients: Two(weight: Tensor([1, 1], [0]), bias: Tensor([0])), rate: 0.01)
    #expect(abs(optimizer.velocity.weight[0, 0] - (0.13195 + 0.001 * 0.6261)) < 1e-15)
    #expect(abs(parameters.bias[0] - 1.3) < 1e-15)
  }

  /// v ← m v + g, w ← w − rate v.
  private func stepAsPyTorch(_ w: inout Double, _ v: inout Double, _ g: Double, rate: Double) {
    v = 0.9 * v + g
    w -= rate * v
  }

  @Test func `PyTorch's form is the same while the rate stays and another where it falls`() {
    var parameters = Two(weight: Tensor([1, 1], [1]), bias: Tensor([0]))
    var optimizer = SGD(parameters, momentum: 0.9, decay: 0)
    var (w, v) = (1.0, 0.0)
    func step(_ rate: Double) {
      optimizer.step(&parameters, gradients: Two(weight: parameters.weight, bias: Tensor([0])), rate: rate)
      stepAsPyTorch(&w, &v, w, rate: rate)
    }
    for _ in 0..<3 { step(0.1) }
    #expect(abs(parameters.weight[0, 0] - w) < 1e-15)
    step(0.01)
    // The step that follows a division by 10 is still nearly as long as before in the authors' form.
    #expect(abs(parameters.weight[0, 0] - w) > 0.1)
  }

  @Test func `The velocity without the rate is PyTorch's, also where the rate falls`() {
    var parameters = Two(weight: Tensor([1, 1], [1]), bias: Tensor([0]))
    var optimizer = SGD(parameters, momentum: 0.9, decay: 0, form: .withoutRate)
    var (w, v) = (1.0, 0.0)
    for rate in [0.1, 0.1, 0.1, 0.01, 0.01] {
      optimizer.step(&parameters, gradients: Two(weight: parameters.weight, bias: Tensor([0])), rate: rate)
      stepAsPyTorch(&w, &v, w, rate: rate)
      #expect(abs(parameters.weight[0, 0] - w) < 1e-15)
    }
  }

  @Test func `A step applies the gradients of every parameter of a block`() {
    var generator = RandomGenerator(seed: 1)
    let block = makeBlock(.bottleneck, 3, width: 4, output: 16, stride: 2, options: .init(shortcut: .b))
    let (output, cache) = block.forward(Tensor(normal: [2, 6, 6, 3], using: &generator))
    let (_, gradients) = block.backward(Tensor(normal: output.shape, using: &generator), cache)
    var parameters = block.parameters
    var optimizer = SGD(parameters, momentum: 0.9, decay: 0)
    optimizer.step(&parameters, gradients: gradients, rate: 0.5)
    #expect(parameters.named.count == 12)
    for ((name, before), ((_, after), (_, gradient))) in zip(
      block.parameters.named, zip(parameters.named, gradients.named))
    {
      #expect(gradient.elements.contains { abs($0) > 1e-6 }, "\(name)")
      #expect(after == before - gradient * 0.5, "\(name)")
    }
  }

  @Test func `Weight decay moves all parameters or only the weights`() {
    let start = Two(weight: Tensor([1, 1], [1]), bias: Tensor([1]))
    for (decayed, bias) in [(DecayedParameters.all, 0.99), (.weights, 1)] {
      var parameters = start
      var optimizer = SGD(start, momentum: 0, decay: 0.1, decayed: decayed)
      optimizer.step(&parameters, gradients: start.zeros, rate: 0.1)
      #expect(abs(parameters.weight[0, 0] - 0.99) < 1e-15)
      #expect(abs(parameters.bias[0] - bias) < 1e-15)
    }
  }
}
