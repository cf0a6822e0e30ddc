// BottleneckBlock.swift: a 1x1, a 3x3 and a 1x1 convolution and a shortcut.
//
// Paper       He et al. 2015 §4.1 "Deeper Bottleneck Architectures", Fig. 5 right; Table 1, 50, 101 and 152 layers
// Derivation  docs/derivations/residual-block.md
// Tests       Tests/ResidualLearningTests/Blocks/BottleneckBlockTests.swift

import ResidualKernels

/// The block of the deepest networks: the first 1x1 convolution reduces the channels, the 3x3 works on few of them, and
/// the last 1x1 restores four times as many.
///
///     forward    F(x) = BN₃(W₃ ∗ σ(BN₂(W₂ ∗ σ(BN₁(W₁ ∗ x)))))       (1)
///                y = σ(F(x) + h(x))                                  (2)
///
///     backward   ds = dy where y > 0, else 0                         (3)
///                dx = (∂F/∂x)ᵀ ds + (∂h/∂x)ᵀ ds                      (4)
///
/// x is `[N, H, W, Cin]`; the two inner tensors have the stage's width of channels, y four times as many. The stride is
/// in the first 1x1, as in the paper and the authors' released model, or in the 3x3, as in torchvision ("v1.5"):
/// ``StridePlacement``.
public struct BottleneckBlock<Scalar: Element>: ResidualBlock {
  /// What is learned.
  public struct Parameters: ParameterSet {
    /// W₁ `[1, 1, Cin, width]`.
    public var conv1: Conv2D<Scalar>.Parameters
    /// γ₁ and β₁.
    public var bn1: BatchNorm2D<Scalar>.Parameters
    /// W₂ `[3, 3, width, width]`.
    public var conv2: Conv2D<Scalar>.Parameters
    /// γ₂ and β₂.
    public var bn2: BatchNorm2D<Scalar>.Parameters
    /// W₃ `[1, 1, width, 4 width]`.
    public var conv3: Conv2D<Scalar>.Parameters
    /// γ₃ and β₃.
    public var bn3: BatchNorm2D<Scalar>.Parameters
    /// W_s, γ and β of a projection.
    public var shortcut: Shortcut<Scalar>.Parameters

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      conv1.visit(path + "conv1.", body)
      bn1.visit(path + "bn1.", body)
      conv2.visit(path + "conv2.", body)
      bn2.visit(path + "bn2.", body)
      conv3.visit(path + "conv3.", body)
      bn3.visit(path + "bn3.", body)
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
    /// σ(BN₂).
    public let relu2: ReLU<Scalar>.Cache
    /// The same tensor, which W₃ multiplies.
    public let conv3: Conv2D<Scalar>.Cache
    /// W₃ ∗ σ(BN₂) and its statistics.
    public let bn3: BatchNorm2D<Scalar>.Cache
    /// The shortcut's.
    public let shortcut: Shortcut<Scalar>.Cache
    /// y.
    public let relu3: ReLU<Scalar>.Cache
  }

  /// 1x1: to the stage's width.
  public var conv1: Conv2D<Scalar>
  /// The first normalization.
  public var bn1: BatchNorm2D<Scalar>
  /// 3x3 at that width.
  public var conv2: Conv2D<Scalar>
  /// The second normalization.
  public var bn2: BatchNorm2D<Scalar>
  /// 1x1: to four times the width.
  public var conv3: Conv2D<Scalar>
  /// The third normalization.
  public var bn3: BatchNorm2D<Scalar>
  /// The way around.
  public var shortcut: Shortcut<Scalar>
  let relu = ReLU<Scalar>()

  public init(
    inputChannels: Int, stage: Architecture.Stage, stride: Int, options: Architecture.Options,
    using generator: inout RandomGenerator
  ) {
    let (width, channels) = (stage.width, stage.outputChannels)
    let isFirst = options.stridePlacement == .first1x1
    conv1 = Conv2D(
      inputChannels, width, kernel: 1, stride: isFirst ? stride : 1, fan: options.fan, using: &generator)
    bn1 = BatchNorm2D(channels: width)
    conv2 = Conv2D(width, width, kernel: 3, stride: isFirst ? 1 : stride, fan: options.fan, using: &generator)
    bn2 = BatchNorm2D(channels: width)
    conv3 = Conv2D(width, channels, kernel: 1, fan: options.fan, using: &generator)
    bn3 = BatchNorm2D(channels: channels)
    shortcut = Shortcut(
      options.shortcut, inputChannels, channels, stride: stride, zeros: options.zeros, fan: options.fan,
      using: &generator)
  }

  public var parameters: Parameters {
    get {
      Parameters(
        conv1: conv1.parameters, bn1: bn1.parameters, conv2: conv2.parameters, bn2: bn2.parameters,
        conv3: conv3.parameters, bn3: bn3.parameters, shortcut: shortcut.parameters)
    }
    set {
      conv1.parameters = newValue.conv1
      bn1.parameters = newValue.bn1
      conv2.parameters = newValue.conv2
      bn2.parameters = newValue.bn2
      conv3.parameters = newValue.conv3
      bn3.parameters = newValue.bn3
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
    let (normalized2, bn2Cache) = bn2.forward(convolved2)
    observe?("bn2", normalized2)
    let (activated2, relu2Cache) = relu.forward(normalized2)

    let (convolved3, conv3Cache) = conv3.forward(activated2)
    observe?("conv3", convolved3)
    let (residual, bn3Cache) = bn3.forward(convolved3)  // (1)
    observe?("bn3", residual)

    let (bypass, shortcutCache) = shortcut.forward(input)
    observe?("shortcut", bypass)
    let (output, relu3Cache) = relu.forward(residual + bypass)  // (2)
    observe?("output", output)
    return (
      output,
      Cache(
        conv1: conv1Cache, bn1: bn1Cache, relu1: relu1Cache, conv2: conv2Cache, bn2: bn2Cache, relu2: relu2Cache,
        conv3: conv3Cache, bn3: bn3Cache, shortcut: shortcutCache, relu3: relu3Cache)
    )
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let residual = bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(input))))))))
    return relu(residual + shortcut(input))
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let (sumGradient, _) = relu.backward(outputGradient, cache.relu3)  // (3)

    // The residual branch, last layer first.
    let (convolved3Gradient, bn3Gradients) = bn3.backward(sumGradient, cache.bn3)
    let (activated2Gradient, conv3Gradients) = conv3.backward(convolved3Gradient, cache.conv3)
    let (normalized2Gradient, _) = relu.backward(activated2Gradient, cache.relu2)
    let (convolved2Gradient, bn2Gradients) = bn2.backward(normalized2Gradient, cache.bn2)
    let (activated1Gradient, conv2Gradients) = conv2.backward(convolved2Gradient, cache.conv2)
    let (normalized1Gradient, _) = relu.backward(activated1Gradient, cache.relu1)
    let (convolved1Gradient, bn1Gradients) = bn1.backward(normalized1Gradient, cache.bn1)
    let (residualGradient, conv1Gradients) = conv1.backward(convolved1Gradient, cache.conv1)

    // The shortcut gets the same gradient.
    let (bypassGradient, shortcutGradients) = shortcut.backward(sumGradient, cache.shortcut)

    return (
      residualGradient + bypassGradient,  // (4)
      Parameters(
        conv1: conv1Gradients, bn1: bn1Gradients, conv2: conv2Gradients, bn2: bn2Gradients, conv3: conv3Gradients,
        bn3: bn3Gradients, shortcut: shortcutGradients)
    )
  }

  public mutating func track(_ cache: Cache, rate: Scalar) {
    bn1.track(cache.bn1, rate: rate)
    bn2.track(cache.bn2, rate: rate)
    bn3.track(cache.bn3, rate: rate)
    shortcut.track(cache.shortcut, rate: rate)
  }

  public mutating func visitStatistics(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
    bn1.visitStatistics(path + "bn1.", body)
    bn2.visitStatistics(path + "bn2.", body)
    bn3.visitStatistics(path + "bn3.", body)
    shortcut.visitStatistics(path + "shortcut.", body)
  }
}

extension BottleneckBlock: FusibleBlock {
  public var units: [ConvolutionUnit<Scalar>] {
    [
      ConvolutionUnit(conv: conv1, bn: bn1), ConvolutionUnit(conv: conv2, bn: bn2),
      ConvolutionUnit(conv: conv3, bn: bn3),
    ]
  }
  public var bypass: Shortcut<Scalar>? { shortcut }

  public static func parameters(_ units: [ConvolutionUnit<Scalar>.Parameters], _ shortcut: Shortcut<Scalar>.Parameters?)
    -> Parameters
  {
    Parameters(
      conv1: units[0].conv, bn1: units[0].bn, conv2: units[1].conv, bn2: units[1].bn, conv3: units[2].conv,
      bn3: units[2].bn, shortcut: shortcut!)
  }

  public mutating func track(_ units: [BatchNorm2D<Scalar>.Cache], _ shortcut: Shortcut<Scalar>.Cache?, rate: Scalar) {
    bn1.track(units[0], rate: rate)
    bn2.track(units[1], rate: rate)
    bn3.track(units[2], rate: rate)
    self.shortcut.track(shortcut!, rate: rate)
  }
}
