// ObjectnessLoss.swift: object or background?
//
// Paper       Ren et al. 2015 (Faster R-CNN), equation (1), L_cls: "log loss over two classes"
// Derivation  docs/derivations/detection.md
// Tests       Tests/ResidualDetectionTests/Layers/ObjectnessLossTests.swift

import ResidualKernels
import ResidualLearning

/// The mean over the sampled anchors of minus the logarithm of the probability of what is true.
///
///     forward    p = 1 / (1 + exp(−z))                                       (1)
///                L = 1/M Σ [log(1 + exp(−|z|)) + max(z, 0) − z t]            (2)   = −log p or −log(1 − p)
///     backward   dz = (p − t) / M                                            (3)
///
/// | symbol | in code                  | shape |
/// |:-------|:-------------------------|:------|
/// | z      | `logits`                 | `[M]` |
/// | t      | `isObject`, 1 or 0       | `[M]` |
/// | p      | `cache.probabilities`    | `[M]` |
/// | dz     | the result of `backward` | `[M]` |
///
/// Faster R-CNN has two outputs and a softmax. One output is the same function: of two logits only the difference
/// counts. In the form (2) no exponent is positive, and nothing overflows.
public struct ObjectnessLoss<Scalar: Element>: Sendable {
  /// p and t: (3) needs nothing else.
  public struct Cache: Sendable {
    /// p `[M]`.
    public let probabilities: [Scalar]
    /// t `[M]`.
    public let isObject: [Bool]
  }

  /// A loss.
  public init() {}

  /// The loss of `logits` when `isObject` is true; 0 for no anchors at all.
  public func forward(_ logits: Tensor<Scalar>, isObject: [Bool]) -> (loss: Scalar, cache: Cache) {
    precondition(logits.shape == [isObject.count], "logits \(logits.shape) for \(isObject.count) anchors")
    let z = logits.elements
    let losses = zip(z, isObject).map { z, t in
      Scalar.logarithm(1 + Scalar.exponential(-abs(z))) + max(z, 0) - (t ? z : 0)  // (2)
    }
    let loss = losses.reduce(0, +) / Scalar(max(losses.count, 1))
    return (loss, Cache(probabilities: z.map(Self.probability), isObject: isObject))
  }

  /// The gradient of the loss with respect to the logits.
  public func backward(_ cache: Cache) -> Tensor<Scalar> {
    let m = Scalar(max(cache.isObject.count, 1))
    return Tensor(zip(cache.probabilities, cache.isObject).map { p, t in (p - (t ? 1 : 0)) / m })  // (3)
  }

  /// p of equation (1), by the exponential of a number that is not positive.
  public static func probability(_ logit: Scalar) -> Scalar {
    let e = Scalar.exponential(-abs(logit))
    return logit >= 0 ? 1 / (1 + e) : e / (1 + e)
  }
}
