// TrainingRun.swift: the one training loop, from the first step or from a checkpoint to the end.
//
// Paper       He et al. 2015 §4.2, §3.4
// Command     resnet train, resnet compare, resnet responses
// Tests       Tests/ResidualLearningTests/Training/TrainingRunTests.swift

import Foundation
import ResidualFiles
import ResidualKernels

/// How one epoch went.
public struct Epoch: Equatable, Sendable {
  /// Steps from the start of the run to the end of this epoch.
  public var iteration: Int
  /// The number of the epoch, from 1.
  public var number: Int
  /// The learning rate of the epoch's last step.
  public var rate: Double
  /// The mean loss of the images during the epoch.
  public var trainingLoss: Double
  /// The share of images classified wrong during the epoch, 0 to 1.
  public var trainingError: Double
  /// The held-out images after the epoch, where the recipe holds some out.
  public var heldOut: Evaluation?
  /// The test images after the epoch, where the run has some.
  public var test: Evaluation?
}

/// A training run as a value: what is trained, how, and on which images. ``run(from:observe:shouldStop:)`` runs it.
///
/// A run in a folder saves `checkpoint.safetensors` there after every epoch, every two minutes in between, and when it
/// is told to stop.
public struct TrainingRun: Sendable {
  /// The network.
  public var architecture: Architecture
  /// How the network is trained.
  public var recipe: Recipe
  /// The seed of all random numbers.
  public var seed: UInt64
  /// The images that the network is trained on.
  public let training: ImageDataset
  /// The images that the recipe holds out.
  public let heldOut: ImageDataset
  /// The images that the network is tested with after every epoch, if any.
  public var test: ImageDataset?
  /// The folder that takes the checkpoint. Without one nothing is saved.
  public var folder: String?
  /// Whether the fused kernels compute the blocks, in fewer passes over memory.
  public var fusesBlocks = true

  private let fingerprint: String

  /// What a run reports to whoever watches it.
  public enum Event: Sendable {
    /// A step is done; where training stands after it.
    case step(TrainingStep, TrainingState)
    /// The last step is done and the statistics are computed again.
    case recomputesStatistics
    /// An epoch is done.
    case epoch(Epoch)
    /// The checkpoint could not be written, and the run goes on: the disk may have room again when the next one is due.
    case notSaved(iteration: Int, InputError)
  }

  /// What became of a run.
  public struct Result: Sendable {
    /// The network as it is now.
    public let network: any ImageClassifier<Float>
    /// How the network needs its images to be normalized.
    public let normalization: PixelNormalization
    /// Where training stands.
    public let state: TrainingState
    /// The last finished epoch, if there is one.
    public let lastEpoch: Epoch?
    /// The median speed of all steps of this call; 0 if there was none.
    public let imagesPerSecond: Double
    /// Whether all steps of the recipe are done.
    public let isFinished: Bool
  }

  /// A run that trains on the part of `images` that the recipe does not hold out.
  ///
  /// - Throws: `InputError` when there are too few images, or when they have a size that the network cannot take.
  public init(
    _ architecture: Architecture, recipe: Recipe, images: ImageDataset, test: ImageDataset? = nil, seed: UInt64,
    folder: String? = nil
  ) throws {
    (self.architecture, self.recipe, self.seed, self.test, self.folder) = (architecture, recipe, seed, test, folder)
    // The split is the same for every seed, so that runs of several seeds are comparable.
    (training, heldOut) = images.split(for: recipe, seed: 45)
    fingerprint = training.fingerprint
    guard training.count > 0 else { throw InputError("\(images.count) images are too few to train on") }
    guard recipe.plateau == nil || heldOut.count > 0 else {
      throw InputError("\(images.count) images are too few to hold some out, whose error tells when the rate falls")
    }
    if let crop = recipe.augmentation.scaled?.size {
      try self.architecture.fit(height: crop, width: crop)
    } else if !architecture.takesAnySize {
      try self.architecture.fit(height: training.height, width: training.width)
    }
  }

  /// Where the checkpoint of a run in `folder` is.
  public static func checkpointPath(in folder: String) -> String { folder + "/checkpoint.safetensors" }

  /// Runs to the end, or until `shouldStop`, which is asked after every step, says so.
  ///
  /// - Parameters:
  ///   - checkpoint: where an earlier call stopped; without one the run begins. What is found in the folder then keeps
  ///     a second name, `earlier.safetensors`.
  ///   - observe: called with every event.
  /// - Throws: ``Divergence``; `InputError` when `checkpoint` is that of another run, or when the run cannot be saved
  ///   at its end or where it stops.
  public func run(
    from checkpoint: Checkpoint? = nil, observe: (Event) -> Void = { _ in }, shouldStop: () -> Bool = { false }
  ) throws -> Result {
    var generator = RandomGenerator(seed: seed)
    return try run(
      architecture.network(fused: fusesBlocks, using: &generator), from: checkpoint, observe: observe,
      shouldStop: shouldStop)
  }

  private func run<Network: ImageClassifier<Float>>(
    _ network: Network, from checkpoint: Checkpoint?, observe: (Event) -> Void, shouldStop: () -> Bool
  ) throws -> Result {
    if let checkpoint { try check(checkpoint) }
    var trainer = try trainer(network, from: checkpoint)
    if checkpoint == nil { try keepEarlierCheckpoint() }

    var lastSave = Self.now
    var speeds: [Double] = []
    var lastEpoch: Epoch?
    while !trainer.isFinished {
      let start = Self.now
      let step = try trainer.step()
      speeds.append(Double(step.count) / (Self.now - start))
      observe(.step(step, trainer.state))
      if trainer.isFinished && recipe.recomputesStatistics {
        observe(.recomputesStatistics)
        trainer.recomputeStatistics()
      }
      let stops = shouldStop() && !trainer.isFinished
      if trainer.state.iteration % trainer.iterationsPerEpoch == 0 || trainer.isFinished {
        let epoch = try finishEpoch(&trainer, rate: step.rate)
        try save(trainer, mayFail: !trainer.isFinished && !stops, observe)
        observe(.epoch(epoch))
        (lastEpoch, lastSave) = (epoch, Self.now)
      } else if stops || Self.now - lastSave > 120 {
        try save(trainer, mayFail: !stops, observe)
        lastSave = Self.now
      }
      if stops { break }
    }
    if speeds.isEmpty {
      lastEpoch = try epoch(of: trainer, rate: recipe.rate(at: recipe.iterations - 1, plateau: trainer.state.plateau))
      observe(.epoch(lastEpoch!))
    }
    return Result(
      network: trainer.network, normalization: trainer.normalization, state: trainer.state, lastEpoch: lastEpoch,
      imagesPerSecond: speeds.sorted().dropFirst(speeds.count / 2).first ?? 0, isFinished: trainer.isFinished)
  }

  /// Seconds on a clock that only goes forward.
  private static var now: Double { ProcessInfo.processInfo.systemUptime }

  // MARK: - Beginning and going on

  private func trainer<Network: ImageClassifier<Float>>(
    _ network: Network, from checkpoint: Checkpoint?
  ) throws -> Trainer<Network> {
    let crop = recipe.augmentation.scaled?.size
    guard let checkpoint else {
      let normalization: PixelNormalization = crop.map { .perPixel(of: training, size: $0) } ?? .perPixel(of: training)
      return Trainer(network, recipe: recipe, images: training, normalization: normalization, seed: seed)
    }
    let network = try checkpoint.loaded(network)
    return Trainer(
      network, recipe: recipe, images: training,
      normalization: try checkpoint.normalization(height: crop ?? training.height, width: crop ?? training.width),
      seed: seed, state: checkpoint.description.state, velocity: try checkpoint.velocity(like: network.parameters))
  }

  /// Refuses to resume the run of another network, recipe or data set, and says what differs.
  private func check(_ checkpoint: Checkpoint) throws {
    let old = checkpoint.description
    var differences: [String] = []
    func compare<Value: Equatable>(_ what: String, _ before: Value, _ now: Value) {
      if before != now { differences.append("\(what) was \(before) and is now \(now)") }
    }
    let (before, now) = (old.architecture, architecture)
    compare("network", before.name, now.name)
    compare("shortcut", before.options.shortcut.rawValue, now.options.shortcut.rawValue)
    compare("placement of zeros", before.options.zeros.rawValue, now.options.zeros.rawValue)
    compare("bottleneck's stride", before.options.stridePlacement.rawValue, now.options.stridePlacement.rawValue)
    compare("number of classes", before.classes, now.classes)
    if differences.isEmpty && before != now { differences.append("network has other options") }
    differences += recipe.changes(since: old.recipe)
    compare("seed", old.seed, seed)
    compare("training set (--data, --limit)", old.images, fingerprint)
    guard differences.isEmpty else {
      throw InputError("\(checkpoint.source) cannot be resumed: " + differences.joined(separator: "; "))
    }
  }

  /// A new run in the folder of another takes nothing away: the other's checkpoint gets a second name, and keeps the
  /// first until this run saves.
  private func keepEarlierCheckpoint() throws {
    guard let folder, FileManager.default.fileExists(atPath: Self.checkpointPath(in: folder)) else { return }
    try AtomicFile.keep(Self.checkpointPath(in: folder), as: folder + "/earlier.safetensors")
  }

  // MARK: - The end of an epoch

  /// Measures the epoch that is done, and tells the plateau schedule the held-out error: before the checkpoint is
  /// written, which holds the rate.
  private func finishEpoch<Network>(_ trainer: inout Trainer<Network>, rate: Double) throws -> Epoch {
    let epoch = try epoch(of: trainer, rate: rate)
    if let heldOut = epoch.heldOut { trainer.report(validationError: heldOut.error) }
    return epoch
  }

  private func epoch<Network>(of trainer: Trainer<Network>, rate: Double) throws -> Epoch {
    let state = trainer.state
    let count = Double(max(state.epochCount, 1))
    return Epoch(
      iteration: state.iteration, number: (state.iteration - 1) / trainer.iterationsPerEpoch + 1, rate: rate,
      trainingLoss: state.epochLoss / count, trainingError: Double(state.epochErrors) / count,
      heldOut: heldOut.count > 0 ? try evaluate(trainer, heldOut) : nil,
      test: try test.map { try evaluate(trainer, $0) })
  }

  /// Classifies images in a single view: as they are or, where crops of another size are trained on, resized to that.
  private func evaluate<Network>(_ trainer: Trainer<Network>, _ images: ImageDataset) throws -> Evaluation {
    guard let crop = recipe.augmentation.scaled?.size else {
      return trainer.network.evaluate(images, normalization: trainer.normalization)
    }
    return try Ensemble([.init(trainer.network, trainer.normalization)])
      .evaluate(images, views: Views(scales: [crop]))
  }

  private func save<Network>(_ trainer: Trainer<Network>, mayFail: Bool, _ observe: (Event) -> Void) throws {
    guard let folder else { return }
    do {
      try AtomicFile.makeFolder(folder)
      try Checkpoint(trainer, fingerprint: fingerprint).write(to: Self.checkpointPath(in: folder))
    } catch let error as InputError where mayFail {
      observe(.notSaved(iteration: trainer.state.iteration, error))
    }
  }
}

extension Architecture {
  /// Gives a network the size of its training images.
  fileprivate mutating func fit(height: Int, width: Int) throws {
    guard height == width && height % totalStride == 0 else {
      throw InputError("\(name) takes square images of a multiple of \(totalStride) pixels, not \(height)x\(width)")
    }
    imageSize = height
  }
}
