// Stem.swift: what comes before the first stage.
//
// Paper       He et al. 2015 Table 1: conv1 and the max-pool of conv2_x; §4.2: "the first layer is 3x3 convolutions"
// Tests       Tests/ResidualLearningTests/Networks/StemTests.swift

import ResidualKernels

/// Convolution, normalization, ReLU and, for ImageNet, a max-pool.
///
///     cifar      y = σ(BN(W ∗ x))                W `[3, 3, 3, C]`, stride 1
///     imageNet   y = maxpool(σ(BN(W ∗ x)))       W `[7, 7, 3, C]`, stride 2; 3x3 windows, stride 2
///
/// x is `[N, H, W, 3]`; y is `[N, H, W, C]` for CIFAR, `[N, H/4, W/4, C]` for ImageNet.
public struct Stem<Scalar: Element>: Layer {
  /// What is learned.
  public struct Parameters: ParameterSet {
    /// W.
    public var conv: Conv2D<Scalar>.Parameters
    /// γ and β.
    public var bn: BatchNorm2D<Scalar>.Parameters

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      conv.visit(path + "conv.", body)
      bn.visit(path + "bn.", body)
    }
  }

  /// The caches of its layers, in the order of the forward pass.
  public struct Cache: Sendable {
    /// x.
    public let conv: Conv2D<Scalar>.Cache
    /// W ∗ x and its statistics.
    public let bn: BatchNorm2D<Scalar>.Cache
    /// σ(BN).
    public let relu: ReLU<Scalar>.Cache
    /// Input and output of the pool, if there is one.
    public let maxPool: MaxPool2D<Scalar>.Cache?
  }

  /// The first convolution.
  public var conv: Conv2D<Scalar>
  /// Its normalization.
  public var bn: BatchNorm2D<Scalar>
  /// Table 1's pool.
  public let maxPool: MaxPool2D<Scalar>?
  /// Whether training runs the fused kernels, which do the same in fewer passes; see ``Fused``.
  public let fuses: Bool
  let relu = ReLU<Scalar>()

  /// A stem with random weights and `channels` channels of output.
  public init(
    _ kind: Architecture.Stem, _ channels: Int, fan: HeInitialization = .fanIn, fuses: Bool = false,
    using generator: inout RandomGenerator
  ) {
    self.fuses = fuses
    switch kind {
    case .cifar:
      conv = Conv2D(3, channels, kernel: 3, fan: fan, using: &generator)
      maxPool = nil
    case .imageNet:
      conv = Conv2D(3, channels, kernel: 7, stride: 2, fan: fan, using: &generator)
      maxPool = MaxPool2D(window: 3, stride: 2, padding: 1)
    }
    bn = BatchNorm2D(channels: channels)
  }

  public var parameters: Parameters {
    get { Parameters(conv: conv.parameters, bn: bn.parameters) }
    set {
      conv.parameters = newValue.conv
      bn.parameters = newValue.bn
    }
  }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    forward(input, observe: nil)
  }

  /// The training pass, which shows every tensor on its way to `observe`.
  public func forward(
    _ input: Tensor<Scalar>, observe: Observer<Scalar>?
  ) -> (output: Tensor<Scalar>, cache: Cache) {
    if let chain = chain(for: input), observe == nil {
      let (activated, cache) = chain.forward(input, bypass: nil)
      let pooled = maxPool?.forward(activated)
      return (
        pooled?.output ?? activated,
        Cache(
          conv: Conv2D.Cache(input: input), bn: cache.units[0], relu: ReLU.Cache(output: activated),
          maxPool: pooled?.cache)
      )
    }
    let (convolved, convCache) = conv.forward(input)
    observe?("conv", convolved)
    let (normalized, bnCache) = bn.forward(convolved)
    observe?("bn", normalized)
    let (activated, reluCache) = relu.forward(normalized)
    let pooled = maxPool?.forward(activated)
    let output = pooled?.output ?? activated
    observe?("output", output)
    return (output, Cache(conv: convCache, bn: bnCache, relu: reluCache, maxPool: pooled?.cache))
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let activated = chain(for: input).map { $0(input, bypass: nil) } ?? relu(bn(conv(input)))
    return maxPool?(activated) ?? activated
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let (convolvedGradient, bnGradients) = backwardToConvolution(outputGradient, cache)
    let (inputGradient, convGradients) = conv.backward(convolvedGradient, cache.conv)
    return (inputGradient, Parameters(conv: convGradients, bn: bnGradients))
  }

  /// ``backward(_:_:)`` without the gradient by the images.
  public func parameterGradients(_ outputGradient: Tensor<Scalar>, _ cache: Cache) -> Parameters {
    if let chain = chain(for: cache.conv.input) {
      let (_, units) = chain.backward(
        backwardToReLU(outputGradient, cache),
        FusedChain.Cache(input: cache.conv.input, units: [cache.bn], output: cache.relu.output),
        needsInputGradient: false
      ) { _ in nil }
      return Parameters(conv: units[0].conv, bn: units[0].bn)
    }
    let (convolvedGradient, bnGradients) = backwardToConvolution(outputGradient, cache)
    return Parameters(conv: conv.parameterGradients(convolvedGradient, cache.conv), bn: bnGradients)
  }

  /// Convolution, normalization and ReLU for the fused kernels, if they are to be used and apply.
  private func chain(for input: Tensor<Scalar>) -> FusedChain<Scalar>? {
    let chain = FusedChain(units: [ConvolutionUnit(conv: conv, bn: bn)])
    return fuses && chain.applies(to: input, needsInputGradient: false) ? chain : nil
  }

  /// The gradient behind the ReLU.
  private func backwardToReLU(_ outputGradient: Tensor<Scalar>, _ cache: Cache) -> Tensor<Scalar> {
    guard let maxPool, let poolCache = cache.maxPool else { return outputGradient }
    return maxPool.backward(outputGradient, poolCache).inputGradient
  }

  private func backwardToConvolution(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (Tensor<Scalar>, BatchNorm2D<Scalar>.Parameters) {
    let (normalizedGradient, _) = relu.backward(backwardToReLU(outputGradient, cache), cache.relu)
    return bn.backward(normalizedGradient, cache.bn)
  }

  public mutating func track(_ cache: Cache, rate: Scalar) { bn.track(cache.bn, rate: rate) }

  public mutating func visitStatistics(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
    bn.visitStatistics(path + "bn.", body)
  }
}
