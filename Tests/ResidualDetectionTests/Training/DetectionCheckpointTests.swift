import Foundation
import ResidualFiles
import ResidualLearning
import TestSupport
import Testing

@testable import ResidualDetection

@Suite struct DetectionCheckpointTests {
  let scenes = SyntheticScenes.make(count: 2, seed: 2, size: 64)

  func checkpoint() throws -> DetectionCheckpoint {
    var plan = Reduced.plan(context: true)
    plan.classNames = scenes.classNames
    var generator = RandomGenerator(seed: 9)
    let trainer = DetectionTrainer(
      Reduced.single(plan, using: &generator), recipe: .scenes(iterations: 10), scenes: scenes,
      normalization: DetectionNormalization(mean: [0.1, 0.2, 0.3]), seed: 3)
    return try DetectionCheckpoint(trainer, fingerprint: scenes.fingerprint)
  }

  func written(_ body: (String, Data) throws -> Void) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/detector.safetensors"
    try checkpoint().write(to: path)
    try body(path, try #require(FileManager.default.contents(atPath: path)))
  }

  @Test func `A checkpoint comes back as it was`() throws {
    try written { path, _ in
      let read = try DetectionCheckpoint(contentsOf: path)
      #expect(read.description == (try checkpoint().description))
      let (a, b) = (try read.detector().state, try checkpoint().detector().state)
      #expect(a.map(\.name) == b.map(\.name))
      #expect(zip(a, b).allSatisfy { $0.tensor == $1.tensor })
    }
  }

  @Test func `It does not go on with other scenes`() throws {
    let other = SyntheticScenes.make(count: 2, seed: 3, size: 64)
    #expect(throws: InputError.self) { try checkpoint().trainer(scenes: other) }
  }

  @Test func `Damage is noticed`() throws {
    try written { _, data in
      var damaged = data
      damaged[damaged.count - 5] ^= 1
      #expect(throws: InputError.self) { try DetectionCheckpoint(SafeTensorsFile(decoding: damaged)) }
      #expect(throws: InputError.self) { try DetectionCheckpoint(SafeTensorsFile(decoding: data.dropLast(8))) }
    }
  }

  @Test func `A file of something else is refused in a sentence`() {
    #expect(
      throws: InputError("safetensors file is no checkpoint of a detector: its metadata have no entry 'resnet-detect'")
    ) { try DetectionCheckpoint(SafeTensorsFile()) }
  }

  @Test func `A description of what there cannot be is refused`() throws {
    let description = try checkpoint().description
    #expect(description.isSound)
    let changes: [(inout DetectionCheckpoint.Description) -> Void] = [
      { $0.iteration = 11 }, { $0.recipe.rate = .nan }, { $0.recipe.batch = 0 }, { $0.plan.bins = 0 },
      { $0.plan.anchors.scales = [] }, { $0.plan.anchors.ratios = [-1] }, { $0.plan.anchors.stride = 0 },
      { $0.plan.classNames = [] }, { $0.plan.regionObjectShare = 2 }, { $0.plan.anchorMatching.background = 0.9 },
      { $0.plan.architecture.stages[0].blocks = 0 }, { $0.plan.architecture.stages.removeLast(3) },
      { $0.normalization.mean = [1] }, { $0.plan.testProposals.limit = 0 },
    ]
    for (i, change) in changes.enumerated() {
      var wrong = description
      change(&wrong)
      #expect(!wrong.isSound, "change \(i)")
    }
  }
}
