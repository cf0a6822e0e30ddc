// GlobalAveragePool.swift: the mean of each channel over the image.
//
// Paper       He et al. 2015 §3.3, §4.2: before the last linear layer
// Kernels     Sources/ResidualKernels/Pooling.swift
// Tests       Tests/ResidualLearningTests/Layers/PoolingTests.swift

import ResidualKernels

/// The mean of each channel over all pixels of an image.
///
///     forward    y[n, c] = 1/(H·W) Σ x[n, i, c]     over the pixels i     (1)
///     backward   dx[n, i, c] = dy[n, c] / (H·W)                           (2)
///
/// | symbol | in code                           | shape                      |
/// |:-------|:----------------------------------|:---------------------------|
/// | x, y   | `input`, `output`                 | `[N, H, W, C]`, `[N, C]`   |
/// | dx, dy | `inputGradient`, `outputGradient` | as x, y                    |
public struct GlobalAveragePool<Scalar: Element>: Layer {
  /// The shape of the input; (2) needs no values.
  public struct Cache: Sendable {
    /// `[N, H, W, C]`.
    public let inputShape: Shape
  }

  public var parameters = NoParameters<Scalar>()

  /// A global average pool.
  public init() {}

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    (self(input), Cache(inputShape: input.shape))
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let (batch, height, width, channels) = input.imageSizes
    let output = Tensor<Scalar>(uninitialized: [batch, channels])
    Kernels.averagePool(
      input: input.storage, batch: batch, pixels: height * width, channels: channels, output: output.storage)  // (1)
    return output
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: NoParameters<Scalar>) {
    let shape = cache.inputShape
    precondition(
      outputGradient.shape == [shape[0], shape[3]], "outputGradient is \(outputGradient.shape), the input was \(shape)")
    let inputGradient = Tensor<Scalar>(uninitialized: shape)
    Kernels.averagePoolGradient(
      outputGradient: outputGradient.storage, batch: shape[0], pixels: shape[1] * shape[2], channels: shape[3],
      inputGradient: inputGradient.storage)  // (2)
    return (inputGradient, NoParameters())
  }
}
