extension Command {
  static let bench = Command(
    name: "bench",
    summary: "measures speed",
    description:
      "Measures images/s and GFLOP/s beside the peak of this machine, after checking every fast "
      + "kernel against its reference.",
    positionals: [.mode],
    options: [.network, .batch, .threads, .repeats, .convolution, .json]
  ) { arguments in
    Output(json: arguments[.json]).line("resnet bench: \(arguments)")
  }
}
