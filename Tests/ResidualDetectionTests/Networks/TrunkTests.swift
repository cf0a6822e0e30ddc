import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct TrunkTests {
  @Test(arguments: [false, true]) func `The gradient with respect to the parameters is that of the features`(
    hasPool: Bool
  ) {
    var generator = RandomGenerator(seed: 8)
    var plan = Reduced.plan(shortcut: .b)
    if hasPool { plan.architecture.stem = .imageNet }
    let trunk = Reduced.detector(plan, using: &generator).trunk
    #expect((trunk.maxPool != nil) == hasPool)
    let images = Tensor<Double>(normal: [2, 32, 40, 3], using: &generator)
    let (features, cache) = trunk.forward(images)
    #expect(features.shape == (hasPool ? [2, 1, 2, 3] : [2, 4, 5, 3]) && features == trunk(images))
    let upstream = Tensor<Double>(normal: features.shape, using: &generator)
    let result = deep.run(
      "Trunk", at: trunk.parameters.named, outputGradient: upstream,
      gradients: trunk.gradients(upstream, cache).named.map(\.tensor)
    ) { values in
      var trunk = trunk
      var parameters = trunk.parameters
      var next = 0
      parameters.visit("") { _, tensor in
        tensor = values[next]
        next += 1
      }
      trunk.parameters = parameters
      return trunk(images)
    }
    #expect(result.passed, "\(result.tableRow)")
  }
}
