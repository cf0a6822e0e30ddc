// Trunk.swift: the layers that all regions of a picture share.
//
// Paper       He et al. 2015 §4.3, appendix A: "We compute the full-image shared conv feature maps using those layers whose
//             strides on the image are no greater than 16 pixels (i.e., conv1, conv2_x, conv3_x, and conv4_x …)"
// Tests       Tests/ResidualDetectionTests/Networks/TrunkTests.swift

import ResidualKernels
import ResidualLearning

/// The stem and all stages of a network but the last, with fixed batch normalization.
///
///     x₀ = σ(u(images)),   features = blockₘ(… block₁(x₀))
///
/// images `[N, H, W, 3]`, features `[N, ⌈H/s⌉, ⌈W/s⌉, C]`, s the `stride`.
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
    /// The blocks' caches.
    let stages: [FixedBlock<Scalar>.Cache]
  }

  /// The first convolution.
  public var stem: FixedUnit<Scalar>
  /// The blocks of all stages but the last.
  public var stages: FixedBlocks<Scalar>
  /// Pixels of the picture from one cell of the features to the next.
  public let stride: Int
  private let relu = ReLU<Scalar>()

  /// A trunk of these parts.
  public init(stem: FixedUnit<Scalar>, stages: FixedBlocks<Scalar>, stride: Int) {
    (self.stem, self.stages, self.stride) = (stem, stages, stride)
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
    let (features, stageCaches) = stages.forward(activated)
    return (features, Cache(stem: stemCache, activated: reluCache, stages: stageCaches))
  }

  /// The features of pictures.
  public func callAsFunction(_ images: Tensor<Scalar>) -> Tensor<Scalar> { stages(relu(stem(images))) }

  /// The gradient of the loss with respect to the parameters, from that with respect to the features.
  public func gradients(_ featuresGradient: Tensor<Scalar>, _ cache: Cache) -> Parameters {
    let (activatedGradient, stageGradients) = stages.backward(featuresGradient, cache.stages)
    let (stemGradient, _) = relu.backward(activatedGradient, cache.activated)
    return Parameters(stem: stem.parameterGradients(stemGradient, cache.stem), stages: stageGradients)
  }

  /// Visits the constants of the normalizations.
  mutating func visitConstants(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
    stem.visitConstants(path + "stem.bn.", body)
    stages.visitConstants(path, body)
  }
}
