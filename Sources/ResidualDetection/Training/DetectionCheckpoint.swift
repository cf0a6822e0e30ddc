// DetectionCheckpoint.swift: a detector's training run in one file.
//
// Tests       Tests/ResidualDetectionTests/Training/DetectionCheckpointTests.swift

import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning

/// A detector, and the training run it is from, as one safetensors file.
///
/// | tensors                            | what                                           |
/// |:-----------------------------------|:-----------------------------------------------|
/// | `trunk.stem.conv.weight`, …        | the parameters under their names               |
/// | `trunk.stem.bn.scale`, …           | the constants of the fixed normalizations      |
/// | `velocity.trunk.stem.conv.weight`, … | the optimiser's velocities                   |
///
/// The metadata hold the rest as JSON. The order of the scenes, the flips and the samples are functions of the seed and
/// of the number of the step, so they need no place of their own. A checksum over all of it shows damage.
public struct DetectionCheckpoint: Sendable {
  /// What the metadata say of a run.
  public struct Description: Equatable, Codable, Sendable {
    /// The detector.
    public var plan: DetectorPlan
    /// How it is trained.
    public var recipe: DetectionRecipe
    /// Steps done.
    public var iteration: Int
    /// The seed of the run.
    public var seed: UInt64
    /// The mean colour that is subtracted.
    public var normalization: DetectionNormalization
    /// The training scenes: how many, and a checksum of them.
    public var scenes: String
  }

  /// What the file says of itself.
  public let description: Description
  private let file: SafeTensorsFile

  private static let key = "resnet-detect"

  /// The run of `trainer` as it stands. `fingerprint` is the training scenes' ``SceneDataset/fingerprint``.
  ///
  /// - Throws: what `JSONEncoder` throws for a recipe with an infinite number.
  public init(_ trainer: DetectionTrainer, fingerprint: String) throws {
    description = Description(
      plan: trainer.detector.plan, recipe: trainer.recipe, iteration: trainer.iteration, seed: trainer.seed,
      normalization: trainer.normalization, scenes: fingerprint)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    var file = SafeTensorsFile(metadata: [Self.key: String(decoding: try encoder.encode(description), as: UTF8.self)])
    for (name, tensor) in trainer.detector.state { file.append(name, shape: tensor.shape.sizes, tensor.elements) }
    for (name, tensor) in trainer.optimizer.velocity.named {
      file.append("velocity." + name, shape: tensor.shape.sizes, tensor.elements)
    }
    file.seal()
    self.file = file
  }

  /// Reads a checkpoint.
  ///
  /// - Throws: `InputError` when the file cannot be read, is damaged, or is no checkpoint of a detector.
  public init(contentsOf path: String) throws { try self.init(SafeTensorsFile(contentsOf: path)) }

  /// The checkpoint in a safetensors file.
  ///
  /// - Throws: `InputError` when it is damaged or no checkpoint of a detector: without a description, with one that there
  ///   cannot be, or with other tensors than the description says.
  public init(_ file: SafeTensorsFile) throws {
    guard let text = file.metadata[Self.key] else {
      throw InputError("\(file.source) is no checkpoint of a detector: its metadata have no entry '\(Self.key)'")
    }
    try file.checkSeal()
    do {
      description = try JSONDecoder().decode(Description.self, from: Data(text.utf8))
    } catch {
      throw InputError("\(file.source) is a checkpoint of another version: its description cannot be read")
    }
    guard description.isSound else {
      throw InputError("\(file.source) describes a detector or a run that there cannot be")
    }
    self.file = file
    // What a description may say is compared with the file's size before anything of that size is built.
    let elements = file.entries.reduce(0) { $0 + $1.bytes.count / 4 }
    guard Summary(description.plan.architecture).parameters <= elements else {
      throw InputError("\(file.source) is too short for the detector that it describes")
    }
    var expected = description.plan.skeleton.state.map { (name: $0.name, shape: $0.tensor.shape.sizes) }
    expected += description.plan.skeleton.parameters.named.map { ("velocity." + $0.name, $0.tensor.shape.sizes) }
    try file.check(expected: expected)
  }

  /// Writes the checkpoint. What was at `path` stays until the new file is complete on disk.
  ///
  /// - Throws: `InputError` when it cannot be written.
  public func write(to path: String) throws { try file.write(to: path) }

  /// The trained detector.
  ///
  /// - Throws: `InputError` when a tensor of the file cannot be read.
  public func detector() throws -> Detector<Float> {
    var detector = description.plan.skeleton
    try detector.visitState { name, tensor in tensor = Tensor(tensor.shape, try file.floats(name)) }
    return detector
  }

  /// The run as it stood, to go on with `scenes`.
  ///
  /// - Throws: `InputError` when the scenes are not those that it began with.
  public func trainer(scenes: SceneDataset) throws -> DetectionTrainer {
    guard scenes.fingerprint == description.scenes else {
      throw InputError(
        "\(file.source) was trained on \(description.scenes), it cannot go on with \(scenes.fingerprint)")
    }
    let detector = try detector()
    var velocity = detector.parameters
    var failure: (any Error)?
    velocity.visit("velocity.") { name, tensor in
      do { tensor = Tensor(tensor.shape, try file.floats(name)) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
    return DetectionTrainer(
      detector, recipe: description.recipe, scenes: scenes, normalization: description.normalization,
      seed: description.seed, iteration: description.iteration, velocity: velocity)
  }
}

extension Detector {
  /// Every parameter and every constant under its name.
  public var state: [(name: String, tensor: Tensor<Scalar>)] {
    var copy = self
    var result = parameters.named
    copy.visitConstants("") { name, tensor in result.append((name, tensor)) }
    return result
  }

  /// Visits every parameter and constant, which `body` may replace.
  mutating func visitState(_ body: (String, inout Tensor<Scalar>) throws -> Void) throws {
    var failure: (any Error)?
    func visit(_ name: String, _ tensor: inout Tensor<Scalar>) {
      guard failure == nil else { return }
      do { try body(name, &tensor) } catch { failure = error }
    }
    var parameters = parameters
    parameters.visit("", visit)
    visitConstants("", visit)
    if let failure { throw failure }
    self.parameters = parameters
  }
}

extension SceneDataset {
  /// How many scenes there are, and a checksum of their pictures, boxes and labels.
  public var fingerprint: String {
    var sum = Checksum64()
    for scene in scenes {
      sum.add(UInt64(scene.picture.height))
      sum.add(UInt64(scene.picture.width))
      sum.add(Data(scene.picture.pixels))
      for object in scene.objects {
        for side in [object.box.left, object.box.top, object.box.right, object.box.bottom] { sum.add(side.bitPattern) }
        sum.add(UInt64(object.label))
      }
    }
    return "\(count) scenes with \(objectCount) objects, \(sum.hexadecimal)"
  }
}

// MARK: - Soundness

extension DetectionCheckpoint.Description {
  /// Whether there can be such a run: a file may say anything, also what would stop the program later.
  var isSound: Bool {
    plan.isSound && recipe.isSound && (0...recipe.iterations).contains(iteration)
      && normalization.mean.count == 3 && normalization.mean.allSatisfy { $0.isFinite }
  }
}

extension DetectorPlan {
  /// Whether a detector can be built of it.
  var isSound: Bool {
    let sizes = anchors.scales + anchors.ratios
    let shares = [anchorObjectShare, regionObjectShare]
    return architecture.isSound && (2...8).contains(architecture.stages.count) && architecture.takesAnySize
      && (1...1000).contains(classNames.count) && (1...64).contains(bins) && anchors.stride > 0
      && (1...16).contains(anchors.scales.count) && (1...16).contains(anchors.ratios.count)
      && sizes.allSatisfy { $0.isFinite && $0 > 0 && $0 < 1e6 } && anchorMatching.isSound && proposalMatching.isSound
      && (1...1 << 20).contains(anchorSample) && (1...1 << 20).contains(regionSample)
      && shares.allSatisfy { (0...1).contains($0) } && trainingProposals.isSound && testProposals.isSound
  }

  /// A detector of this plan; its numbers mean nothing.
  var skeleton: Detector<Float> {
    var generator = RandomGenerator(seed: 0)
    return Detector(self, using: &generator)
  }
}

extension Matching {
  fileprivate var isSound: Bool {
    [object, background, backgroundFloor].allSatisfy { (0...1).contains($0) } && background <= object
  }
}

extension ProposalSettings {
  fileprivate var isSound: Bool {
    (1...1 << 20).contains(candidates) && (1...1 << 20).contains(limit) && threshold.isFinite && smallestSide.isFinite
  }
}

extension DetectionRecipe {
  fileprivate var isSound: Bool {
    (1...65536).contains(batch) && (0...1 << 40).contains(iterations) && (0...1 << 40).contains(warmUp)
      && [rate, momentum, decay].allSatisfy { $0.isFinite && $0 >= 0 }
  }
}
