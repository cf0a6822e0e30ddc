// SoftmaxCrossEntropy.swift: from logits to probabilities and to a loss.
//
// Paper       He et al. 2015 §3.3, §4.2: "softmax"
// Derivation  docs/derivations/softmax-cross-entropy.md
// Kernels     Sources/ResidualKernels/Softmax.swift
// Tests       Tests/ResidualLearningTests/Layers/SoftmaxCrossEntropyTests.swift

import ResidualKernels

/// The probabilities `[N, K]` of the classes for logits `[N, K]`: `p[n, k] = exp(z[n, k]) / Σ exp(z[n, j])`.
public func softmax<Scalar: Element>(_ logits: Tensor<Scalar>) -> Tensor<Scalar> {
  precondition(logits.shape.rank == 2, "logits are [N, K], these are \(logits.shape)")
  let probabilities = Tensor<Scalar>(uninitialized: logits.shape)
  Kernels.softmax(logits.storage, classes: logits.shape[1], probabilities: probabilities.storage)
  return probabilities
}

/// The loss of a batch: the mean of minus the logarithm of the probability of the true class.
///
///     forward    p[n, k] = exp(z[n, k]) / Σ exp(z[n, j])            (1)
///                L = −1/N Σ log p[n, t[n]]                          (2)
///     backward   dz[n, k] = (p[n, k] − 1[k = t[n]]) / N             (3)
///
/// | symbol | in code                   | shape    |
/// |:-------|:--------------------------|:---------|
/// | z      | `logits`                  | `[N, K]` |
/// | t      | `labels`                  | `[N]`    |
/// | p      | `cache.probabilities`     | `[N, K]` |
/// | L      | `loss`                    | a number |
/// | dz     | the result of `backward`  | `[N, K]` |
///
/// The largest logit of a row is subtracted before the exponential, which does not change p and lets nothing overflow.
/// The loss (2) is computed from the logits, so that it is finite even where p rounds to zero.
public struct SoftmaxCrossEntropy<Scalar: Element>: Sendable {
  /// The probabilities and the labels, which are all that (3) needs, and the loss of each image.
  public struct Cache: Sendable {
    /// p `[N, K]`.
    public let probabilities: Tensor<Scalar>
    /// t `[N]`.
    public let labels: [Int]
    /// The loss of each image `[N]`; L is their mean.
    public let losses: [Scalar]
  }

  /// A loss.
  public init() {}

  /// The loss of `logits` for images whose true classes are `labels`.
  public func forward(_ logits: Tensor<Scalar>, labels: [Int]) -> (loss: Scalar, cache: Cache) {
    precondition(
      logits.shape.rank == 2 && logits.shape[0] == labels.count && !labels.isEmpty,
      "logits \(logits.shape) for \(labels.count) labels")
    let probabilities = softmax(logits)  // (1)
    let losses = Kernels.crossEntropy(logits.storage, classes: logits.shape[1], labels: labels)
    let loss = losses.reduce(0, +) / Scalar(labels.count)  // (2)
    return (loss, Cache(probabilities: probabilities, labels: labels, losses: losses))
  }

  /// dz, the gradient of the loss with respect to the logits.
  public func backward(_ cache: Cache) -> Tensor<Scalar> {
    let logitsGradient = Tensor<Scalar>(uninitialized: cache.probabilities.shape)
    Kernels.crossEntropyGradient(
      cache.probabilities.storage, classes: logitsGradient.shape[1], labels: cache.labels,
      into: logitsGradient.storage)  // (3)
    return logitsGradient
  }
}
