// Stop.swift: the stops of a walk, each with its equations and its lines of code.
//
// Tests       Tests/ResidualWalkTests/StopTests.swift

import ResidualKernels
import ResidualLearning

/// An equation with its number.
public struct Equation: Equatable, Sendable {
  /// As it stands in the source: `dx = dy where y > 0, else 0`.
  public let text: String
  /// Its number on its page and in the source; empty for one without a number.
  public let number: String
  /// The page that derives it, or the file that states it.
  public let page: String
}

/// One stop of a walk.
public struct Stop: Sendable {
  /// The three parts of a step of training.
  public enum Phase: String, Sendable {
    /// From the images to the loss.
    case forward
    /// From the loss to the gradients.
    case backward
    /// From the gradients to the moved parameters.
    case step
  }

  /// The part of the step.
  public let phase: Phase
  /// The node whose forward or backward this is; nil for the step of SGD.
  public let node: Int?
  /// Whether this stop adds the two gradients that arrive at the input of a block, `node`.
  public let isAddition: Bool
  /// The layer's name; for an addition the block's name and `input`.
  public let name: String
  /// A sentence that says what happens here.
  public let sentence: String
  /// The equations.
  public let equations: [Equation]
  /// The code: the layer's own function first, then the one that calls it.
  public let code: [CodePlace]
}

extension Walk {
  /// The stops in their order: every layer forward, the loss, every layer backward, the step.
  public var stops: [Stop] {
    var stops = graph.nodes.indices.map { forwardStop($0) }
    for k in Self.backwardOrder(graph) {
      stops.append(backwardStop(k))
      if let number = graph.nodes[k].block, graph.blocks[number].shortcut.first == k {
        stops.append(additionStop(graph.blocks[number]))
      }
    }
    return stops + [stepStop]
  }

  private func forwardStop(_ k: Int) -> Stop {
    let node = graph.nodes[k]
    let text = Texts.forward(node.kind, role(k))
    return Stop(
      phase: .forward, node: k, isAddition: false, name: node.name, sentence: text.sentence,
      equations: text.equations, code: text.code)
  }

  private func backwardStop(_ k: Int) -> Stop {
    let node = graph.nodes[k]
    let text = Texts.backward(node.kind, role(k))
    return Stop(
      phase: .backward, node: k, isAddition: false, name: node.name, sentence: text.sentence,
      equations: text.equations, code: text.code)
  }

  private func additionStop(_ block: Graph.BlockNodes) -> Stop {
    let text = Texts.addition
    return Stop(
      phase: .backward, node: block.input, isAddition: true, name: block.name + ".input", sentence: text.sentence,
      equations: text.equations, code: text.code)
  }

  private var stepStop: Stop {
    let text = Texts.step
    return Stop(
      phase: .step, node: nil, isAddition: false, name: "SGD", sentence: text.sentence, equations: text.equations,
      code: text.code)
  }

  /// The part that a node plays in its block.
  private func role(_ k: Int) -> Role {
    guard let number = graph.nodes[k].block else { return .outside }
    let block = graph.blocks[number]
    if k == block.output { return block.sum == nil ? .plainEnd : .end }
    return block.shortcut.contains(k) ? .shortcut : .branch
  }
}

/// The part that a node plays in its block.
enum Role { case outside, branch, shortcut, end, plainEnd }
