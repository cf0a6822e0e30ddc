extension Command {
  static let summary = Command(
    name: "summary",
    summary: "lists a network's layers",
    description: "Lists output size, parameters and multiply-adds of every layer, and the totals beside the paper's.",
    positionals: [.networkName],
    options: [.all, .shortcut, .json]
  ) { arguments in
    Output(json: arguments[.json]).line("resnet summary: \(arguments)")
  }
}
