import Testing

@testable import ResidualLearning

@Suite struct DegradationTests {
  @Test func `Every depth is trained plain and residual, and each epoch is a point`() throws {
    let images = SyntheticImages.make(count: 20, seed: 1, size: 8)
    var steps = 0
    var finished: [String] = []
    let comparison = try Degradation(depths: [8, 14], training: images, test: images.prefix(10), seed: 1) { depth in
      var recipe = Recipe.scaled(depth: depth, iterations: 4)
      recipe.batch = 10
      return recipe
    } progress: { _, _ in
      steps += 1
    } finished: {
      finished.append($0.architecture.name)
    }
    #expect(finished == ["plain8", "resnet8", "plain14", "resnet14"])
    #expect(steps == 16)
    #expect(comparison.curves.allSatisfy { $0.points.map(\.iteration) == [2, 4] && !$0.diverged })
    #expect(comparison.curves.flatMap(\.points).allSatisfy { (0...1).contains($0.testError) && $0.trainingLoss > 0 })
    let plot = comparison.plot(plain: false)
    #expect(plot.series.map(\.name) == ["", "resnet8", "", "resnet14"])
    #expect(plot.series[1].points.map(\.y) == comparison.curves[1].points.map { 100 * $0.testError })
  }

  @Test func `A network that diverges is said to, and the others go on`() throws {
    let images = SyntheticImages.make(count: 10, seed: 1, size: 8)
    let comparison = try Degradation(depths: [8], training: images, test: images, seed: 1) { depth in
      var recipe = Recipe.scaled(depth: depth, iterations: 60)
      recipe.batch = 10
      recipe.rate = 1e20
      return recipe
    }
    #expect(comparison.curves.count == 2)
    #expect(comparison.curves.allSatisfy { $0.diverged })
  }
}
