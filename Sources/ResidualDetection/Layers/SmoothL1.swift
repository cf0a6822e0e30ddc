// SmoothL1.swift: the loss of a box.
//
// Paper       Girshick 2015 (Fast R-CNN), equation (3)
// Derivation  docs/derivations/detection.md
// Tests       Tests/ResidualDetectionTests/Layers/SmoothL1Tests.swift

import ResidualKernels
import ResidualLearning

/// A square near zero and an absolute value far from it, so that one hopeless box does not decide the step.
///
///     forward    e = p − t                                                  (1)
///                ℓ(e) = e²/2b       where |e| < b, else |e| − b/2           (2)
///                L = 1/M Σ ℓ(e)                                             (3)
///     backward   dp = e/(b M)       where |e| < b, else sign(e)/M           (4)
///
/// | symbol | in code                  | shape            |
/// |:-------|:-------------------------|:-----------------|
/// | p, t   | `predicted`, `targets`   | `[n, 4]`         |
/// | b      | `threshold`              | a number         |
/// | M      | `divisor`                | a number         |
/// | dp     | the result of `backward` | `[n, 4]`         |
///
/// (2) and its slope are continuous at |e| = b; the second derivative jumps there.
public struct SmoothL1<Scalar: Element>: Sendable {
  /// e and M: (4) needs nothing else.
  public struct Cache: Sendable {
    /// e `[n, 4]`.
    public let differences: Tensor<Scalar>
    /// M.
    public let divisor: Scalar
  }

  /// b: 1 in Fast R-CNN, 1/9 in the region proposal network.
  public let threshold: Scalar

  /// A loss that is a square up to `threshold`.
  public init(threshold: Scalar = 1) {
    precondition(threshold > 0, "a threshold of \(threshold)")
    self.threshold = threshold
  }

  /// The loss of `predicted` where `targets` are right, divided by M.
  ///
  /// M is not the number of rows: the sum runs over boxes of objects, and the mean is taken over all that were sampled.
  public func forward(_ predicted: Tensor<Scalar>, targets: Tensor<Scalar>, divisor: Scalar) -> (
    loss: Scalar, cache: Cache
  ) {
    precondition(divisor > 0, "a loss divided by \(divisor)")
    let differences = predicted - targets  // (1)
    let losses = differences.elements.map { e in
      abs(e) < threshold ? e * e / (2 * threshold) : abs(e) - threshold / 2  // (2)
    }
    return (losses.reduce(0, +) / divisor, Cache(differences: differences, divisor: divisor))  // (3)
  }

  /// The gradient of the loss with respect to the predictions.
  public func backward(_ cache: Cache) -> Tensor<Scalar> {
    Tensor(
      cache.differences.shape,
      cache.differences.elements.map { e in
        (abs(e) < threshold ? e / threshold : e > 0 ? 1 : -1) / cache.divisor  // (4)
      })
  }
}
