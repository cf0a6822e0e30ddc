// Conv2D.swift: convolution of a batch of images.
//
// Paper       He et al. 2015 §3.3: 7x7, 3x3 and 1x1 convolutions, strides 1 and 2
// Derivation  docs/derivations/convolution.md; docs/derivations/winograd.md for the fast 3x3 kernel
// Kernels     Sources/ResidualKernels/Convolution: Reference.swift has the plain loops,
//             Direct.swift and Winograd.swift the fast kernels;
//             Convolution.swift chooses
// Tests       Tests/ResidualLearningTests/Layers/Conv2DTests.swift

import ResidualKernels

/// Slides a kernel over an image; each output is a sum of products of the kernel and the pixels under it.
///
///     forward    y[i, o] = Σ x[i·s + k − p, c] w[k, c, o] + b[o]     over k, c            (1)
///     backward   dx[j, c] = Σ dy[i, o] w[k, c, o]                    over i·s + k − p = j  (2)
///                dw[k, c, o] = Σ dy[i, o] x[i·s + k − p, c]          over i               (3)
///                db[o] = Σ dy[i, o]                                  over i               (4)
///
/// i, j and k stand for a row and a column; n, the image, is left out of the equations.
///
/// | symbol | in code                          | shape                   |
/// |:-------|:---------------------------------|:------------------------|
/// | x      | `input`                          | `[N, H, W, Cin]`        |
/// | y      | `output`                         | `[N, H', W', Cout]`     |
/// | w      | `parameters.weight`              | `[kH, kW, Cin, Cout]`   |
/// | b      | `parameters.bias`                | `[Cout]`, or none       |
/// | s, p   | `stride`, `padding`              | numbers                 |
/// | dx, dy | `inputGradient`, `outputGradient`| as x, y                 |
/// | dw, db | `gradients`                      | as w, b                 |
///
/// H' = ⌊(H + 2p − kH) / s⌋ + 1, and the same for W'. Residual networks use no bias: batch normalization follows and
/// subtracts whatever a bias adds.
public struct Conv2D<Scalar: Element>: Layer {
  /// The learned tensors.
  public struct Parameters: ParameterSet {
    /// w `[kH, kW, Cin, Cout]`.
    public var weight: Tensor<Scalar>
    /// b `[Cout]`; nil for a convolution without a bias.
    public var bias: Tensor<Scalar>?

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      body(path + "weight", &weight)
      if var bias {
        body(path + "bias", &bias)
        self.bias = bias
      }
    }
  }

  /// The input, which (3) needs. (2) needs only the weights.
  public struct Cache: Sendable {
    /// x `[N, H, W, Cin]`.
    public let input: Tensor<Scalar>
  }

  public var parameters: Parameters
  /// s, the step from one output to the next, in pixels of the input.
  public let stride: Int
  /// p, the border of zeros around the input, in pixels.
  public let padding: Int

  /// A convolution with these weights `[kH, kW, Cin, Cout]` and, if given, this bias `[Cout]`.
  public init(weight: Tensor<Scalar>, bias: Tensor<Scalar>? = nil, stride: Int = 1, padding: Int = 0) {
    precondition(weight.shape.rank == 4, "weights are [kH, kW, Cin, Cout], these are \(weight.shape)")
    precondition(bias.map { $0.shape == [weight.shape[3]] } ?? true, "weights \(weight.shape), bias \(bias!.shape)")
    parameters = Parameters(weight: weight, bias: bias)
    self.stride = stride
    self.padding = padding
  }

  /// A convolution with a square kernel, random weights (normal, with variance 2/fan) and, if asked for, a bias of
  /// zero.
  ///
  /// If `padding` is nil it is half the kernel, so that at stride 1 the output is as large as the input.
  public init(
    _ inputChannels: Int, _ outputChannels: Int, kernel: Int, stride: Int = 1, padding: Int? = nil, bias: Bool = false,
    fan: HeInitialization = .fanIn, using generator: inout RandomGenerator
  ) {
    let shape: Shape = [kernel, kernel, inputChannels, outputChannels]
    self.init(
      weight: Tensor(normal: shape, deviation: fan.deviation(ofWeight: shape), using: &generator),
      bias: bias ? Tensor(zeros: [outputChannels]) : nil, stride: stride, padding: padding ?? kernel / 2)
  }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    (self(input), Cache(input: input))
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let sizes = sizes(of: input)
    var output = Tensor<Scalar>(uninitialized: outputShape(sizes))
    Kernels.convolution(
      sizes, input: input.storage, weight: parameters.weight.storage, output: output.storage)  // (1)
    if let bias = parameters.bias { output.addToEachRow(bias) }
    return output
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let sizes = sizes(of: cache.input)
    precondition(
      outputGradient.shape == outputShape(sizes),
      "outputGradient is \(outputGradient.shape), the output was \(outputShape(sizes))")
    let inputGradient = Tensor<Scalar>(uninitialized: cache.input.shape)
    Kernels.convolutionInputGradient(
      sizes, outputGradient: outputGradient.storage, weight: parameters.weight.storage,
      inputGradient: inputGradient.storage)  // (2)
    return (inputGradient, parameterGradients(outputGradient, cache))
  }

  /// The gradients of the loss with respect to the parameters alone. The first layer of a network needs no more,
  /// because nobody asks for the gradient with respect to the images.
  public func parameterGradients(_ outputGradient: Tensor<Scalar>, _ cache: Cache) -> Parameters {
    let sizes = sizes(of: cache.input)
    let weightGradient = Tensor<Scalar>(uninitialized: parameters.weight.shape)
    Kernels.convolutionWeightGradient(
      sizes, input: cache.input.storage, outputGradient: outputGradient.storage,
      weightGradient: weightGradient.storage)  // (3)
    return Parameters(weight: weightGradient, bias: parameters.bias.map { _ in outputGradient.sumOfRows })  // (4)
  }

  /// The sizes of this convolution applied to `input`.
  func sizes(of input: Tensor<Scalar>) -> ConvolutionShape { sizes(ofShape: input.shape) }

  /// The sizes of this convolution applied to a tensor of this shape.
  package func sizes(ofShape input: Shape) -> ConvolutionShape {
    let weight = parameters.weight.shape
    precondition(input.rank == 4 && input[3] == weight[2], "the input is \(input), the weights are \(weight)")
    return ConvolutionShape(
      batch: input[0], height: input[1], width: input[2], inputChannels: input[3], outputChannels: weight[3],
      kernelHeight: weight[0], kernelWidth: weight[1], stride: stride, padding: padding)
  }

  /// The shape of the output.
  package func outputShape(_ sizes: ConvolutionShape) -> Shape {
    [sizes.batch, sizes.outputHeight, sizes.outputWidth, sizes.outputChannels]
  }
}
