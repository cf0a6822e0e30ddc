import Testing

@testable import ResidualLearning

@Suite struct RecipeTests {
  @Test func `Section 4.2's rate is 0.1, divided by 10 at 32k and at 48k iterations, until 64k`() {
    let recipe = Recipe.paper(depth: 20)
    #expect(recipe.iterations == 64_000)
    #expect(recipe.batch == 128 && recipe.momentum == 0.9 && recipe.decay == 1e-4 && recipe.warmUp == nil)
    for (iteration, rate) in [
      (0, 0.1), (31_999, 0.1), (32_000, 0.01), (47_999, 0.01), (48_000, 0.001), (63_999, 0.001),
    ] {
      #expect(abs(recipe.rate(at: iteration) - rate) < 1e-15, "\(iteration)")
    }
  }

  @Test func `An epoch of 45,000 images has 352 iterations: drops in epochs 91 and 137, the end in 182`() {
    let recipe = Recipe.paper(depth: 20)
    let length = recipe.iterationsPerEpoch(45_000)
    #expect(length == 352)
    #expect(recipe.milestones.map { $0 / length + 1 } == [91, 137])
    #expect((recipe.iterations - 1) / length + 1 == 182)
    #expect(recipe.iterationsPerEpoch(50_000) == 391)
  }

  @Test func `The warm-up's rate holds until it ends, whatever the schedule says`() {
    let recipe = Recipe.paper(depth: 110)
    #expect(recipe.warmUp == .init(rate: 0.01, untilError: 0.8))
    #expect(recipe.rate(at: 0, isWarmingUp: true) == 0.01)
    #expect(recipe.rate(at: 40_000, isWarmingUp: true) == 0.01)
    #expect(recipe.rate(at: 50_000, isWarmingUp: true) == 0.01)
    #expect(recipe.rate(at: 400) == 0.1)
    #expect(Recipe.paper(depth: 56).warmUp == nil)
    #expect(Recipe.paper(depth: 1202).warmUp != nil)
  }

  @Test func `A scaled recipe keeps the milestones at half and three quarters`() {
    let recipe = Recipe.scaled(depth: 20, iterations: 400)
    #expect(recipe.milestones == [200, 300])
    #expect(recipe.validationShare == 0)
    #expect(
      recipe.differences(fromPaperOfDepth: 20) == [
        "iterations 400, not 64000", "milestones [200, 300], not [32000, 48000]", "held-out share 0.0, not 0.1",
        "the velocity without the rate",
      ])
    #expect(Recipe.paper(depth: 110).differences(fromPaperOfDepth: 110).isEmpty)
    #expect(Recipe.imageNet(colors: nil).differences(fromPaperOfDepth: 18).isEmpty)
    #expect(Recipe.imageNet(colors: nil, crop: 64).differences(fromPaperOfDepth: 18) == ["crops of 64x64, not 224x224"])
    #expect([199, 200, 299, 300].map { recipe.rate(at: $0) } == [0.1, 0.01, 0.01, 0.001])
  }

  @Test(arguments: [(50, 45), (20, 18), (7, 6)])
  func `A split of any size has nine tenths to train on and no image twice`(count: Int, kept: Int) {
    let images = ImageDataset(
      height: 1, width: 1, channels: 3, pixels: (0..<count).flatMap { [UInt8($0), 0, 0] },
      labels: Array(repeating: 0, count: count), classNames: ["a"])
    let (training, heldOut) = images.split(for: .paper(depth: 20), seed: 1)
    #expect(training.count == kept)
    let numbers =
      (0..<training.count).map { training.image($0).first! } + (0..<heldOut.count).map { heldOut.image($0).first! }
    #expect(numbers.sorted() == (0..<count).map { UInt8($0) })
    #expect(images.split(for: .paper(depth: 20), seed: 1).heldOut == heldOut)
    #expect(images.split(for: .scaled(depth: 20, iterations: 1), seed: 1).heldOut.count == 0)
  }
}
