import ResidualFiles
import ResidualLearning

extension Command {
  static let responses = Command(
    name: "responses",
    summary: "measures the layers' responses",
    description:
      "Measures the standard deviation of every 3x3 layer's output, after batch normalization and before the "
      + "ReLU or the addition, as Figure 7 does. Takes checkpoints (--weights, repeatable); without any, plain and "
      + "residual networks are trained for a moment on images that the program draws.",
    options: [
      .weights, .depths.with(default: [20]), .data, .limit, .output, .batch, .seed, .threads, .kernels, .convolution,
      .json,
    ]
  ) { arguments in
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    if let wrong = arguments[.depths].first(where: { $0 % 6 != 2 }) {
      throw CommandLineError("--depths takes depths of 6n + 2 layers (8, 14, 20, ...), not \(wrong)")
    }
    let folder = arguments[.output] ?? "runs/responses"
    try AtomicFile.makeFolder(folder)
    let images = try Images(folder: arguments[.data])
    let shown = images.test.prefix(arguments[.limit] ?? 1000)
    let networks = try arguments[.weights].isEmpty ? trained(arguments, images, output) : loaded(arguments, shown)

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
    _ arguments: Arguments, _ images: Images, _ output: Output
  ) throws -> [(any ImageClassifier<Float>, PixelNormalization)] {
    let training = images.training.prefix(1500)
    let normalization = PixelNormalization.perPixel(of: training)
    let architectures = arguments[.depths].flatMap { depth in
      [true, false].map { Architecture.cifar(depth: depth, plain: $0, classes: training.classNames.count) }
    }
    var recipe = Recipe.scaled(depth: 20, iterations: 120)
    recipe.batch = 64
    Signals.install()
    defer { Signals.uninstall() }
    var line = ProgressLine(total: architectures.count * recipe.iterations, unit: "steps")
    func train<Network: ImageClassifier<Float>>(_ network: Network, _ done: Int) throws -> Network {
      var trainer = Trainer(
        network, recipe: recipe, images: training, normalization: normalization, seed: UInt64(arguments[.seed]))
      while !trainer.isFinished {
        _ = try trainer.step()
        output.progress(&line, done + trainer.state.iteration, network.architecture.name)
        if let signal = Signals.received { throw Stopped(signal: signal) }
      }
      return trainer.network
    }
    return try architectures.enumerated().map { i, architecture in
      var generator = RandomGenerator(seed: UInt64(arguments[.seed]))
      return (try train(architecture.network(using: &generator), i * recipe.iterations), normalization)
    }
  }
}
