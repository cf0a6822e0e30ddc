// Conv2D.swift: convolution of a batch of images.
//
// Paper       He et al. 2015 §3.3: 7x7, 3x3 and 1x1 convolutions, strides 1 and 2. Initialised as in He et al. 2015
//             (Delving Deep into Rectifiers), §2.2.
// Derivation  docs/derivations/convolution.md
// Kernels     Sources/ResidualKernels/Convolution/Reference.swift: the loops; Direct.swift: the same, fast
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
/// H' = (H + 2p − kH) / s + 1, rounded down; the same for W'. Residual networks use no bias: batch normalization
/// follows and takes away whatever a bias adds.
public struct Conv2D<Scalar: Element>: Layer {
  /// What is learned.
  public struct Parameters: ParameterSet {
    /// w `[kH, kW, Cin, Cout]`.
    public var weight: Tensor<Scalar>
    /// b `[Cout]`; nil for a convolution without.
    public var bias: Tensor<Scalar>?

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      body(path + "weight", &weight)
      if var bias {
        body(path + "bias", &bias)
        self.bias = bias
      }
    }
  }

  /// The input: (3) multiplies with it. (2) needs only the weights.
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

  /// A square convolution with random weights: normal with variance 2/fan, the bias zero.
  ///
  /// With `padding` nil, half the kernel: an output at stride 1 is as large as its input.
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
    let output = Tensor<Scalar>(uninitialized: outputShape(sizes))
    Kernels.convolution(
      sizes, input: input.storage, weight: parameters.weight.storage, output: output.storage)  // (1)
    guard let bias = parameters.bias else { return output }
    return output.addingToEachRow(bias)
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

  /// The part of ``backward(_:_:)`` that the parameters need. The first layer of a network needs no more: nobody asks for
  /// the gradient by its images.
  public func parameterGradients(_ outputGradient: Tensor<Scalar>, _ cache: Cache) -> Parameters {
    let sizes = sizes(of: cache.input)
    let weightGradient = Tensor<Scalar>(uninitialized: parameters.weight.shape)
    Kernels.convolutionWeightGradient(
      sizes, input: cache.input.storage, outputGradient: outputGradient.storage,
      weightGradient: weightGradient.storage)  // (3)
    return Parameters(weight: weightGradient, bias: parameters.bias.map { _ in outputGradient.sumOfRows() })  // (4)
  }

  /// The sizes of this convolution applied to `input`.
  func sizes(of input: Tensor<Scalar>) -> ConvolutionShape { sizes(ofShape: input.shape) }

  /// The sizes of this convolution applied to a tensor of this shape.
  func sizes(ofShape input: Shape) -> ConvolutionShape {
    let weight = parameters.weight.shape
    precondition(input.rank == 4 && input[3] == weight[2], "the input is \(input), the weights are \(weight)")
    return ConvolutionShape(
      batch: input[0], height: input[1], width: input[2], inputChannels: input[3], outputChannels: weight[3],
      kernelHeight: weight[0], kernelWidth: weight[1], stride: stride, padding: padding)
  }

  /// The shape of the output.
  func outputShape(_ sizes: ConvolutionShape) -> Shape {
    [sizes.batch, sizes.outputHeight, sizes.outputWidth, sizes.outputChannels]
  }
}

/// The variance of random weights that keeps a signal's variance through ReLU layers (He et al. 2015, Delving Deep into
/// Rectifiers): 2 over the number of connections.
public enum HeInitialization: String, CaseIterable, Codable, Sendable {
  /// kH·kW·Cin connections into an output: keeps the variance on the way forward. The default.
  case fanIn
  /// kH·kW·Cout connections out of an input: keeps it on the way back. The reference allows either; torchvision uses this.
  case fanOut

  /// The standard deviation √(2/fan) for weights `[kH, kW, Cin, Cout]`.
  public func deviation(ofWeight shape: Shape) -> Double {
    let channels = self == .fanIn ? shape[2] : shape[3]
    return (2 / Double(shape[0] * shape[1] * channels)).squareRoot()
  }
}

extension Tensor {
  /// Adds a vector `[C]` to each of the rows of `[..., C]`.
  func addingToEachRow(_ row: Tensor) -> Tensor {
    let channels = shape[shape.rank - 1]
    let result = Tensor(uninitialized: shape)
    Kernels.normalize(
      storage, channels: channels, mean: Storage(repeating: 0, count: channels),
      scale: Storage(repeating: 1, count: channels), shift: row.storage, output: result.storage)
    return result
  }

  /// The sum `[C]` of the rows of `[..., C]`.
  func sumOfRows() -> Tensor {
    let channels = shape[shape.rank - 1]
    let result = Tensor(uninitialized: [channels])
    let unused = Tensor(zeros: [channels])
    Kernels.normalizationSums(
      gradient: storage, input: storage, channels: channels, mean: unused.storage, factor: unused.storage,
      sums: result.storage, products: Storage(uninitialized: channels))
    return result
  }
}
