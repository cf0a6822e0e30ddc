import Foundation
import ResidualKernels
import ResidualLearning
import TestSupport
import Testing

@testable import ResidualDetection

@Suite struct DetectionTrainerTests {
  let scenes = SyntheticScenes.make(count: 5, seed: 2, size: 64)

  func trainer(_ change: (inout DetectionRecipe) -> Void = { _ in }) -> DetectionTrainer {
    var plan = Reduced.plan()
    plan.classNames = scenes.classNames
    var generator = RandomGenerator(seed: 9)
    var recipe = DetectionRecipe.scenes(iterations: 12)
    recipe.batch = 2
    change(&recipe)
    return DetectionTrainer(
      Reduced.single(plan, using: &generator), recipe: recipe, scenes: scenes,
      normalization: DetectionNormalization(mean: scenes.meanColor), seed: 3)
  }

  @Test func `The rate rises, holds, and falls twice`() {
    let recipe = DetectionRecipe.scenes(iterations: 1000)
    #expect(recipe.warmUp == 50 && recipe.milestones == [750, 900])
    let rates = [0, 24, 49, 50, 749, 750, 899, 900].map(recipe.rate)
    let expected = [0.02 / 50, 0.01, 0.02, 0.02, 0.02, 0.002, 0.002, 0.0002]
    #expect(zip(rates, expected).allSatisfy { abs($0 - $1) < 1e-15 })
  }

  @Test func `A step lowers the loss of its own batch`() throws {
    var trainer = trainer {
      $0.warmUp = 0
      $0.rate = 0.005
      $0.flips = false
      $0.batch = 5
      $0.iterations = 12
    }
    let first = try trainer.step()
    for _ in 0..<10 { _ = try trainer.step() }
    let last = try trainer.step()
    #expect(last.losses.total < 0.8 * first.losses.total && first.count == 5)
    #expect(trainer.isFinished && trainer.iterationsPerEpoch == 1)
  }

  @Test func `The same seed gives the same bits, also with another number of threads`() throws {
    let threads = Parallel.threads
    defer { Parallel.threads = threads }
    var (one, two) = (trainer(), trainer())
    Parallel.threads = 1
    for _ in 0..<3 { _ = try one.step() }
    Parallel.threads = 2
    for _ in 0..<3 { _ = try two.step() }
    for (a, b) in zip(one.detector.state, two.detector.state) { #expect(a.tensor == b.tensor, "\(a.name)") }
  }

  @Test func `A run that goes on from its checkpoint ends with the same bits`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/detector.safetensors"
    var whole = trainer()
    for _ in 0..<3 { _ = try whole.step() }
    try DetectionCheckpoint(whole, fingerprint: scenes.fingerprint).write(to: path)
    var resumed = try DetectionCheckpoint(contentsOf: path).trainer(scenes: scenes)
    #expect(resumed.iteration == 3 && resumed.recipe == whole.recipe)
    while !whole.isFinished {
      let (a, b) = (try whole.step(), try resumed.step())
      // A resume that starts the warm-up again, or forgets that the rate has fallen, shows here.
      #expect(a.rate == b.rate && a.losses == b.losses)
    }
    for (a, b) in zip(whole.detector.state, resumed.detector.state) { #expect(a.tensor == b.tensor, "\(a.name)") }
    #expect(resumed.isFinished)
  }

  @Test func `The constants of batch normalization stay as they are`() throws {
    var trainer = trainer()
    let before = trainer.detector.state
    _ = try trainer.step()
    for (a, b) in zip(before, trainer.detector.state) {
      let isConstant = a.name.hasSuffix("bn1.scale") || a.name.hasSuffix("shift") || a.name.hasSuffix("scale")
      #expect((a.tensor == b.tensor) == isConstant, "\(a.name)")
    }
  }

  @Test func `A loss that is no number stops the run before anything changes`() throws {
    var trainer = trainer {
      $0.rate = 1e12; $0.warmUp = 0
    }
    #expect(throws: Divergence.self) { for _ in 0..<12 { _ = try trainer.step() } }
  }
}
