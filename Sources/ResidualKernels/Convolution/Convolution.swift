// Convolution.swift: the three convolution kernels as layers call them.

import Synchronization

extension Kernels {
  /// How the fast version computes a convolution.
  public enum ConvolutionAlgorithm: Int, AtomicRepresentable, Sendable, CaseIterable {
    /// Winograd's where it is faster, else direct.
    case automatic
    /// Sums over register tiles, for all shapes.
    case direct
    /// Winograd's F(4x4, 3x3) for all shapes that ``ConvolutionShape/admitsWinograd(_:)`` admits, else direct.
    ///
    /// Its results differ from the direct ones by rounding: in Float by a few millionths of the largest result.
    case winograd
  }

  private static let currentAlgorithm = Atomic<ConvolutionAlgorithm>(.automatic)

  /// How the fast version computes convolutions from now on, on every thread of the process.
  ///
  /// A fused kernel or a pair of forward and backward passes that runs while it changes may use both algorithms, whose
  /// results differ by rounding.
  public static var convolutionAlgorithm: ConvolutionAlgorithm {
    get { currentAlgorithm.load(ordering: .relaxed) }
    set { currentAlgorithm.store(newValue, ordering: .relaxed) }
  }

  /// Whether a convolution of this shape is computed by Winograd's algorithm under the current settings.
  public static func usesWinograd<Scalar: Element>(_ shape: ConvolutionShape, _: Scalar.Type) -> Bool {
    guard implementation == .fast else { return false }
    switch convolutionAlgorithm {
    case .automatic: return shape.favorsWinograd(Scalar.self)
    case .direct: return false
    case .winograd: return shape.admitsWinograd(Scalar.self)
    }
  }

  /// `output = input ∗ weight`, as ``ConvolutionShape`` defines it.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func convolution<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, weight: Storage<Scalar>, output: Storage<Scalar>
  ) {
    switch implementation {
    case .reference: referenceConvolution(shape, input: input, weight: weight, output: output)
    case .fast where usesWinograd(shape, Scalar.self):
      winogradConvolution(shape, input: input, weight: weight, output: output)
    case .fast: directConvolution(shape, input: input, weight: weight, output: output)
    }
  }

  /// `inputGradient[i] = Σ outputGradient[o] · weight[k]` over all outputs o and weights k that multiply input i into
  /// o.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func convolutionInputGradient<Scalar: Element>(
    _ shape: ConvolutionShape, outputGradient: Storage<Scalar>, weight: Storage<Scalar>,
    inputGradient: Storage<Scalar>
  ) {
    switch implementation {
    case .reference:
      referenceConvolutionInputGradient(
        shape, outputGradient: outputGradient, weight: weight, inputGradient: inputGradient)
    case .fast where usesWinograd(shape, Scalar.self):
      winogradConvolutionInputGradient(
        shape, outputGradient: outputGradient, weight: weight, inputGradient: inputGradient)
    case .fast:
      directConvolutionInputGradient(
        shape, outputGradient: outputGradient, weight: weight, inputGradient: inputGradient)
    }
  }

  /// `weightGradient[k] = Σ outputGradient[o] · input[i]` over all outputs o and inputs i that weight k multiplies into
  /// o.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func convolutionWeightGradient<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, outputGradient: Storage<Scalar>,
    weightGradient: Storage<Scalar>
  ) {
    switch implementation {
    case .reference:
      referenceConvolutionWeightGradient(
        shape, input: input, outputGradient: outputGradient, weightGradient: weightGradient)
    case .fast where usesWinograd(shape, Scalar.self):
      winogradConvolutionWeightGradient(
        shape, input: input, outputGradient: outputGradient, weightGradient: weightGradient)
    case .fast:
      directConvolutionWeightGradient(
        shape, input: input, outputGradient: outputGradient, weightGradient: weightGradient)
    }
  }
}
