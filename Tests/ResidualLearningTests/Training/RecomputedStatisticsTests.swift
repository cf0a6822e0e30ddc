import Testing

@testable import ResidualLearning

@Suite struct RecomputedStatisticsTests {
  private let images = SyntheticImages.make(count: 40, seed: 3, size: 16)

  private func trainer() -> Trainer<ResidualNetwork<Float>> {
    var generator = RandomGenerator(seed: 1)
    let network = ResidualNetwork<Float>(
      .cifar(depth: 8, options: .init(shortcut: .b), width: 8), using: &generator)
    var recipe = Recipe.scaled(depth: 8, iterations: 10)
    recipe.batch = 16
    return Trainer(network, recipe: recipe, images: images, normalization: .perPixel(of: images), seed: 1)
  }

  private func worst(_ a: Tensor<Float>, _ b: Tensor<Float>) -> Float {
    (a - b).largestMagnitude / b.largestMagnitude
  }

  @Test func `One batch gives that batch's own statistics`() {
    let trainer = trainer()
    let input = trainer.normalization.input(images, 0..<40)
    var expected = trainer.network
    expected.track(expected.forward(input).cache, rate: 1)
    let found = trainer.network.recomputedStatistics(over: [input])
    for ((name, a), (_, b)) in zip(found.state, expected.state) {
      #expect(zip(a.elements, b.elements).allSatisfy { abs($0 - $1) <= 1e-6 * max(1, abs($1)) }, "\(name)")
    }
  }

  @Test func `Batches of different sizes give the first layer the mean and variance of all pixels`() {
    let trainer = trainer()
    let batches = [0..<16, 16..<32, 32..<40].map { trainer.normalization.input(images, $0) }
    let found = trainer.network.recomputedStatistics(over: batches).stem.block.units[0].bn.running
    let unit = trainer.network.stem.block.units[0]
    let all = unit.bn.statistics(of: unit.conv(trainer.normalization.input(images, 0..<40)))
    #expect(zip(found.mean.elements, all.mean.elements).allSatisfy { abs($0 - $1) < 1e-6 })
    // Unbiased within batches of 2048 pixels or more: at most 1/2048 above the biased variance of all.
    #expect(worst(found.variance, all.variance) < 1e-3)
    // Without the variance of the batches' means it would be further off than that.
    let single = trainer.network.recomputedStatistics(
      over: (0..<40).map { trainer.normalization.input(images, $0..<$0 + 1) })
    #expect(worst(single.stem.block.units[0].bn.running.variance, all.variance) < 5e-3)
  }

  @Test func `After training they replace the moving averages and nothing else`() throws {
    var trainer = trainer()
    for _ in 0..<10 { _ = try trainer.step() }
    let before = trainer.network
    trainer.recomputeStatistics()
    for ((name, a), (_, b)) in zip(before.parameters.named, trainer.network.parameters.named) {
      #expect(a == b, "\(name)")
    }
    var moved = 0
    for ((name, a), (_, b)) in zip(before.state, trainer.network.state) where name.contains("running") {
      if worst(a, b) > 1e-3 { moved += 1 }
    }
    #expect(moved == 2 * 9)
    // Ten steps at rate 0.1 leave the moving averages with a third of where they began; the recomputed ones are true.
    let (moving, recomputed) = (
      before.evaluate(images, normalization: trainer.normalization).loss,
      trainer.network.evaluate(images, normalization: trainer.normalization).loss
    )
    #expect(recomputed < moving)
  }
}
