extension Command {
  static let compare = Command(
    name: "compare",
    summary: "trains plain and residual nets of several depths",
    description:
      "Trains plain and residual networks of several depths side by side and draws their errors, as Figure 6 does.",
    options: [
      .depths, .shortcut, .data, .limit, .output, .recipe, .batch.with(default: 64), .epochs, .iterations, .rate, .seed,
      .threads, .json,
    ]
  ) { arguments in
    Output(json: arguments[.json]).line("resnet compare: \(arguments)")
  }
}
