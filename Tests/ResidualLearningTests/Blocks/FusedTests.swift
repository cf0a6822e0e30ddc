import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct FusedTests {
  /// Outputs, statistics and all gradients of a whole network, with fused blocks and layer by layer.
  @Test(arguments: ["resnet8", "plain8", "bottleneck"], [ShortcutOption.a, .b, .c])
  func `Fused blocks give the results of their layers`(name: String, shortcut: ShortcutOption) throws {
    var architecture =
      name == "bottleneck"
      ? Architecture.imageNet(depth: 50, classes: 7, width: 16) : try .named(name, shortcut: shortcut, classes: 7)
    architecture.options.shortcut = shortcut
    if name == "bottleneck" {
      architecture.stages = Array(architecture.stages.prefix(2))
      for i in architecture.stages.indices { architecture.stages[i].blocks = 2 }
    }
    var generator = RandomGenerator(seed: 1)
    var images = generator
    let layered = architecture.network(Double.self, fused: false, using: &generator)
    generator = RandomGenerator(seed: 1)
    let fused = architecture.network(Double.self, fused: true, using: &generator)
    for (height, width, batch) in [(13, 10, 3), (16, 16, 17)] {
      let input = Tensor<Double>(normal: [batch, height, width, 3], using: &images)
      try compare(layered, fused, input, tolerance: 1e-9)
    }
  }

  /// With 5 channels the gradient with respect to the input is computed layer by layer, from the fused pass's cache.
  @Test(arguments: [Architecture.BlockKind.plain, .basic, .bottleneck], [5, 16])
  func `Either form takes the other's cache`(kind: Architecture.BlockKind, inputChannels: Int) throws {
    var generator = RandomGenerator(seed: 3)
    let input = Tensor<Double>(normal: [3, 7, 6, inputChannels], using: &generator)
    let forms = [false, true].map {
      makeBlock(
        kind, inputChannels, width: 8, output: 16, stride: 2, options: .init(shortcut: .b), fused: $0)
    }
    let expected = forms[0].forward(input)
    let upstream = Tensor<Double>(normal: expected.output.shape, using: &generator)
    let (expectedGradient, expectedGradients) = forms[0].backward(upstream, expected.cache)
    #expect(forms[0].fusedForward(input) == nil && forms[1].fusedForward(input) != nil)
    #expect((forms[1].fusedBackward(upstream, expected.cache) != nil) == (inputChannels == 16))
    for (first, second) in [(0, 1), (1, 0), (1, 1)] {
      let (output, cache) = forms[first].forward(input)
      #expect(error(output, expected.output) < 1e-9)
      let (gradient, gradients) = forms[second].backward(upstream, cache)
      #expect(error(gradient, expectedGradient) < 1e-9)
      for (gradient, expected) in zip(gradients.named, expectedGradients.named) {
        #expect(error(gradient.tensor, expected.tensor) < 1e-9, "\(gradient.name)")
      }
    }
  }

  func compare(
    _ layered: some ImageClassifier<Double>, _ fused: some ImageClassifier<Double>, _ input: Tensor<Double>,
    tolerance: Double
  ) throws {
    var generator = RandomGenerator(seed: 2)
    var (layered, fused) = (layered, fused)
    let (expected, layeredCache) = layered.forward(input)
    let (output, fusedCache) = fused.forward(input)
    #expect(error(output, expected) < tolerance)
    let upstream = Tensor<Double>(normal: output.shape, using: &generator)
    let expectedGradients = layered.gradients(upstream, layeredCache).named
    let gradients = fused.gradients(upstream, fusedCache).named
    #expect(gradients.map(\.name) == expectedGradients.map(\.name))
    for (gradient, expected) in zip(gradients, expectedGradients) {
      #expect(error(gradient.tensor, expected.tensor) < tolerance, "\(gradient.name)")
    }
    layered.track(layeredCache, rate: 0.3)
    fused.track(fusedCache, rate: 0.3)
    for (state, expected) in zip(fused.state, layered.state) {
      #expect(error(state.tensor, expected.tensor) < tolerance, "\(state.name)")
    }
    #expect(error(fused(input), layered(input)) < tolerance)
  }

  func error(_ a: Tensor<Double>, _ b: Tensor<Double>) -> Double {
    let largest = b.largestMagnitude
    return (a - b).largestMagnitude / (largest == 0 ? 1 : largest)
  }
}
