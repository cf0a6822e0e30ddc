import Testing

@testable import ResidualLearning

@Suite struct StandardChecksTests {
  @Test func `Every layer's gradients agree with finite differences to 1e-7`() {
    check(StandardCheck.layers, tolerance: 1e-7)
  }

  @Test func `Every shortcut's and block's gradients agree with finite differences to 1e-6`() {
    check(StandardCheck.blocks, tolerance: 1e-6)
  }

  @Test func `Whole networks' gradients agree with finite differences to 1e-6`() {
    check(StandardCheck.networks, tolerance: 1e-6)
  }

  @Test func `No two checks have one name, and another seed gives other numbers`() {
    #expect(Set(StandardCheck.all.map(\.name)).count == StandardCheck.all.count)
    let check = StandardCheck.layers[0]
    #expect(check.run(seed: 1).worstRelativeError == check.run(seed: 1).worstRelativeError)
    #expect(check.run(seed: 1).worstRelativeError != check.run(seed: 2).worstRelativeError)
  }

  private func check(_ checks: [StandardCheck], tolerance: Double) {
    #expect(!checks.isEmpty)
    for check in checks {
      let result = check.run(seed: 1)
      #expect(result.passed, "\(result.name): \(result.failure ?? "")")
      #expect(result.elements > 0 && result.worstRelativeError <= tolerance, "\(result.name)")
    }
  }
}
