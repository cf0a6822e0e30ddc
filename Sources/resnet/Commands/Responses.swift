extension Command {
  static let responses = Command(
    name: "responses",
    summary: "measures the layers' responses",
    description: "Measures the standard deviations of the layers' responses, as Figure 7 does.",
    options: [.weights, .network, .shortcut, .data, .normalization, .limit, .output, .batch, .threads, .json]
  ) { arguments in
    Output(json: arguments[.json]).line("resnet responses: \(arguments)")
  }
}
