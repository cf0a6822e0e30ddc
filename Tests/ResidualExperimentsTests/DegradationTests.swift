import Foundation
import ResidualExperiments
import ResidualFiles
import TestSupport
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
    #expect(comparison.curves.map(\.run.label) == ["plain8", "resnet8", "plain14", "resnet14"])
    #expect(steps == 16)
    #expect(comparison.curves.allSatisfy { $0.result.epochs.map(\.iteration) == [2, 4] })
    #expect(comparison.curves.flatMap(\.result.epochs).allSatisfy { $0.testError != nil && $0.trainingLoss > 0 })
    let plot = comparison.plot(plain: false)
    #expect(plot.series.map(\.name) == ["", "resnet8", "", "resnet14"])
    #expect(plot.series[1].points.map(\.y) == comparison.curves[1].result.epochs.map { 100 * $0.testError! })
  }

  @Test func `A network that diverges is said to, and the others go on`() throws {
    let runs = try runs([8], images: SyntheticImages.make(count: 10, seed: 1, size: 8)) {
      $0.iterations = 60
      $0.rate = 1e20
    }
    let comparison = try Degradation(runs)
    #expect(comparison.curves.count == 2)
    #expect(comparison.curves.allSatisfy { $0.result.divergence != nil && $0.last == nil })
    #expect(comparison.spread("plain8", \.trainingError) == nil)
  }

  @Test func `Side by side, the runs have the bits and the order that they have one after the other`() throws {
    let runs = try runs([8, 14], images: SyntheticImages.make(count: 20, seed: 1, size: 8))
    var (steps, ended) = (0, Set<String>())
    let (alone, together) = (
      try Degradation(runs),
      try Degradation(runs, sideBySide: true) { run, event in
        if case .step = event { steps += 1 }
        if case .ends = event { ended.insert(run.label) }
      }
    )
    #expect(steps == 16 && ended.count == 4)
    #expect(together.curves.map(\.run.label) == alone.curves.map(\.run.label))
    for (one, other) in zip(together.curves, alone.curves) {
      #expect(one.result.epochs.map(\.trainingLoss) == other.result.epochs.map(\.trainingLoss), "\(one.run.label)")
      #expect(one.result.epochs.map(\.testError) == other.result.epochs.map(\.testError), "\(one.run.label)")
    }
  }

  @Test func `Side by side, a run that cannot be saved stops the others`() throws {
    let folder = try TemporaryFolder()
    var runs = try runs([8, 14], images: SyntheticImages.make(count: 20, seed: 1, size: 8))
    for i in runs.indices { runs[i].folder = folder.path + "/\(i)" }
    runs[0].recipe.iterations = 2
    runs[0].folder = folder.path + "/file/0"
    try Data().write(to: URL(filePath: folder.path + "/file"))
    for i in 1..<4 { runs[i].recipe.iterations = 1_000_000 }
    #expect(throws: InputError.self) { try Degradation(runs, sideBySide: true) }
  }

  @Test func `Told to stop, no further network is begun`() throws {
    var steps = 0
    let runs = try runs([8, 14], images: SyntheticImages.make(count: 20, seed: 1, size: 8))
    let comparison = try Degradation(runs) { _, event in
      if case .step = event { steps += 1 }
    } shouldStop: {
      steps == 5
    }
    #expect(comparison.curves.map(\.run.label) == ["plain8", "resnet8"])
    #expect(!comparison.curves[1].result.isFinished)
  }

  @Test func `Several seeds of a network are one curve, their mean, with a deviation at the end`() throws {
    let images = SyntheticImages.make(count: 20, seed: 1, size: 8)
    let comparison = try Degradation(
      [UInt64(1), 2, 3].flatMap { seed in
        try runs([8], images: images).map { run in
          var run = run
          run.seed = seed
          return run
        }
      })
    #expect(comparison.labels == ["plain8", "resnet8"] && comparison.curves("resnet8").map(\.run.seed) == [1, 2, 3])
    let losses: [Double] = comparison.curves("resnet8").map { $0.last!.trainingLoss }
    #expect(Set(losses).count == 3)
    let loss = try #require(comparison.spread("resnet8", \.trainingLoss))
    #expect(abs(loss.mean - (losses[0] + losses[1] + losses[2]) / 3) < 1e-15)
    let error = try #require(comparison.spread("resnet8", \.trainingError))
    #expect(abs(comparison.plot(plain: false).series[0].points[1].y - 100 * error.mean) < 1e-12)
    #expect(Degradation.Spread([1, 2, 6]) == Degradation.Spread([6, 1, 2]))
    #expect(Degradation.Spread([1, 2, 6])?.deviation == 7.0.squareRoot() && Degradation.Spread([4])?.deviation == nil)
  }

  @Test func `Begun again, a comparison repeats nothing, and ends as if it had been left alone`() throws {
    let images = SyntheticImages.make(count: 20, seed: 1, size: 8)
    func runs(in folder: TemporaryFolder) throws -> [TrainingRun] {
      try self.runs([8], images: images).map { run in
        var run = run
        run.folder = folder.path + "/" + run.label
        return run
      }
    }
    let (whole, parts) = (try TemporaryFolder(), try TemporaryFolder())
    let expected = try Degradation(runs(in: whole))
    var (steps, calls) = (0, 0)
    var last: Degradation
    repeat {
      let limit = steps + 3
      last = try Degradation(runs(in: parts)) { _, event in
        if case .step = event { steps += 1 }
      } shouldStop: {
        steps == limit
      }
      calls += 1
    } while (last.curves.count < 2 || last.curves.contains { !$0.result.isFinished }) && calls < 10
    #expect(steps == 8 && calls == 3)
    for (a, b) in zip(last.curves, expected.curves) {
      #expect(a.result.epochs.map(\.testError) == b.result.epochs.map(\.testError))
      let bytes = try [a, b].map {
        try Data(contentsOf: URL(fileURLWithPath: $0.run.folder! + "/checkpoint.safetensors"))
      }
      #expect(bytes[0] == bytes[1])
    }
    // Another recipe for the second network is found before the first step.
    var others = try runs(in: parts)
    others[1].recipe.rate = 0.2
    #expect(throws: InputError.self) { try Degradation(others) { _, event in Issue.record("\(event)") } }
  }
}
