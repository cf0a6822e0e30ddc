// PlainBlock.swift: two 3x3 convolutions and nothing around them.
//
// Paper       He et al. 2015 §3.3 "Plain Network", Fig. 3 middle; §4.2: "plain" networks
// Tests       Tests/ResidualLearningTests/Blocks/PlainBlockTests.swift

import ResidualKernels

/// What the paper compares residual learning with: a ``BasicBlock`` without its shortcut. Same depth, width and parameters.
///
///     forward    y = σ(BN₂(W₂ ∗ σ(BN₁(W₁ ∗ x))))          (1)
///     backward   the five layers' gradients in reverse      (2)
///
/// x is `[N, H, W, Cin]`, y `[N, H/s, W/s, C]`, s the stride. The gradient has one way back to x, and every layer on it.
public struct PlainBlock<Scalar: Element>: ResidualBlock {
  /// What is learned.
  public struct Parameters: ParameterSet {
    /// W₁.
    public var conv1: Conv2D<Scalar>.Parameters
    /// γ₁ and β₁.
    public var bn1: BatchNorm2D<Scalar>.Parameters
    /// W₂.
    public var conv2: Conv2D<Scalar>.Parameters
    /// γ₂ and β₂.
    public var bn2: BatchNorm2D<Scalar>.Parameters

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      conv1.visit(path + "conv1.", body)
      bn1.visit(path + "bn1.", body)
      conv2.visit(path + "conv2.", body)
      bn2.visit(path + "bn2.", body)
    }
  }

  /// The caches of its layers, in the order of the forward pass.
  public struct Cache: Sendable {
    /// x.
    public let conv1: Conv2D<Scalar>.Cache
    /// W₁ ∗ x and its statistics.
    public let bn1: BatchNorm2D<Scalar>.Cache
    /// σ(BN₁).
    public let relu1: ReLU<Scalar>.Cache
    /// The same tensor, which W₂ multiplies.
    public let conv2: Conv2D<Scalar>.Cache
    /// W₂ ∗ σ(BN₁) and its statistics.
    public let bn2: BatchNorm2D<Scalar>.Cache
    /// y.
    public let relu2: ReLU<Scalar>.Cache
  }

  /// The first convolution; it has the block's stride.
  public var conv1: Conv2D<Scalar>
  /// The first normalization.
  public var bn1: BatchNorm2D<Scalar>
  /// The second convolution.
  public var conv2: Conv2D<Scalar>
  /// The second normalization.
  public var bn2: BatchNorm2D<Scalar>
  let relu = ReLU<Scalar>()

  public init(
    inputChannels: Int, stage: Architecture.Stage, stride: Int, options: Architecture.Options,
    using generator: inout RandomGenerator
  ) {
    let channels = stage.outputChannels
    conv1 = Conv2D(inputChannels, channels, kernel: 3, stride: stride, fan: options.fan, using: &generator)
    bn1 = BatchNorm2D(channels: channels)
    conv2 = Conv2D(channels, channels, kernel: 3, fan: options.fan, using: &generator)
    bn2 = BatchNorm2D(channels: channels)
  }

  public var parameters: Parameters {
    get {
      Parameters(conv1: conv1.parameters, bn1: bn1.parameters, conv2: conv2.parameters, bn2: bn2.parameters)
    }
    set {
      conv1.parameters = newValue.conv1
      bn1.parameters = newValue.bn1
      conv2.parameters = newValue.conv2
      bn2.parameters = newValue.bn2
    }
  }

  public func forward(
    _ input: Tensor<Scalar>, observe: Observer<Scalar>?
  ) -> (output: Tensor<Scalar>, cache: Cache) {
    let (convolved1, conv1Cache) = conv1.forward(input)
    observe?("conv1", convolved1)
    let (normalized1, bn1Cache) = bn1.forward(convolved1)
    observe?("bn1", normalized1)
    let (activated1, relu1Cache) = relu.forward(normalized1)

    let (convolved2, conv2Cache) = conv2.forward(activated1)
    observe?("conv2", convolved2)
    let (normalized2, bn2Cache) = bn2.forward(convolved2)
    observe?("bn2", normalized2)
    let (output, relu2Cache) = relu.forward(normalized2)  // (1)
    observe?("output", output)
    return (
      output,
      Cache(
        conv1: conv1Cache, bn1: bn1Cache, relu1: relu1Cache, conv2: conv2Cache, bn2: bn2Cache, relu2: relu2Cache)
    )
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    relu(bn2(conv2(relu(bn1(conv1(input))))))
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    // (2)
    let (normalized2Gradient, _) = relu.backward(outputGradient, cache.relu2)
    let (convolved2Gradient, bn2Gradients) = bn2.backward(normalized2Gradient, cache.bn2)
    let (activated1Gradient, conv2Gradients) = conv2.backward(convolved2Gradient, cache.conv2)
    let (normalized1Gradient, _) = relu.backward(activated1Gradient, cache.relu1)
    let (convolved1Gradient, bn1Gradients) = bn1.backward(normalized1Gradient, cache.bn1)
    let (inputGradient, conv1Gradients) = conv1.backward(convolved1Gradient, cache.conv1)
    return (
      inputGradient,
      Parameters(conv1: conv1Gradients, bn1: bn1Gradients, conv2: conv2Gradients, bn2: bn2Gradients)
    )
  }

  public mutating func track(_ cache: Cache, rate: Scalar) {
    bn1.track(cache.bn1, rate: rate)
    bn2.track(cache.bn2, rate: rate)
  }

  public mutating func visitStatistics(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
    bn1.visitStatistics(path + "bn1.", body)
    bn2.visitStatistics(path + "bn2.", body)
  }
}

extension PlainBlock: FusibleBlock {
  public var units: [ConvolutionUnit<Scalar>] {
    [ConvolutionUnit(conv: conv1, bn: bn1), ConvolutionUnit(conv: conv2, bn: bn2)]
  }
  public var bypass: Shortcut<Scalar>? { nil }

  public static func parameters(_ units: [ConvolutionUnit<Scalar>.Parameters], _ shortcut: Shortcut<Scalar>.Parameters?)
    -> Parameters
  {
    Parameters(
      conv1: units[0].conv, bn1: units[0].bn, conv2: units[1].conv, bn2: units[1].bn)
  }

  public mutating func track(_ units: [BatchNorm2D<Scalar>.Cache], _ shortcut: Shortcut<Scalar>.Cache?, rate: Scalar) {
    bn1.track(units[0], rate: rate)
    bn2.track(units[1], rate: rate)
  }
}
