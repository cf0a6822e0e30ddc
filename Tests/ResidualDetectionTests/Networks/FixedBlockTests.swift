import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct FixedBlockTests {
  @Test(arguments: [false, true], [ShortcutOption.a, .b])
  func `A trunk of fixed blocks is the network's stages in inference`(plain: Bool, shortcut: ShortcutOption) {
    var generator = RandomGenerator(seed: 3)
    let architecture = Reduced.plan(plain: plain, shortcut: shortcut).architecture
    let plan = Reduced.plan(plain: plain, shortcut: shortcut)
    let images = Tensor<Double>(normal: [2, 32, 40, 3], using: &generator)
    var whole = RandomGenerator(seed: 7)
    let network = architecture.network(Double.self, fused: false, using: &whole)
    var same = RandomGenerator(seed: 7)
    let detector = Detector<Double>(plan, using: &same)
    // All stages, the last one too, then the mean: what the classifier sees.
    let logits = network(images)
    let features = GlobalAveragePool<Double>()(detector.head.stage(detector.trunk(images)))
    var parameters = network.parameters
    var tensors: [String: Tensor<Double>] = [:]
    parameters.visit("") { tensors[$0] = $1 }
    let classifier = Linear(weight: tensors["classifier.weight"]!, bias: tensors["classifier.bias"]!)
    let difference = classifier(features) - logits
    #expect(max(difference.maximum, -difference.minimum) < 1e-12)
  }

  @Test(arguments: [false, true], [ShortcutOption.a, .b])
  func `The gradient of a block is that of its output`(plain: Bool, shortcut: ShortcutOption) {
    var generator = RandomGenerator(seed: 5)
    let detector = Reduced.detector(Reduced.plan(plain: plain, shortcut: shortcut), using: &generator)
    for (b, block) in detector.trunk.stages.blocks.prefix(2).enumerated() {
      let input = Tensor<Double>(normal: [2, 5, 4, 2], using: &generator)
      let result = deep.run("block \(b)", block, input: input, using: &generator)
      #expect(result.passed, "\(result.tableRow)")
    }
  }
}
