import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning

extension Command {
  static let train = Command(
    name: "train",
    summary: "trains a network",
    description: "Trains a network as section 4.2 of the paper does, or section 3.4 (--recipe imagenet), and saves it "
      + "after every epoch. Without options a small residual net learns images that the program draws, in about a "
      + "minute. It leaves a checkpoint, a log and a report in the output folder. Ctrl-C saves and stops, --resume "
      + "continues.",
    options: [.network.with(default: "resnet14"), .shortcut, .zeros, .strideIn, .data, .limit, .output, .resume]
      + AnyOption.trainingOptions() + [.json] + AnyOption.machineOptions
  ) { arguments in
    try arguments.allowOne(of: .epochs, .iterations)
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    let images = try Images(folder: arguments[.data])
    var architecture = try Architecture.named(
      arguments[.network], shortcut: arguments[.shortcut],
      options: Architecture.Options(zeros: arguments[.zeros], stridePlacement: arguments[.strideIn]),
      classes: images.training.classNames.count)
    let used = images.training.prefix(arguments[.limit] ?? images.training.count)

    // The folder is locked before a checkpoint in it is read: another process may be writing it.
    let folder = arguments[.output] ?? "runs/\(architecture.name)"
    try AtomicFile.makeFolder(folder)
    let lock = try OutputFolderLock(folder: folder)
    defer { lock.release() }
    let checkpoint = arguments[.resume] ? try TrainingRun.checkpoint(in: folder) : nil
    let old = checkpoint?.description

    let namesNetwork = [.network, .shortcut, .zeros, .strideIn].contains { (option: AnyOption) in
      arguments.isGiven(option)
    }
    if let old, !namesNetwork { architecture = old.architecture }
    let recipe = try arguments.recipe(depth: architecture.weightedLayers, used.count, resuming: old?.recipe)
    var run = try arguments.run(architecture, recipe, used, test: images.test, folder: folder)
    if let old, !arguments.isGiven(.seed) { run.seed = old.seed }
    try watch(run, from: checkpoint, images, command: arguments.line, output)
  }

  private static func watch(
    _ run: TrainingRun, from checkpoint: Checkpoint?, _ images: Images, command: String, _ output: Output
  ) throws {
    output.line(run.introduction(images))
    let path = TrainingRun.checkpointPath(in: run.folder!)
    let before = checkpoint?.description.state.iteration ?? 0
    if before > 0 { output.line("resumed after iteration \(before)") }
    let (total, epochLength) = (run.recipe.iterations, run.recipe.iterationsPerEpoch(run.training.count))
    let start = ProgressLine.now
    var line = ProgressLine(total: total * run.recipe.batch, done: before * run.recipe.batch)
    Signals.install()
    defer { Signals.uninstall() }
    let result = try run.run(from: checkpoint) { event in
      switch event {
      case .step(let step, let state):
        let epoch = (state.iteration - 1) / epochLength + 1
        output.progress(
          &line, state.iteration * run.recipe.batch,
          "epoch \(epoch)/\(max(total / epochLength, epoch))  rate \(brief(step.rate))  loss \(fixed(step.loss, 3))")
      case .recomputesStatistics:
        output.line("batch normalization's statistics: computed over all training images")
      case .epoch(let epoch): output.line(epoch.words)
      case .notSaved(let iteration, let error):
        output.line("not saved after iteration \(iteration): \(error.message)")
      case .begins(let state):
        if let words = state.arithmeticWarning { output.line(words) }
      case .ends: break
      }
    } shouldStop: {
      Signals.received != nil
    }
    try run.report(result, command: command, images: images.description).write(to: run.folder! + "/report.html")
    if let signal = Signals.received, !result.isFinished {
      output.line("stopped after iteration \(result.state.iteration), saved in \(path); --resume continues")
      throw Stopped(signal: signal)
    }
    if let divergence = result.divergence { throw divergence }
    guard let epoch = result.epochs.last, let error = epoch.testError else { return }
    let (seconds, speed) = (ProgressLine.now - start, result.epochs.map(\.imagesPerSecond).median!)
    output.line(
      "\(percent(1 - error)) of \(grouped(images.test.count)) test images right after "
        + "\(duration(seconds)) (\(grouped(Int(speed))) images/s); weights in \(path), report in "
        + "\(run.folder!)/report.html")
    output.json([
      "network": .string(run.architecture.name), "epochs": .int(total / epochLength),
      "iterations": .int(result.state.iteration), "trainAccuracy": .double(1 - epoch.trainingError),
      "testAccuracy": .double(1 - error), "testCount": .int(images.test.count),
      "seconds": .double(seconds), "imagesPerSecondMedian": .double(speed), "checkpoint": .string(path),
      "arithmetic": result.state.arithmeticJSON,
    ])
  }
}

extension TrainingState {
  /// A sentence for a run that builds with fused multiply-adds and builds without have worked on.
  var arithmeticWarning: String? {
    guard arithmetic == .mixed else { return nil }
    return
      "builds with fused multiply-adds and builds without have worked on this run, so no build alone repeats its bits"
  }

  /// For `--json`; null where the checkpoint of an earlier version does not say it.
  var arithmeticJSON: JSONValue { arithmetic.map { .string($0.rawValue) } ?? .null }
}

extension TrainingRun {
  /// The lines before training: the network, the images, the recipe, and where it differs from the paper's.
  func introduction(_ images: Images) -> String {
    let shortcut = architecture.block == .plain ? "no shortcuts" : "shortcuts \(architecture.options.shortcut.rawValue)"
    return """
      \(architecture.name): \(architecture.weightedLayers) layers, \(grouped(Summary(architecture).parameters)) parameters, \
      \(shortcut)
      \(images.description): \(grouped(training.count)) to train on\
      \(heldOut.count > 0 ? ", \(grouped(heldOut.count)) held out" : ""), \(grouped(images.test.count)) to test with
      SGD: \(recipe.summary); \(recipe.iterationsPerEpoch(training.count)) iterations an epoch
      \(recipe.comparison(depth: architecture.weightedLayers))
      """
  }
}

extension Recipe {
  /// Where the recipe is not as in the paper.
  func comparison(depth: Int) -> String {
    let section = augmentation.scaled == nil ? "section 4.2" : "section 3.4"
    let differences = differences(fromPaperOfDepth: depth)
    return differences.isEmpty
      ? "every number of \(section); docs/differences.md says what the paper leaves open"
      : "as \(section) except: " + differences.joined(separator: "; ")
  }
}

extension Epoch {
  /// How the epoch went, in one line.
  var words: String {
    var text = "epoch \(number)  rate \(brief(rate))  loss \(fixed(trainingLoss, 4))"
    text += "  train error \(percent(trainingError))"
    if let heldOutError { text += "  held-out error \(percent(heldOutError))" }
    if let testError { text += "  test error \(percent(testError))" }
    return text
  }
}

extension Arguments {
  /// A run of this network with the recipe, as the options that every training command takes ask for it.
  func run(
    _ architecture: Architecture, _ recipe: Recipe, _ images: ImageDataset, test: ImageDataset, folder: String
  ) throws -> TrainingRun {
    var run = try TrainingRun(
      architecture, recipe: recipe, images: images, test: test, seed: UInt64(self[.seed]), folder: folder)
    if let scaled = recipe.augmentation.scaled, scaled.colors == nil {
      run.recipe.augmentation.scaled!.colors = PrincipalColors(of: run.training)
    }
    run.fusesBlocks = self[.blocks] == .fused
    run.logsGradients = self[.logGradients]
    return run
  }

  /// The recipe that the options ask for. What they leave open is as in the resumed run, or else as in the paper.
  ///
  /// - Parameters:
  ///   - count: images, before some are held out.
  ///   - epochs: of a scaled recipe without `--epochs` and `--iterations`.
  ///   - rate: of a scaled recipe without `--rate`; the paper's where it is nil.
  ///   - decay: of a scaled recipe without `--decay`; the paper's where it is nil.
  func recipe(
    depth: Int, _ count: Int, resuming old: Recipe? = nil, epochs: Int? = nil, rate: Double? = nil,
    decay: Double? = nil
  ) throws -> Recipe {
    let name = self[.recipe]
    let old = isGiven(.recipe) ? nil : old
    guard name == .imagenet || !isGiven(.crop) else { throw CommandLineError("--crop goes with --recipe imagenet") }
    var recipe: Recipe
    switch name {
    case _ where old != nil: recipe = old!
    case .imagenet:
      recipe = .imageNet(colors: nil, crop: self[.crop])
      recipe.validationShare = 0.1
    case .paper: recipe = .paper(depth: depth)
    case .scaled:
      recipe = .scaled(depth: depth, iterations: 0)
      recipe.batch = self[.batch]
      recipe.rate = rate ?? recipe.rate
      recipe.decay = decay ?? recipe.decay
    }
    if isGiven(.batch) { recipe.batch = self[.batch] }
    let epoch = recipe.iterationsPerEpoch(recipe.trainingCount(of: count))
    let iterations = self[.iterations] ?? self[.epochs].map { $0 * epoch }
    if old == nil && name == .scaled {
      recipe.scale(to: iterations ?? (epochs ?? (self[.data] != nil ? 40 : 8)) * epoch)
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
