// FixedUnit.swift: a convolution, and batch normalization that has become a scale and a shift.
//
// Paper       He et al. 2015 §4.3, appendix A: "the BN layers become linear activations with constant offsets and
//             scales" when a network is fine-tuned for detection
// Kernels     Sources/ResidualKernels/Normalization.swift
// Tests       Tests/ResidualDetectionTests/Layers/FixedUnitTests.swift

import ResidualKernels
import ResidualLearning

/// A convolution whose output has a constant scale and shift for each channel.
///
///     a = γ / √(v + ε),   b = β − a μ        μ, v the running statistics            (1)
///     forward    y = a (W ∗ x) + b                                                  (2)
///     backward   d(W ∗ x) = a dy             then as in ``Conv2D``                  (3)
///
/// | symbol | in code                           | shape                 |
/// |:-------|:----------------------------------|:----------------------|
/// | x      | `input`                           | `[N, H, W, Cin]`      |
/// | y      | `output`                          | `[N, H', W', Cout]`   |
/// | W      | `parameters.weight`               | `[kH, kW, Cin, Cout]` |
/// | a, b   | `scale`, `shift`                  | `[Cout]`              |
/// | dx, dy | `inputGradient`, `outputGradient` | as x, y               |
///
/// Unlike in `BatchNorm2D`, a picture's output does not depend on the others of its batch, of which detection has
/// few, and training and inference are the same function. a and b are not learned: the paper keeps them as they are.
public struct FixedUnit<Scalar: Element>: Layer {
  /// What is learned: W only.
  public typealias Parameters = Conv2D<Scalar>.Parameters
  /// The convolution's input.
  public typealias Cache = Conv2D<Scalar>.Cache

  /// The convolution, without a bias.
  public var conv: Conv2D<Scalar>
  /// a `[Cout]`.
  public internal(set) var scale: Tensor<Scalar>
  /// b `[Cout]`.
  public internal(set) var shift: Tensor<Scalar>

  /// The function that a convolution and its normalization are in inference.
  public init(_ unit: ConvBN<Scalar>) {
    let bn = unit.bn
    conv = unit.conv
    let r = Tensor<Scalar>(bn.running.variance.elements.map { 1 / ($0 + bn.epsilon).squareRoot() })
    scale = bn.parameters.scale * r
    shift = bn.parameters.shift - scale * bn.running.mean  // (1)
  }

  public var parameters: Parameters {
    get { conv.parameters }
    set { conv.parameters = newValue }
  }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    let (convolved, cache) = conv.forward(input)
    return (affine(convolved, scale: scale, shift: shift), cache)  // (2)
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    affine(conv(input), scale: scale, shift: shift)  // (2)
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    conv.backward(convolvedGradient(outputGradient), cache)
  }

  /// The part of ``backward(_:_:)`` that W needs; nobody asks for the gradient with respect to the pictures.
  public func parameterGradients(_ outputGradient: Tensor<Scalar>, _ cache: Cache) -> Parameters {
    conv.parameterGradients(convolvedGradient(outputGradient), cache)
  }

  private func convolvedGradient(_ outputGradient: Tensor<Scalar>) -> Tensor<Scalar> {
    affine(outputGradient, scale: scale, shift: Tensor(zeros: scale.shape))  // (3)
  }

  private func affine(_ input: Tensor<Scalar>, scale: Tensor<Scalar>, shift: Tensor<Scalar>) -> Tensor<Scalar> {
    let output = Tensor<Scalar>(uninitialized: input.shape)
    Kernels.normalize(
      input.storage, channels: scale.count, mean: Tensor<Scalar>(zeros: scale.shape).storage, scale: scale.storage,
      shift: shift.storage, output: output.storage)
    return output
  }

  /// Visits a and b, which are neither learned nor move.
  mutating func visitConstants(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
    body(path + "scale", &scale)
    body(path + "shift", &shift)
  }
}
