import Foundation
import Testing

@testable import ResidualLearning

@Suite struct PlateauScheduleTests {
  @Test func `The rate is divided by 10 when the error stops falling, and not before`() {
    var schedule = PlateauSchedule(rate: 0.1, patience: 2, threshold: 0.01)
    let falls = [0.9, 0.8, 0.795, 0.7, 0.7, 0.699, 0.5, 0.5, 0.5, 0.5, 0.5].map { error in
      schedule.record(error: error)
      return (-log10(schedule.rate) - 1).rounded()
    }
    #expect(falls == [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3])
    #expect(abs(schedule.rate - 1e-4) < 1e-12)
    #expect(schedule.best == 0.5)
  }

  @Test func `The trainer's rate follows it`() throws {
    var recipe = Recipe.imageNet(colors: nil, crop: 8)
    recipe.batch = 4
    recipe.plateau = PlateauSchedule(rate: 0.1, patience: 1)
    let images = SyntheticImages.make(count: 8, seed: 1, size: 16)
    var generator = RandomGenerator(seed: 1)
    let network = ResidualNetwork<Float>(.cifar(depth: 8, width: 2), using: &generator)
    var trainer = Trainer(
      network, recipe: recipe, images: images, normalization: .perPixel(of: images, size: 8), seed: 1)
    #expect(try trainer.step().rate == 0.1)
    trainer.report(validationError: 0.9)
    #expect(trainer.state.plateau?.rate == 0.1)
    trainer.report(validationError: 0.9)
    #expect(try trainer.step().rate == 0.01)
    #expect(trainer.state.plateau?.best == 0.9)
  }
}
