import Testing

@testable import ResidualLearning

@Suite struct DegradationTests {
  private func runs(_ depths: [Int], images: ImageDataset, change: (inout Recipe) -> Void = { _ in }) throws
    -> [TrainingRun]
  {
    try Degradation.architectures(depths: depths, classes: 10).map { architecture in
      var recipe = Recipe.scaled(depth: architecture.weightedLayers, iterations: 4)
      recipe.batch = 10
      change(&recipe)
      return try TrainingRun(architecture, recipe: recipe, images: images, test: images.prefix(10), seed: 1)
    }
  }

  @Test func `Every depth is trained plain and residual, and each epoch is a point`() throws {
    var steps = 0
    let runs = try runs([8, 14], images: SyntheticImages.make(count: 20, seed: 1, size: 8))
    let comparison = try Degradation(runs) { _, event in
      if case .step = event { steps += 1 }
    }
    #expect(comparison.curves.map(\.architecture.name) == ["plain8", "resnet8", "plain14", "resnet14"])
    #expect(steps == 16)
    #expect(comparison.curves.allSatisfy { $0.epochs.map(\.iteration) == [2, 4] && !$0.diverged })
    #expect(comparison.curves.flatMap(\.epochs).allSatisfy { $0.test?.count == 10 && $0.trainingLoss > 0 })
    let plot = comparison.plot(plain: false)
    #expect(plot.series.map(\.name) == ["", "resnet8", "", "resnet14"])
    #expect(plot.series[1].points.map(\.y) == comparison.curves[1].epochs.map { 100 * $0.test!.error })
  }

  @Test func `A network that diverges is said to, and the others go on`() throws {
    let runs = try runs([8], images: SyntheticImages.make(count: 10, seed: 1, size: 8)) {
      $0.iterations = 60
      $0.rate = 1e20
    }
    let comparison = try Degradation(runs)
    #expect(comparison.curves.count == 2)
    #expect(comparison.curves.allSatisfy { $0.diverged })
  }

  @Test func `Told to stop, no further network is begun`() throws {
    var steps = 0
    let runs = try runs([8, 14], images: SyntheticImages.make(count: 20, seed: 1, size: 8))
    let comparison = try Degradation(runs) { _, event in
      if case .step = event { steps += 1 }
    } shouldStop: {
      steps == 5
    }
    #expect(comparison.curves.map(\.architecture.name) == ["plain8", "resnet8"])
    #expect(comparison.curves[1].result?.isFinished == false)
  }
}
