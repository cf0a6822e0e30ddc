extension Command {
  static let evaluate = Command(
    name: "evaluate",
    summary: "measures accuracy and loss of weights",
    description:
      "Measures accuracy and loss of a checkpoint, or of published weights, on a folder of "
      + "images; of several files of weights, those of the ensemble.",
    options: [
      .network, .shortcut, .weights, .data, .normalization, .limit, .crops, .scales, .logits, .batch, .threads,
      .kernels, .convolution, .json,
    ]
  ) { arguments in
    Output(json: arguments[.json]).line("resnet evaluate: \(arguments)")
  }
}
