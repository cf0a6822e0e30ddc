import ResidualFiles
import ResidualLearning

extension Command {
  static let responses = Command(
    name: "responses",
    summary: "measures the layers' responses",
    description:
      "Measures the standard deviation of every 3x3 layer's output, after batch normalization and before the "
      + "ReLU or the addition, as Figure 7 does. It takes checkpoints (--weights, repeatable); without any, it trains plain "
      + "and residual networks for a moment on images that the program draws.",
    options: [.weights, .depths.with(default: [20]), .data, .limit, .output, .batch, .seed, .json]
      + AnyOption.machineOptions
  ) { arguments in
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    let depths = try arguments.cifarDepths
    let folder = arguments[.output] ?? "runs/responses"
    try AtomicFile.makeFolder(folder)
    let images = try Images(folder: arguments[.data])
    let shown = images.test.prefix(arguments[.limit] ?? 1000)
    let networks =
      arguments[.weights].isEmpty
      ? try trained(depths, images, seed: UInt64(arguments[.seed]), output) : try loaded(arguments, shown)

    var table = Table(.left("network"), .right("layers"), .right("mean"), .right("smallest"), .right("largest"))
    var all: [(name: String, responses: LayerResponses)] = []
    for (network, normalization) in networks {
      let name = network.architecture.name
      let responses = LayerResponses(
        network, images: shown, normalization: normalization, batch: arguments[.batch])
      guard !responses.layers.isEmpty else {
        throw InputError("\(name) has no batch normalization behind its 3x3 layers, so there is nothing to measure")
      }
      let sorted = responses.sorted
      table.row(
        name, "\(sorted.count)", fixed(responses.mean, 3), fixed(sorted[sorted.count - 1], 3), fixed(sorted[0], 3))
      all.append((name, responses))
    }
    output.line(table.text)
    try LayerResponses.plot(all, sorted: false).write(to: folder + "/responses.svg")
    try LayerResponses.plot(all, sorted: true).write(to: folder + "/responses-sorted.svg")
    output.line("curves in \(folder)/responses.svg and \(folder)/responses-sorted.svg")
    output.json([
      "networks": .array(
        all.map { entry in
          [
            "network": .string(entry.name), "mean": .double(entry.responses.mean),
            "layers": .array(entry.responses.layers.map { .string($0.name) }),
            "deviations": .array(entry.responses.layers.map { .double($0.deviation) }),
          ]
        })
    ])
  }

  /// The networks of the checkpoints.
  private static func loaded(
    _ arguments: Arguments, _ images: ImageDataset
  ) throws -> [(any ImageClassifier<Float>, PixelNormalization)] {
    try arguments[.weights].map { path in
      let checkpoint = try Checkpoint(contentsOf: path)
      return (try checkpoint.network(), try checkpoint.normalization(height: images.height, width: images.width))
    }
  }

  /// A plain and a residual network of each depth, after a few epochs.
  private static func trained(
    _ depths: [Int], _ images: Images, seed: UInt64, _ output: Output
  ) throws -> [(any ImageClassifier<Float>, PixelNormalization)] {
    let used = images.training.prefix(1500)
    let runs = try Degradation.architectures(depths: depths, classes: used.classNames.count).map { architecture in
      var recipe = Recipe.scaled(depth: architecture.weightedLayers, iterations: 120)
      recipe.batch = 64
      return try TrainingRun(architecture, recipe: recipe, images: used, seed: seed)
    }
    return try trained(runs, output).curves.map { curve in
      guard let result = curve.result else { throw InputError("\(curve.architecture.name) diverged") }
      return (result.network, result.normalization)
    }
  }
}
