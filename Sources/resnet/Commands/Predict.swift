extension Command {
  static let predict = Command(
    name: "predict",
    summary: "names what is in a picture",
    description: "Prints classes and probabilities for pictures. A picture of another size is resized.",
    positionals: [.images],
    options: [.weights, .network, .shortcut, .normalization, .crops, .scales, .threads, .json]
  ) { arguments in
    Output(json: arguments[.json]).line("resnet predict: \(arguments)")
  }
}
