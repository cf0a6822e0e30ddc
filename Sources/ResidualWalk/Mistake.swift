// Mistake.swift: a mistake of the museum at one place of a walk.
//
// Tests       Tests/ResidualWalkTests/MistakeTests.swift

import ResidualExperiments
import ResidualKernels
import ResidualLearning

/// A catalogued mistake, put into one layer or block of a walk.
public struct Mistake: Sendable {
  /// Where it is.
  public enum Place: Equatable, Sendable {
    /// In the backward of a node.
    case node(Int)
    /// In the backward of a block, by its number in ``Graph/blocks``.
    case block(Int)
  }

  /// The layer or block that has it.
  public let place: Place
  let kind: LayerMistake

  /// What is known about it.
  public var label: Exhibit.Label { kind.label }

  /// Replaces what the layers of a block returned by what the block with the mistake returns.
  func apply(to found: inout Walk.Gradients, _ nodes: Graph.BlockNodes, input: Tensor<Double>) {
    guard case .block(let mistake) = kind else { return }
    let cache = nodes.block.forward(input).cache
    let (dx, gradients) = mistake.backward(nodes.block, input: input, found.nodes[nodes.output]!, cache)
    found.nodes[nodes.input] = dx
    for (name, gradient) in gradients.named { found.parameters[nodes.name + "." + name] = gradient }
  }
}

/// A mistake of the museum that this walk cannot show, and why.
public struct HiddenMistake: Sendable {
  /// What is known about it.
  public let label: Exhibit.Label
  /// The reason, in words that follow "because".
  public let reason: String
}

extension Walk {
  /// Every mistake in a backward pass that the museum has: at a place where this walk shows it, or with the reason why
  /// there is none.
  public func mistakes() -> (shown: [Mistake], hidden: [HiddenMistake]) {
    var (shown, hidden) = ([Mistake](), [HiddenMistake]())
    for kind in LayerMistake.all {
      let places = places(for: kind)
      if let mistake = places.map({ Mistake(place: $0, kind: kind) }).first(where: { effect(of: $0) > 1e-3 }) {
        shown.append(mistake)
      } else {
        hidden.append(HiddenMistake(label: kind.label, reason: reason(kind, isPlaceless: places.isEmpty)))
      }
    }
    return (shown, hidden)
  }

  /// The largest change of a gradient at the mistake's own place, relative to the largest gradient of the tensor.
  public func effect(of mistake: Mistake) -> Double {
    let wrong = gradients(with: mistake)
    return ownPlaces(of: mistake).map { relativeError(tensorGradient(wrong, $0), gradient($0)) }.max() ?? 0
  }

  /// The tensors whose gradients the layer or block with the mistake computes: its inputs and its parameters.
  public func ownPlaces(of mistake: Mistake) -> [Place] {
    let prefix = name(of: mistake) + "."
    let inputs =
      switch mistake.place {
      case .node(let k): graph.nodes[k].inputs
      case .block(let b): [graph.blocks[b].input]
      }
    return inputs.map { .value($0) }
      + parameters.indices.filter { parameters[$0].name.hasPrefix(prefix) }.map { .parameter($0) }
  }

  /// The name of the layer or block that has the mistake.
  public func name(of mistake: Mistake) -> String {
    switch mistake.place {
    case .node(let k): graph.nodes[k].name
    case .block(let b): graph.blocks[b].name
    }
  }

  /// The largest difference of two gradients, relative to the largest element of the right one.
  public func relativeError(_ wrong: Tensor<Double>, _ right: Tensor<Double>) -> Double {
    let difference = (wrong - right).largestMagnitude
    return difference == 0 ? 0 : difference / right.largestMagnitude
  }

  /// Where a mistake can be, those in the middle of the network first.
  private func places(for kind: LayerMistake) -> [Mistake.Place] {
    if case .block(let mistake) = kind {
      let needsShortcut = mistake.label.name.hasPrefix("block-skip")
      return graph.blocks.indices.filter {
        graph.blocks[$0].block.units.count > 1 && (!needsShortcut || graph.blocks[$0].block.shortcut != nil)
      }.map { .block($0) }
    }
    let middle = graph.nodes.count / 2
    return graph.nodes.indices.filter { kind.fits(graph.nodes[$0].kind) && isSquareEnough(graph.nodes[$0].kind, kind) }
      .sorted { (abs($0 - middle), $0) < (abs($1 - middle), $1) }.map { .node($0) }
  }

  /// Some mistakes only run where two numbers of channels are equal.
  private func isSquareEnough(_ node: Node.Kind, _ kind: LayerMistake) -> Bool {
    let needsSquare = ["conv-channels-not-swapped", "linear-not-transposed", "linear-weight-transposed"]
    switch node {
    case .convolution(let conv) where needsSquare.contains(kind.label.name):
      return conv.parameters.weight.shape[2] == conv.parameters.weight.shape[3]
    case .linear(let linear) where needsSquare.contains(kind.label.name):
      return linear.parameters.weight.shape[0] == linear.parameters.weight.shape[1]
    case .shortcut(.identity): return false
    default: return true
    }
  }

  private func reason(_ kind: LayerMistake, isPlaceless: Bool) -> String {
    switch kind {
    case .linear where isPlaceless: "the matrix of the classifier is not square, so the program would stop"
    case .maxPool where isPlaceless: "this network has no max-pool"
    case .block where isPlaceless: "this network has no shortcut"
    case .shortcut where isPlaceless: "no shortcut of this network pads with zeros"
    case .convolution where isPlaceless: "no convolution here has as many channels in as out"
    case .convolution where kind.label.name.hasPrefix("conv-bias"): "no convolution here has a bias"
    default: labels.count == 1 ? "with a batch of one image it changes nothing" : "it changes no gradient here"
    }
  }
}
