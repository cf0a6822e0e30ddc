// ConvolutionShape.swift: the sizes of a convolution and the memory it touches.

/// The sizes of a two-dimensional convolution.
///
/// | tensor  | shape                                                          |
/// |:--------|:---------------------------------------------------------------|
/// | input   | `[batch, height, width, inputChannels]`                        |
/// | weight  | `[kernelHeight, kernelWidth, inputChannels, outputChannels]`   |
/// | output  | `[batch, outputHeight, outputWidth, outputChannels]`           |
///
/// `output[n, y, x, o] = Σ input[n, y·stride + ky − padding, x·stride + kx − padding, c] · weight[ky, kx, c, o]`
/// over ky, kx and c; input outside the image counts as zero.
public struct ConvolutionShape: Sendable, Equatable {
  /// The number of images.
  public var batch: Int
  /// The rows of the input.
  public var height: Int
  /// The columns of the input.
  public var width: Int
  /// The channels of the input.
  public var inputChannels: Int
  /// The channels of the output.
  public var outputChannels: Int
  /// The rows of the kernel.
  public var kernelHeight: Int
  /// The columns of the kernel.
  public var kernelWidth: Int
  /// The step from one output to the next, in pixels of the input.
  public var stride: Int
  /// The border of zeros around the input, in pixels.
  public var padding: Int

  /// A convolution of these sizes; the kernel must fit the padded image.
  public init(
    batch: Int, height: Int, width: Int, inputChannels: Int, outputChannels: Int, kernelHeight: Int,
    kernelWidth: Int, stride: Int = 1, padding: Int = 0
  ) {
    (self.batch, self.height, self.width) = (batch, height, width)
    (self.inputChannels, self.outputChannels) = (inputChannels, outputChannels)
    (self.kernelHeight, self.kernelWidth, self.stride, self.padding) = (kernelHeight, kernelWidth, stride, padding)
    precondition(batch >= 0 && inputChannels > 0 && outputChannels > 0, "sizes below one in \(self)")
    precondition(kernelHeight > 0 && kernelWidth > 0 && stride > 0 && padding >= 0, "sizes below one in \(self)")
    precondition(
      height + 2 * padding >= kernelHeight && width + 2 * padding >= kernelWidth,
      "a kernel of \(kernelHeight)x\(kernelWidth) does not fit an image of \(height)x\(width) padded by \(padding)")
  }

  /// The rows of the output.
  public var outputHeight: Int { (height + 2 * padding - kernelHeight) / stride + 1 }
  /// The columns of the output.
  public var outputWidth: Int { (width + 2 * padding - kernelWidth) / stride + 1 }
  /// The number of elements of the input.
  public var inputCount: Int { batch * imageCount }
  /// The number of elements of the output.
  public var outputCount: Int { batch * outputImageCount }
  /// The number of elements of the weight.
  public var weightCount: Int { kernelHeight * kernelWidth * inputChannels * outputChannels }
  /// The multiplications and additions of one forward pass, counted in pairs.
  public var multiplyAdds: Int {
    batch * outputHeight * outputWidth * kernelHeight * kernelWidth * inputChannels * outputChannels
  }

  /// The sizes of the convolution that is the gradient with respect to the input, for a 3x3 kernel at stride 1: the
  /// gradient with respect to the output, padded by 2 − padding, is convolved with the weights in reverse order.
  var turned: ConvolutionShape {
    ConvolutionShape(
      batch: batch, height: outputHeight, width: outputWidth, inputChannels: outputChannels,
      outputChannels: inputChannels, kernelHeight: kernelHeight, kernelWidth: kernelWidth, stride: stride,
      padding: 2 - padding)
  }

  /// The number of elements of one image of the input.
  var imageCount: Int { height * width * inputChannels }
  /// The number of elements of one image of the output.
  var outputImageCount: Int { outputHeight * outputWidth * outputChannels }

  /// Stops the program when the size of a storage does not fit these sizes.
  func check<Scalar>(input: Storage<Scalar>, weight: Storage<Scalar>, output: Storage<Scalar>) {
    precondition(input.count == inputCount, "the input has \(input.count) elements, \(self) needs \(inputCount)")
    precondition(weight.count == weightCount, "the weight has \(weight.count) elements, \(self) needs \(weightCount)")
    precondition(output.count == outputCount, "the output has \(output.count) elements, \(self) needs \(outputCount)")
  }
}
