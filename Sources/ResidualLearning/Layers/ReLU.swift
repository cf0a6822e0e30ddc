// ReLU.swift: the rectified linear unit.
//
// Paper       He et al. 2015 §3.2: σ in F = W₂σ(W₁x), "in which σ denotes ReLU", after Nair & Hinton 2010
// Kernels     Sources/ResidualKernels/Elementwise.swift
// Tests       Tests/ResidualLearningTests/Layers/ReLUTests.swift

import ResidualKernels

/// Keeps positive numbers and replaces negative ones by zero.
///
///     forward    y = max(x, 0)                 (1)
///     backward   dx = dy where y > 0, else 0   (2)
///
/// x, y, dx and dy have one shape, which may be any. At x = 0, where there is no derivative, dx = 0.
public struct ReLU<Scalar: Element>: Layer {
  /// The output, because (2) asks only where it is positive, and the next layer keeps it anyway.
  public struct Cache: Sendable {
    /// y, the shape of the input.
    public let output: Tensor<Scalar>
  }

  public var parameters = NoParameters<Scalar>()

  /// A ReLU.
  public init() {}

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    let output = self(input)
    return (output, Cache(output: output))
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let output = Tensor<Scalar>(uninitialized: input.shape)
    Kernels.rectify(input.storage, into: output.storage)  // (1)
    return output
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: NoParameters<Scalar>) {
    precondition(
      outputGradient.shape == cache.output.shape,
      "outputGradient is \(outputGradient.shape), the output was \(cache.output.shape)")
    let inputGradient = Tensor<Scalar>(uninitialized: outputGradient.shape)
    Kernels.mask(outputGradient.storage, wherePositive: cache.output.storage, into: inputGradient.storage)  // (2)
    return (inputGradient, NoParameters())
  }
}
