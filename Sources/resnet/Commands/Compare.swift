import ResidualFiles
import ResidualLearning

extension Command {
  static let compare = Command(
    name: "compare",
    summary: "trains plain and residual nets of several depths",
    description:
      "Trains plain and residual networks of several depths side by side and draws their errors, as Figure 6 "
      + "does. Without --data, on images that the program draws, in a minute or two.",
    options: [
      .depths.with(default: [8, 20, 32]), .shortcut, .data, .limit, .output, .recipe, .batch.with(default: 32), .epochs,
      .iterations, .rate, .seed,
      .threads, .kernels, .convolution, .json,
    ]
  ) { arguments in
    try arguments.allowOne(of: .epochs, .iterations)
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    let depths = arguments[.depths]
    if let wrong = depths.first(where: { $0 % 6 != 2 }) {
      throw CommandLineError("--depths takes depths of 6n + 2 layers (8, 14, 20, ...), not \(wrong)")
    }
    let folder = arguments[.output] ?? "runs/compare"
    try AtomicFile.makeFolder(folder)

    let images = try Images(folder: arguments[.data])
    let limit = arguments[.limit] ?? (arguments[.data] == nil ? 2500 : images.training.count)
    let training = images.training.prefix(limit)
    let recipe = { (depth: Int) in arguments.comparedRecipe(depth: depth, training.count) }
    let (iterations, rate) = (recipe(depths[0]).iterations, recipe(depths[0]).rate)
    output.line(
      "\(images.description): \(grouped(training.count)) to train on, \(grouped(images.test.count)) to test with; "
        + "\(grouped(iterations)) iterations of \(arguments[.batch]), rate \(brief(rate))")

    Signals.install()
    defer { Signals.uninstall() }
    var done = 0
    var line = ProgressLine(total: 2 * depths.count * iterations, unit: "steps")
    let comparison = try Degradation(
      depths: depths, options: Architecture.Options(shortcut: arguments[.shortcut] ?? .a), training: training,
      test: images.test, seed: UInt64(arguments[.seed]), recipe: recipe
    ) { architecture, iteration in
      done += 1
      output.progress(&line, done, "\(architecture.name), iteration \(iteration)")
      if let signal = Signals.received { throw Stopped(signal: signal) }
    } finished: { curve in
      let last = curve.points.last
      output.line(
        padded(curve.architecture.name, to: 12)
          + (curve.diverged ? "diverged" : "train error \(percent(last?.trainingError ?? 1))")
          + "  test error \(percent(last?.testError ?? 1))")
    }
    for plain in [true, false] {
      try comparison.plot(plain: plain).write(to: folder + (plain ? "/plain.svg" : "/residual.svg"))
    }
    output.line("\n" + table(comparison, depths))
    output.line("curves in \(folder)/plain.svg and \(folder)/residual.svg")
    output.json(["networks": .array(comparison.curves.map(\.json))])
  }

  /// Depths down, plain and residual across.
  private static func table(_ comparison: Degradation, _ depths: [Int]) -> String {
    var table = Table(
      .right("layers"), .right("plain: train"), .right("test"), .right("residual: train"), .right("test"))
    for (i, depth) in depths.enumerated() {
      let cells = comparison.curves[2 * i...2 * i + 1].flatMap { curve -> [String] in
        guard let last = curve.points.last, !curve.diverged else { return ["diverged", ""] }
        return [percent(last.trainingError), percent(last.testError)]
      }
      table.row(["\(depth)"] + cells)
    }
    return table.text
  }
}

extension Arguments {
  /// The recipe for one of the networks that are compared.
  fileprivate func comparedRecipe(depth: Int, _ count: Int) -> Recipe {
    var recipe = Recipe.paper(depth: depth)
    if self[.recipe] == .scaled {
      let epochs = self[.epochs] ?? (self[.data] == nil ? 5 : 40)
      recipe = .scaled(
        depth: depth, iterations: self[.iterations] ?? epochs * ((count + self[.batch] - 1) / self[.batch]))
    }
    recipe.batch = self[.batch]
    // Half the paper's rate for a quarter of its batch and far fewer iterations.
    if self[.recipe] == .scaled && self[.data] == nil { recipe.rate = 0.05 }
    recipe.rate = self[.rate] ?? recipe.rate
    return recipe
  }
}

extension Degradation.Curve {
  fileprivate var json: JSONValue {
    [
      "network": .string(architecture.name), "diverged": .bool(diverged),
      "iterations": .array(points.map { .int($0.iteration) }),
      "trainErrors": .array(points.map { .double($0.trainingError) }),
      "testErrors": .array(points.map { .double($0.testError) }),
    ]
  }
}
