// Graph.swift: a network as a list of layers, each with the layers that it reads.
//
// Tests       Tests/ResidualWalkTests/WalkTests.swift: the list gives the bits of the network itself

import ResidualKernels
import ResidualLearning

/// One layer of a network. What it computes bears its name: `stages.0.blocks.0.conv1`.
public struct Node: Sendable {
  /// What a node computes, with the package's own layer where there is one.
  public enum Kind: Sendable {
    /// The network's input. It computes nothing.
    case images
    /// W ∗ x.
    case convolution(Conv2D<Double>)
    /// Batch normalization.
    case normalization(BatchNorm2D<Double>)
    /// max(x, 0).
    case relu
    /// The maximum of each window.
    case maxPool(MaxPool2D<Double>)
    /// The identity, or option A's zeros. A projection is a convolution and a normalization.
    case shortcut(Shortcut<Double>)
    /// F(x) + h(x).
    case sum
    /// The mean of each channel over all pixels.
    case averagePool
    /// x W + b.
    case linear(Linear<Double>)
    /// Softmax and cross-entropy, for images of these classes.
    case loss(labels: [Int])
  }

  /// The name of the layer and of the tensor that it computes.
  public let name: String
  /// What it computes.
  public let kind: Kind
  /// The nodes that it reads, by their numbers: two for a sum, one for all others but the images.
  public let inputs: [Int]
  /// The number of the block that it belongs to, in ``Graph/blocks``.
  public let block: Int?
}

/// The layers of a network and its loss in the order of the forward pass.
public struct Graph: Sendable {
  /// A block of the network: the nodes of its branch, of its shortcut and of its end.
  public struct BlockNodes: Sendable {
    /// `stages.0.blocks.0`, or `stem`.
    public let name: String
    /// The block itself, whose `forward` and `backward` the nodes take apart.
    public let block: Block<Double>
    /// The node x.
    public let input: Int
    /// Convolutions, normalizations and ReLUs of F.
    public internal(set) var branch: [Int] = []
    /// h, if there is a shortcut: one node, or two for a projection.
    public internal(set) var shortcut: [Int] = []
    /// F(x) + h(x), if there is a shortcut.
    public internal(set) var sum: Int?
    /// σ of the sum.
    public internal(set) var output = 0
  }

  /// All layers.
  public private(set) var nodes: [Node] = []
  /// The stem and the blocks.
  public private(set) var blocks: [BlockNodes] = []

  /// The layers of `network`, and the loss for images of the classes `labels`.
  public init(_ network: ResidualNetwork<Double>, labels: [Int]) {
    var x = add("images", .images, [])
    x = add(network.stem.block, "stem", x)
    if let pool = network.stem.maxPool { x = add("stem.maxPool", .maxPool(pool), [x]) }
    for (s, stage) in network.stages.enumerated() {
      for (b, block) in stage.enumerated() { x = add(block, "stages.\(s).blocks.\(b)", x) }
    }
    x = add("pool", .averagePool, [x])
    x = add("classifier", .linear(network.classifier), [x])
    _ = add("loss", .loss(labels: labels), [x])
  }

  /// The node with this name.
  public func node(_ name: String) -> Int? { nodes.firstIndex { $0.name == name } }

  /// The nodes that read node `k`, in the order of the forward pass.
  public func readers(of k: Int) -> [Int] { nodes.indices.filter { nodes[$0].inputs.contains(k) } }

  private mutating func add(_ name: String, _ kind: Node.Kind, _ inputs: [Int], block: Int? = nil) -> Int {
    nodes.append(Node(name: name, kind: kind, inputs: inputs, block: block))
    return nodes.count - 1
  }

  /// The layers of a block in the order of ``Block/forward(_:observe:)``; returns its output.
  private mutating func add(_ block: Block<Double>, _ name: String, _ x: Int) -> Int {
    var made = BlockNodes(name: name, block: block, input: x)
    let number = blocks.count
    func numbered(_ layer: String, _ i: Int) -> String {
      name + "." + layer + (block.units.count == 1 ? "" : "\(i + 1)")
    }
    var a = x
    for (i, unit) in block.units.enumerated() {
      a = add(numbered("conv", i), .convolution(unit.conv), [a], block: number)
      made.branch.append(a)
      a = add(numbered("bn", i), .normalization(unit.bn), [a], block: number)
      made.branch.append(a)
      guard i < block.units.count - 1 else { break }
      a = add(numbered("relu", i), .relu, [a], block: number)
      made.branch.append(a)
    }
    if let shortcut = block.shortcut {
      if let projection = shortcut.projection {
        made.shortcut = [add(name + ".shortcut.conv", .convolution(projection.conv), [x], block: number)]
        made.shortcut += [add(name + ".shortcut.bn", .normalization(projection.bn), made.shortcut, block: number)]
      } else {
        made.shortcut = [add(name + ".shortcut", .shortcut(shortcut), [x], block: number)]
      }
      a = add(name + ".sum", .sum, [a, made.shortcut.last!], block: number)
      made.sum = a
    }
    made.output = add(name + ".output", .relu, [a], block: number)
    blocks.append(made)
    return made.output
  }
}
