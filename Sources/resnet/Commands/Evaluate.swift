import Foundation
import ResidualExperiments
import ResidualFiles
import ResidualInference
import ResidualKernels
import ResidualLearning

extension Command {
  /// What the help text says of ``PretrainedResNet20``.
  static let ours = "the package's own ResNet-20 for CIFAR-10"

  static let evaluate = Command(
    name: "evaluate",
    summary: "measures accuracy and loss of weights",
    description: "Measures accuracy and loss of a checkpoint, or of weights from PyTorch (safetensors, names of "
      + "akamaster's or torchvision's networks), on test images. The network is recognised from the file. --export "
      + "writes it for PyTorch. Several files make an ensemble; the scores (probabilities) of all networks, crops and "
      + "scales are averaged.",
    options: [
      .weights.with(absent: ours, help: "a file of weights; several make an ensemble"), .data, .normalization,
      .limit, .crops, .scales, .logits, .export, .lean, .batch, .json,
    ] + AnyOption.weightOptions + AnyOption.machineOptions
  ) { arguments in
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    if arguments.averagesScores {
      try evaluateEnsemble(arguments, output)
    } else {
      let weights = try arguments.loadWeights(output)
      try evaluate(weights.network, weights, arguments, output)
    }
  }

  /// Several networks, or several views of an image.
  private static func evaluateEnsemble(_ arguments: Arguments, _ output: Output) throws {
    for option: AnyOption in [.logits, .export, .lean] where arguments.isGiven(option) {
      throw CommandLineError("\(option.name) takes one file of weights, one crop and no scales")
    }
    let views = arguments.views
    let all = try arguments.weightsPaths.map { try arguments.loadWeights($0, output) }
    let test = try arguments.testImages
    let ensemble = try Ensemble(
      all.map { weights in
        let size = weights.imageSize
        return .init(
          weights.network.prepared(batch: arguments[.batch]),
          try weights.normalization(
            arguments[.normalization], height: size.height, width: size.width,
            training: Images.training(folder: arguments[.data])))
      })
    for (member, weights) in zip(ensemble.members, all) {
      output.line("\(member.network.architecture.name)  \(member.normalization.words)")
      try weights.checkClasses(of: test)
    }
    output.line("scores averaged over networks: \(all.count), views of an image: \(views.count)")
    var line = ProgressLine(total: test.count)
    let result = try ensemble.evaluate(test, views: views, batch: arguments[.batch]) { done in
      output.progress(&line, done)
    }
    report(result, of: ensemble.name, arguments, output)
  }

  private static func evaluate<Network: ImageClassifier<Float>>(
    _ network: Network, _ weights: Weights, _ arguments: Arguments, _ output: Output
  ) throws {
    let test = try arguments.testImages
    let normalization = try weights.normalization(
      arguments[.normalization], height: test.height, width: test.width,
      training: Images.training(folder: arguments[.data]))
    output.line(
      normalization.words
        + (arguments[.normalization] == nil && !weights.saysNormalization
          ? ", as is usual for PyTorch's weights (--normalization)" : ""))
    if let path = arguments[.export] { try export(network, normalization, to: path, output) }
    if let path = arguments[.lean] { try writeLean(try arguments.weightsPath, to: path, output) }
    try weights.check(test)

    var line = ProgressLine(total: test.count)
    let prepared = network.prepared(batch: arguments[.batch])
    let result = prepared.evaluate(test, normalization: normalization, batch: arguments[.batch]) { done in
      output.progress(&line, done)
    }
    let shown = min(arguments[.logits], test.count)
    let logits = shown == 0 ? [] : prepared.logits(test, normalization, 0..<shown, batch: arguments[.batch])
    for (i, row) in logits.enumerated() {
      output.line("image \(i)  \(row.map { fixed(Double($0), 4) }.joined(separator: " "))")
    }
    report(result, of: network.architecture.name, arguments, logits: logits, output)
  }

  private static func report(
    _ result: Evaluation, of network: String, _ arguments: Arguments, logits: [[Float]] = [], _ output: Output
  ) {
    output.line(
      "\(Images.description(folder: arguments[.data])): \(grouped(result.correct)) of \(grouped(result.count)) test images right "
        + "(error \(percent(result.error))), loss \(fixed(result.loss, 5))")
    var members: [JSONValue.Member] = [
      .init(key: "network", value: .string(network)),
      .init(key: "correct", value: .int(result.correct)), .init(key: "total", value: .int(result.count)),
      .init(key: "accuracy", value: .double(result.accuracy)), .init(key: "loss", value: .double(result.loss)),
    ]
    if !logits.isEmpty {
      members.append(.init(key: "logits", value: .array(logits.map { .array($0.map(JSONValue.float)) })))
    }
    output.json(.object(members))
  }

  /// Writes a checkpoint without the optimizer's velocities, in half precision.
  private static func writeLean(_ checkpoint: String, to path: String, _ output: Output) throws {
    let file = try SafeTensorsFile(contentsOf: checkpoint)
    guard Checkpoint.isOne(file) else {
      throw InputError("\(checkpoint) is no checkpoint, so --lean does not go with it")
    }
    try file.without(prefix: Checkpoint.velocityPrefix).inHalfPrecision().write(to: path)
    output.line("written for predictions alone: \(path)")
  }

  /// Writes the network for PyTorch, and the mean image, which a `state_dict` has no place for, beside it.
  private static func export<Network: ImageClassifier<Float>>(
    _ network: Network, _ normalization: PixelNormalization, to path: String, _ output: Output
  ) throws {
    try PyTorchWeights.file(of: network).write(to: path)
    output.line("written for PyTorch: \(path)")
    let options = network.architecture.options
    if network.architecture.block == .basic && options.shortcut == .a && options.zeros == .after {
      output.line("its shortcuts A have their zeros after the channels; akamaster's module puts them around")
    }
    guard normalization.kind == .perPixel else { return }
    let mean = normalization.mean
    try NPYArray(shape: mean.shape.sizes, .float32(mean.elements)).write(to: path + ".mean.npy")
    output.line("its mean image, pixels / 255 [H, W, 3]: \(path).mean.npy")
  }
}

extension Arguments {
  /// The files of weights that are given, or the one that comes with the package.
  var weightsPaths: [String] {
    get throws { self[.weights].isEmpty ? [try PretrainedResNet20.path()] : self[.weights] }
  }

  /// The only one of ``weightsPaths``.
  var weightsPath: String {
    get throws {
      let paths = try weightsPaths
      guard paths.count == 1 else { throw CommandLineError("--weights is given twice") }
      return paths[0]
    }
  }

  /// The network of ``weightsPath``, checked against `--network`.
  func loadWeights(_ output: Output) throws -> Weights { try loadWeights(weightsPath, output) }

  /// One file of weights, checked against `--network`.
  func loadWeights(_ path: String, _ output: Output) throws -> Weights {
    var knowledge = PyTorchWeights.Knowledge()
    knowledge.zeros = given(.zeros)
    knowledge.stridePlacement = given(.strideIn)
    knowledge.isPlain = given(.network)?.hasPrefix("plain") ?? false
    let weights = try Weights(contentsOf: path, knowing: knowledge)
    let found = weights.network.architecture
    if let name = given(.network), found.name != name {
      throw InputError("\(path) should hold \(name), but it holds \(found.name)")
    }
    output.line("\(self[.weights].isEmpty ? Command.ours : path): \(weights.summary)")
    return weights
  }
}

extension Arguments {
  /// The test images, or the first of them.
  fileprivate var testImages: ImageDataset {
    get throws {
      let all = try Images.test(folder: self[.data])
      return all.prefix(self[.limit] ?? all.count)
    }
  }

  /// The views of an image that `--crops` and `--scales` ask for.
  var views: Views { Views(crops: Views.Crops(rawValue: self[.crops])!, scales: self[.scales] ?? []) }

  /// Whether there are several networks or views, so that scores are averaged.
  var averagesScores: Bool { self[.weights].count > 1 || views != Views() }
}

extension Ensemble {
  /// The names of its networks: "resnet20+resnet32".
  var name: String { members.map(\.network.architecture.name).joined(separator: "+") }
}

extension Weights {
  /// Refuses images of a size that the network does not take, or of other classes than it knows.
  func check(_ images: ImageDataset) throws {
    try network.architecture.checkSize(of: images)
    try checkClasses(of: images)
  }

  /// Refuses images of other classes than the network knows.
  func checkClasses(of images: ImageDataset) throws {
    let classes = network.architecture.classes
    guard classes == images.classNames.count else {
      throw InputError("the network tells \(classes) classes apart, but the images have \(images.classNames.count)")
    }
    guard let classNames, classNames != images.classNames else { return }
    throw InputError(
      "the network knows the classes \(listed(classNames, "and")), but the images show "
        + listed(images.classNames, "and"))
  }
}

extension Architecture {
  /// Refuses images that a VGG cannot take: its first linear layer has a weight for every pixel.
  func checkSize(of images: ImageDataset) throws {
    guard takesAnySize || (images.height, images.width) == (imageSize, imageSize) else {
      throw InputError(
        "\(name) takes images of \(imageSize)x\(imageSize), but these are \(images.height)x\(images.width)")
    }
  }
}

extension Classifier<Float> {
  /// The logits of some images, a row each.
  func logits(_ images: ImageDataset, _ normalization: PixelNormalization, _ range: Range<Int>, batch: Int) -> [[Float]]
  {
    stride(from: range.lowerBound, to: range.upperBound, by: batch).flatMap { start in
      let result = self(normalization.input(images, start..<min(start + batch, range.upperBound)))
      return (0..<result.shape[0]).map { result.slice($0..<$0 + 1).elements }
    }
  }
}

extension PixelNormalization {
  /// What is done to the pixels, in words.
  var words: String {
    switch kind {
    case .perPixel: "pixels: minus the mean image"
    case .cifar: "pixels: minus CIFAR-10's mean of each channel, divided by its deviation"
    case .imageNet: "pixels: minus ImageNet's mean of each channel, divided by its deviation"
    }
  }
}
