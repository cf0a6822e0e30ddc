// SGD.swift: stochastic gradient descent with momentum and weight decay.
//
// Paper       He et al. 2015 §3.4, §4.2: momentum 0.9, weight decay 0.0001
// Tests       Tests/ResidualLearningTests/Training/SGDTests.swift

/// The parameters that decay. The paper does not say which they are.
public enum DecayedParameters: CaseIterable, Sendable {
  /// All parameters. The default.
  case all
  /// The kernels `[kH, kW, Cin, Cout]` of convolutions and the linear layer's matrix, but not γ, β and biases, which
  /// are rows `[C]`.
  case weights
}

/// What the velocity of SGD holds.
public enum VelocityForm: CaseIterable, Sendable {
  /// Gradients times the rate, as in (1) of ``SGD``: the authors' form. The default.
  case withRate
  /// Gradients alone; the rate multiplies the velocity in (2). PyTorch's form.
  case withoutRate
}

/// Stochastic gradient descent: moves parameters against their gradients.
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
/// This is the authors' form (Caffe's). PyTorch keeps the rate out of the velocity, v ← m v + g + λ w and w ← w − η v:
/// the same as long as η does not change. After η is divided by 10, the authors' velocity still holds steps of the old
/// size, and needs about 1/(1 − m) = 10 steps to forget them. In a long run nobody notices; in a few hundred steps the
/// loss jumps. See ``VelocityForm`` and docs/differences.md.
public struct SGD<Parameters: ParameterSet>: Sendable {
  /// The velocity v of each parameter.
  public var velocity: Parameters
  /// The momentum m.
  public let momentum: Double
  /// The weight decay λ.
  public let decay: Double
  /// The parameters that decay.
  public let decayed: DecayedParameters
  /// Whether the velocity holds the rate η.
  public let form: VelocityForm

  /// An optimizer at rest, for parameters of these shapes.
  public init(
    _ parameters: Parameters, momentum: Double = 0.9, decay: Double = 1e-4, decayed: DecayedParameters = .all,
    form: VelocityForm = .withRate
  ) {
    velocity = parameters.zeros
    self.momentum = momentum
    self.decay = decay
    self.decayed = decayed
    self.form = form
  }

  /// One step with learning rate `rate`.
  public mutating func step(_ parameters: inout Parameters, gradients: Parameters, rate: Double) {
    typealias Scalar = Parameters.Scalar
    let (values, slopes) = (parameters.named.map { $0.tensor }, gradients.named.map { $0.tensor })
    precondition(values.map { $0.shape } == slopes.map { $0.shape }, "gradients of other shapes than the parameters")
    let (momentum, decay, decaysAll) = (momentum, decay, decayed == .all)
    let (inside, outside) = form == .withRate ? (rate, 1) : (1, rate)  // where η stands
    var i = 0
    velocity.visit("") { _, v in
      v.combine(Scalar(momentum), plus: Scalar(inside), slopes[i])  // (1)
      if decay != 0 && (decaysAll || v.shape.rank > 1) {
        v.combine(1, plus: Scalar(inside * decay), values[i])  // (1)
      }
      i += 1
    }
    let moves = velocity.named.map { $0.tensor }
    i = 0
    parameters.visit("") { _, w in
      w.combine(1, plus: Scalar(-outside), moves[i])  // (2)
      i += 1
    }
  }
}
