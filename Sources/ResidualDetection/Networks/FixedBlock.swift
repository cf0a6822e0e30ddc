// FixedBlock.swift: a block of the paper with fixed batch normalization.
//
// Paper       He et al. 2015 §3.1, Fig. 2; §4.3, appendix A
// Derivation  docs/derivations/residual-block.md
// Tests       Tests/ResidualDetectionTests/Networks/FixedBlockTests.swift

import ResidualKernels
import ResidualLearning

/// The building block, residual or plain, whose normalizations are a scale and a shift.
///
///     forward    F(x) = uₖ(σ(… σ(u₁(x))))                     uᵢ: ``FixedUnit``         (1)
///                s = F(x) + h(x)                              s = F(x) in a plain net    (2)
///                y = σ(s)                                                                (3)
///     backward   ds = dy where y > 0, else 0                                             (4)
///                dx = (∂F/∂x)ᵀ ds + (∂h/∂x)ᵀ ds                                          (5)
///
/// | symbol | in code              | shape                 |
/// |:-------|:---------------------|:----------------------|
/// | x      | `input`              | `[N, H, W, Cin]`      |
/// | y, s   | `output`, `sum`      | `[N, H/s, W/s, Cout]` |
/// | uᵢ     | `units[i − 1]`       |                       |
/// | h      | `shortcut`           |                       |
public struct FixedBlock<Scalar: Element>: Layer {
  /// The way around.
  public enum FixedShortcut: Sendable {
    /// One without parameters: the identity or option A's zeros.
    case free(Shortcut<Scalar>)
    /// Options B and C.
    case projection(FixedUnit<Scalar>)
  }

  /// What is learned.
  public struct Parameters: ParameterSet {
    /// The Wᵢ.
    public var units: [FixedUnit<Scalar>.Parameters]
    /// W_s of a projection.
    public var projection: FixedUnit<Scalar>.Parameters?

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      for i in units.indices { units[i].visit(path + "conv\(i + 1).", body) }
      projection?.visit(path + "shortcut.conv.", body)
    }
  }

  /// What backward needs.
  public struct Cache: Sendable {
    /// The inputs of the convolutions.
    public let units: [FixedUnit<Scalar>.Cache]
    /// What the ReLUs let pass, the last one y.
    public let activated: [ReLU<Scalar>.Cache]
    /// What a shortcut without parameters needs.
    public let free: Shortcut<Scalar>.Cache?
    /// What a projection needs.
    public let projection: FixedUnit<Scalar>.Cache?
  }

  /// The convolutions of F.
  public var units: [FixedUnit<Scalar>]
  /// h; nil for a plain block.
  public var shortcut: FixedShortcut?
  private let relu = ReLU<Scalar>()

  /// A block of these parts.
  public init(units: [FixedUnit<Scalar>], shortcut: FixedShortcut?) { (self.units, self.shortcut) = (units, shortcut) }

  public var parameters: Parameters {
    get {
      if case .projection(let unit) = shortcut {
        return Parameters(units: units.map(\.parameters), projection: unit.parameters)
      }
      return Parameters(units: units.map(\.parameters), projection: nil)
    }
    set {
      for i in units.indices { units[i].parameters = newValue.units[i] }
      if case .projection(var unit) = shortcut, let parameters = newValue.projection {
        unit.parameters = parameters
        shortcut = .projection(unit)
      }
    }
  }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    var (x, unitCaches, activated) = (input, [FixedUnit<Scalar>.Cache](), [ReLU<Scalar>.Cache]())
    for (i, unit) in units.enumerated() {
      let (output, cache) = unit.forward(x)  // (1)
      unitCaches.append(cache)
      x = output
      guard i < units.count - 1 else { break }
      let (rectified, reluCache) = relu.forward(output)
      activated.append(reluCache)
      x = rectified
    }
    var (free, projection): (Shortcut<Scalar>.Cache?, FixedUnit<Scalar>.Cache?)
    switch shortcut {
    case .none: break
    case .free(let shortcut):
      let (bypass, cache) = shortcut.forward(input)
      (x, free) = (x + bypass, cache)  // (2)
    case .projection(let unit):
      let (bypass, cache) = unit.forward(input)
      (x, projection) = (x + bypass, cache)  // (2)
    }
    let (output, reluCache) = relu.forward(x)  // (3)
    activated.append(reluCache)
    return (output, Cache(units: unitCaches, activated: activated, free: free, projection: projection))
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> { forward(input).output }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let (sumGradient, _) = relu.backward(outputGradient, cache.activated[units.count - 1])  // (4)

    // (5), first term: the residual branch, last layer first.
    var gradient = sumGradient
    var gradients: [FixedUnit<Scalar>.Parameters] = []
    for (i, unit) in units.enumerated().reversed() {
      let (inputGradient, unitGradients) = unit.backward(gradient, cache.units[i])
      gradients.append(unitGradients)
      gradient = i == 0 ? inputGradient : relu.backward(inputGradient, cache.activated[i - 1]).inputGradient
    }

    // (5), second term: the shortcut gets the same gradient.
    var projection: FixedUnit<Scalar>.Parameters?
    switch shortcut {
    case .none: break
    case .free(let shortcut): gradient += shortcut.backward(sumGradient, cache.free!).inputGradient
    case .projection(let unit):
      let (inputGradient, unitGradients) = unit.backward(sumGradient, cache.projection!)
      gradient += inputGradient
      projection = unitGradients
    }
    return (gradient, Parameters(units: gradients.reversed(), projection: projection))
  }

  /// Visits the constants of the normalizations.
  mutating func visitConstants(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
    for i in units.indices { units[i].visitConstants(path + "bn\(i + 1).", body) }
    if case .projection(var unit) = shortcut {
      unit.visitConstants(path + "shortcut.bn.", body)
      shortcut = .projection(unit)
    }
  }
}

/// Blocks one after the other.
public struct FixedBlocks<Scalar: Element>: Layer {
  /// What is learned.
  public struct Parameters: ParameterSet {
    /// The parameters of each block.
    public var blocks: [FixedBlock<Scalar>.Parameters]

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      for b in blocks.indices { blocks[b].visit(path + "blocks.\(b).", body) }
    }
  }

  /// The blocks.
  public var blocks: [FixedBlock<Scalar>]

  /// These blocks in this order.
  public init(_ blocks: [FixedBlock<Scalar>]) { self.blocks = blocks }

  public var parameters: Parameters {
    get { Parameters(blocks: blocks.map(\.parameters)) }
    set { for b in blocks.indices { blocks[b].parameters = newValue.blocks[b] } }
  }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: [FixedBlock<Scalar>.Cache]) {
    var (x, caches) = (input, [FixedBlock<Scalar>.Cache]())
    for block in blocks {
      let (output, cache) = block.forward(x)
      caches.append(cache)
      x = output
    }
    return (x, caches)
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> { blocks.reduce(input) { $1($0) } }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: [FixedBlock<Scalar>.Cache]
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    var (gradient, gradients) = (outputGradient, [FixedBlock<Scalar>.Parameters]())
    for (block, cache) in zip(blocks, cache).reversed() {
      let (inputGradient, blockGradients) = block.backward(gradient, cache)
      gradients.append(blockGradients)
      gradient = inputGradient
    }
    return (gradient, Parameters(blocks: gradients.reversed()))
  }

  /// Visits the constants of the normalizations.
  mutating func visitConstants(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
    for b in blocks.indices { blocks[b].visitConstants(path + "blocks.\(b).", body) }
  }
}
