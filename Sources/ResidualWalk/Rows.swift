// Rows.swift: the tensors of a stop.
//
// Tests       Tests/ResidualWalkTests/StopTests.swift

import ResidualKernels
import ResidualLearning

/// A tensor that a stop shows, and the gradient of the loss with respect to it.
public struct Row: Sendable {
  /// The tensor's name.
  public let name: String
  /// Its numbers.
  public let value: Tensor<Double>
  /// The gradient with respect to it. At a backward stop it is what this one layer hands back.
  public let gradient: Tensor<Double>
}

extension Walk {
  /// The tensors of a stop: forward what the layer computes; backward its input and its parameters; at the addition the
  /// block's input with both gradients in one; at the step the parameters with their velocities in place of gradients.
  public func rows(of stop: Stop) -> [Row] {
    guard let k = stop.node else {
      return parameters.indices.map { Row(name: parameters[$0].name, value: moved[$0], gradient: velocities[$0]) }
    }
    let node = graph.nodes[k]
    if stop.phase == .forward || stop.isAddition {
      return [Row(name: node.name, value: values[k], gradient: gradients.nodes[k]!)]
    }
    let inputs = node.inputs.map { input in
      Row(
        name: graph.nodes[input].name, value: values[input],
        gradient: gradients.contributions[input].first { $0.reader == k }!.gradient)
    }
    return inputs
      + parameters(of: k).map { Row(name: $0.name, value: $0.tensor, gradient: gradients.parameters[$0.name]!) }
  }

  /// The parameters of a layer and its output, each with its gradient.
  public func rows(ofLayer k: Int) -> [Row] {
    parameters(of: k).map { Row(name: $0.name, value: $0.tensor, gradient: gradients.parameters[$0.name]!) }
      + [Row(name: graph.nodes[k].name, value: values[k], gradient: gradients.nodes[k]!)]
  }

  /// The names that ``place(named:)`` knows: layers and parameters.
  public var names: [String] { graph.nodes.map { $0.name } + parameters.map { $0.name } }

  /// The tensor with this name.
  public func place(named name: String) -> Place? {
    graph.node(name).map { .value($0) } ?? parameters.firstIndex { $0.name == name }.map { .parameter($0) }
  }

  /// How many numbers the walk has: values and gradients, parameters with theirs, their velocities and their new values.
  public var count: Int {
    2 * values.reduce(0) { $0 + $1.count } + 4 * parameters.reduce(0) { $0 + $1.tensor.count }
  }
}
