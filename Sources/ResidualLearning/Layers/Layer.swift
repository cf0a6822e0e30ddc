// Layer.swift: what every layer, block and network can do.

import ResidualKernels

/// A function of a tensor with learned parameters: forward keeps what backward needs, and backward applies the chain
/// rule.
///
/// There is no training mode. ``forward(_:)`` is the training pass and changes nothing in the layer; calling the layer,
/// `layer(input)`, is inference; ``track(_:rate:)`` moves running statistics once per training step.
///
/// ```swift
/// let (output, cache) = layer.forward(input)
/// let (inputGradient, gradients) = layer.backward(outputGradient, cache)
/// ```
public protocol Layer<Scalar>: Sendable {
  associatedtype Scalar
  /// The learned tensors. Values, gradients and the optimizer's velocity all have this type.
  associatedtype Parameters: ParameterSet<Scalar>
  /// The values that `forward` keeps for `backward`.
  associatedtype Cache: Sendable

  /// The learned values.
  var parameters: Parameters { get set }

  /// The training pass. It changes nothing in the layer.
  func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache)

  /// Given the gradient of the loss with respect to the output, returns its gradients with respect to the input and to
  /// the parameters.
  func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters)

  /// Inference: without a cache, and with running statistics in place of those of the batch.
  func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar>

  /// Moves the running statistics by the fraction `rate` towards the statistics of the batch that `cache` belongs to.
  mutating func track(_ cache: Cache, rate: Scalar)

  /// Visits the running mean and variance of every batch normalization, which change in training but are not learned by
  /// gradients. A name is `path` and that of the normalization, such as `stages.0.blocks.2.bn1.`.
  mutating func visitStatistics(_ path: String, _ body: (String, inout BatchNorm2D<Scalar>.Statistics) -> Void)
}

extension Layer {
  /// Does nothing: most layers have no running statistics.
  public mutating func track(_ cache: Cache, rate: Scalar) {}

  /// Visits nothing: most layers have no running statistics.
  public mutating func visitStatistics(_ path: String, _ body: (String, inout BatchNorm2D<Scalar>.Statistics) -> Void) {
  }
}

extension Layer {
  /// Every parameter and running statistic under its name.
  public var state: [(name: String, tensor: Tensor<Scalar>)] {
    parameters.named + statistics
  }

  /// Every running statistic under its name.
  public var statistics: [(name: String, tensor: Tensor<Scalar>)] {
    var copy = self
    var result: [(name: String, tensor: Tensor<Scalar>)] = []
    copy.visitStatistics("") { name, statistics in
      statistics.visit(name) { name, tensor in result.append((name, tensor)) }
    }
    return result
  }

  /// Visits every parameter and running statistic, which `body` may replace. It throws what `body` throws first.
  public mutating func visitState(_ body: (String, inout Tensor<Scalar>) throws -> Void) throws {
    var failure: (any Error)?
    func visit(_ name: String, _ tensor: inout Tensor<Scalar>) {
      guard failure == nil else { return }
      do { try body(name, &tensor) } catch { failure = error }
    }
    var parameters = parameters
    parameters.visit("", visit)
    visitStatistics("") { name, statistics in statistics.visit(name, visit) }
    if let failure { throw failure }
    self.parameters = parameters
  }
}

/// The tensors that a layer learns, each under its name.
public protocol ParameterSet<Scalar>: Sendable {
  associatedtype Scalar: Element

  /// Visits every tensor, always in the same order. A name is `path` followed by the tensor's own name, such as
  /// `stages.0.blocks.2.conv1.weight`.
  mutating func visit(_ path: String, _ body: (_ name: String, _ tensor: inout Tensor<Scalar>) -> Void)
}

extension ParameterSet {
  /// Every tensor with its name, in the order of `visit`.
  public var named: [(name: String, tensor: Tensor<Scalar>)] {
    var copy = self
    var result: [(name: String, tensor: Tensor<Scalar>)] = []
    copy.visit("") { name, tensor in result.append((name, tensor)) }
    return result
  }

  /// The number of learned numbers in all tensors.
  public var count: Int { named.reduce(0) { $0 + $1.tensor.count } }

  /// Parameters of the same shapes, all zero.
  public var zeros: Self {
    var copy = self
    copy.visit("") { _, tensor in tensor = Tensor(zeros: tensor.shape) }
    return copy
  }
}

/// The parameters of a layer that learns nothing.
public struct NoParameters<Scalar: Element>: ParameterSet {
  /// An empty set.
  public init() {}
  public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {}
}
