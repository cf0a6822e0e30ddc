import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning

extension Command {
  static let train = Command(
    name: "train",
    summary: "trains a network",
    description: "Trains a network by section 4.2 of the paper, or by section 3.4 (--recipe imagenet), and saves it "
      + "after every epoch. Without options a small residual net learns images that the program draws, in about a "
      + "minute. Ctrl-C saves and stops, --resume continues.",
    options: [
      .network.with(default: "resnet14"), .shortcut, .zeros, .strideIn, .data, .limit, .output, .trainingRecipe, .crop,
      .batch, .epochs, .iterations, .rate, .momentum, .decay, .seed, .resume, .statistics, .threads, .kernels,
      .convolution, .blocks, .json,
    ]
  ) { arguments in
    try arguments.allowOne(of: .epochs, .iterations)
    arguments.applyMachineOptions()
    let plan = try TrainingPlan(arguments)
    var generator = RandomGenerator(seed: plan.seed)
    try plan.run(
      plan.architecture.network(fused: arguments[.blocks] == .fused, using: &generator), json: arguments[.json])
  }
}

/// A training run as the command line asks for it.
private struct TrainingPlan {
  let architecture: Architecture
  let recipe: Recipe
  let images: Images
  let training: ImageDataset
  let heldOut: ImageDataset
  let fingerprint: String
  let seed: UInt64
  let folder: String
  /// The run that goes on, if one does.
  let resumed: Checkpoint?
  /// The lock of its folder.
  let lock: OutputFolderLock?

  var checkpointPath: String { folder + "/checkpoint.safetensors" }
  /// The checkpoint of an earlier run in the same folder.
  var earlierPath: String { folder + "/earlier.safetensors" }

  init(_ arguments: Arguments) throws {
    let asked = try Architecture.named(
      arguments[.network], shortcut: arguments[.shortcut], options: arguments.networkOptions, classes: 10)
    folder = arguments[.output] ?? "runs/\(asked.name)"
    // A run that goes on is locked before it is read: another process may be writing it.
    lock = arguments[.resume] ? try OutputFolderLock(folder: folder) : nil
    resumed = arguments[.resume] ? try Checkpoint(contentsOf: folder + "/checkpoint.safetensors") : nil
    let old = resumed?.description

    let namesNetwork = [.network, .shortcut, .zeros, .strideIn].contains { (option: AnyOption) in
      arguments.isGiven(option)
    }
    var architecture = if let old, !namesNetwork { old.architecture } else { asked }
    seed = UInt64(arguments.isGiven(.seed) || old == nil ? UInt64(arguments[.seed]) : old!.seed)
    images = try Images(folder: arguments[.data])
    let used = images.training.prefix(arguments[.limit] ?? images.training.count)
    var recipe = try arguments.recipe(depth: architecture.weightedLayers, used.count, resuming: old?.recipe)
    (training, heldOut) = used.split(for: recipe, seed: 45)
    fingerprint = training.fingerprint
    guard training.count > 0 else { throw InputError("\(used.count) images are too few to train on") }
    guard recipe.plateau == nil || heldOut.count > 0 else {
      throw InputError("\(used.count) images are too few to hold some out, whose error tells when the rate falls")
    }
    if recipe.augmentation.scaled != nil && recipe != old?.recipe {
      recipe.augmentation.scaled!.colors = PrincipalColors(of: training)
    }
    if let crop = recipe.augmentation.scaled?.size {
      try architecture.fit(height: crop, width: crop)
    } else if !architecture.takesAnySize {
      try architecture.fit(height: training.height, width: training.width)
    }
    (self.architecture, self.recipe) = (architecture, recipe)
    if let old { try checkResumable(old) }
  }

  /// Refuses to continue a run as another one, and says what differs.
  private func checkResumable(_ old: Checkpoint.Description) throws {
    var differences: [String] = []
    func compare<Value: Equatable>(_ what: String, _ before: Value, _ now: Value) {
      if before != now { differences.append("\(what) was \(before) and is now \(now)") }
    }
    compare("the network", old.architecture.name, architecture.name)
    compare("the shortcut", old.architecture.options.shortcut.rawValue, architecture.options.shortcut.rawValue)
    compare("the placement of zeros", old.architecture.options.zeros.rawValue, architecture.options.zeros.rawValue)
    compare(
      "the bottleneck's stride", old.architecture.options.stridePlacement.rawValue,
      architecture.options.stridePlacement.rawValue)
    compare("the number of classes", old.architecture.classes, architecture.classes)
    if differences.isEmpty && old.architecture != architecture { differences.append("the network had other options") }
    compare("the batch", old.recipe.batch, recipe.batch)
    compare("the number of iterations", old.recipe.iterations, recipe.iterations)
    compare("the rate", old.recipe.rate, recipe.rate)
    compare("the iterations at which it falls", old.recipe.milestones, recipe.milestones)
    compare("the momentum", old.recipe.momentum, recipe.momentum)
    compare("the decay", old.recipe.decay, recipe.decay)
    compare("the share of images held out", old.recipe.validationShare, recipe.validationShare)
    compare("the size of the crops", old.recipe.cropWords, recipe.cropWords)
    if differences.isEmpty && old.recipe != recipe { differences.append("the recipe had other details") }
    compare("the seed", old.seed, seed)
    compare("the training set (--data, --limit)", old.images, fingerprint)
    guard differences.isEmpty else {
      throw InputError("\(checkpointPath) cannot be resumed: " + differences.joined(separator: "; "))
    }
  }

  // MARK: - The run

  func run<Network: ImageClassifier<Float>>(_ network: Network, json: Bool) throws {
    let output = Output(json: json)
    try AtomicFile.makeFolder(folder)
    let lock = try self.lock ?? OutputFolderLock(folder: folder)
    defer { lock.release() }
    var trainer = try makeTrainer(network)
    if resumed == nil { try keepEarlierCheckpoint() }
    introduce(trainer, output)
    Signals.install()
    defer { Signals.uninstall() }

    let start = ProgressLine.now
    var lastSave = start
    var speeds: [Double] = []
    var accuracy = (training: 0.0, test: Evaluation(correct: 0, count: images.test.count, loss: 0))
    let total = recipe.iterations * recipe.batch
    var line = ProgressLine(total: total, done: trainer.state.iteration * recipe.batch)
    while !trainer.isFinished {
      let began = ProgressLine.now
      let step = try trainer.step()
      speeds.append(Double(step.count) / (ProgressLine.now - began))
      let state = trainer.state
      let epochs = recipe.iterations / trainer.iterationsPerEpoch
      let epoch = (state.iteration - 1) / trainer.iterationsPerEpoch + 1
      output.progress(
        &line, state.iteration * recipe.batch,
        "epoch \(epoch)/\(max(epochs, epoch))  rate \(brief(step.rate))  loss \(fixed(step.loss, 3))")
      if trainer.isFinished && recipe.recomputesStatistics {
        output.line("batch normalization's statistics: computed over all training images")
        trainer.recomputeStatistics()
      }
      if state.iteration % trainer.iterationsPerEpoch == 0 || trainer.isFinished {
        accuracy = try finishEpoch(epoch, &trainer, rate: step.rate, output)
        lastSave = ProgressLine.now
      } else if Signals.received != nil || ProgressLine.now - lastSave > 120 {
        try save(trainer, mayFail: Signals.received == nil, output)
        lastSave = ProgressLine.now
      }
      if let signal = Signals.received, !trainer.isFinished {
        output.line("stopped after iteration \(state.iteration), saved in \(checkpointPath); --resume continues")
        throw Stopped(signal: signal)
      }
    }
    if speeds.isEmpty { accuracy = try finishEpoch(0, &trainer, rate: 0, output) }
    let seconds = ProgressLine.now - start
    let speed = speeds.sorted().dropFirst(speeds.count / 2).first ?? 0
    output.line(
      "\(percent(accuracy.test.accuracy)) of \(grouped(accuracy.test.count)) test images right after "
        + "\(duration(seconds)) (\(grouped(Int(speed))) images/s); weights in \(checkpointPath)")
    output.json([
      "network": .string(architecture.name), "epochs": .int(recipe.iterations / trainer.iterationsPerEpoch),
      "iterations": .int(trainer.state.iteration), "trainAccuracy": .double(accuracy.training),
      "testAccuracy": .double(accuracy.test.accuracy), "testCount": .int(accuracy.test.count),
      "seconds": .double(seconds), "imagesPerSecondMedian": .double(speed), "checkpoint": .string(checkpointPath),
    ])
  }

  /// A new run in the folder of another takes nothing away: the other's checkpoint gets a second name, and keeps the first
  /// until this run saves.
  private func keepEarlierCheckpoint() throws {
    guard FileManager.default.fileExists(atPath: checkpointPath) else { return }
    try AtomicFile.keep(checkpointPath, as: earlierPath)
  }

  private func makeTrainer<Network: ImageClassifier<Float>>(_ network: Network) throws -> Trainer<Network> {
    let crop = recipe.augmentation.scaled?.size
    guard let resumed else {
      return Trainer(
        network, recipe: recipe, images: training,
        normalization: crop.map { .perPixel(of: training, size: $0) } ?? .perPixel(of: training), seed: seed)
    }
    let network = try resumed.loaded(network)
    return Trainer(
      network, recipe: recipe, images: training,
      normalization: try resumed.normalization(height: crop ?? training.height, width: crop ?? training.width),
      seed: seed,
      state: resumed.description.state, velocity: try resumed.velocity(like: network.parameters))
  }

  private func introduce<Network>(_ trainer: Trainer<Network>, _ output: Output) {
    let shortcut = architecture.block == .plain ? "no shortcuts" : "shortcuts \(architecture.options.shortcut.rawValue)"
    output.line(
      "\(architecture.name): \(architecture.weightedLayers) layers, "
        + "\(grouped(trainer.network.parameters.count)) parameters, \(shortcut)")
    output.line(
      "\(images.description): \(grouped(training.count)) to train on"
        + (heldOut.count > 0 ? ", \(grouped(heldOut.count)) held out" : "")
        + ", \(grouped(images.test.count)) to test with")
    output.line(recipe.summary(epochLength: trainer.iterationsPerEpoch))
    let section = recipe.augmentation.scaled == nil ? "section 4.2" : "section 3.4"
    let differences = recipe.differences(fromPaperOfDepth: architecture.weightedLayers)
    output.line(
      differences.isEmpty ? "this is \(section) to the letter" : "\(section) but for: " + listed(differences, "and"))
    if trainer.state.iteration > 0 { output.line("resumed after iteration \(trainer.state.iteration)") }
  }

  /// Tests the network, saves it and says how the epoch went.
  private func finishEpoch<Network>(
    _ epoch: Int, _ trainer: inout Trainer<Network>, rate: Double, _ output: Output
  ) throws -> (training: Double, test: Evaluation) {
    // The error that the rate depends on comes before the checkpoint, which holds the rate.
    let validation = heldOut.count > 0 ? try evaluate(trainer, heldOut) : nil
    if let validation, epoch > 0 { trainer.report(validationError: validation.error) }
    try save(trainer, mayFail: !trainer.isFinished, output)
    let test = try evaluate(trainer, images.test)
    let state = trainer.state
    let trainingError = Double(state.epochErrors) / Double(max(state.epochCount, 1))
    var text =
      "epoch \(epoch)  rate \(brief(rate))  loss \(fixed(state.epochLoss / Double(max(state.epochCount, 1)), 4))"
    text += "  train error \(percent(trainingError))"
    if let validation { text += "  held-out error \(percent(validation.error))" }
    output.line(text + "  test error \(percent(test.error))")
    return (1 - trainingError, test)
  }

  /// Classifies images in a single view: as they are or, where crops of another size are trained on, resized to that.
  private func evaluate<Network>(_ trainer: Trainer<Network>, _ images: ImageDataset) throws -> Evaluation {
    guard let crop = recipe.augmentation.scaled?.size else {
      return trainer.network.evaluate(images, normalization: trainer.normalization)
    }
    return try Ensemble([.init(trainer.network, trainer.normalization)])
      .evaluate(images, views: Views(scales: [crop]))
  }

  /// Saves the run as it stands. On the way a failure is told and the run goes on: the disk may have room again when the
  /// next save is due.
  private func save<Network>(_ trainer: Trainer<Network>, mayFail: Bool, _ output: Output) throws {
    do {
      try AtomicFile.makeFolder(folder)
      try Checkpoint(trainer, fingerprint: fingerprint).write(to: checkpointPath)
    } catch let error as InputError where mayFail {
      output.line("not saved after iteration \(trainer.state.iteration): \(error.message)")
    }
  }
}

extension Arguments {
  /// What the command line says of option A's zeros and of the bottleneck's stride.
  var networkOptions: Architecture.Options {
    Architecture.Options(zeros: self[.zeros], stridePlacement: self[.strideIn])
  }

  /// The recipe that the options ask for, for a network of this depth and so many images; for what they do not say, the
  /// one of the run that goes on.
  ///
  /// - Parameter count: images, before some are held out.
  func recipe(depth: Int, _ count: Int, resuming old: Recipe?) throws -> Recipe {
    let name = self[.trainingRecipe]
    let old = isGiven(.trainingRecipe) ? nil : old
    guard name == .imagenet || !isGiven(.crop) else { throw CommandLineError("--crop goes with --recipe imagenet") }
    var recipe: Recipe
    switch name {
    case _ where old != nil: recipe = old!
    case .imagenet:
      recipe = .imageNet(colors: nil, crop: self[.crop])
      recipe.validationShare = 0.1
    case .paper: recipe = .paper(depth: depth)
    case .scaled: recipe = .scaled(depth: depth, iterations: 0)
    }
    if isGiven(.batch) || old == nil && name != .imagenet { recipe.batch = self[.batch] }
    let epoch = recipe.iterationsPerEpoch(recipe.trainingCount(of: count))
    let iterations = self[.iterations] ?? self[.epochs].map { $0 * epoch }
    if old == nil && name == .scaled {
      recipe.scale(to: iterations ?? (self[.data] != nil ? 40 : 8) * epoch)
    } else if let iterations {
      recipe.iterations = iterations
    }
    if let rate = self[.rate] {
      recipe.rate = rate
      if recipe.plateau != nil { recipe.plateau = PlateauSchedule(rate: rate) }
    }
    recipe.momentum = self[.momentum] ?? recipe.momentum
    recipe.decay = self[.decay] ?? recipe.decay
    if old == nil || isGiven(.statistics) { recipe.recomputesStatistics = self[.statistics] == .recomputed }
    return recipe
  }
}

extension Architecture {
  /// Gives a network the size of its training images.
  fileprivate mutating func fit(height: Int, width: Int) throws {
    guard height == width && height % totalStride == 0 else {
      throw InputError(
        "\(name) takes square images of a multiple of \(totalStride) pixels, not \(height)x\(width)")
    }
    imageSize = height
  }
}

extension Recipe {
  /// The recipe in one line.
  fileprivate func summary(epochLength: Int) -> String {
    var parts = [
      "SGD, batch \(batch), \(grouped(iterations)) iterations (\(epochLength) an epoch)",
      "rate \(brief(rate)), divided by 10 "
        + (plateau != nil ? "when the held-out error plateaus" : "at \(listed(milestones.map(grouped), "and"))"),
    ]
    if let warmUp {
      parts.append("\(brief(warmUp.rate)) until the training error is below \(percent(warmUp.untilError))")
    }
    parts.append("momentum \(brief(momentum)), weight decay \(brief(decay))")
    if let scaled = augmentation.scaled {
      parts.append(
        "crops of \(cropWords) out of images with a shorter side of \(scaled.scales.lowerBound) to "
          + "\(scaled.scales.upperBound), flips, colours")
    } else if augmentation != .none {
      parts.append("crops of images padded by \(augmentation.padding), flips")
    }
    return parts.joined(separator: "; ")
  }

  /// The size of the crops.
  fileprivate var cropWords: String { augmentation.scaled.map { "\($0.size)x\($0.size)" } ?? "the images' own" }
}
