import ResidualExperiments
import ResidualLearning

extension Command {
  static let summary = Command(
    name: "summary",
    summary: "lists a network's layers",
    description: "Lists output size, parameters and multiply-adds of every layer, and the totals beside the paper's. "
      + "With --all it lists the totals of every network.",
    positionals: [.networkName],
    options: [.all, .shortcut, .strideIn, .json]
  ) { arguments in
    let output = Output(json: arguments[.json])
    if arguments[.all] {
      guard arguments[.networkName] == nil, !arguments.isGiven(.shortcut), !arguments.isGiven(.strideIn) else {
        throw CommandLineError("--all lists every network with every shortcut and stride: it goes alone")
      }
      let summaries = Architecture.all.map { Summary($0) }
      output.line(totals(of: summaries))
      output.json(["networks": .array(summaries.map { .object($0.members) })])
      return
    }
    guard let name = arguments[.networkName] else {
      throw CommandLineError("NETWORK is missing: resnet summary resnet20, or resnet summary --all")
    }
    let summary = Summary(
      try Architecture.named(
        name, shortcut: arguments[.shortcut], options: Architecture.Options(stridePlacement: arguments[.strideIn])))
    output.line(layers(of: summary))
    output.json(.object(summary.members + [JSONValue.Member(key: "layers", value: .array(summary.layers.map(\.json)))]))
  }

  /// A row for each layer, and the totals beside the paper's.
  private static func layers(of summary: Summary) -> String {
    var table = Table(
      .left("layer"), .left("what"), .right("output"), .right("parameters"), .right("multiply-adds"))
    table.row("images", "", sizes(summary.input), "", "")
    for layer in summary.layers {
      table.row(
        layer.name, layer.description, sizes(layer.output), layer.parameters == 0 ? "" : grouped(layer.parameters),
        layer.multiplyAdds == 0 ? "" : grouped(layer.multiplyAdds))
    }
    table.rule()
    table.row(
      summary.architecture.name + (summary.choice.isEmpty ? "" : " " + summary.choice),
      "\(summary.weightedLayers) weighted layers", "", grouped(summary.parameters), grouped(summary.multiplyAdds))
    let paper = PaperNumbers(summary.architecture)
    if let paper, (paper.parameters ?? paper.multiplyAdds) != nil {
      table.row("the paper", "", "", paper.parameters ?? "", paper.multiplyAdds ?? "")
    }
    var lines = [table.text, "", "parameters of a convolution include the scale and shift of its normalization"]
    if summary.architecture.block == .convolution {
      lines[2] = "\(grouped(summary.convolutionMultiplyAdds)) multiply-adds without the linear layers"
    }
    if let error = paper?.error { lines.append("the paper's error in per cent: \(error)") }
    return lines.joined(separator: "\n")
  }

  /// A row for each network.
  private static func totals(of summaries: [Summary]) -> String {
    var table = Table(
      .left("network"), .left("choice"), .right("layers"), .right("parameters"), .right("paper"),
      .right("multiply-adds"), .right("paper"), .right("paper's error %"))
    for summary in summaries {
      let paper = PaperNumbers(summary.architecture)
      table.row(
        summary.architecture.name, summary.choice, "\(summary.weightedLayers)", grouped(summary.parameters),
        paper?.parameters ?? "", grouped(summary.multiplyAdds), paper?.multiplyAdds ?? "", paper?.error ?? "")
    }
    let vgg = summaries.filter { $0.architecture.block == .convolution }.map {
      "\($0.architecture.name) without its linear layers: \(grouped($0.convolutionMultiplyAdds)) multiply-adds"
    }
    return ([table.text, ""] + vgg + ["(the paper's 15.3e9 leaves them out, its 19.6e9 does not)"])
      .joined(separator: "\n")
  }

  private static func sizes(_ shape: Shape) -> String { shape.sizes.map { "\($0)" }.joined(separator: "x") }
}

extension Architecture {
  /// Every network of the paper with every option that makes a difference to it.
  fileprivate static var all: [Architecture] {
    let depths = [20, 32, 44, 56, 110, 1202]
    let withOption = { (option: ShortcutOption) in Options(shortcut: option) }
    var all = depths.map { cifar(depth: $0, plain: true) }
    for depth in depths { all += [.a, .b].map { cifar(depth: depth, options: withOption($0)) } }
    for row in table1 {
      if !row.block.hasStridePlacement {
        all.append(imageNet(depth: row.depth, plain: true))
        all += ShortcutOption.allCases.map { imageNet(depth: row.depth, options: withOption($0)) }
      } else {
        all += StridePlacement.allCases.map {
          imageNet(depth: row.depth, options: Options(shortcut: .b, stridePlacement: $0))
        }
      }
    }
    return all + vggTable.map { vgg(depth: $0.depth) }
  }
}

extension Summary {
  /// The shortcut and, for bottlenecks, where the stride is.
  fileprivate var choice: String {
    let options = architecture.options
    guard architecture.block.hasShortcut else { return "" }
    return options.shortcut.rawValue
      + (architecture.block.hasStridePlacement ? ", stride in \(options.stridePlacement.word)" : "")
  }

  fileprivate var members: [JSONValue.Member] {
    let options = architecture.options
    var members: [(String, JSONValue)] = [("network", .string(architecture.name))]
    if architecture.block.hasShortcut {
      members.append(("shortcut", .string(options.shortcut.rawValue)))
    }
    if architecture.block.hasStridePlacement {
      members.append(("strideIn", .string(options.stridePlacement.word)))
    }
    members += [
      ("parameters", .int(parameters)), ("multiplyAdds", .int(multiplyAdds)),
      ("convolutionMultiplyAdds", .int(convolutionMultiplyAdds)), ("weightedLayers", .int(weightedLayers)),
    ]
    return members.map { JSONValue.Member(key: $0.0, value: $0.1) }
  }
}

extension StridePlacement {
  fileprivate var word: String { self == .first1x1 ? "1x1" : "3x3" }
}

extension Summary.Layer {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "output": .array(output.sizes.map { .int($0) }), "parameters": .int(parameters),
      "multiplyAdds": .int(multiplyAdds),
    ]
  }
}
