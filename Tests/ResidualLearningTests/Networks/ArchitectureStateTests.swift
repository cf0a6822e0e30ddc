import ResidualKernels
import Testing

@testable import ResidualLearning

@Suite struct ArchitectureStateTests {
  @Test(arguments: ShortcutOption.allCases)
  func `The list is that of the network itself`(shortcut: ShortcutOption) {
    let options = Architecture.Options(shortcut: shortcut)
    var generator = RandomGenerator(seed: 1)
    for architecture in [
      Architecture.cifar(depth: 14, options: options, width: 4),
      .cifar(depth: 8, plain: true, options: options, width: 3),
      .imageNet(depth: 18, options: options, classes: 7, width: 4),
      .imageNet(depth: 50, options: options, classes: 5, width: 4),
      .vgg(depth: 16, classes: 5, width: 4, hidden: 6, imageSize: 64),
    ] {
      let network = architecture.network(Float.self, using: &generator)
      let expected = network.state.map { "\($0.name) \($0.tensor.shape)" }
      let listed = (architecture.parameterShapes + architecture.statisticShapes).map { "\($0.name) \($0.shape)" }
      #expect(listed == expected)
    }
  }
}
