// Page+Data.swift: the numbers of a page as JSON.
//
// Tests       Tests/ResidualWalkTests/PageTests.swift

import ResidualExperiments
import ResidualFiles
import ResidualKernels
import ResidualLearning

/// A number with so many significant digits, as short as it can be written.
func number(_ value: Double, digits: Int) -> String {
  let text = value.rounded(digits: digits)
  return text == "-0" ? "0" : text
}

extension Page {
  /// Everything that the page shows, as one JSON object.
  public var data: String {
    let mistakes = walk.mistakes()
    return object([
      ("network", text(walk.architecture.name)), ("picture", text(picture)), ("loss", number(walk.loss)),
      ("labels", list(walk.labels.map { "\($0)" })), ("rate", number(walk.rate)),
      ("probabilities", numbers(walk.probabilities)), ("nodes", list(walk.graph.nodes.indices.map(node))),
      ("blocks", list(walk.graph.blocks.map(block))),
      ("parameters", list(walk.parameters.indices.map(parameter))), ("stops", list(walk.stops.map(stop))),
      ("snippets", object(Snippet.all.map { ($0.key, snippet($0)) })),
      ("plain", plain.map(beside) ?? "null"), ("mistakes", list(mistakes.shown.map(mistake))),
      ("hidden", list(mistakes.hidden.map { object(label($0.label) + [("reason", text($0.reason))]) })),
    ])
  }

  private func node(_ k: Int) -> String {
    let node = walk.graph.nodes[k]
    let contributions = walk.gradients.contributions[k]
    var members: [(String, String)] = [
      ("name", text(node.name)), ("kind", text(word(node.kind))), ("inputs", list(node.inputs.map { "\($0)" })),
      ("block", node.block.map { "\($0)" } ?? "null"), ("shape", shape(walk.values[k].shape)),
      ("value", tensor(walk.values[k])), ("gradient", tensor(walk.gradients.nodes[k]!)),
      ("difference", differences(.value(k))),
    ]
    if contributions.count > 1 {
      members.append(
        ("arriving", list(contributions.map { list(["\($0.reader)", tensor($0.gradient)]) })))
    }
    switch node.kind {
    case .convolution(let conv): members += [("stride", "\(conv.stride)"), ("padding", "\(conv.padding)")]
    case .maxPool(let pool):
      members += [("stride", "\(pool.stride)"), ("padding", "\(pool.padding)"), ("window", "\(pool.window)")]
    case .shortcut(.zeroPadded(let zeros)): members += [("stride", "\(zeros.stride)"), ("front", "\(zeros.front)")]
    case .normalization:
      let cache = walk.statistics[k]!
      members += [("mean", numbers(cache.batch.mean)), ("inverse", numbers(cache.inverseDeviation))]
    default: break
    }
    return object(members)
  }

  private func word(_ kind: Node.Kind) -> String {
    switch kind {
    case .images: "images"
    case .convolution: "convolution"
    case .normalization: "normalization"
    case .relu: "relu"
    case .maxPool: "maxPool"
    case .shortcut(.identity): "identity"
    case .shortcut: "zeros"
    case .sum: "sum"
    case .averagePool: "averagePool"
    case .linear: "linear"
    case .loss: "loss"
    }
  }

  private func block(_ block: Graph.BlockNodes) -> String {
    object([
      ("name", text(block.name)), ("input", "\(block.input)"), ("branch", list(block.branch.map { "\($0)" })),
      ("shortcut", list(block.shortcut.map { "\($0)" })), ("sum", block.sum.map { "\($0)" } ?? "null"),
      ("output", "\(block.output)"),
    ])
  }

  private func parameter(_ number: Int) -> String {
    let (name, value) = walk.parameters[number]
    return object([
      ("name", text(name)), ("node", "\(walk.owners[number])"), ("shape", shape(value.shape)), ("value", tensor(value)),
      ("gradient", tensor(walk.gradient(.parameter(number)))), ("difference", differences(.parameter(number))),
      ("velocity", tensor(walk.velocities[number])), ("next", tensor(walk.moved[number])),
    ])
  }

  private func stop(_ stop: Stop) -> String {
    let question = walk.question(stop).map { question in
      object([
        ("kind", text(question.kind.rawValue)), ("text", text(question.text)),
        ("choices", list(question.choices.map(text))), ("answer", text(question.answer)),
      ])
    }
    return object([
      ("phase", text(stop.phase.rawValue)), ("node", stop.node.map { "\($0)" } ?? "null"),
      ("addition", "\(stop.isAddition)"), ("name", text(stop.name)), ("sentence", text(stop.sentence)),
      ("equations", list(stop.equations.map { list([text($0.text), text($0.number), text($0.page)]) })),
      ("code", list(stop.code.map(code))), ("question", question ?? "null"),
    ])
  }

  private func code(_ place: CodePlace) -> String {
    list([text(place.snippet.key)] + place.marked.map { "\($0)" })
  }

  private func snippet(_ snippet: Snippet) -> String {
    object([
      ("file", text(snippet.file)), ("line", "\(snippet.firstLine)"), ("lines", list(snippet.lines.map(text))),
    ])
  }

  private func beside(_ plain: Walk) -> String {
    let nodes = plain.graph.nodes.indices.map { k in
      (
        plain.graph.nodes[k].name,
        list([tensor(plain.values[k]), tensor(plain.gradients.nodes[k]!)])
      )
    }
    return object([
      ("loss", number(plain.loss)), ("nodes", object(nodes)),
      ("parameters", object(plain.parameters.map { ($0.name, tensor(plain.gradients.parameters[$0.name]!)) })),
    ])
  }

  private func mistake(_ mistake: Mistake) -> String {
    let head = label(mistake.label) + [("place", text(walk.name(of: mistake)))]
    guard holdsNumbers else { return object(head + [("lines", list(mistake.lines.map(code)))]) }
    let wrong = walk.gradients(with: mistake)
    let places = walk.values.indices.map { Place.value($0) } + walk.parameters.indices.map { Place.parameter($0) }
    let errors = places.compactMap { place -> (String, String)? in
      let error = walk.relativeError(walk.tensorGradient(wrong, place), walk.gradient(place))
      return error > 0 ? (name(place), number(error)) : nil
    }
    let own = walk.ownPlaces(of: mistake)
    return object(
      head + [
        ("errors", object(errors)),
        ("wrong", object(own.map { (name($0), tensor(walk.tensorGradient(wrong, $0))) })),
      ])
  }

  private func name(_ place: Place) -> String {
    switch place {
    case .value(let k): walk.graph.nodes[k].name
    case .parameter(let number): walk.parameters[number].name
    }
  }

  private func label(_ label: Exhibit.Label) -> [(String, String)] {
    [
      ("name", text(label.name)), ("mistake", text(label.mistake)), ("symptom", text(label.symptom)),
      ("seen", text(label.seen ?? "")),
    ]
  }

  private func differences(_ place: Place) -> String {
    guard holdsNumbers else { return "null" }
    let tensor = walk.tensor(place)
    return self.tensor(Tensor(tensor.shape, (0..<tensor.count).map { walk.finiteDifference(place, $0) }))
  }

  // MARK: - JSON

  private func number(_ value: Double) -> String { ResidualWalk.number(value, digits: 6) }

  private func numbers(_ tensor: Tensor<Double>) -> String { list(tensor.elements.map { number($0) }) }

  /// The numbers of a tensor with their mean and deviation.
  private func tensor(_ tensor: Tensor<Double>) -> String {
    guard holdsNumbers else { return "null" }
    return object([("n", numbers(tensor)), ("mean", number(tensor.mean)), ("deviation", number(tensor.deviation))])
  }

  private func shape(_ shape: Shape) -> String { list(shape.sizes.map { "\($0)" }) }

  private func list(_ items: [String]) -> String { "[" + items.joined(separator: ",") + "]" }

  private func object(_ members: [(String, String)]) -> String {
    "{" + members.map { text($0.0) + ":" + $0.1 }.joined(separator: ",\n") + "}"
  }

  /// A string in quotes. `<` is escaped too, so that no text can end the page's script.
  private func text(_ string: String) -> String {
    var result = "\""
    for character in string.unicodeScalars {
      switch character {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "<": result += "\\u003c"
      case "\n": result += "\\n"
      case "\0"..<" ": result += "\\u" + String(0x1_0000 + character.value, radix: 16).dropFirst()
      default: result.unicodeScalars.append(character)
      }
    }
    return result + "\""
  }
}
