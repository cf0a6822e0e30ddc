import ResidualFiles
import ResidualLearning

extension Command {
  static let compare = Command(
    name: "compare",
    summary: "trains plain and residual nets of several depths",
    description:
      "Trains plain and residual networks of several depths one after the other and draws their errors, as Figure 6 "
      + "does. Without --data it trains on images that the program draws, which takes a minute or two.",
    options: [.depths.with(default: [8, 20, 32]), .shortcut, .zeros, .data, .limit, .output]
      + AnyOption.recipeOptions(batch: 32) + [.seed, .json] + AnyOption.machineOptions
  ) { arguments in
    try arguments.allowOne(of: .epochs, .iterations)
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    let depths = try arguments.cifarDepths
    let folder = arguments[.output] ?? "runs/compare"
    try AtomicFile.makeFolder(folder)

    let images = try Images(folder: arguments[.data])
    let runs = try arguments.comparedRuns(depths, images, limit: arguments[.data] == nil ? 2500 : nil)
    output.line(runs[0].introduction(images))
    for (run, before) in zip(runs.dropFirst(), runs) where run.recipe != before.recipe {
      output.line("\(run.architecture.name): " + run.recipe.comparison(depth: run.architecture.weightedLayers))
    }
    let comparison = try trained(runs, output)
    for plain in [true, false] {
      try comparison.plot(plain: plain).write(to: folder + (plain ? "/plain.svg" : "/residual.svg"))
    }
    output.line("\n" + table(comparison, depths))
    output.line("curves in \(folder)/plain.svg and \(folder)/residual.svg")
    output.json(["networks": .array(comparison.curves.map(\.json))])
  }

  /// The runs, done, with their progress and a line for each.
  ///
  /// - Throws: `Stopped` when a signal came.
  static func trained(_ runs: [TrainingRun], _ output: Output) throws -> Degradation {
    Signals.install()
    defer { Signals.uninstall() }
    var done = 0
    var line = ProgressLine(total: runs.reduce(0) { $0 + $1.recipe.iterations }, unit: "steps")
    let comparison = try Degradation(runs) { run, event in
      switch event {
      case .step(_, let state):
        done += 1
        output.progress(&line, done, "\(run.architecture.name), iteration \(state.iteration)")
      case .epoch(let epoch) where epoch.iteration == run.recipe.iterations:
        output.line("\(padded(run.architecture.name, to: 10))\(epoch.words)")
      default: break
      }
    } shouldStop: {
      Signals.received != nil
    }
    if let signal = Signals.received { throw Stopped(signal: signal) }
    return comparison
  }

  /// Depths down, plain and residual across.
  private static func table(_ comparison: Degradation, _ depths: [Int]) -> String {
    var table = Table(
      .right("layers"), .right("plain: train"), .right("test"), .right("residual: train"), .right("test"))
    for (i, depth) in depths.enumerated() {
      let cells = comparison.curves[2 * i...2 * i + 1].flatMap { curve -> [String] in
        guard let last = curve.epochs.last, let test = last.test, !curve.diverged else { return ["diverged", ""] }
        return [percent(last.trainingError), percent(test.error)]
      }
      table.row(["\(depth)"] + cells)
    }
    return table.text
  }
}

extension Arguments {
  /// The depths of the CIFAR networks that are asked for.
  var cifarDepths: [Int] {
    get throws(CommandLineError) {
      if let wrong = self[.depths].first(where: { $0 % 6 != 2 }) {
        throw CommandLineError("--depths takes depths of 6n + 2 layers (8, 14, 20, ...), not \(wrong)")
      }
      return self[.depths]
    }
  }

  /// A plain and a residual network of each depth, to be trained alike.
  fileprivate func comparedRuns(_ depths: [Int], _ images: Images, limit: Int?) throws -> [TrainingRun] {
    let used = images.training.prefix(self[.limit] ?? limit ?? images.training.count)
    let options = Architecture.Options(shortcut: self[.shortcut] ?? .a, zeros: self[.zeros])
    let classes = used.classNames.count
    return try Degradation.architectures(depths: depths, options: options, classes: classes).map { architecture in
      // On the drawn images half the paper's rate, for a quarter of its batch and far fewer iterations.
      let isDrawn = self[.data] == nil
      let recipe = try recipe(
        depth: architecture.weightedLayers, used.count, epochs: isDrawn ? 5 : 40, rate: isDrawn ? 0.05 : nil)
      return try TrainingRun(
        architecture, recipe: recipe, images: used, test: images.test, seed: UInt64(self[.seed]))
    }
  }
}

extension Degradation.Curve {
  fileprivate var json: JSONValue {
    [
      "network": .string(architecture.name), "diverged": .bool(diverged),
      "iterations": .array(epochs.map { .int($0.iteration) }),
      "trainErrors": .array(epochs.map { .double($0.trainingError) }),
      "testErrors": .array(epochs.map { .double($0.test?.error ?? 1) }),
    ]
  }
}
