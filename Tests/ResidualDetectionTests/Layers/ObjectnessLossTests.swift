import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct ObjectnessLossTests {
  let loss = ObjectnessLoss<Double>()

  @Test func `The loss by hand`() {
    // z = 0: log 2 either way. z = log 3: p = 3/4, so −log(3/4) and −log(1/4).
    let log3 = 1.0986122886681098
    let (value, cache) = loss.forward(
      Tensor([0, 0, log3, log3]), isObject: [true, false, true, false])
    let expected = (2 * 0.6931471805599453 + 0.2876820724517809 + 1.3862943611198906) / 4
    #expect(abs(value - expected) < 1e-15)
    let gradient = loss.backward(cache).elements
    for (found, right) in zip(gradient, [-0.125, 0.125, -0.0625, 0.1875]) { #expect(abs(found - right) < 1e-15) }
  }

  @Test func `It is the softmax of two logits, of which one is zero`() {
    var generator = RandomGenerator(seed: 2)
    let z = Tensor<Double>(normal: [20], deviation: 3, using: &generator)
    let isObject = (0..<20).map { _ in generator.below(2) == 1 }
    let pairs = Tensor<Double>([20, 2], z.elements.flatMap { [0, $0] })
    let (value, _) = loss.forward(z, isObject: isObject)
    let (expected, _) = SoftmaxCrossEntropy<Double>().forward(pairs, labels: isObject.map { $0 ? 1 : 0 })
    #expect(abs(value - expected) < 1e-14)
  }

  @Test func `Nothing overflows`() {
    let (value, cache) = loss.forward(Tensor([2000, -2000, 2000]), isObject: [true, false, false])
    #expect(value == 2000.0 / 3)
    #expect(loss.backward(cache) == Tensor([0, 0, 1.0 / 3]))
    let single = ObjectnessLoss<Float>()
    let (floats, floatCache) = single.forward(Tensor([-200, 200]), isObject: [true, true])
    #expect(floats == 100 && single.backward(floatCache) == Tensor([-0.5, 0]))
  }

  @Test func `The gradient is that of the loss`() {
    var generator = RandomGenerator(seed: 3)
    let z = Tensor<Double>(normal: [12], deviation: 2, using: &generator)
    let isObject = (0..<12).map { $0 % 3 == 0 }
    let gradient = loss.backward(loss.forward(z, isObject: isObject).cache)
    let result = GradientCheck().run(
      "ObjectnessLoss", at: [("logits", z)], outputGradient: Tensor([1]), gradients: [gradient]
    ) { Tensor([loss.forward($0[0], isObject: isObject).loss]) }
    #expect(result.passed && result.elements == 12, "\(result.tableRow)")
  }

  @Test func `No anchors have no loss`() {
    let (value, cache) = loss.forward(Tensor([]), isObject: [])
    #expect(value == 0 && loss.backward(cache).count == 0)
  }
}
