import ResidualExperiments
import ResidualFiles
import ResidualKernels
import ResidualLearning
import ResidualWalk

extension Arguments {
  /// The walk that the options ask for.
  func walk(_ output: Output) throws -> Walk {
    let (network, normalization) = try tracedNetwork(output)
    let size = network.architecture.imageSize
    var (images, labels) = Walk.drawn(count: self[.batch], size: size, seed: UInt64(self[.seed]))
    var source = self[.batch] == 1 ? "a drawn picture" : "\(self[.batch]) drawn pictures"
    if let path = self[.image] {
      if isGiven(.batch) { throw CommandLineError("--batch is for drawn pictures: IMAGE is a batch of one") }
      let picture = try Picture(contentsOf: path).resized(height: size, width: size)
      let view = PictureView(pixels: picture.pixels, height: size, width: size)
      let input = (normalization ?? Walk.normalization(size: size)).input([view])
      (images, labels) = (Tensor(input.shape, input.elements.map(Double.init)), [0])
      source = path
    }
    if let label = self[.label] { labels = labels.map { _ in label } }
    let classes = network.architecture.classes
    guard let largest = labels.max(), largest < classes else {
      throw InputError("the class \(labels.max()!) is beyond the last of \(classes) classes, \(classes - 1)")
    }
    output.line(
      "\(network.architecture.name), \(source) of \(size)x\(size) pixels, class "
        + labels.map { "\($0)" }.joined(separator: ", "))
    return Walk(network, images: images, labels: labels, rate: self[.rate]!)
  }

  /// The network of `--weights`, or one with random weights; its description has the size of the image.
  private func tracedNetwork(_ output: Output) throws -> (ResidualNetwork<Double>, PixelNormalization?) {
    guard !self[.weights].isEmpty else {
      let architecture = try tracedArchitecture
      guard architecture.stem != nil else { throw Self.noBlocks(architecture) }
      return (Walk.network(architecture, seed: UInt64(self[.seed])), nil)
    }
    for option: AnyOption in [.width, .shortcut] where isGiven(option) {
      throw CommandLineError("\(option.name) does not go with --weights, which say it themselves")
    }
    let weights = try loadWeights(output)
    guard var network = weights.network as? ResidualNetwork<Float> else {
      throw Self.noBlocks(weights.network.architecture)
    }
    let size = self[.size] ?? weights.imageSize.height
    var architecture = network.architecture
    architecture.imageSize = size
    var generator = RandomGenerator(seed: 0)
    var resized = ResidualNetwork<Float>(architecture, using: &generator)
    resized.parameters = network.parameters
    let running = Dictionary(uniqueKeysWithValues: network.state.map { ($0.name, $0.tensor) })
    try resized.visitState { name, tensor in tensor = running[name]! }
    network = resized
    let normalization = try weights.normalization(
      nil, height: weights.imageSize.height, width: weights.imageSize.width,
      training: Images.training(folder: nil))
    return (try Walk.network(network), normalization.resized(height: size, width: size))
  }

  private var tracedArchitecture: Architecture {
    get throws {
      let options = Architecture.Options(zeros: self[.zeros], stridePlacement: self[.strideIn])
      let isNamed = isGiven(.network)
      let name = isNamed ? self[.network] : "resnet8"
      var architecture = try Architecture.named(name, shortcut: self[.shortcut], options: options)
      if let width = self[.width] ?? (isNamed ? nil : 4) { architecture = architecture.withWidth(width) }
      architecture.imageSize = self[.size] ?? (isNamed ? architecture.imageSize : 8)
      return architecture
    }
  }

  private static func noBlocks(_ architecture: Architecture) -> InputError {
    InputError("trace walks residual and plain networks; \(architecture.name) has no blocks and no normalization")
  }
}

extension Architecture {
  /// The same network with this many channels in its first stage.
  fileprivate func withWidth(_ width: Int) -> Architecture {
    stem == .cifar
      ? .cifar(depth: weightedLayers, plain: block == .plain, options: options, classes: classes, width: width)
      : stem == .imageNet
        ? .imageNet(depth: weightedLayers, plain: block == .plain, options: options, classes: classes, width: width)
        : self
  }
}
