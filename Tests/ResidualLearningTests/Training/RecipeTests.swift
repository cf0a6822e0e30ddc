import Foundation
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
    #expect([199, 200, 299, 300].map { recipe.rate(at: $0) } == [0.1, 0.01, 0.01, 0.001])
  }

  @Test func `Where a recipe is not the paper's is said field by field, for the depth at hand`() {
    #expect(
      Recipe.scaled(depth: 20, iterations: 400).differences(fromPaperOfDepth: 20) == [
        "iterations 400, not 64000", "divided by 10 at 200 and 300, not 32000 and 48000",
        "velocity without the rate, not with the rate", "held-out share 0.0, not 0.1",
      ])
    for depth in [20, 110] { #expect(Recipe.paper(depth: depth).differences(fromPaperOfDepth: depth).isEmpty) }
    #expect(
      Recipe.paper(depth: 20).differences(fromPaperOfDepth: 110)
        == ["warm-up none, not with 0.01 until the training error is below 0.8"])
    #expect(Recipe.imageNet(colors: nil).differences(fromPaperOfDepth: 18).isEmpty)
    #expect(
      Recipe.imageNet(colors: nil, crop: 64).differences(fromPaperOfDepth: 18) == [
        "augmentation crops of 64x64 out of images with a shorter side of 73 to 137, flips, "
          + "not crops of 224x224 out of images with a shorter side of 256 to 480, flips"
      ])
  }

  @Test func `A recipe in one line has every field that says something`() {
    #expect(
      Recipe.paper(depth: 110).summary.hasPrefix(
        "batch 128; iterations 64000; rate 0.1; divided by 10 at 32000 and 48000; "
          + "warm-up with 0.01 until the training error is below 0.8; momentum 0.9; velocity with the rate; "
          + "weight decay 0.0001; decay of all parameters; augmentation crops of images padded by 4, flips; "
          + "held-out share 0.1; rate of the statistics 0.1; statistics at the end running"))
  }

  /// A field that the table leaves out would neither be saved nor compared.
  @Test func `The table has every field once, and each is saved and compared`() throws {
    #expect(Recipe.fields.count == Mirror(reflecting: Recipe()).children.count)
    #expect(Set(Recipe.fields.map(\.key.stringValue)).count == Recipe.fields.count)
    let plain = Recipe()
    let saved = try JSONSerialization.jsonObject(with: JSONEncoder().encode(plain)) as! [String: Any]
    #expect(saved.count == Recipe.fields.count)
    // Half of a number, the other Boolean; what is neither has a value here.
    let values: [String: Any] = [
      "milestones": [5], "plateau": ["rate": 0.1, "patience": 5, "threshold": 0.1, "best": 1, "waited": 0],
      "warmUp": ["rate": 7, "untilError": 0.5], "augmentation": ["padding": 0, "flips": false],
    ]
    for (key, old) in saved {
      var other = saved
      other[key] = values[key] ?? (old as? Bool).map { !$0 } ?? (old as? Double).map { $0 / 2 }
      let changed = try JSONDecoder().decode(Recipe.self, from: JSONSerialization.data(withJSONObject: other))
      #expect(changed != plain && changed.isSound && changed.changes(since: plain).count == 1, "\(key)")
      #expect(try JSONDecoder().decode(Recipe.self, from: JSONEncoder().encode(changed)) == changed)
    }
  }

  @Test
  func `The recipe of a checkpoint of the first version is read, and a field that it has not has the paper's value`()
    throws
  {
    let old = """
      {"augmentation":{"flips":true,"padding":4},"batch":64,"decay":0.0001,"decaysWeightsOnly":true,"iterations":64000,\
      "milestones":[32000,48000],"momentum":0.9,"rate":0.1,"recomputesStatistics":false,"statisticsRate":0.1,\
      "validationShare":0.1,"velocityHoldsRate":false}
      """
    let recipe = try JSONDecoder().decode(Recipe.self, from: Data(old.utf8))
    #expect(
      recipe.changes(since: .paper(depth: 20)) == [
        "batch was 128 and is now 64", "velocity was with the rate and is now without the rate",
        "decay of was all parameters and is now weights only",
      ])
    let without = old.replacing("\"statisticsRate\":0.1,", with: "")
    #expect(try JSONDecoder().decode(Recipe.self, from: Data(without.utf8)) == recipe)
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
