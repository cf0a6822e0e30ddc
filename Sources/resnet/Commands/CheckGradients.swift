extension Command {
  static let checkGradients = Command(
    name: "check-gradients",
    summary: "checks every gradient against finite differences",
    description:
      "Checks the gradients of every layer, block and three small networks against finite "
      + "differences in Double, and lists the worst errors. Ends with status 1 when one fails.",
    options: [.seed, .threads, .kernels, .convolution, .json]
  ) { arguments in
    Output(json: arguments[.json]).line("resnet check-gradients: \(arguments)")
  }
}
