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
/// i, j and k stand for a row and a column. If several pixels of a window are largest, the first gets all of the
/// gradient. As in Torch, the border has `padding` pixels on all sides and is never the maximum. Caffe pads nothing and
/// rounds up; see docs/differences.md.
///
/// | symbol | in code                           | shape            |
/// |:-------|:----------------------------------|:-----------------|
/// | x, y   | `input`, `output`                 | `[N, H, W, C]`, `[N, H', W', C]` |
/// | s, p   | `stride`, `padding`               | numbers          |
/// | dx, dy | `inputGradient`, `outputGradient` | as x, y          |
public struct MaxPool2D<Scalar: Element>: Layer {
  /// The input and the output: the pixel that equals the maximum of its window gets the gradient. An index for each
  /// output would be a third tensor, while the neighbouring layers keep both of these anyway.
  public struct Cache: Sendable {
    /// x `[N, H, W, C]`.
    public let input: Tensor<Scalar>
    /// y `[N, H', W', C]`.
    public let output: Tensor<Scalar>
  }

  public var parameters = NoParameters<Scalar>()
  /// The number of rows and columns of a window.
  public let window: Int
  /// s, the step from one window to the next, in pixels.
  public let stride: Int
  /// p, the width of the border around the input, in pixels.
  public let padding: Int

  /// A pool with windows of `window` x `window` pixels that are `stride` apart. The padding must be less than the
  /// window, so that no window is empty.
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
