// Convolution.swift: the three convolution kernels as layers call them.

extension Kernels {
  /// `output = input ∗ weight`, as ``ConvolutionShape`` defines it.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func convolution<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, weight: Storage<Scalar>, output: Storage<Scalar>
  ) {
    switch implementation {
    case .reference: referenceConvolution(shape, input: input, weight: weight, output: output)
    case .fast: directConvolution(shape, input: input, weight: weight, output: output)
    }
  }

  /// `inputGradient[i] = Σ outputGradient[o] · weight[k]` over all outputs o and weights k that multiply input i into o.
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
    case .fast:
      directConvolutionInputGradient(
        shape, outputGradient: outputGradient, weight: weight, inputGradient: inputGradient)
    }
  }

  /// `weightGradient[k] = Σ outputGradient[o] · input[i]` over all outputs o and inputs i that weight k multiplies into o.
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
    case .fast:
      directConvolutionWeightGradient(
        shape, input: input, outputGradient: outputGradient, weightGradient: weightGradient)
    }
  }
}
