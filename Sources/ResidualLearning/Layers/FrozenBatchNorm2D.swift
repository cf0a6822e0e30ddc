// FrozenBatchNorm2D.swift: batch normalization whose statistics do not move.
//
// Paper       He et al. 2015 §4.3, appendix A: "the BN layers become linear activations with constant
//             offsets and scales" when a network is fine-tuned for detection
// Kernels     Sources/ResidualKernels/Normalization.swift
// Tests       Tests/ResidualLearningTests/Layers/FrozenBatchNorm2DTests.swift

import ResidualKernels

/// A constant scale and shift for each channel, computed from a batch normalization and its running statistics.
///
///     a = γ / √(v + ε),   b = β − a μ          μ, v the running statistics    (1)
///     forward    y = a x + b                                                   (2)
///     backward   dx = a dy                                                     (3)
///                da = Σ dy x,   db = Σ dy      over the pixels of a channel     (4)
///
/// | symbol | in code                             | shape          |
/// |:-------|:------------------------------------|:---------------|
/// | x, y   | `input`, `output`                   | `[N, H, W, C]` |
/// | a, b   | `parameters.scale`, `.shift`        | `[C]`          |
/// | dx, dy | `inputGradient`, `outputGradient`   | `[N, H, W, C]` |
/// | da, db | `gradients.scale`, `.shift`         | `[C]`          |
///
/// Unlike in ``BatchNorm2D``, the output of an image does not depend on the other images of its batch (detection has
/// one or two), and training and inference are the same function. The paper keeps a and b constant; (4) is for those
/// who do not.
public struct FrozenBatchNorm2D<Scalar: Element>: Layer {
  /// The tensors that may be learned.
  public struct Parameters: ParameterSet {
    /// a `[C]`.
    public var scale: Tensor<Scalar>
    /// b `[C]`.
    public var shift: Tensor<Scalar>

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      body(path + "scale", &scale)
      body(path + "shift", &shift)
    }
  }

  /// The input, which (4) needs.
  public struct Cache: Sendable {
    /// x `[N, H, W, C]`.
    public let input: Tensor<Scalar>
  }

  public var parameters: Parameters

  /// The function that `bn` computes at inference.
  public init(_ bn: BatchNorm2D<Scalar>) {
    let scale = bn.parameters.scale * bn.inverseDeviation(of: bn.running)
    parameters = Parameters(scale: scale, shift: bn.parameters.shift - scale * bn.running.mean)  // (1)
  }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    (self(input), Cache(input: input))
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let channels = parameters.scale.count
    precondition(input.imageSizes.channels == channels, "\(channels) channels expected, got \(input.shape)")
    let output = Tensor<Scalar>(uninitialized: input.shape)
    let zero = Tensor<Scalar>(zeros: [channels])
    Kernels.normalize(
      input.storage, channels: channels, mean: zero.storage, scale: parameters.scale.storage,
      shift: parameters.shift.storage, output: output.storage)  // (2)
    return output
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let x = cache.input
    precondition(
      outputGradient.shape == x.shape, "outputGradient is \(outputGradient.shape), the input was \(x.shape)")
    let channels = parameters.scale.count
    let (zero, one) = (Tensor<Scalar>(zeros: [channels]), Tensor<Scalar>([channels], repeating: 1))
    let inputGradient = Tensor<Scalar>(uninitialized: x.shape)
    Kernels.normalize(
      outputGradient.storage, channels: channels, mean: zero.storage, scale: parameters.scale.storage,
      shift: zero.storage, output: inputGradient.storage)  // (3)
    let gradients = Parameters(scale: Tensor(uninitialized: [channels]), shift: Tensor(uninitialized: [channels]))
    Kernels.normalizationSums(
      gradient: outputGradient.storage, input: x.storage, channels: channels, mean: zero.storage, factor: one.storage,
      sums: gradients.shift.storage, products: gradients.scale.storage)  // (4)
    return (inputGradient, gradients)
  }
}
