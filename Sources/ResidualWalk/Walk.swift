// Walk.swift: every number of one training step.
//
// Tests       Tests/ResidualWalkTests/WalkTests.swift

import ResidualKernels
import ResidualLearning

/// One training step of a network, layer by layer: every value, every gradient, and the step of SGD.
///
/// Every layer runs through its own `forward` and `backward`, in `Double`; the order is that of `Block` and
/// `ResidualNetwork`, and the results are theirs, bit for bit (a test compares them).
public struct Walk: Sendable {
  /// A gradient that arrives at a tensor, and the node that hands it back.
  public struct Contribution: Sendable {
    /// The node that read the tensor.
    public let reader: Int
    /// Its gradient with respect to the tensor.
    public let gradient: Tensor<Double>
  }

  /// What the backward pass finds.
  public struct Gradients: Sendable {
    /// For each node, the gradient of the loss with respect to its output; nil where none arrives.
    public internal(set) var nodes: [Tensor<Double>?]
    /// For each node, what arrives at its output; more than one where the output is used twice.
    public internal(set) var contributions: [[Contribution]]
    /// The gradients with respect to the parameters, under their full names.
    public internal(set) var parameters: [String: Tensor<Double>] = [:]
  }

  /// The network's description.
  public let architecture: Architecture
  /// The layers.
  public let graph: Graph
  /// The true classes of the images.
  public let labels: [Int]
  /// The output of each node.
  public let values: [Tensor<Double>]
  /// The gradients of the loss.
  public let gradients: Gradients
  /// The learned tensors in the order of the network's own list.
  public let parameters: [(name: String, tensor: Tensor<Double>)]
  /// The rate of the step of SGD.
  public let rate: Double
  /// The velocities after the step, in the order of ``parameters``.
  public let velocities: [Tensor<Double>]
  /// The parameters after the step, in the order of ``parameters``.
  public let moved: [Tensor<Double>]
  /// The gradients that were given in place of what arrives at some nodes.
  public let upstream: [Int: Tensor<Double>]

  /// The statistics of each normalization, by its node.
  let statistics: [Int: BatchNorm2D<Double>.Cache]
  /// The node that each parameter belongs to.
  public let owners: [Int]

  private let passes: [Pass?]

  /// Takes one step of training, at momentum 0.9 and decay 0.0001, with a velocity of zero before it.
  ///
  /// - Parameters:
  ///   - network: the network before the step.
  ///   - images: its input `[N, H, W, 3]`.
  ///   - labels: the true classes.
  ///   - rate: the rate of the step.
  ///   - upstream: for some nodes, a gradient with respect to their output that takes the place of what arrives there.
  public init(
    _ network: ResidualNetwork<Double>, images: Tensor<Double>, labels: [Int], rate: Double = 0.1,
    upstream: [Int: Tensor<Double>] = [:]
  ) {
    architecture = network.architecture
    graph = Graph(network, labels: labels)
    self.labels = labels
    self.rate = rate
    self.upstream = upstream
    var values = [images]
    var passes: [Pass?] = [nil]
    for node in graph.nodes.dropFirst() {
      let pass = Pass(node, node.inputs.map { values[$0] })
      values.append(pass.output)
      passes.append(pass)
    }
    (self.values, self.passes) = (values, passes)
    var statistics: [Int: BatchNorm2D<Double>.Cache] = [:]
    for (k, node) in graph.nodes.enumerated() {
      if case .normalization(let bn) = node.kind { statistics[k] = bn.forward(values[node.inputs[0]]).cache }
    }
    self.statistics = statistics
    gradients = Self.backward(graph, values, passes, upstream, nil)
    parameters = network.parameters.named
    let numbers = Dictionary(uniqueKeysWithValues: graph.nodes.enumerated().map { ($1.name, $0) })
    owners = parameters.map { name, _ in numbers[String(name.prefix(upTo: name.lastIndex(of: ".")!))]! }

    var slopes = network.parameters.zeros
    let found = gradients.parameters
    slopes.visit("") { name, tensor in tensor = found[name]! }
    var (optimizer, stepped) = (SGD(network.parameters), network.parameters)
    optimizer.step(&stepped, gradients: slopes, rate: rate)
    velocities = optimizer.velocity.named.map { $0.tensor }
    moved = stepped.named.map { $0.tensor }
  }

  /// The loss.
  public var loss: Double { values[values.count - 1][0] }

  /// The probabilities `[N, K]` of the classes.
  public var probabilities: Tensor<Double> { softmax(values[values.count - 2]) }

  /// The parameters of node `k` with their full names.
  public func parameters(of k: Int) -> [(name: String, tensor: Tensor<Double>)] {
    parameters.indices.filter { owners[$0] == k }.map { parameters[$0] }
  }
}

// MARK: - Backward

extension Walk {
  /// The nodes in the order of the backward pass: in a block the end, the branch and then the shortcut.
  static func backwardOrder(_ graph: Graph) -> [Int] {
    var order: [Int] = []
    var k = graph.nodes.count - 1
    while k > 0 {
      guard let number = graph.nodes[k].block else {
        order.append(k)
        k -= 1
        continue
      }
      let block = graph.blocks[number]
      order += [block.output] + (block.sum.map { [$0] } ?? [])
      order += block.branch.reversed() + block.shortcut.reversed()
      k = block.branch[0] - 1
    }
    return order
  }

  /// The gradients when the layer or block at `mistake.place` has a mistake.
  public func gradients(with mistake: Mistake) -> Gradients { Self.backward(graph, values, passes, upstream, mistake) }

  private static func backward(
    _ graph: Graph, _ values: [Tensor<Double>], _ passes: [Pass?], _ upstream: [Int: Tensor<Double>],
    _ mistake: Mistake?
  ) -> Gradients {
    let count = graph.nodes.count
    var found = Gradients(nodes: Array(repeating: nil, count: count), contributions: Array(repeating: [], count: count))
    found.nodes[count - 1] = Tensor([1])
    for k in backwardOrder(graph) {
      let node = graph.nodes[k]
      if let given = upstream[k] { found.nodes[k] = given }
      let (inputs, parameters) = passes[k]!.backward(found.nodes[k]!, mistake?.place == .node(k) ? mistake?.kind : nil)
      for (input, gradient) in zip(node.inputs, inputs) {
        found.contributions[input].append(Contribution(reader: k, gradient: gradient))
        found.nodes[input] = found.nodes[input].map { $0 + gradient } ?? gradient
      }
      for (name, gradient) in parameters { found.parameters[node.name + "." + name] = gradient }
      if let number = node.block, case .block(number)? = mistake?.place, isLast(k, of: graph.blocks[number]) {
        mistake?.apply(to: &found, graph.blocks[number], input: values[graph.blocks[number].input])
      }
    }
    return found
  }

  /// Whether the backward pass of a block ends at node `k`.
  private static func isLast(_ k: Int, of block: Graph.BlockNodes) -> Bool {
    k == block.shortcut.first ?? block.branch.first
  }
}

// MARK: - Finite differences

/// A tensor of the walk: what a node computes, or a parameter.
public enum Place: Equatable, Sendable {
  /// The output of a node.
  case value(Int)
  /// A parameter, by its number in ``Walk/parameters``.
  case parameter(Int)
}

extension Walk {
  /// (L(a + h) − L(a − h)) / 2h for element `i` of a tensor; the layers behind it run anew.
  ///
  /// Where a gradient u was given for the output y of a node, the loss is u·y, with the layers behind that node as they are.
  public func finiteDifference(_ place: Place, _ i: Int, step h: Double = 1e-5) -> Double {
    let a = tensor(place)[flat: i]
    let (right, left) = (a + h, a - h)
    return (loss(place, i, right) - loss(place, i, left)) / (right - left)
  }

  /// The tensor at a place.
  public func tensor(_ place: Place) -> Tensor<Double> {
    switch place {
    case .value(let k): values[k]
    case .parameter(let p): parameters[p].tensor
    }
  }

  /// The gradient of the loss with respect to the tensor at a place.
  public func gradient(_ place: Place) -> Tensor<Double> { tensorGradient(gradients, place) }

  /// The gradient that `found` has for the tensor at a place.
  public func tensorGradient(_ found: Gradients, _ place: Place) -> Tensor<Double> {
    switch place {
    case .value(let k): found.nodes[k]!
    case .parameter(let p): found.parameters[parameters[p].name]!
    }
  }

  /// The loss when element `i` of a tensor is `value`.
  private func loss(_ place: Place, _ i: Int, _ value: Double) -> Double {
    var changed: [Int: Tensor<Double>] = [:]
    var (start, given) = (0, 0.0)
    func change(_ k: Int, to output: Tensor<Double>) {
      if let u = upstream[k] { given += u.dot(output - values[k]) } else { changed[k] = output }
    }
    switch place {
    case .value(let k):
      var tensor = values[k]
      tensor[flat: i] = value
      change(k, to: tensor)
      start = k + 1
    case .parameter(let p):
      let (name, tensor) = parameters[p]
      start = owners[p]
      var new = tensor
      new[flat: i] = value
      let node = graph.nodes[start].replacing(String(name.dropFirst(graph.nodes[start].name.count + 1)), by: new)
      change(start, to: Pass(node, node.inputs.map { values[$0] }).output)
      start += 1
    }
    for k in start..<max(start, values.count) where graph.nodes[k].inputs.contains(where: { changed[$0] != nil }) {
      change(k, to: Pass(graph.nodes[k], graph.nodes[k].inputs.map { changed[$0] ?? values[$0] }).output)
    }
    return (changed[values.count - 1] ?? values[values.count - 1])[0] + given
  }
}

extension Node {
  /// The node with another value of one of its parameters.
  fileprivate func replacing(_ parameter: String, by tensor: Tensor<Double>) -> Node {
    func changed<L: Layer>(_ layer: L) -> L where L.Scalar == Double {
      var layer = layer
      layer.parameters.visit("") { name, old in if name == parameter { old = tensor } }
      return layer
    }
    let new: Kind =
      switch kind {
      case .convolution(let layer): .convolution(changed(layer))
      case .normalization(let layer): .normalization(changed(layer))
      case .linear(let layer): .linear(changed(layer))
      default: kind
      }
    return Node(name: name, kind: new, inputs: inputs, block: block)
  }
}
