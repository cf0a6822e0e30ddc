// ConvBN.swift: a convolution and the batch normalization behind it.
//
// Paper       He et al. 2015 §3.4: "batch normalization (BN) right after each convolution and before activation"
// Tests       Tests/ResidualLearningTests/Blocks/ShortcutTests.swift, as a projection; BlockTests.swift, in blocks

import ResidualKernels

/// A convolution without a bias, then batch normalization. Blocks, projections and the stem are made of such units.
///
///     z = W ∗ x      see ``Conv2D``          x `[N, H, W, Cin]`, W `[k, k, Cin, Cout]`
///     u = BN(z)      see ``BatchNorm2D``     z and u `[N, ⌈H/s⌉, ⌈W/s⌉, Cout]`, with s the stride
public struct ConvBN<Scalar: Element>: Layer {
  /// The learned parameters.
  public struct Parameters: ParameterSet {
    /// The weights W.
    public var conv: Conv2D<Scalar>.Parameters
    /// The scale γ and the shift β.
    public var bn: BatchNorm2D<Scalar>.Parameters

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      conv.visit(path + "conv.", body)
      bn.visit(path + "bn.", body)
    }
  }

  /// The caches of the two layers.
  public struct Cache: Sendable {
    /// The input x.
    public let conv: Conv2D<Scalar>.Cache
    /// The convolution's output z and its statistics.
    public let bn: BatchNorm2D<Scalar>.Cache
  }

  /// The convolution.
  public var conv: Conv2D<Scalar>
  /// The normalization behind it.
  public var bn: BatchNorm2D<Scalar>

  /// A square convolution with random weights, padded by half its kernel, and its normalization.
  public init(
    _ inputChannels: Int, _ outputChannels: Int, kernel: Int, stride: Int = 1, fan: HeInitialization = .fanIn,
    using generator: inout RandomGenerator
  ) {
    conv = Conv2D(inputChannels, outputChannels, kernel: kernel, stride: stride, fan: fan, using: &generator)
    bn = BatchNorm2D(channels: outputChannels)
  }

  public var parameters: Parameters {
    get { Parameters(conv: conv.parameters, bn: bn.parameters) }
    set { (conv.parameters, bn.parameters) = (newValue.conv, newValue.bn) }
  }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    let (convolved, convCache) = conv.forward(input)
    let (normalized, bnCache) = bn.forward(convolved)
    return (normalized, Cache(conv: convCache, bn: bnCache))
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> { bn(conv(input)) }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let (convolvedGradient, bnGradients) = bn.backward(outputGradient, cache.bn)
    let (inputGradient, convGradients) = conv.backward(convolvedGradient, cache.conv)
    return (inputGradient, Parameters(conv: convGradients, bn: bnGradients))
  }

  public mutating func track(_ cache: Cache, rate: Scalar) { bn.track(cache.bn, rate: rate) }

  public mutating func visitStatistics(_ path: String, _ body: (String, inout BatchNorm2D<Scalar>.Statistics) -> Void) {
    bn.visitStatistics(path + "bn.", body)
  }
}
