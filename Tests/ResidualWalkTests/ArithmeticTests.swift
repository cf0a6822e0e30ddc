import ResidualKernels
import ResidualLearning
import Testing

@testable import ResidualWalk

@Suite struct ArithmeticTests {
  @Test(arguments: Walks.all)
  func `For every tensor, the terms of a number add up to it`(walk: Walk) {
    var checked = 0
    func check(_ made: Arithmetic, _ result: Double) {
      #expect(made.relativeError < 1e-12, "\(made.title): \(made.sum) for \(made.result)")
      checked += 1
    }
    for k in walk.values.indices {
      for i in stride(from: 0, to: walk.values[k].count, by: 1 + walk.values[k].count / 50) {
        if let made = walk.valueArithmetic(k, i) {
          check(made, walk.values[k][flat: i])
          #expect(made.result == walk.values[k][flat: i])
        }
        let gradients = walk.gradientArithmetic(k, i)
        for made in gradients { check(made, made.result) }
        if let last = gradients.last { #expect(last.result == walk.gradients.nodes[k]![flat: i]) }
      }
    }
    for (number, (name, tensor)) in walk.parameters.enumerated() {
      for i in stride(from: 0, to: tensor.count, by: 1 + tensor.count / 20) {
        let made = walk.parameterArithmetic(number, i)
        check(made, made.result)
        #expect(made.result == walk.gradients.parameters[name]![flat: i])
        for step in walk.stepArithmetic(number, i) { check(step, step.result) }
      }
    }
    #expect(checked > 1000)
  }

  @Test func `A convolution's number has a product for each tap inside the image`() throws {
    let walk = Walks.small
    let k = try #require(walk.graph.node("stem.conv"))
    let corner = try #require(walk.valueArithmetic(k, 0))
    #expect(corner.terms.count == 2 * 2 * 3)
    let inside = try #require(walk.valueArithmetic(k, walk.values[k].shape.flat([0, 3, 4, 1])))
    #expect(inside.terms.count == 3 * 3 * 3)
    #expect(inside.terms[0].operands.map(\.name) == ["images[0, 2, 3, 0]", "stem.conv.weight[0, 0, 0, 1]"])
  }

  @Test func `Batch normalization hands back three terms, an addition names its two gradients`() throws {
    let walk = Walks.small
    let k = try #require(walk.graph.node("stages.0.blocks.0.conv1"))
    let three = walk.gradientArithmetic(k, 5)
    #expect(three.count == 1 && three[0].terms.count == 3)
    let x = walk.gradientArithmetic(walk.graph.blocks[1].input, 5)
    #expect(x.count == 3)
    #expect(
      x[2].terms.map { $0.operands[0].name }
        == ["from stages.0.blocks.0.conv1", "from stages.0.blocks.0.shortcut"])
  }
}
