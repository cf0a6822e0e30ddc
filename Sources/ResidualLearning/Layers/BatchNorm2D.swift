// BatchNorm2D.swift: batch normalization of the channels of an image batch.
//
// Paper       Ioffe & Szegedy 2015 (arXiv:1502.03167): Algorithm 1, gradients of §3.
//             He et al. 2015 §3.4: right after each convolution and before the activation.
// Derivation  docs/derivations/batch-norm.md: from six gradient equations to one
// Kernels     Sources/ResidualKernels/Normalization.swift
// Tests       Tests/ResidualLearningTests/Layers/BatchNorm2DTests.swift

import ResidualKernels

/// Normalizes every channel to mean zero and variance one over the batch, then applies a learned scale γ and shift β.
///
/// Sums run over the m = N·H·W pixels of one channel:
///
///     forward    μ  = 1/m Σ x                          (1)
///                v  = 1/m Σ (x − μ)²                   (2)   biased, as in Algorithm 1
///                r  = 1 / √(v + ε)                     (3)
///                x̂  = (x − μ) r                        (4)
///                y  = γ x̂ + β                          (5)
///
///     backward   dβ = Σ dy                             (6)
///                dγ = Σ dy x̂                           (7)
///                dx = γ r (dy − dβ/m − x̂ dγ/m)         (8)
///
/// | symbol | in code                             | shape          |
/// |:-------|:------------------------------------|:---------------|
/// | x, y   | `input`, `output`                   | `[N, H, W, C]` |
/// | γ, β   | `parameters.scale`, `.shift`        | `[C]`          |
/// | μ, v   | `Statistics.mean`, `.variance`      | `[C]`          |
/// | r      | `inverseDeviation`                  | `[C]`          |
/// | x̂      | recomputed from x, not kept         | `[N, H, W, C]` |
/// | dx, dy | `inputGradient`, `outputGradient`   | `[N, H, W, C]` |
/// | dγ, dβ | `gradients.scale`, `.shift`         | `[C]`          |
public struct BatchNorm2D<Scalar: Element>: Layer {
  /// The learned tensors.
  public struct Parameters: ParameterSet {
    /// γ `[C]`.
    public var scale: Tensor<Scalar>
    /// β `[C]`.
    public var shift: Tensor<Scalar>

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      body(path + "scale", &scale)
      body(path + "shift", &shift)
    }
  }

  /// A mean and a variance for each channel.
  public struct Statistics: Sendable {
    /// μ `[C]`.
    public var mean: Tensor<Scalar>
    /// v `[C]`.
    public var variance: Tensor<Scalar>

    /// Visits both, under the names of running statistics in a file.
    mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      body(path + "runningMean", &mean)
      body(path + "runningVariance", &variance)
    }
  }

  /// The input, and three vectors of length C. x̂ is recomputed: to keep it would be a second copy of the activations.
  public struct Cache: Sendable {
    /// x `[N, H, W, C]`.
    public let input: Tensor<Scalar>
    /// μ and v `[C]` of this batch.
    public let batch: Statistics
    /// r `[C]`.
    public let inverseDeviation: Tensor<Scalar>
  }

  public var parameters: Parameters
  /// The statistics that inference normalizes with: averages over many batches, the variance unbiased.
  public var running: Statistics
  /// ε, which keeps r finite. The paper gives no value; Torch uses 1e-5.
  public let epsilon: Scalar

  /// A layer with γ = 1, β = 0, running mean 0 and running variance 1.
  public init(channels: Int, epsilon: Scalar = 1e-5) {
    parameters = Parameters(scale: Tensor([channels], repeating: 1), shift: Tensor(zeros: [channels]))
    running = Statistics(mean: Tensor(zeros: [channels]), variance: Tensor([channels], repeating: 1))
    self.epsilon = epsilon
  }

  /// C, the number of channels.
  public var channels: Int { parameters.scale.count }
}

// MARK: - Forward

extension BatchNorm2D {
  /// Normalizes `input` with the statistics of the batch itself.
  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    let batch = statistics(of: input)  // (1), (2)
    let inverseDeviation = inverseDeviation(of: batch)  // (3)
    let output = normalized(input, mean: batch.mean, inverseDeviation: inverseDeviation)  // (4), (5)
    return (output, Cache(input: input, batch: batch, inverseDeviation: inverseDeviation))
  }

  /// Normalizes `input` with the running statistics.
  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    normalized(input, mean: running.mean, inverseDeviation: inverseDeviation(of: running))
  }

  /// Moves the running statistics: running ← running + rate (batch − running).
  ///
  /// As in Torch, the variance of the batch is first made unbiased by the factor m/(m − 1): inference needs an estimate
  /// for all images, and the variance of a sample about its own mean is too small. The paper is silent; see
  /// docs/differences.md.
  public mutating func track(_ cache: Cache, rate: Scalar) {
    let m = Scalar(cache.input.count / channels)
    let unbiased = cache.batch.variance * (m > 1 ? m / (m - 1) : 1)
    running.mean.combine(1 - rate, plus: rate, cache.batch.mean)
    running.variance.combine(1 - rate, plus: rate, unbiased)
  }

  public mutating func visitStatistics(_ path: String, _ body: (String, inout BatchNorm2D<Scalar>.Statistics) -> Void) {
    body(path, &running)
  }
}

// MARK: - Backward

extension BatchNorm2D {
  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let x = cache.input
    precondition(
      outputGradient.shape == x.shape, "outputGradient is \(outputGradient.shape), the input was \(x.shape)")
    let shiftGradient = Tensor<Scalar>(uninitialized: [channels])  // dβ
    let scaleGradient = Tensor<Scalar>(uninitialized: [channels])  // dγ
    Kernels.normalizationSums(
      gradient: outputGradient.storage, input: x.storage, channels: channels, mean: cache.batch.mean.storage,
      factor: cache.inverseDeviation.storage, sums: shiftGradient.storage, products: scaleGradient.storage)  // (6), (7)

    let (a, b, d) = inputGradientFactors(scaleGradient: scaleGradient, shiftGradient: shiftGradient, cache)
    let inputGradient = Tensor<Scalar>(uninitialized: x.shape)
    Kernels.normalizationInputGradient(
      gradient: outputGradient.storage, input: x.storage, channels: channels, a: a.storage, b: b.storage,
      d: d.storage, mean: cache.batch.mean.storage, inputGradient: inputGradient.storage)  // (8)
    return (inputGradient, Parameters(scale: scaleGradient, shift: shiftGradient))
  }

  /// Equation (8) as dx = a dy + b (x − μ) + d, using x̂ = (x − μ) r. Each of a, b and d is `[C]`.
  func inputGradientFactors(
    scaleGradient: Tensor<Scalar>, shiftGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (a: Tensor<Scalar>, b: Tensor<Scalar>, d: Tensor<Scalar>) {
    let m = Scalar(cache.input.count / channels)
    let a = parameters.scale * cache.inverseDeviation
    return (a, a * cache.inverseDeviation * scaleGradient / -m, a * shiftGradient / -m)
  }
}

// MARK: - Shared by training and inference

extension BatchNorm2D {
  /// The mean (1) and the biased variance (2) of each channel.
  public func statistics(of input: Tensor<Scalar>) -> Statistics {
    precondition(
      input.imageSizes.channels == channels && input.count > 0, "\(channels) channels expected, got \(input.shape)")
    let statistics = Statistics(
      mean: Tensor(uninitialized: [channels]), variance: Tensor(uninitialized: [channels]))
    Kernels.channelStatistics(
      input.storage, channels: channels, mean: statistics.mean.storage, variance: statistics.variance.storage)
    return statistics
  }

  /// r of equation (3).
  package func inverseDeviation(of statistics: Statistics) -> Tensor<Scalar> {
    let inverseDeviation = Tensor<Scalar>(uninitialized: [channels])
    Kernels.inverseDeviation(
      ofVariance: statistics.variance.storage, epsilon: epsilon, into: inverseDeviation.storage)
    return inverseDeviation
  }

  /// y again, from what backward keeps.
  func output(_ cache: Cache) -> Tensor<Scalar> {
    normalized(cache.input, mean: cache.batch.mean, inverseDeviation: cache.inverseDeviation)
  }

  /// Equations (4) and (5) as one function for each channel, with γ r as its factor.
  package func affine(_ statistics: Statistics, inverseDeviation: Tensor<Scalar>) -> ChannelAffine<Scalar> {
    ChannelAffine(
      mean: statistics.mean.storage, scale: (parameters.scale * inverseDeviation).storage,
      shift: parameters.shift.storage)
  }

  /// y of equations (4) and (5), with γ r as one factor.
  private func normalized(
    _ input: Tensor<Scalar>, mean: Tensor<Scalar>, inverseDeviation: Tensor<Scalar>
  ) -> Tensor<Scalar> {
    precondition(input.imageSizes.channels == channels, "\(channels) channels expected, got \(input.shape)")
    let output = Tensor<Scalar>(uninitialized: input.shape)
    let scale = parameters.scale * inverseDeviation
    Kernels.normalize(
      input.storage, channels: channels, mean: mean.storage, scale: scale.storage, shift: parameters.shift.storage,
      output: output.storage)
    return output
  }
}
