// BasicBlock.swift: two 3x3 convolutions and a shortcut.
//
// Paper       He et al. 2015 §3.1, §3.2, Fig. 2; Fig. 5 left; Table 1, 18 and 34 layers; §4.2
// Derivation  docs/derivations/residual-block.md
// Tests       Tests/ResidualLearningTests/Blocks/BasicBlockTests.swift

import ResidualKernels

/// The building block of Fig. 2: it learns the residual F(x) = H(x) − h(x) rather than the mapping H(x) itself.
///
///     forward    F(x) = BN₂(W₂ ∗ σ(BN₁(W₁ ∗ x)))                (1)
///                s = F(x) + h(x)                                 (2)
///                y = σ(s)                                        (3)
///
///     backward   ds = dy where y > 0, else 0                     (4)
///                dF = ds,  dh = ds                               (5)   a sum hands its gradient to both terms
///                dx = (∂F/∂x)ᵀ dF + (∂h/∂x)ᵀ dh                  (6)   and x, used twice, adds up what it gets
///
/// With the identity h(x) = x the second term of (6) is ds itself: however small the first one is, the gradient reaches x.
///
/// | symbol | in code                           | shape                     |
/// |:-------|:----------------------------------|:--------------------------|
/// | x      | `input`                           | `[N, H, W, Cin]`          |
/// | y, s   | `output`, `sum`                   | `[N, H/s, W/s, C]`        |
/// | σ      | `relu`                            |                           |
/// | h      | `shortcut`                        | see ``Shortcut``          |
/// | ds     | `sumGradient`                     | as y                      |
public struct BasicBlock<Scalar: Element>: ResidualBlock {
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
    /// W_s, γ and β of a projection.
    public var shortcut: Shortcut<Scalar>.Parameters

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      conv1.visit(path + "conv1.", body)
      bn1.visit(path + "bn1.", body)
      conv2.visit(path + "conv2.", body)
      bn2.visit(path + "bn2.", body)
      shortcut.visit(path + "shortcut.", body)
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
    /// The shortcut's.
    public let shortcut: Shortcut<Scalar>.Cache
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
  /// The way around.
  public var shortcut: Shortcut<Scalar>
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
    shortcut = Shortcut(
      options.shortcut, inputChannels, channels, stride: stride, zeros: options.zeros, fan: options.fan,
      using: &generator)
  }

  public var parameters: Parameters {
    get {
      Parameters(
        conv1: conv1.parameters, bn1: bn1.parameters, conv2: conv2.parameters, bn2: bn2.parameters,
        shortcut: shortcut.parameters)
    }
    set {
      conv1.parameters = newValue.conv1
      bn1.parameters = newValue.bn1
      conv2.parameters = newValue.conv2
      bn2.parameters = newValue.bn2
      shortcut.parameters = newValue.shortcut
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
    let (residual, bn2Cache) = bn2.forward(convolved2)  // (1)
    observe?("bn2", residual)

    let (bypass, shortcutCache) = shortcut.forward(input)
    observe?("shortcut", bypass)
    let sum = residual + bypass  // (2)
    let (output, relu2Cache) = relu.forward(sum)  // (3)
    observe?("output", output)
    return (
      output,
      Cache(
        conv1: conv1Cache, bn1: bn1Cache, relu1: relu1Cache, conv2: conv2Cache, bn2: bn2Cache,
        shortcut: shortcutCache, relu2: relu2Cache)
    )
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let residual = bn2(conv2(relu(bn1(conv1(input)))))
    return relu(residual + shortcut(input))
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let (sumGradient, _) = relu.backward(outputGradient, cache.relu2)  // (4)

    // (5): the residual branch, last layer first.
    let (convolved2Gradient, bn2Gradients) = bn2.backward(sumGradient, cache.bn2)
    let (activated1Gradient, conv2Gradients) = conv2.backward(convolved2Gradient, cache.conv2)
    let (normalized1Gradient, _) = relu.backward(activated1Gradient, cache.relu1)
    let (convolved1Gradient, bn1Gradients) = bn1.backward(normalized1Gradient, cache.bn1)
    let (residualGradient, conv1Gradients) = conv1.backward(convolved1Gradient, cache.conv1)

    // (5): the shortcut gets the same gradient.
    let (bypassGradient, shortcutGradients) = shortcut.backward(sumGradient, cache.shortcut)

    return (
      residualGradient + bypassGradient,  // (6)
      Parameters(
        conv1: conv1Gradients, bn1: bn1Gradients, conv2: conv2Gradients, bn2: bn2Gradients,
        shortcut: shortcutGradients)
    )
  }

  public mutating func track(_ cache: Cache, rate: Scalar) {
    bn1.track(cache.bn1, rate: rate)
    bn2.track(cache.bn2, rate: rate)
    shortcut.track(cache.shortcut, rate: rate)
  }

  public mutating func visitStatistics(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
    bn1.visitStatistics(path + "bn1.", body)
    bn2.visitStatistics(path + "bn2.", body)
    shortcut.visitStatistics(path + "shortcut.", body)
  }
}

extension BasicBlock: FusibleBlock {
  public var units: [ConvolutionUnit<Scalar>] {
    [ConvolutionUnit(conv: conv1, bn: bn1), ConvolutionUnit(conv: conv2, bn: bn2)]
  }
  public var bypass: Shortcut<Scalar>? { shortcut }

  public static func parameters(_ units: [ConvolutionUnit<Scalar>.Parameters], _ shortcut: Shortcut<Scalar>.Parameters?)
    -> Parameters
  {
    Parameters(
      conv1: units[0].conv, bn1: units[0].bn, conv2: units[1].conv, bn2: units[1].bn, shortcut: shortcut!)
  }

  public mutating func track(_ units: [BatchNorm2D<Scalar>.Cache], _ shortcut: Shortcut<Scalar>.Cache?, rate: Scalar) {
    bn1.track(units[0], rate: rate)
    bn2.track(units[1], rate: rate)
    self.shortcut.track(shortcut!, rate: rate)
  }
}
