import Foundation
import ResidualKernels
import ResidualLearning

extension Command {
  static let evaluate = Command(
    name: "evaluate",
    summary: "measures accuracy and loss of weights",
    description: "Measures accuracy and loss of a checkpoint, or of weights from PyTorch (safetensors, names of "
      + "akamaster's or torchvision's networks), on test images. The network is recognised from the file. --export writes "
      + "it for PyTorch.",
    options: [
      .weights, .expectedNetwork, .foreignZeros, .foreignStrideIn, .data, .normalization, .limit, .logits, .export,
      .batch, .threads, .kernels, .convolution, .json,
    ]
  ) { arguments in
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    let weights = try arguments.loadWeights(output)
    try evaluate(weights.network, weights, arguments, output)
  }

  private static func evaluate<Network: ImageClassifier<Float>>(
    _ network: Network, _ weights: Weights, _ arguments: Arguments, _ output: Output
  ) throws {
    let images = try Images(folder: arguments[.data])
    let test = images.test.prefix(arguments[.limit] ?? images.test.count)
    let normalization = try weights.normalization(
      arguments[.normalization], height: test.height, width: test.width, training: images.training)
    output.line(
      normalization.words
        + (arguments[.normalization] == nil && !weights.saysNormalization
          ? ", as is usual for PyTorch's weights (--normalization)" : ""))
    if let path = arguments[.export] { try export(network, normalization, to: path, output) }
    try weights.check(test)

    var line = ProgressLine(total: test.count)
    let result = network.evaluate(test, normalization: normalization, batch: arguments[.batch]) { done in
      output.progress(&line, done)
    }
    let shown = min(arguments[.logits], test.count)
    let logits = shown == 0 ? [] : network.logits(test, normalization, 0..<shown, batch: arguments[.batch])
    for (i, row) in logits.enumerated() {
      output.line("image \(i)  \(row.map { fixed(Double($0), 4) }.joined(separator: " "))")
    }
    output.line(
      "\(images.description): \(grouped(result.correct)) of \(grouped(result.count)) test images right "
        + "(error \(percent(result.error))), loss \(fixed(result.loss, 5))")
    var members: [JSONValue.Member] = [
      .init(key: "network", value: .string(network.architecture.name)),
      .init(key: "correct", value: .int(result.correct)), .init(key: "total", value: .int(result.count)),
      .init(key: "accuracy", value: .double(result.accuracy)), .init(key: "loss", value: .double(result.loss)),
    ]
    if shown > 0 {
      members.append(.init(key: "logits", value: .array(logits.map { .array($0.map(JSONValue.float)) })))
    }
    output.json(.object(members))
  }

  /// Writes the network for PyTorch, and the mean image, which a `state_dict` has no place for, beside it.
  private static func export<Network: ImageClassifier<Float>>(
    _ network: Network, _ normalization: Normalization, to path: String, _ output: Output
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
  /// The one file of weights that is given, checked against `--network`.
  func loadWeights(_ output: Output) throws -> Weights {
    guard let path = self[.weights].first else { throw CommandLineError("--weights is missing: --weights FILE") }
    guard self[.weights].count == 1 else { throw CommandLineError("--weights is given twice") }
    var knowledge = PyTorchWeights.Knowledge()
    knowledge.zeros = self[.foreignZeros]
    knowledge.stridePlacement = self[.foreignStrideIn]
    knowledge.isPlain = self[.expectedNetwork]?.hasPrefix("plain") ?? false
    let weights = try Weights(contentsOf: path, knowing: knowledge)
    let found = weights.network.architecture
    if let name = self[.expectedNetwork], found.name != name {
      throw InputError("\(path) should hold \(name), but it holds \(found.name)")
    }
    output.line("\(path): \(weights.summary)")
    return weights
  }
}

extension Weights {
  /// Refuses images of a size that the network does not take, or of other classes than it knows.
  func check(_ images: ImageDataset) throws {
    try network.architecture.checkSize(of: images)
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

extension ImageClassifier<Float> {
  /// The logits of some images, a row each.
  func logits(_ images: ImageDataset, _ normalization: Normalization, _ range: Range<Int>, batch: Int) -> [[Float]] {
    stride(from: range.lowerBound, to: range.upperBound, by: batch).flatMap { start in
      let result = self(normalization(images, start..<min(start + batch, range.upperBound)))
      return (0..<result.shape[0]).map { result.slice($0..<$0 + 1).elements }
    }
  }
}

extension Normalization {
  /// What happens to pixels, in words.
  var words: String {
    switch kind {
    case .perPixel: "pixels: minus the mean image"
    case .cifar: "pixels: minus CIFAR-10's channel means, over its deviations"
    case .imageNet: "pixels: minus ImageNet's channel means, over its deviations"
    }
  }
}
