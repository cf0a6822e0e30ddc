import Foundation
import ResidualKernels
import ResidualFiles
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct TrainingRunTests {
  private static let images = SyntheticImages.make(count: 50, seed: 9, size: 16)

  /// Ten steps on 45 images, 12 at a time: two epochs of four steps and half of a third.
  private func run(in folder: String? = nil, seed: UInt64 = 7, change: (inout Recipe) -> Void = { _ in }) throws
    -> TrainingRun
  {
    var recipe = Recipe.scaled(depth: 8, iterations: 10)
    (recipe.batch, recipe.validationShare) = (12, 0.1)
    change(&recipe)
    return try TrainingRun(
      .cifar(depth: 8, width: 4), recipe: recipe, images: Self.images, test: Self.images.prefix(20), seed: seed,
      folder: folder)
  }

  private func checkpoint(_ folder: String) throws -> Checkpoint {
    try Checkpoint(contentsOf: TrainingRun.checkpointPath(in: folder))
  }

  /// The lines of a table.
  private func lines(_ folder: String, _ name: String = "log.csv") throws -> [String] {
    try String(contentsOfFile: folder + "/" + name, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  /// The log without speed and time, which differ.
  private func log(_ folder: String) throws -> [String] {
    try lines(folder).map {
      $0.split(separator: ",", omittingEmptySubsequences: false).prefix(7).joined(separator: ",")
    }
  }

  @Test func `The rate falls by the error of held-out images, not by that of test images`() throws {
    let run = try run {
      ($0.validationShare, $0.iterations) = (0.3, 12)
      $0.plateau = PlateauSchedule(rate: 0.1, patience: 1, threshold: 0.01)
    }
    let result = try run.run()
    var expected = run.recipe.plateau!
    for epoch in result.epochs { expected.record(error: try #require(epoch.heldOutError)) }
    #expect(result.state.plateau == expected && result.epochs.count == 4)
    #expect(result.epochs.contains { $0.heldOutError != $0.testError })
  }

  private func bytes(_ folder: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: TrainingRun.checkpointPath(in: folder)))
  }

  @Test func `Every epoch is measured on all images that the recipe sets apart`() throws {
    let run = try run()
    #expect(run.training.count == 45 && run.heldOut.count == 5)
    var (epochs, steps) = ([Epoch](), 0)
    let result = try run.run { event in
      switch event {
      case .step: steps += 1
      case .epoch(let epoch): epochs.append(epoch)
      case .begins(let state): #expect(state.iteration == 0)
      case .ends(let epoch): #expect(epoch == epochs.last)
      case .recomputesStatistics, .notSaved: Issue.record("\(event)")
      }
    }
    #expect(steps == 10 && result.isFinished && result.epochs == epochs && result.divergence == nil)
    #expect(epochs.map(\.iteration) == [4, 8, 10] && epochs.map(\.number) == [1, 2, 3])
    // Divided by 10 at iterations 5 and 7; the last steps of the epochs have the numbers 3, 7 and 9.
    #expect(zip(epochs, [0.1, 0.001, 0.001]).allSatisfy { abs($0.rate - $1) < 1e-15 })
    #expect(zip(epochs, epochs.dropFirst()).allSatisfy { $0.seconds < $1.seconds && $0.imagesPerSecond > 0 })
    func error(_ network: some ImageClassifier<Float>, _ images: ImageDataset) -> Double {
      network.evaluate(images, normalization: result.normalization).error
    }
    #expect(epochs.last?.testError == error(result.network, run.test!))
    #expect(epochs.last?.heldOutError == error(result.network, run.heldOut))
  }

  @Test func `A run that is stopped after any step and goes on is the run that was left alone, bit for bit`() throws {
    let (whole, parts) = (try TemporaryFolder(), try TemporaryFolder())
    _ = try run(in: whole.path).run()
    var iterations: [Int] = []
    repeat {
      var steps = 0
      let from = iterations.isEmpty ? nil : try checkpoint(parts.path)
      let result = try run(in: parts.path).run(from: from) { event in
        if case .step = event { steps += 1 }
      } shouldStop: {
        steps == 3
      }
      iterations.append(result.state.iteration)
      #expect(result.isFinished == (result.state.iteration == 10))
    } while iterations.last! < 10 && iterations.count < 10
    #expect(iterations == [3, 6, 9, 10])
    #expect(try bytes(parts.path) == bytes(whole.path))
    #expect(try log(parts.path) == log(whole.path))
    #expect(try log(whole.path).map { $0.prefix { $0 != "," } } == ["iteration", "4", "8", "10"])
    // A run that is done changes nothing.
    let before = try lines(parts.path)
    let again = try run(in: parts.path).run(from: checkpoint(parts.path))
    #expect(again.isFinished && again.epochs.map(\.iteration) == [4, 8, 10])
    #expect(try bytes(parts.path) == bytes(whole.path))
    #expect(try lines(parts.path) == before)
    // One from before there was a log is measured, and is what it was.
    try FileManager.default.removeItem(atPath: parts.path + "/log.csv")
    #expect(try run(in: parts.path).run(from: checkpoint(parts.path)).epochs.map(\.iteration) == [10])
    #expect(try log(parts.path).last == log(whole.path).last)
    #expect(try bytes(parts.path) == bytes(whole.path))
  }

  @Test func `Time goes on where a stopped run had come to`() throws {
    let folder = try TemporaryFolder()
    var steps = 0
    _ = try run(in: folder.path).run {
      if case .step = $0 { steps += 1 }
    } shouldStop: {
      steps == 5
    }
    var cells = try lines(folder.path)[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    #expect(Double(cells[8])! > 0 && Double(cells[8])! < 1000)
    cells[8] = "1000"
    let log = try lines(folder.path)[0] + "\n" + cells.joined(separator: ",") + "\n"
    try Data(log.utf8).write(to: URL(fileURLWithPath: folder.path + "/log.csv"))
    let seconds = try run(in: folder.path).run(from: checkpoint(folder.path)).epochs.map(\.seconds)
    #expect(seconds.count == 3 && seconds[0] == 1000 && seconds[0] < seconds[1] && seconds[1] < seconds[2])
    #expect(seconds[2] < 1500)
  }

  @Test func `Gradients and responses have a row at the start and after every epoch, also after a stop`() throws {
    let (whole, parts) = (try TemporaryFolder(), try TemporaryFolder())
    func run(_ folder: TemporaryFolder) throws -> TrainingRun {
      var run = try self.run(in: folder.path)
      run.logsGradients = true
      return run
    }
    _ = try run(whole).run()
    var steps = 0
    _ = try run(parts).run {
      if case .step = $0 { steps += 1 }
    } shouldStop: {
      steps == 5
    }
    _ = try run(parts).run(from: checkpoint(parts.path))
    #expect(try bytes(parts.path) == bytes(whole.path))
    for name in ["gradients.csv", "responses.csv"] {
      let rows = try lines(whole.path, name)
      #expect(rows.map { $0.prefix { $0 != "," } } == ["iteration", "0", "4", "8", "10"])
      #expect(try lines(parts.path, name) == rows)
      // Eight weights (option A has none) and seven 3x3 layers, all with a signal.
      #expect(rows[0].split(separator: ",").count == (name == "gradients.csv" ? 9 : 8))
      for row in rows.dropFirst() { #expect(row.split(separator: ",").dropFirst().allSatisfy { Double($0)! > 1e-6 }) }
    }
    #expect(try lines(whole.path, "gradients.csv")[0].contains(",stages.1.blocks.0.conv2.weight,"))
    #expect(try lines(whole.path, "responses.csv")[0].contains(",stages.1.blocks.0.bn2,"))
    // Measuring does not touch the run.
    let plain = try TemporaryFolder()
    _ = try self.run(in: plain.path).run()
    #expect(try bytes(plain.path) == bytes(whole.path))
  }

  @Test func `A run whose loss is no number is saved where it stands, and says so again when it goes on`() throws {
    let folder = try TemporaryFolder()
    func run() throws -> TrainingRun { try self.run(in: folder.path) { $0.rate = 1e20 } }
    let result = try run().run()
    let divergence = try #require(result.divergence)
    #expect(!result.isFinished && divergence.iteration == result.state.iteration && divergence.iteration > 0)
    var steps = 0
    let again = try run().run(from: checkpoint(folder.path)) { if case .step = $0 { steps += 1 } }
    #expect(steps == 0 && again.divergence?.iteration == divergence.iteration && again.epochs == result.epochs)
  }

  @Test func `Another run cannot be continued, and what differs is said`() throws {
    let folder = try TemporaryFolder()
    _ = try run(in: folder.path).run()
    let before = try bytes(folder.path)
    let error = #expect(throws: InputError.self) {
      try run(in: folder.path, seed: 8) {
        $0.batch = 10
        $0.validationShare = 0
        $0.statisticsRate = 0.2
      }.run(from: checkpoint(folder.path))
    }
    #expect(
      error?.message.contains(
        "cannot be resumed: batch was 12 and is now 10; held-out share was 0.1 and is now 0.0; "
          + "rate of the statistics was 0.1 and is now 0.2; seed was 7 and is now 8; training set (--data, --limit) was 45"
      )
        == true, "\(error?.message ?? "")")
    #expect(try bytes(folder.path) == before)
  }

  @Test func `A new run in the folder of another keeps the other's checkpoint`() throws {
    let folder = try TemporaryFolder()
    _ = try run(in: folder.path).run()
    let before = try bytes(folder.path)
    _ = try run(in: folder.path, seed: 8).run()
    #expect(try bytes(folder.path) != before)
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path + "/earlier.safetensors")) == before)
    #expect(try lines(folder.path, "earlier.csv").count == 4 && lines(folder.path).count == 4)
    #expect(try lines(folder.path, "earlier.csv") != lines(folder.path))
  }

  @Test func `On the way a full or missing folder is told and the run goes on; at the end it is an error`() throws {
    let folder = try TemporaryFolder()
    try Data().write(to: URL(fileURLWithPath: folder.path + "/file"))
    var missed: [Int] = []
    let error = #expect(throws: InputError.self) {
      try run(in: folder.path + "/file").run { event in
        if case .notSaved(let iteration, _) = event { missed.append(iteration) }
      }
    }
    #expect(missed == [4, 8] && error?.message.contains("is a file") == true)
  }

  @Test func `Images that cannot be trained on are refused`() throws {
    #expect(throws: InputError("0 images are too few to train on")) {
      try TrainingRun(.cifar(depth: 8), recipe: Recipe(), images: Self.images.prefix(0), seed: 1)
    }
    #expect(throws: InputError("vgg16 takes square images of a multiple of 32 pixels, not 16x16")) {
      try TrainingRun(.vgg(depth: 16, width: 4, hidden: 8), recipe: Recipe(), images: Self.images, seed: 1)
    }
    #expect(throws: InputError.self) {
      try TrainingRun(.cifar(depth: 8), recipe: .imageNet(colors: nil, crop: 16), images: Self.images, seed: 1)
    }
  }
}
