// Shortcut.swift: the way around a block.
//
// Paper       He et al. 2015 §3.2, equations (1) and (2); §3.3; options A, B, C of §4.1
// Derivation  docs/derivations/residual-block.md
// Kernels     Sources/ResidualKernels/Subsampling.swift
// Tests       Tests/ResidualLearningTests/Blocks/ShortcutTests.swift

import ResidualKernels

/// The shortcut of one block: h in y = σ(F(x) + h(x)).
///
///     identity      h(x) = x                                   (1)   dx = dh
///     zeroPadded    h(x)[i, f + c] = x[i·s, c], other channels 0      dx[i·s, c] = dh[i, f + c], other pixels 0
///     projection    h(x) = BN(W_s x)                           (2)   see ``ConvBN``
///
/// Equation numbers are the paper's. x is `[N, H, W, Cin]`, h is `[N, ⌈H/s⌉, ⌈W/s⌉, Cout]`, s the block's stride and f
/// the zeros in front (``ZeroPlacement``).
public enum Shortcut<Scalar: Element>: Layer {
  /// h(x) = x.
  case identity
  /// Option A where sizes change: every s-th row and column, and zeros for the new channels.
  case zeroPadded(ZeroPadding)
  /// Option B where sizes change, option C everywhere: a 1x1 convolution and, as in the authors' released model, batch
  /// normalization; no ReLU.
  case projection(ConvBN<Scalar>)

  /// The shortcut that `option` asks for between tensors of these channels.
  ///
  /// It is the identity when the stride is 1 and the channels are equal, except with option C.
  public init(
    _ option: ShortcutOption, _ inputChannels: Int, _ outputChannels: Int, stride: Int, zeros: ZeroPlacement = .after,
    fan: HeInitialization = .fanIn, using generator: inout RandomGenerator
  ) {
    if option.projects(from: inputChannels, to: outputChannels, stride: stride) {
      self = .projection(ConvBN(inputChannels, outputChannels, kernel: 1, stride: stride, fan: fan, using: &generator))
    } else if stride == 1 && inputChannels == outputChannels {
      self = .identity
    } else {
      let added = outputChannels - inputChannels
      precondition(added >= 0, "zeros cannot take \(inputChannels) channels to \(outputChannels)")
      self = .zeroPadded(
        ZeroPadding(stride: stride, front: zeros == .around ? added / 2 : 0, outputChannels: outputChannels))
    }
  }

  /// The learned parameters: those of the projection, if there is one.
  public struct Parameters: ParameterSet {
    /// W_s, and γ and β of its normalization.
    public var projection: ConvBN<Scalar>.Parameters?

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      projection?.visit(path, body)
    }
  }

  /// What the shortcut's own backward needs.
  public enum Cache: Sendable {
    /// The identity needs nothing.
    case identity
    /// The input's shape `[N, H, W, Cin]`.
    case zeroPadded(inputShape: Shape)
    /// The projection's own cache.
    case projection(ConvBN<Scalar>.Cache)
  }

  /// The projection; nil for the other two kinds.
  public var projection: ConvBN<Scalar>? {
    get { if case .projection(let projection) = self { projection } else { nil } }
    set { if let newValue { self = .projection(newValue) } }
  }

  public var parameters: Parameters {
    get { Parameters(projection: projection?.parameters) }
    set { if let parameters = newValue.projection { projection?.parameters = parameters } }
  }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    switch self {
    case .identity: return (input, .identity)
    case .zeroPadded(let zeros): return (zeros(input), .zeroPadded(inputShape: input.shape))
    case .projection(let projection):
      let (output, cache) = projection.forward(input)
      return (output, .projection(cache))
    }
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    switch self {
    case .identity: input
    case .zeroPadded(let zeros): zeros(input)
    case .projection(let projection): projection(input)
    }
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    switch (self, cache) {
    case (.identity, .identity): return (outputGradient, Parameters(projection: nil))
    case (.zeroPadded(let zeros), .zeroPadded(let inputShape)):
      return (zeros.backward(outputGradient, inputShape: inputShape), Parameters(projection: nil))
    case (.projection(let projection), .projection(let cache)):
      let (inputGradient, gradients) = projection.backward(outputGradient, cache)
      return (inputGradient, Parameters(projection: gradients))
    default: preconditionFailure("the cache is not this shortcut's")
    }
  }

  public mutating func track(_ cache: Cache, rate: Scalar) {
    if case .projection(let cache) = cache { projection?.track(cache, rate: rate) }
  }

  public mutating func visitStatistics(_ path: String, _ body: (String, inout BatchNorm2D<Scalar>.Statistics) -> Void) {
    projection?.visitStatistics(path, body)
  }
}

/// Option A's shortcut where sizes change. It has nothing to learn.
public struct ZeroPadding: Sendable {
  /// The stride s: rows and columns 0, s, 2s, … are kept.
  public let stride: Int
  /// The number f of channels of zeros in front of the input's.
  public let front: Int
  /// The number Cout of channels of the output.
  public let outputChannels: Int

  package init(stride: Int, front: Int, outputChannels: Int) {
    (self.stride, self.front, self.outputChannels) = (stride, front, outputChannels)
  }

  package func callAsFunction<Scalar: Element>(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let (batch, height, width, channels) = input.imageSizes
    let output = Tensor<Scalar>(
      uninitialized: [batch, (height + stride - 1) / stride, (width + stride - 1) / stride, outputChannels])
    Kernels.subsample(
      input.storage, batch: batch, height: height, width: width, channels: channels, stride: stride, front: front,
      outputChannels: outputChannels, output: output.storage)
    return output
  }

  package func backward<Scalar: Element>(_ outputGradient: Tensor<Scalar>, inputShape: Shape) -> Tensor<Scalar> {
    let inputGradient = Tensor<Scalar>(zeros: inputShape)
    addBackward(outputGradient, to: inputGradient)
    return inputGradient
  }

  /// Adds the gradient with respect to the input to `inputGradient`.
  func addBackward<Scalar: Element>(_ outputGradient: Tensor<Scalar>, to inputGradient: Tensor<Scalar>) {
    let (batch, height, width, channels) = inputGradient.imageSizes
    Kernels.addSubsampleGradient(
      outputGradient.storage, batch: batch, height: height, width: width, channels: channels, stride: stride,
      front: front, outputChannels: outputChannels, to: inputGradient.storage)
  }
}
