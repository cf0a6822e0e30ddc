// SGD.swift: stochastic gradient descent with momentum and weight decay.
//
// Paper       He et al. 2015 §3.4, §4.2: momentum 0.9, weight decay 0.0001
// Tests       Tests/ResidualLearningTests/Training/SGDTests.swift

import ResidualKernels

/// Moves parameters against their gradients.
///
///     v ← m v + η (g + λ w)        (1)
///     w ← w − v                    (2)
///
/// | symbol | in code      | value in the paper                                     |
/// |:-------|:-------------|:-------------------------------------------------------|
/// | w, g   | `parameters`, `gradients` |                                           |
/// | v      | `velocity`   | zero at the start                                      |
/// | η      | `rate`       | 0.1, divided by 10 twice                               |
/// | m      | `momentum`   | 0.9                                                    |
/// | λ      | `decay`      | 0.0001: the gradient of λ/2 w² in the loss             |
///
/// This is the authors' form (Caffe's). PyTorch keeps the rate out of the velocity, v ← m v + g + λ w and w ← w − η v: the
/// same as long as η does not change. When η falls, the authors' velocity goes on at the old rate for some steps, with gradients
/// too weak to turn it: in a long run nobody notices, in a run of a few hundred steps the loss jumps. See ``Velocity`` and
/// docs/differences.md.
public struct SGD<Parameters: ParameterSet>: Sendable {
  /// Which parameters decay. The paper does not say.
  public enum Decaying: String, CaseIterable, Codable, Sendable {
    /// All of them. The default.
    case all
    /// Convolutions' and the linear layer's weights: neither γ and β nor biases.
    case weights
  }

  /// What the velocity holds.
  public enum Velocity: String, CaseIterable, Codable, Sendable {
    /// The rate too: (1) and (2), the authors' form. The default.
    case withRate
    /// Gradients only; the rate multiplies it in (2). PyTorch's form.
    case withoutRate
  }

  /// v, one for each parameter.
  public var velocity: Parameters
  /// m.
  public let momentum: Double
  /// λ.
  public let decay: Double
  /// What decays.
  public let decaying: Decaying
  /// Whether v holds η.
  public let form: Velocity

  /// An optimiser at rest, for parameters of these shapes.
  public init(
    _ parameters: Parameters, momentum: Double = 0.9, decay: Double = 1e-4, decaying: Decaying = .all,
    form: Velocity = .withRate
  ) {
    velocity = parameters.zeros
    self.momentum = momentum
    self.decay = decay
    self.decaying = decaying
    self.form = form
  }

  /// One step with learning rate `rate`.
  public mutating func step(_ parameters: inout Parameters, gradients: Parameters, rate: Double) {
    typealias Scalar = Parameters.Scalar
    let (values, slopes) = (parameters.named.map(\.tensor), gradients.named.map(\.tensor))
    precondition(values.map(\.shape) == slopes.map(\.shape), "gradients of other shapes than the parameters")
    let (momentum, decay, decaysAll) = (momentum, decay, decaying == .all)
    let (inside, outside) = form == .withRate ? (rate, 1) : (1, rate)  // where η stands
    var i = 0
    velocity.visit("") { name, v in
      v.combine(Scalar(momentum), plus: Scalar(inside), slopes[i])  // (1)
      if decay != 0 && (decaysAll || name.hasSuffix("weight")) {
        v.combine(1, plus: Scalar(inside * decay), values[i])  // (1)
      }
      i += 1
    }
    let moves = velocity.named.map(\.tensor)
    i = 0
    parameters.visit("") { _, w in
      w.combine(1, plus: Scalar(-outside), moves[i])  // (2)
      i += 1
    }
  }
}
