// TrainingRun.swift: the one training loop, from the first step or from a checkpoint to the end.
//
// Paper       He et al. 2015 §4.2, §3.4
// Command     resnet train, resnet compare, resnet responses
// Tests       Tests/ResidualLearningTests/Training/TrainingRunTests.swift

import Foundation
import ResidualFiles

/// A training run as a value: what is trained, how, and on which images. ``run(from:observe:shouldStop:)`` runs it.
///
/// A run in a folder leaves there, with a new row in every table after every epoch:
///
/// | file                     | what                                                                        |
/// |:-------------------------|:----------------------------------------------------------------------------|
/// | `checkpoint.safetensors` | the run as it stands; also written every two minutes and where the run stops |
/// | `log.csv`                | every ``Epoch``                                                             |
/// | `gradients.csv`          | with ``logsGradients``, the norm of the gradient of every weight            |
/// | `responses.csv`          | with ``logsGradients``, the response of every layer; see ``LayerResponses`` |
///
/// The tables are written before the checkpoint, and a run that goes on drops the rows that its checkpoint does not know:
/// each epoch has one row, wherever the run was killed.
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
  /// What the run is called where several are compared; the architecture's name unless told otherwise.
  public var label: String
  /// Whether the fused kernels compute the blocks, in fewer passes over memory.
  public var fusesBlocks = true
  /// Whether gradients and responses are measured at the start and after every epoch, on the first 128 training images.
  public var logsGradients = false

  private let fingerprint: String

  /// What a run reports to whoever watches it.
  public enum Event: Sendable {
    /// The run begins, or goes on from here.
    case begins(TrainingState)
    /// A step is done; where training stands after it.
    case step(TrainingStep, TrainingState)
    /// The last step is done and the statistics are computed again.
    case recomputesStatistics
    /// An epoch is done.
    case epoch(Epoch)
    /// The checkpoint could not be written, and the run goes on: the disk may have room again when the next one is due.
    case notSaved(iteration: Int, InputError)
    /// All steps are done, or no more can be: the last epoch, and nil when the loss was not a number.
    case ends(Epoch?)
  }

  /// What became of a run.
  public struct Result: Sendable {
    /// The network as it is now.
    public let network: any ImageClassifier<Float>
    /// How the network needs its images to be normalized.
    public let normalization: PixelNormalization
    /// Where training stands.
    public let state: TrainingState
    /// Every epoch of the run, also those of earlier calls that its log has.
    public let epochs: [Epoch]
    /// Whether all steps of the recipe are done.
    public let isFinished: Bool
    /// Why the run cannot go on, if the loss is not a number any more.
    public let divergence: Divergence?
  }

  /// A run that trains on the part of `images` that the recipe does not hold out.
  ///
  /// - Throws: `InputError` when there are too few images, or when they have a size that the network cannot take.
  public init(
    _ architecture: Architecture, recipe: Recipe, images: ImageDataset, test: ImageDataset? = nil, seed: UInt64,
    folder: String? = nil
  ) throws {
    (self.architecture, self.recipe, self.seed, self.test, self.folder) = (architecture, recipe, seed, test, folder)
    label = architecture.name
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

  /// The checkpoint of a run in `folder`, if there is one.
  ///
  /// - Throws: `InputError` when it cannot be read.
  public static func checkpoint(in folder: String) throws -> Checkpoint? {
    let path = checkpointPath(in: folder)
    return FileManager.default.fileExists(atPath: path) ? try Checkpoint(contentsOf: path) : nil
  }

  /// Runs to the end, or until `shouldStop` says so.
  ///
  /// - Parameters:
  ///   - checkpoint: where an earlier call stopped; without one the run begins. What is found in the folder then keeps a
  ///     second name, `earlier.safetensors` and `earlier.csv`.
  ///   - observe: called with every event.
  ///   - shouldStop: asked after every step.
  /// - Throws: `InputError` when `checkpoint` is that of another run, or when the run cannot be saved at its end or where
  ///   it stops.
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
    if checkpoint == nil { try keepEarlierRun() }
    var log = TrainingLog(folder: folder, upTo: trainer.state.iteration)
    let (start, secondsBefore) = (Self.now, log.epochs.last?.seconds ?? 0)
    var lastSave = start
    var speeds: [Double] = []
    var rate = recipe.rate(at: trainer.state.iteration - 1, plateau: trainer.state.plateau)

    /// The end of an epoch, or the start of the run: what is measured, logged and saved there.
    func finishEpoch(mayFail: Bool) throws {
      let state = trainer.state
      if logsGradients { log.append(SignalStrengths(of: trainer), at: state.iteration) }
      if state.iteration > 0 {
        var epoch = try epoch(of: trainer, rate: rate)
        epoch.imagesPerSecond = speeds.median ?? 0
        epoch.seconds = secondsBefore + Self.now - start
        log.append(epoch)
        // The error that the rate depends on comes before the checkpoint, which holds the rate.
        if let error = epoch.heldOutError, !speeds.isEmpty { trainer.report(validationError: error) }
        speeds = []
        observe(.epoch(epoch))
      }
      try save(trainer, log, mayFail: mayFail, observe)
      lastSave = Self.now
    }
    func result(_ divergence: Divergence? = nil) -> Result {
      Result(
        network: trainer.network, normalization: trainer.normalization, state: trainer.state, epochs: log.epochs,
        isFinished: trainer.isFinished, divergence: divergence)
    }

    observe(.begins(trainer.state))
    if trainer.state.iteration == 0 && logsGradients { try finishEpoch(mayFail: true) }
    while !trainer.isFinished {
      let began = Self.now
      let step: TrainingStep
      do { step = try trainer.step() } catch {
        try save(trainer, log, mayFail: false, observe)
        observe(.ends(nil))
        return result(error)
      }
      speeds.append(Double(step.count) / (Self.now - began))
      rate = step.rate
      observe(.step(step, trainer.state))
      if trainer.isFinished && recipe.recomputesStatistics {
        observe(.recomputesStatistics)
        trainer.recomputeStatistics()
      }
      let stops = shouldStop() && !trainer.isFinished
      if trainer.state.iteration % trainer.iterationsPerEpoch == 0 {
        try finishEpoch(mayFail: !stops && !trainer.isFinished)
      } else if stops || Self.now - lastSave > 120 {
        try save(trainer, log, mayFail: !stops, observe)
        lastSave = Self.now
      }
      if stops { break }
    }
    // The last epoch may be cut short; and a run that was done before there was a log is measured once more.
    if log.epochs.last?.iteration != trainer.state.iteration && trainer.isFinished { try finishEpoch(mayFail: false) }
    if trainer.isFinished { observe(.ends(log.epochs.last)) }
    return result()
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
  package func check(_ checkpoint: Checkpoint) throws {
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

  /// A new run in the folder of another takes nothing away: the other's checkpoint and log get a second name, and keep the
  /// first until this run saves.
  private func keepEarlierRun() throws {
    guard let folder else { return }
    for (name, other) in [("checkpoint.safetensors", "earlier.safetensors"), ("log.csv", "earlier.csv")]
    where FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
      try AtomicFile.keep("\(folder)/\(name)", as: "\(folder)/\(other)")
    }
  }

  // MARK: - The end of an epoch

  private func epoch<Network>(of trainer: Trainer<Network>, rate: Double) throws -> Epoch {
    let state = trainer.state
    let count = Double(max(state.epochCount, 1))
    return Epoch(
      iteration: state.iteration, number: (state.iteration - 1) / trainer.iterationsPerEpoch + 1, rate: rate,
      trainingLoss: state.epochLoss / count, trainingError: Double(state.epochErrors) / count,
      heldOutError: heldOut.count > 0 ? try evaluate(trainer, heldOut).error : nil,
      testError: try test.map { try evaluate(trainer, $0).error })
  }

  /// Classifies images in a single view: as they are or, where crops of another size are trained on, resized to that.
  private func evaluate<Network>(_ trainer: Trainer<Network>, _ images: ImageDataset) throws -> Evaluation {
    guard let crop = recipe.augmentation.scaled?.size else {
      return trainer.network.evaluate(images, normalization: trainer.normalization)
    }
    return try Ensemble([.init(trainer.network, trainer.normalization)])
      .evaluate(images, views: Views(scales: [crop]))
  }

  private func save<Network>(
    _ trainer: Trainer<Network>, _ log: TrainingLog, mayFail: Bool, _ observe: (Event) -> Void
  ) throws {
    guard let folder else { return }
    do {
      try AtomicFile.makeFolder(folder)
      try log.write(to: folder)
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
