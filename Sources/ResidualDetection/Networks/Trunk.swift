// Trunk.swift: the layers that all regions of a picture share.
//
// Paper       He et al. 2015 §4.3, appendix A: "We compute the full-image shared conv feature maps using those layers
//             whose strides on the image are no greater than 16 pixels (i.e., conv1, conv2_x, conv3_x, and conv4_x …)"
// Tests       Tests/ResidualDetectionTests/Networks/TrunkTests.swift

import ResidualKernels
import ResidualLearning

/// The stem and all stages of a network except the last, with fixed batch normalization.
///
///     x₀ = σ(u(images)),   features = blockₘ(… block₁(x₀))
///
/// images `[N, H, W, 3]`, features `[N, ⌈H/s⌉, ⌈W/s⌉, C]`, s the `stride`. In networks of Table 1 x₀ is max-pooled.
public struct Trunk<Scalar: Element>: Sendable {
  /// What is learned.
  public struct Parameters: ParameterSet {
    /// W of the first convolution.
    public var stem: FixedUnit<Scalar>.Parameters
    /// The blocks of the stages.
    public var stages: FixedBlocks<Scalar>.Parameters

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      stem.visit(path + "stem.conv.", body)
      stages.visit(path, body)
    }
  }

  /// What backward needs.
  public struct Cache: Sendable {
    /// The pictures.
    let stem: FixedUnit<Scalar>.Cache
    /// σ(u(images)).
    let activated: ReLU<Scalar>.Cache
    /// What the max-pool needs, if there is one.
    let maxPool: MaxPool2D<Scalar>.Cache?
    /// The blocks' caches.
    let stages: [FixedBlock<Scalar>.Cache]
  }

  /// The first convolution.
  public var stem: FixedUnit<Scalar>
  /// Table 1's pool.
  public let maxPool: MaxPool2D<Scalar>?
  /// The blocks of all stages except the last.
  public var stages: FixedBlocks<Scalar>
  /// Pixels of the picture from one cell of the features to the next.
  public let stride: Int
  private let relu = ReLU<Scalar>()

  /// A trunk of these parts.
  public init(stem: FixedUnit<Scalar>, maxPool: MaxPool2D<Scalar>?, stages: FixedBlocks<Scalar>, stride: Int) {
    (self.stem, self.maxPool, self.stages, self.stride) = (stem, maxPool, stages, stride)
  }

  /// The parameters of all parts.
  public var parameters: Parameters {
    get { Parameters(stem: stem.parameters, stages: stages.parameters) }
    set { (stem.parameters, stages.parameters) = (newValue.stem, newValue.stages) }
  }

  /// The features of pictures, and what backward needs.
  public func forward(_ images: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    let (convolved, stemCache) = stem.forward(images)
    let (activated, reluCache) = relu.forward(convolved)
    let pooled = maxPool?.forward(activated)
    let (features, stageCaches) = stages.forward(pooled?.output ?? activated)
    return (
      features, Cache(stem: stemCache, activated: reluCache, maxPool: pooled?.cache, stages: stageCaches)
    )
  }

  /// The features of pictures.
  public func callAsFunction(_ images: Tensor<Scalar>) -> Tensor<Scalar> {
    let activated = relu(stem(images))
    return stages(maxPool?(activated) ?? activated)
  }

  /// The gradient of the loss with respect to the parameters, from that with respect to the features.
  public func gradients(_ featuresGradient: Tensor<Scalar>, _ cache: Cache) -> Parameters {
    var (activatedGradient, stageGradients) = stages.backward(featuresGradient, cache.stages)
    if let maxPool, let poolCache = cache.maxPool {
      activatedGradient = maxPool.backward(activatedGradient, poolCache).inputGradient
    }
    let (stemGradient, _) = relu.backward(activatedGradient, cache.activated)
    return Parameters(stem: stem.parameterGradients(stemGradient, cache.stem), stages: stageGradients)
  }

  /// Visits the constants of the normalizations.
  mutating func visitConstants(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
    stem.visitConstants(path + "stem.bn.", body)
    stages.visitConstants(path, body)
  }
}
