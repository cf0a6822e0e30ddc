extension Command {
  static let train = Command(
    name: "train",
    summary: "trains a network",
    description:
      "Trains a network. Without options a small residual net learns built-in synthetic images in about a minute.",
    options: [
      .network, .shortcut, .data, .normalization, .limit, .output, .recipe, .batch, .epochs, .iterations, .rate,
      .momentum, .decay, .statistics, .seed, .resume, .threads, .kernels, .convolution, .json,
    ]
  ) { arguments in
    Output(json: arguments[.json]).line("resnet train: \(arguments)")
  }
}
