// DetectionRun.swift: a classifier is trained, becomes a detector, and the detector is trained.
//
// Paper       He et al. 2015 §4.3, appendix A: initialised by the ImageNet classification models, then fine-tuned
// Command     resnet detect train
// Tests       Tests/ResidualDetectionTests/Training/DetectionRunTests.swift

import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning

/// The training of a detector as a value. It has two parts:
///
/// 1. The network is trained as a classifier, on pictures of one object each, with batch normalization as in §4.2.
/// 2. Its normalizations are fixed, its last layer is replaced, and the detector is trained on scenes.
///
/// A run in a folder leaves `trunk.safetensors`, the classifier, and `checkpoint.safetensors`, the detector, which is
/// written every two minutes, when the run is told to stop, and at its end; and `log.csv`, a row for every step.
public struct DetectionRun: Sendable {
  /// The detector.
  public var plan: DetectorPlan
  /// How the classifier is trained.
  public var trunkRecipe: Recipe
  /// How the detector is trained.
  public var recipe: DetectionRecipe
  /// The seed of all random numbers.
  public var seed: UInt64
  /// The pictures that the classifier is trained on.
  public let figures: ImageDataset
  /// The scenes that the detector is trained on.
  public let scenes: SceneDataset
  /// The folder that takes the results.
  public var folder: String

  /// What a run tells whoever watches it.
  public enum Event: Sendable {
    /// A step of the classifier is done.
    case trunkStep(TrainingStep, iteration: Int)
    /// A step of the detector is done.
    case step(DetectionTrainer.Step, iteration: Int)
    /// The checkpoint could not be written, and the run goes on.
    case notSaved(InputError)
  }

  /// A run.
  public init(
    _ plan: DetectorPlan, trunkRecipe: Recipe, recipe: DetectionRecipe, figures: ImageDataset, scenes: SceneDataset,
    seed: UInt64, folder: String
  ) {
    (self.plan, self.trunkRecipe, self.recipe, self.seed) = (plan, trunkRecipe, recipe, seed)
    (self.figures, self.scenes, self.folder) = (figures, scenes, folder)
  }

  /// Where the detector's checkpoint of a run in `folder` is.
  public static func checkpointPath(in folder: String) -> String { folder + "/checkpoint.safetensors" }
  /// Where its classifier is.
  public static func trunkPath(in folder: String) -> String { folder + "/trunk.safetensors" }
  /// Where its log is.
  public static func logPath(in folder: String) -> String { folder + "/log.csv" }

  /// Trains the classifier and writes it.
  ///
  /// - Returns: nil when it was told to stop; then nothing is written, and the next call begins again.
  /// - Throws: `Divergence` when the loss is not a number; `InputError` when the file cannot be written.
  public func trainTrunk(
    observe: (Event) -> Void = { _ in }, shouldStop: () -> Bool = { false }
  ) throws -> ResidualNetwork<Float>? {
    var generator = RandomGenerator(seed: seed)
    let network = ResidualNetwork<Float>(plan.architecture, using: &generator)
    let mean = scenes.meanColor.map { Float($0) }
    let pixels = figures.height * figures.width
    let normalization = PixelNormalization.perPixel(
      mean: Tensor([figures.height, figures.width, 3], (0..<pixels).flatMap { _ in mean }))
    var trainer = Trainer(
      network, recipe: trunkRecipe, images: figures, normalization: normalization, seed: seed)
    while !trainer.isFinished {
      let step = try trainer.step()
      observe(.trunkStep(step, iteration: trainer.state.iteration))
      if shouldStop() { return nil }
    }
    try Checkpoint(trainer, fingerprint: figures.fingerprint).write(to: Self.trunkPath(in: folder))
    return trainer.network
  }

  /// The classifier that an earlier call left in the folder, if it is this run's: of the same network, recipe, pictures
  /// and seed.
  ///
  /// - Throws: `InputError` when the file is damaged.
  public func savedTrunk() throws -> ResidualNetwork<Float>? {
    let path = Self.trunkPath(in: folder)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let checkpoint = try Checkpoint(contentsOf: path)
    let saved = checkpoint.description
    guard saved.architecture == plan.architecture && saved.recipe == trunkRecipe,
      saved.seed == seed && saved.images == figures.fingerprint
    else { return nil }
    return try checkpoint.network() as? ResidualNetwork<Float>
  }

  /// Trains the detector to the end, or until `shouldStop` says so.
  ///
  /// - Parameters:
  ///   - network: the classifier that it is made of.
  ///   - checkpoint: where an earlier call stopped; then `network` is not needed.
  ///   - observe: called with every event.
  ///   - shouldStop: asked after every step.
  /// - Returns: the trainer where it stands. Its checkpoint is written.
  /// - Throws: `InputError` when `checkpoint` is from other scenes, or when the last one cannot be written;
  ///   `Divergence` when the loss is not a number.
  public func train(
    from network: ResidualNetwork<Float>?, _ checkpoint: DetectionCheckpoint? = nil,
    observe: (Event) -> Void = { _ in }, shouldStop: () -> Bool = { false }
  ) throws -> DetectionTrainer {
    var trainer: DetectionTrainer
    if let checkpoint {
      trainer = try checkpoint.trainer(scenes: scenes)
    } else {
      guard let network else { preconditionFailure("a run begins from a network or a checkpoint") }
      var generator = RandomGenerator(seed: seed).fork(1)
      trainer = DetectionTrainer(
        Detector(plan, from: network, using: &generator), recipe: recipe, scenes: scenes,
        normalization: DetectionNormalization(mean: scenes.meanColor), seed: seed)
    }
    var log = DetectionLog(contentsOf: Self.logPath(in: folder), upTo: trainer.iteration)
    var lastSave = ProcessInfo.processInfo.systemUptime
    let fingerprint = scenes.fingerprint
    func save() throws {
      try DetectionCheckpoint(trainer, fingerprint: fingerprint).write(to: Self.checkpointPath(in: folder))
      try log.write(to: Self.logPath(in: folder))
      lastSave = ProcessInfo.processInfo.systemUptime
    }
    while !trainer.isFinished {
      let step = try trainer.step()
      log.append(step, iteration: trainer.iteration)
      observe(.step(step, iteration: trainer.iteration))
      if shouldStop() { break }
      if ProcessInfo.processInfo.systemUptime - lastSave > 120 {
        do { try save() } catch let error as InputError { observe(.notSaved(error)) }
      }
    }
    try save()
    return trainer
  }
}

/// `log.csv`: the losses and the rate of every step.
struct DetectionLog {
  static let header = "iteration,rate,loss,objectness,anchors,classes,boxes"
  private(set) var rows: [String] = []

  /// The rows of a file up to this iteration; none of a file that is not there or has other columns.
  init(contentsOf path: String, upTo last: Int) {
    let lines = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")
    guard last > 0, lines.first == Self.header[...] else { return }
    rows = lines.dropFirst().prefix(last).map(String.init)
  }

  mutating func append(_ step: DetectionTrainer.Step, iteration: Int) {
    let l = step.losses
    rows.append("\(iteration),\(step.rate),\(l.total),\(l.objectness),\(l.anchors),\(l.classes),\(l.boxes)")
  }

  func write(to path: String) throws {
    try AtomicFile.write(Data((([Self.header] + rows).joined(separator: "\n") + "\n").utf8), to: path)
  }
}
