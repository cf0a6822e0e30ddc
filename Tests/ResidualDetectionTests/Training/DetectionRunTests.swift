import Foundation
import ResidualLearning
import TestSupport
import Testing

@testable import ResidualDetection

@Suite struct DetectionRunTests {
  func run(in folder: TemporaryFolder) -> DetectionRun {
    let scenes = SyntheticScenes.make(count: 4, seed: 2, size: 64)
    var plan = Reduced.plan()
    plan.classNames = scenes.classNames
    plan.architecture.classes = 10
    var trunkRecipe = Recipe.trunk(depth: 10)
    trunkRecipe.scale(to: 3)
    trunkRecipe.batch = 10
    var recipe = DetectionRecipe.scenes(iterations: 6)
    recipe.batch = 2
    return DetectionRun(
      plan, trunkRecipe: trunkRecipe, recipe: recipe, figures: SyntheticImages.make(count: 20, seed: 1), scenes: scenes,
      seed: 5, folder: folder.path)
  }

  @Test func `A run that is stopped and goes on leaves the same detector and log as one that is not`() throws {
    let (whole, stopped) = (try TemporaryFolder(), try TemporaryFolder())
    let network = try #require(try run(in: whole).trainTrunk())
    let expected = try run(in: whole).train(from: network)
    #expect(expected.isFinished && whole.files == ["checkpoint.safetensors", "log.csv", "trunk.safetensors"])

    var steps = 0
    let first = try run(in: stopped).train(
      from: network,
      shouldStop: {
        steps += 1; return steps == 4
      })
    #expect(first.iteration == 4)
    let checkpoint = try DetectionCheckpoint(contentsOf: DetectionRun.checkpointPath(in: stopped.path))
    let resumed = try run(in: stopped).train(from: nil, checkpoint)
    for (a, b) in zip(expected.detector.state, resumed.detector.state) { #expect(a.tensor == b.tensor, "\(a.name)") }
    func log(_ folder: TemporaryFolder) throws -> String {
      try String(contentsOfFile: DetectionRun.logPath(in: folder.path), encoding: .utf8)
    }
    #expect(try log(whole) == log(stopped))
    let lines = try log(whole).split(separator: "\n")
    #expect(lines.count == 7 && lines[0] == "iteration,rate,loss,objectness,anchors,classes,boxes")
    #expect(lines.dropFirst().map { $0.prefix { $0 != "," } } == ["1", "2", "3", "4", "5", "6"])
  }

  @Test func `The classifier of a run is a checkpoint of its own`() throws {
    let folder = try TemporaryFolder()
    let network = try #require(try run(in: folder).trainTrunk())
    let checkpoint = try Checkpoint(contentsOf: DetectionRun.trunkPath(in: folder.path))
    let read = try #require(try checkpoint.network() as? ResidualNetwork<Float>)
    for (a, b) in zip(network.state, read.state) { #expect(a.tensor == b.tensor, "\(a.name)") }

    // A run that goes on takes it, another one does not.
    let saved = try #require(try run(in: folder).savedTrunk())
    for (a, b) in zip(network.state, saved.state) { #expect(a.tensor == b.tensor, "\(a.name)") }
    var other = run(in: folder)
    other.seed += 1
    #expect(try other.savedTrunk()?.state.count == nil)
    #expect(try run(in: TemporaryFolder()).savedTrunk()?.state.count == nil)
  }

  @Test func `A classifier that is stopped leaves nothing`() throws {
    let folder = try TemporaryFolder()
    let network = try run(in: folder).trainTrunk(shouldStop: { true })
    #expect(network.map(\.parameters.count) == nil)
    #expect(folder.files == [])
  }
}
