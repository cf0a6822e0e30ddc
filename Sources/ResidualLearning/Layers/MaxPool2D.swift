// MaxPool2D.swift: the largest value of each window.
//
// Paper       He et al. 2015 Table 1: 3x3, stride 2, before conv2_x
// Kernels     Sources/ResidualKernels/Pooling.swift
// Tests       Tests/ResidualLearningTests/Layers/PoolingTests.swift

import ResidualKernels

/// Keeps the largest pixel of each window, channel by channel.
///
///     forward    y[i] = max x[i·s + k − p]               over the k inside the image    (1)
///     backward   dx[j] = Σ dy[i]                         over the i whose maximum is j  (2)
///
/// i, j, k stand for a row and a column. If several pixels of a window are largest, the first takes all of the gradient.
/// The border is Torch's: `padding` on all sides, never the maximum. Caffe pads nothing and rounds up; see
/// docs/differences.md.
///
/// | symbol | in code                           | shape            |
/// |:-------|:----------------------------------|:-----------------|
/// | x, y   | `input`, `output`                 | `[N, H, W, C]`, `[N, H', W', C]` |
/// | s, p   | `stride`, `padding`               | numbers          |
/// | dx, dy | `inputGradient`, `outputGradient` | as x, y          |
public struct MaxPool2D<Scalar: Element>: Layer {
  /// Input and output: a pixel that equals its window's maximum is the one. An index for each output would be a third
  /// tensor, and both of these are kept by the neighbouring layers anyway.
  public struct Cache: Sendable {
    /// x `[N, H, W, C]`.
    public let input: Tensor<Scalar>
    /// y `[N, H', W', C]`.
    public let output: Tensor<Scalar>
  }

  public var parameters = NoParameters<Scalar>()
  /// Rows and columns of a window.
  public let window: Int
  /// s.
  public let stride: Int
  /// p.
  public let padding: Int

  /// Windows of `window` x `window` pixels, `stride` apart. The padding is less than the window, so that none is empty.
  public init(window: Int, stride: Int, padding: Int = 0) {
    precondition(padding < window, "a padding of \(padding) makes empty windows of \(window)")
    self.window = window
    self.stride = stride
    self.padding = padding
  }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    let output = self(input)
    return (output, Cache(input: input, output: output))
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let sizes = sizes(of: input)
    let output = Tensor<Scalar>(
      uninitialized: [sizes.batch, sizes.outputHeight, sizes.outputWidth, sizes.outputChannels])
    Kernels.maxPool(sizes, input: input.storage, output: output.storage)  // (1)
    return output
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: NoParameters<Scalar>) {
    precondition(
      outputGradient.shape == cache.output.shape,
      "outputGradient is \(outputGradient.shape), the output was \(cache.output.shape)")
    let inputGradient = Tensor<Scalar>(uninitialized: cache.input.shape)
    Kernels.maxPoolGradient(
      sizes(of: cache.input), input: cache.input.storage, output: cache.output.storage,
      outputGradient: outputGradient.storage, inputGradient: inputGradient.storage)  // (2)
    return (inputGradient, NoParameters())
  }

  private func sizes(of input: Tensor<Scalar>) -> ConvolutionShape {
    let (batch, height, width, channels) = input.imageSizes
    return ConvolutionShape(
      batch: batch, height: height, width: width, inputChannels: channels, outputChannels: channels,
      kernelHeight: window, kernelWidth: window, stride: stride, padding: padding)
  }
}
