import Foundation
import ResidualDetection
import ResidualFiles
import ResidualKernels
import ResidualLearning

extension Command {
  static let detectTrain = Command(
    name: "detect train",
    summary: "trains a detector",
    description: "Trains Faster R-CNN on a residual or a plain net (section 4.3): the net as a classifier of single "
      + "figures first, then proposals and detector jointly on scenes. Without options it draws all pictures itself. "
      + "Ctrl-C saves and stops, --resume continues.",
    options: [
      .detectorNetwork, .trunk, .context, .reference, .scenes, .limit, .output.with(absent: "runs/detect-NETWORK"),
    ]
      + [.iterations, .batch.with(default: 8), .rate, .seed, .resume, .json] + AnyOption.machineOptions
  ) { arguments in
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    let data = try Scenes(arguments, purpose: "train")
    let network = arguments[.detectorNetwork]
    let folder = arguments[.output] ?? "runs/detect-\(network)"
    try AtomicFile.makeFolder(folder)
    let lock = try OutputFolderLock(folder: folder)
    defer { lock.release() }
    let path = DetectionRun.checkpointPath(in: folder)
    let goesOn = arguments[.resume] && FileManager.default.fileExists(atPath: path)
    let checkpoint = goesOn ? try DetectionCheckpoint(contentsOf: path) : nil
    let run = try arguments.detectionRun(data.training, folder: folder, resuming: checkpoint?.description)
    try train(run, from: checkpoint, trunk: arguments[.trunk], resumes: arguments[.resume], data, output)
  }

  private static func train(
    _ run: DetectionRun, from checkpoint: DetectionCheckpoint?, trunk: String?, resumes: Bool, _ data: Scenes,
    _ output: Output
  ) throws {
    let start = ProgressLine.now
    output.line(
      "\(run.plan.architecture.name): \(run.plan.architecture.weightedLayers) layers; "
        + "\(grouped(run.scenes.count)) scenes with \(grouped(run.scenes.objectCount)) objects to train on, "
        + "\(grouped(data.test.count)) to test with")
    Signals.install()
    defer { Signals.uninstall() }
    let network = checkpoint == nil ? try classifier(run, trunk, resumes: resumes, output) : nil
    if let checkpoint { output.line("resumed after iteration \(checkpoint.description.iteration)") }
    let (total, batch) = (run.recipe.iterations, run.recipe.batch)
    var line = ProgressLine(
      total: total * batch, unit: "scenes", done: (checkpoint?.description.iteration ?? 0) * batch)
    var recent: [DetectionLosses] = []
    let trainer = try run.train(from: network, checkpoint) { event in
      switch event {
      case .step(let step, let iteration):
        recent = recent.suffix(19) + [step.losses]
        let mean = recent.reduce(0) { $0 + $1.total } / Double(recent.count)
        output.progress(&line, iteration * batch, "rate \(brief(step.rate))  loss \(fixed(mean, 3))")
      case .notSaved(let error): output.line("not saved: \(error.message)")
      case .trunkStep: break
      }
    } shouldStop: {
      Signals.received != nil
    }
    let path = DetectionRun.checkpointPath(in: run.folder)
    if let signal = Signals.received, !trainer.isFinished {
      output.line("stopped after iteration \(trainer.iteration), saved in \(path); --resume continues")
      throw Stopped(signal: signal)
    }
    let trainingSeconds = ProgressLine.now - start
    let result = trainer.detector.evaluate(data.test.scenes, normalization: trainer.normalization)
    output.line(
      "mAP@.5 \(percent(result.mAP50)), mAP@[.5, .95] \(percent(result.mAP)) on \(grouped(data.test.count)) scenes after "
        + "\(duration(trainingSeconds)); weights in \(path)")
    output.json([
      "network": .string(run.plan.architecture.name), "iterations": .int(trainer.iteration),
      "mAP50": .double(result.mAP50), "mAP": .double(result.mAP), "scenes": .int(data.test.count),
      "seconds": .double(ProgressLine.now - start), "checkpoint": .string(path),
    ])
  }

  /// The classifier from a file, from the run that goes on, or trained.
  private static func classifier(
    _ run: DetectionRun, _ trunk: String?, resumes: Bool, _ output: Output
  ) throws -> ResidualNetwork<Float> {
    if let trunk {
      let checkpoint = try Checkpoint(contentsOf: trunk)
      guard let network = try checkpoint.network() as? ResidualNetwork<Float>,
        network.architecture.stages == run.plan.architecture.stages,
        network.architecture.block == run.plan.architecture.block
      else {
        throw InputError(
          "\(trunk) should hold \(run.plan.architecture.name) for scenes, but it holds "
            + checkpoint.description.architecture.name)
      }
      return network
    }
    if resumes, let network = try run.savedTrunk() { return network }
    let total = run.trunkRecipe.iterations * run.trunkRecipe.batch
    var line = ProgressLine(total: total)
    let network = try run.trainTrunk { event in
      guard case .trunkStep(let step, let iteration) = event else { return }
      output.progress(&line, iteration * run.trunkRecipe.batch, "classifier  loss \(fixed(step.loss, 3))")
    } shouldStop: {
      Signals.received != nil
    }
    guard let network else {
      output.line("stopped before the classifier was trained; nothing is saved")
      throw Stopped(signal: Signals.received ?? SIGINT)
    }
    output.line("the net as a classifier: \(DetectionRun.trunkPath(in: run.folder))")
    return network
  }
}

extension Arguments {
  /// The run that the options ask for; for what they do not say, the one that goes on.
  ///
  /// - Throws: `InputError` when the options and the run that goes on disagree.
  func detectionRun(
    _ scenes: SceneDataset, folder: String, resuming old: DetectionCheckpoint.Description?
  ) throws -> DetectionRun {
    var plan = try DetectorPlan.named(self[.detectorNetwork], classNames: scenes.classNames)
    plan.usesContext = self[.context]
    plan.reference = self[.reference]
    var recipe = DetectionRecipe.scenes(iterations: self[.iterations] ?? DetectionRecipe.defaultIterations)
    recipe.batch = self[.batch]
    recipe.rate = self[.rate] ?? recipe.rate
    let seed = UInt64(self[.seed])
    if let old {
      var differences: [String] = []
      func compare<Value: Equatable>(_ option: AnyOption..., what: String, _ before: Value, _ now: Value) {
        if before != now && option.contains(where: isGiven) {
          differences.append("\(what) was \(before) and is now \(now)")
        }
      }
      compare(.detectorNetwork, what: "network", old.plan.architecture.name, plan.architecture.name)
      compare(.context, what: "context", old.plan.usesContext, plan.usesContext)
      compare(.reference, what: "reference", old.plan.reference, plan.reference)
      compare(.iterations, what: "number of iterations", old.recipe.iterations, recipe.iterations)
      compare(.batch, what: "batch", old.recipe.batch, recipe.batch)
      compare(.rate, what: "rate", old.recipe.rate, recipe.rate)
      compare(.seed, what: "seed", old.seed, seed)
      guard differences.isEmpty else {
        throw InputError("\(folder) cannot be resumed: " + differences.joined(separator: "; "))
      }
      (plan, recipe) = (old.plan, old.recipe)
    }
    let figures = SyntheticImages.make(count: 5000, seed: Images.synthetic.seed)
    return DetectionRun(
      plan, trunkRecipe: .trunk(depth: plan.architecture.weightedLayers), recipe: recipe, figures: figures,
      scenes: scenes, seed: old?.seed ?? seed, folder: folder)
  }
}

/// The scenes that a command works with.
struct Scenes {
  let training: SceneDataset
  let test: SceneDataset

  /// How many scenes are drawn to train on and to test with, and the seed they are drawn from.
  static let synthetic = (training: 1000, test: 200, seed: UInt64(2015))

  /// Scenes from `train.json` and `test.json` in a folder, in COCO's format, or drawn ones.
  ///
  /// - Parameter purpose: "train", or "test" where the training scenes are not needed.
  init(_ arguments: Arguments, purpose: String) throws {
    let limit = arguments[.limit] ?? .max
    guard let folder = arguments[.scenes] else {
      let (training, test, seed) = Self.synthetic
      self.training = SyntheticScenes.make(count: purpose == "train" ? min(limit, training) : 0, seed: seed)
      self.test = SyntheticScenes.make(count: purpose == "train" ? test : min(limit, test), seed: seed + 1)
      return
    }
    func read(_ name: String, _ limit: Int) throws -> SceneDataset {
      try COCOAnnotations(contentsOf: folder + "/" + name).scenes(folder: folder, limit: limit)
    }
    test = try read("test.json", purpose == "train" ? .max : limit)
    training =
      purpose == "train" ? try read("train.json", limit) : SceneDataset(scenes: [], classNames: test.classNames)
    guard purpose != "train" || training.classNames == test.classNames else {
      throw InputError("train.json and test.json in \(folder) must list the same categories, but they do not")
    }
    guard purpose != "train" || training.objectCount > 0 else {
      throw InputError("train.json in \(folder) must list boxes to train on, but it lists none")
    }
  }
}
