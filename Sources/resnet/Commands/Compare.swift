import ResidualExperiments
import ResidualFiles
import ResidualLearning

extension Command {
  static let compare = Command(
    name: "compare",
    summary: "trains plain and residual nets of several depths",
    description:
      "Trains plain and residual networks one after the other and draws their errors, as Figure 6 does: of several "
      + "depths, or those of a list (--networks). Each has a folder of its own with what 'resnet train' leaves there. "
      + "Ctrl-C saves and stops; the same command goes on and repeats nothing that is done. Without --data it "
      + "trains narrow networks on images that the program draws, one on each thread, which takes a few minutes.",
    options: [
      .depths.with(
        default: Miniature.depths,
        help: "the depths, 6n+2 layers; for the images that the program draws the first stage has "
          + "\(Miniature.channels) channels"),
      .networks, .construct, .seeds.with(absent: "1, and \(Miniature.seeds) with images that the program draws"),
      .shortcut, .zeros, .data,
      .limit.with(absent: "all, and \(Miniature.images) of those that the program draws"),
      .output.with(absent: "runs/compare"),
    ] + AnyOption.trainingOptions(batch: Miniature.batch) + [.json] + AnyOption.machineOptions
  ) { arguments in
    try arguments.allowOne(of: .epochs, .iterations)
    try arguments.allowOne(of: .depths, .networks)
    try arguments.allowOne(of: .networks, .construct)
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    let folder = arguments[.output] ?? "runs/compare"
    let (images, isDrawn) = (try Images(folder: arguments[.data]), arguments[.data] == nil)
    var runs = try arguments.comparedRuns(images, in: folder)
    let constructions = arguments[.construct] ? try Construction.all(runs) : []
    runs += constructions.map { $0.run }
    let locks = try ([folder] + runs.map { $0.folder! }).map { folder in
      try AtomicFile.makeFolder(folder)
      return try OutputFolderLock(folder: folder)
    }
    defer { for lock in locks { lock.release() } }

    output.line(runs[0].introduction(images))
    for (run, before) in zip(runs.dropFirst(), runs) where run.recipe != before.recipe {
      output.line("\(run.label): " + run.recipe.comparison(depth: run.architecture.weightedLayers))
    }
    if !constructions.isEmpty {
      _ = try trained(
        runs.filter { run in constructions.contains { $0.shallow.folder == run.folder } }, sideBySide: isDrawn, output)
      for construction in constructions { try construction.begin(output) }
    }
    let comparison = try trained(runs, sideBySide: isDrawn, output)
    for plain in [true, false] {
      try comparison.plot(plain: plain).write(to: folder + (plain ? "/plain.svg" : "/residual.svg"))
    }
    try comparison.report(command: arguments.line, images: images.description).write(to: folder + "/report.html")
    output.line("\n" + table(comparison))
    output.line("report in \(folder)/report.html, curves in plain.svg and residual.svg, logs in NETWORK-seedN/log.csv")
    output.json(["networks": .array(comparison.curves.map(\.json))])
  }

  /// The runs, done, with their progress and a line for each in their order.
  ///
  /// - Throws: `Stopped` when a signal came.
  static func trained(_ runs: [TrainingRun], sideBySide: Bool, _ output: Output) throws -> Degradation {
    Signals.install()
    defer { Signals.uninstall() }
    func name(_ run: TrainingRun) -> String { run.label + (run.seed == runs[0].seed ? "" : " seed \(run.seed)") }
    let names = runs.map(name)
    let width = names.map(\.count).max() ?? 0
    var line: ProgressLine?
    var steps: [String: Int] = [:]  // done, of each run
    var endings: [String: String] = [:]
    var printed = 0
    let comparison = try Degradation(runs, sideBySide: sideBySide) { run, event in
      let name = name(run)
      switch event {
      case .begins(let state):
        steps[name] = state.iteration
        if line == nil {
          line = ProgressLine(
            total: runs.reduce(0) { $0 + $1.recipe.iterations }, unit: "steps", done: state.iteration)
        }
        if let words = state.arithmeticWarning { output.line("\(name): \(words)") }
      case .step(_, let state):
        steps[name] = state.iteration
        output.progress(&line!, steps.values.reduce(0, +), "\(name), iteration \(state.iteration)")
      case .notSaved(let iteration, let error):
        output.line("\(name) not saved after iteration \(iteration): \(error.message)")
      case .ends(let epoch):
        steps[name] = run.recipe.iterations
        endings[name] = padded(name, to: width + 2) + (epoch?.words ?? "diverged")
        while printed < runs.count, let ending = endings[names[printed]] {
          output.line(ending)
          printed += 1
        }
      case .epoch, .recomputesStatistics: break
      }
    } shouldStop: {
      Signals.received != nil
    }
    if let signal = Signals.received { throw Stopped(signal: signal) }
    return comparison
  }

  /// Networks down, errors across; means and deviations where there are several seeds.
  private static func table(_ comparison: Degradation) -> String {
    var table = Table(.left("network"), .right("layers"), .right("runs"), .right("train error"), .right("test error"))
    for label in comparison.labels {
      let curves = comparison.curves(label)
      let diverged = curves.count { $0.last == nil }
      func words(_ spread: Degradation.Spread?) -> String {
        guard let spread else { return "diverged" }
        return fixed(100 * spread.mean, 2) + (spread.deviation.map { " ± \(fixed(100 * $0, 2))" } ?? "") + " %"
      }
      table.row(
        label, "\(curves[0].run.architecture.weightedLayers)",
        "\(curves.count)" + (diverged > 0 ? ", \(diverged) diverged" : ""),
        words(comparison.spread(label, \.trainingError)), words(comparison.spread(label, \.testError)))
    }
    return table.text
  }
}

/// Fig. 6 on the images that the program draws: networks so small that more layers help them, and runs long
/// enough for that and too short for deep plain networks. Such networks differ from seed to seed, so there are several.
enum Miniature {
  static let (depths, channels, seeds) = ([8, 14, 26], 4, 3)
  static let (images, batch, epochs) = (2500, 32, 16)
  /// Half the paper's rate, for a quarter of its batch.
  static let rate = 0.05
  /// 20 times the paper's: what a decay does is the product of rate, decay and iterations, and those are a 50th.
  static let decay = 0.002

  static func architectures(
    depths: [Int], options: Architecture.Options = .init(), classes: Int
  ) -> [Architecture] {
    Degradation.architectures(depths: depths, options: options, classes: classes).map {
      var architecture = $0
      architecture.narrow(to: channels)
      return architecture
    }
  }
}

/// A run that begins with a deeper network that computes what a shallower one has learned.
private struct Construction {
  let shallow: TrainingRun
  let run: TrainingRun

  /// For every seed, plain and residual, a run of each depth that begins with the least deep network.
  static func all(_ runs: [TrainingRun]) throws -> [Construction] {
    let pairs = runs.compactMap { deep in
      runs.filter { $0.seed == deep.seed && $0.architecture.block == deep.architecture.block }
        .min { $0.architecture.weightedLayers < $1.architecture.weightedLayers }
        .flatMap { $0.architecture == deep.architecture ? nil : ($0, deep) }
    }
    guard !pairs.isEmpty else {
      throw CommandLineError("--construct needs two depths: one to begin with, one to reach")
    }
    return pairs.map { shallow, deep in
      var run = deep
      run.label = "\(deep.label) from \(shallow.label)"
      let seed = "-seed\(deep.seed)"
      run.folder = deep.folder!.dropLast(seed.count) + "-from-" + shallow.label.replacing(":", with: "-") + seed
      return Construction(shallow: shallow, run: run)
    }
  }

  /// Writes the deeper network as the checkpoint that its run goes on from, unless it is under way already.
  func begin(_ output: Output) throws {
    guard try TrainingRun.checkpoint(in: run.folder!) == nil,
      let learned = try TrainingRun.checkpoint(in: shallow.folder!),
      let network = try learned.network() as? ResidualNetwork<Float>
    else { return }
    let normalization = try learned.normalization(height: run.training.height, width: run.training.width)
    let count = min(512, run.training.count)
    let images = normalization.input(run.training, 0..<count)
    let deeper = network.deepened(to: run.architecture, images: images, seed: run.seed)
    let (before, after) = (network(images), deeper(images))
    let difference = Double((after - before).largestMagnitude / before.largestMagnitude)
    output.line(
      "\(run.label): outputs for \(count) images "
        + (difference == 0 ? "are equal" : "differ by at most \(difference.scientific(decimals: 1)) of the largest"))
    let trainer = Trainer(
      deeper, recipe: run.recipe, images: run.training, normalization: normalization, seed: run.seed)
    try Checkpoint(trainer, fingerprint: run.training.fingerprint).write(
      to: TrainingRun.checkpointPath(in: run.folder!))
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

  /// The networks that are asked for, each trained alike with every seed.
  func comparedRuns(_ images: Images, in folder: String) throws -> [TrainingRun] {
    let isDrawn = self[.data] == nil
    let used = images.training.prefix(self[.limit] ?? (isDrawn ? Miniature.images : images.training.count))
    return try (0..<(self[.seeds] ?? (isDrawn ? Miniature.seeds : 1))).flatMap { number in
      try comparedNetworks(classes: used.classNames.count).map { label, architecture in
        let depth = architecture.weightedLayers
        let recipe =
          try isDrawn
          ? recipe(
            depth: depth, used.count, epochs: Miniature.epochs, rate: Miniature.rate, decay: Miniature.decay)
          : recipe(depth: depth, used.count, epochs: 40)
        let seed = self[.seed] + number
        let name = label.replacing(":", with: "-") + "-seed\(seed)"
        var run = try run(architecture, recipe, used, test: images.test, folder: folder + "/" + name)
        (run.label, run.seed) = (label, UInt64(seed))
        return run
      }
    }
  }

  private func comparedNetworks(classes: Int) throws -> [(label: String, architecture: Architecture)] {
    guard let names = self[.networks] else {
      let options = Architecture.Options(shortcut: self[.shortcut] ?? .a, zeros: self[.zeros])
      let depths = try cifarDepths
      return self[.data] == nil
        ? Miniature.architectures(depths: depths, options: options, classes: classes).map {
          ("\($0.name):\(Miniature.channels)", $0)
        }
        : Degradation.architectures(depths: depths, options: options, classes: classes).map { ($0.name, $0) }
    }
    if let twice = Dictionary(grouping: names, by: { $0 }).first(where: { $0.value.count > 1 }) {
      throw CommandLineError("--networks has \(quoted(twice.key)) twice")
    }
    return try names.map { ($0, try comparedNetwork($0, classes: classes)) }
  }

  /// `resnet32`, `resnet32:B`, `resnet18:16`, `resnet34:B:16`.
  private func comparedNetwork(_ word: String, classes: Int) throws -> Architecture {
    let parts = word.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    var (shortcut, width) = (self[.shortcut], Int?.none)
    for part in parts.dropFirst() {
      if let option = ShortcutOption(rawValue: part) {
        shortcut = option
      } else if let channels = Int(part), (1...4096).contains(channels) {
        width = channels
      } else {
        throw CommandLineError(
          "--networks takes A, B or C and a number of channels behind a colon (resnet32:B, resnet18:16), not \(quoted(word))"
        )
      }
    }
    var architecture = try Architecture.named(
      parts[0], shortcut: shortcut, options: Architecture.Options(zeros: self[.zeros]), classes: classes)
    if let width { architecture.narrow(to: width) }
    return architecture
  }
}

extension Architecture {
  /// Gives the first stage `width` channels, and the others theirs in proportion.
  fileprivate mutating func narrow(to width: Int) {
    let old = stages[0].width
    if stem != nil { stemChannels = stemChannels * width / old }
    for i in stages.indices {
      stages[i].width = stages[i].width * width / old
      stages[i].outputChannels = stages[i].outputChannels * width / old
    }
  }
}

extension Degradation.Curve {
  fileprivate var json: JSONValue {
    [
      "network": .string(run.label), "seed": .int(Int(run.seed)), "diverged": .bool(result.divergence != nil),
      "arithmetic": result.state.arithmeticJSON,
      "iterations": .array(result.epochs.map { .int($0.iteration) }),
      "trainErrors": .array(result.epochs.map { .double($0.trainingError) }),
      "testErrors": .array(result.epochs.map { .double($0.testError ?? 1) }),
    ]
  }
}
