import ResidualInference
import ResidualKernels
import ResidualLearning

extension Command {
  static let predict = Command(
    name: "predict",
    summary: "names what is in a picture",
    description:
      "Prints classes and probabilities for pictures (PNG). If a picture has another size than the network takes, its "
      + "largest central part of the right aspect ratio is resized.",
    positionals: [.images],
    options: [.weights.with(absent: ours), .normalization, .json] + AnyOption.weightOptions + AnyOption.machineOptions
  ) { arguments in
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    let weights = try arguments.loadWeights(output)
    let (height, width) = weights.imageSize
    let normalization = try weights.normalization(
      arguments[.normalization], height: height, width: width, training: nil)
    output.line(normalization.words)
    let names = weights.classNames ?? weights.usualClassNames
    let network = weights.network.prepared()
    var results: [JSONValue] = []
    // One picture at a time: however many there are, memory for one is enough.
    for path in arguments[.images] {
      let picture = try Picture(contentsOf: path)
      let view = picture.resized(height: height, width: width)
      let isWhole = (picture.height, picture.width) == (height, width)
      let best = network.probabilities(view, normalization).prefix(5)
      output.line("\(path)" + (isWhole ? "" : " (\(picture.width)x\(picture.height), resized to \(width)x\(height))"))
      for (index, probability) in best {
        output.line("  " + padded(names[index], to: 12) + percent(Double(probability)))
      }
      results.append([
        "file": .string(path),
        "classes": .array(
          best.map { ["class": .string(names[$0.index]), "probability": .float($0.probability)] }),
      ])
    }
    output.json(["network": .string(weights.network.architecture.name), "images": .array(results)])
  }
}

extension Weights {
  /// Names for the classes of a file without names: CIFAR-10's where there are ten, or else numbers.
  fileprivate var usualClassNames: [String] {
    let architecture = network.architecture
    return architecture.stem == .cifar && architecture.classes == 10
      ? CIFAR10.classNames : (0..<architecture.classes).map { "class \($0)" }
  }
}

extension Classifier<Float> {
  /// The classes of a picture of the network's size with their probabilities, the likeliest first.
  fileprivate func probabilities(
    _ picture: Picture, _ normalization: PixelNormalization
  ) -> [(index: Int, probability: Float)] {
    let view = PictureView(pixels: picture.pixels, height: picture.height, width: picture.width)
    return probabilities(normalization.input([view])).elements.enumerated().map { ($0, $1) }.sorted {
      ($1.probability, $0.index) < ($0.probability, $1.index)
    }
  }
}
