// Stem.swift: what comes before the first stage.
//
// Paper       He et al. 2015 Table 1: conv1 and the max-pool of conv2_x; §4.2: "the first layer is 3x3 convolutions"
// Tests       Tests/ResidualLearningTests/Networks/StemTests.swift

import ResidualKernels

/// The first layers: convolution, normalization, ReLU and, for ImageNet, a max-pool.
///
///     cifar      y = σ(BN(W ∗ x))                W `[3, 3, 3, C]`, stride 1
///     imageNet   y = maxpool(σ(BN(W ∗ x)))       W `[7, 7, 3, C]`, stride 2; 3x3 windows, stride 2
///
/// x is `[N, H, W, 3]`; y is `[N, H, W, C]` for CIFAR, `[N, ⌈H/4⌉, ⌈W/4⌉, C]` for ImageNet.
public struct Stem<Scalar: Element>: Layer {
  public typealias Parameters = Block<Scalar>.Parameters

  /// The caches of its parts.
  public struct Cache: Sendable {
    /// x, W ∗ x with its statistics, and σ(BN(W ∗ x)).
    public let block: Block<Scalar>.Cache
    /// Input and output of the pool, if there is one.
    public let maxPool: MaxPool2D<Scalar>.Cache?
  }

  /// Convolution, normalization and ReLU: a block of one unit without a shortcut.
  public var block: Block<Scalar>
  /// Table 1's pool.
  public let maxPool: MaxPool2D<Scalar>?

  /// A stem with random weights and `channels` channels of output.
  public init(
    _ kind: Architecture.Stem, _ channels: Int, options: Architecture.Options = .init(), fused: Bool = true,
    using generator: inout RandomGenerator
  ) {
    let description = Architecture.Block(
      convolutions: [kind.convolution(channels)], projection: nil, hasShortcut: false, options: options)
    block = Block(description, fused: fused, using: &generator)
    maxPool = kind.maxPool.map { MaxPool2D(window: $0.window, stride: $0.stride, padding: $0.padding) }
  }

  public var parameters: Parameters {
    get { block.parameters }
    set { block.parameters = newValue }
  }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    forward(input, observe: nil)
  }

  /// The training pass, which shows every tensor on its way to `observe`.
  public func forward(
    _ input: Tensor<Scalar>, observe: Observer<Scalar>?
  ) -> (output: Tensor<Scalar>, cache: Cache) {
    let (activated, blockCache) = block.forward(input, observe: observe)
    let pooled = maxPool?.forward(activated)
    if let pooled { observe?("maxPool", pooled.output) }
    return (pooled?.output ?? activated, Cache(block: blockCache, maxPool: pooled?.cache))
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let activated = block(input)
    return maxPool?(activated) ?? activated
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    block.backward(activatedGradient(outputGradient, cache), cache.block)
  }

  /// ``backward(_:_:)`` without the gradient with respect to the images, where the fused kernels can leave it out.
  public func parameterGradients(_ outputGradient: Tensor<Scalar>, _ cache: Cache) -> Parameters {
    let gradient = activatedGradient(outputGradient, cache)
    return block.fusedBackward(gradient, cache.block, needsInputGradient: false)?.gradients
      ?? block.backward(gradient, cache.block).gradients
  }

  /// The gradient with respect to the output of the ReLU.
  private func activatedGradient(_ outputGradient: Tensor<Scalar>, _ cache: Cache) -> Tensor<Scalar> {
    guard let maxPool, let poolCache = cache.maxPool else { return outputGradient }
    return maxPool.backward(outputGradient, poolCache).inputGradient
  }

  public mutating func track(_ cache: Cache, rate: Scalar) { block.track(cache.block, rate: rate) }

  public mutating func visitStatistics(_ path: String, _ body: (String, inout BatchNorm2D<Scalar>.Statistics) -> Void) {
    block.visitStatistics(path, body)
  }
}
