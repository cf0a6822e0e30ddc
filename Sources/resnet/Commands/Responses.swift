import ResidualExperiments
import ResidualFiles
import ResidualLearning

extension Command {
  static let responses = Command(
    name: "responses",
    summary: "measures the layers' responses",
    description:
      "Measures the standard deviation of every 3x3 layer's output, after batch normalization and before the "
      + "ReLU or the addition, as Figure 7 does. It takes checkpoints and weights from PyTorch, as evaluate does "
      + "(--weights, repeatable); without any, it trains a plain and a residual network of each depth on drawn images.",
    options: [
      .weights, .depths.with(default: Miniature.depths), .normalization, .data, .limit.with(absent: "1000"),
      .output.with(absent: "runs/responses"), .batch, .seed, .json,
    ] + AnyOption.weightOptions + AnyOption.machineOptions
  ) { arguments in
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    let depths = try arguments.cifarDepths
    let folder = arguments[.output] ?? "runs/responses"
    try AtomicFile.makeFolder(folder)
    let shown = try Images.test(folder: arguments[.data]).prefix(arguments[.limit] ?? 1000)
    let networks =
      arguments[.weights].isEmpty
      ? try trained(depths, Images.training(folder: arguments[.data]), seed: UInt64(arguments[.seed]), output)
      : try loaded(arguments, shown, output)

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
    var page = HTMLPage(title: "Layer responses to \(Images.description(folder: arguments[.data]))")
    page.code(arguments.line)
    page.addResponses(all)
    try page.write(to: folder + "/report.html")
    output.line("report in \(folder)/report.html, curves in responses.svg and responses-sorted.svg")
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

  /// The networks of checkpoints, or of weights from PyTorch.
  private static func loaded(
    _ arguments: Arguments, _ images: ImageDataset, _ output: Output
  ) throws -> [(any ImageClassifier<Float>, PixelNormalization)] {
    try arguments[.weights].map { path in
      let weights = try arguments.loadWeights(path, output)
      try weights.network.architecture.checkSize(of: images)
      let normalization = try weights.normalization(
        arguments[.normalization], height: images.height, width: images.width,
        training: Images.training(folder: arguments[.data]))
      return (weights.network, normalization)
    }
  }

  /// A plain and a residual network of each depth, trained on drawn images. They have the paper's widths, unlike those
  /// of `resnet compare`, and only 10 epochs; the decay is 10 times the paper's, for an 80th of its iterations.
  private static func trained(
    _ depths: [Int], _ images: ImageDataset, seed: UInt64, _ output: Output
  ) throws -> [(any ImageClassifier<Float>, PixelNormalization)] {
    let used = images.prefix(Miniature.images)
    let runs = try Degradation.architectures(depths: depths, classes: used.classNames.count).map { architecture in
      var recipe = Recipe.scaled(depth: architecture.weightedLayers, iterations: 0)
      (recipe.batch, recipe.rate, recipe.decay) = (Miniature.batch, Miniature.rate, 0.001)
      recipe.scale(to: 10 * recipe.iterationsPerEpoch(used.count))
      return try TrainingRun(architecture, recipe: recipe, images: used, seed: seed)
    }
    return try trained(runs, sideBySide: true, output).curves.map { curve in
      if let divergence = curve.result.divergence { throw divergence }
      return (curve.result.network, curve.result.normalization)
    }
  }
}
