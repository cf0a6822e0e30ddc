// RegionHead.swift: what a region shows, and where exactly that is.
//
// Paper       He et al. 2015 §4.3, appendix A: "RoI pooling before conv5_1 … all layers of conv5_x and up are adopted
//             for each region … The final classification layer is replaced by two sibling layers"; appendix B,
//             global context
// Tests       Tests/ResidualDetectionTests/Networks/RegionHeadTests.swift

import ResidualKernels
import ResidualLearning

/// The last stage of the network, run on every region, and two linear layers side by side.
///
///     x = pool(features, regions)            [R, b, b, C]      ``RegionMaxPool``                   (1)
///     f = mean over the cells of stage(x)    [R, C']                                               (2)
///     z = f W_z + b_z                        [R, K + 1]        class 0 is background               (3)
///     t = f W_t + b_t                        [R, 4K]           offsets for every class             (4)
///
/// With global context (appendix B) the whole picture is one more region, whose f_g is put beside every f of the
/// picture: z = [f, f_g] W_z + b_z. The product with a matrix of two halves is a sum of two products, f W_z + f_g V_z,
/// which is what is computed; the same for t.
public struct RegionHead<Scalar: Element>: Sendable {
  /// The two linear layers.
  public struct Siblings<Part: Sendable>: Sendable {
    /// For z.
    public var classes: Part
    /// For t.
    public var offsets: Part
  }

  /// What is learned.
  public struct Parameters: ParameterSet {
    /// The blocks of the last stage.
    public var stage: FixedBlocks<Scalar>.Parameters
    /// W and b of z and t.
    public var siblings: Siblings<Linear<Scalar>.Parameters>
    /// V of z and t.
    public var context: Siblings<Linear<Scalar>.Parameters>?

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      stage.visit(path, body)
      siblings.classes.visit(path + "classes.", body)
      siblings.offsets.visit(path + "offsets.", body)
      context?.classes.visit(path + "contextClasses.", body)
      context?.offsets.visit(path + "contextOffsets.", body)
    }
  }

  /// z and t, or the gradients of the loss with respect to them.
  public struct Output: Sendable {
    /// z `[R, K + 1]`.
    public var classes: Tensor<Scalar>
    /// t `[R, 4K]`: the four numbers of class k from column 4k on.
    public var offsets: Tensor<Scalar>
  }

  /// What backward needs.
  public struct Cache: Sendable {
    let pool: RegionMaxPool<Scalar>.Cache
    let stage: [FixedBlock<Scalar>.Cache]
    let mean: GlobalAveragePool<Scalar>.Cache
    let siblings: Siblings<Linear<Scalar>.Cache>
    /// What the layers of f_g need, and the number of each region's picture.
    let context: Siblings<Linear<Scalar>.Cache>?
    let images: [Int]
  }

  /// (1).
  public let pool: RegionMaxPool<Scalar>
  /// The blocks of (2).
  public var stage: FixedBlocks<Scalar>
  /// (3) and (4).
  public var siblings: Siblings<Linear<Scalar>>
  /// The same for f_g; nil without global context.
  public var context: Siblings<Linear<Scalar>>?
  private let mean = GlobalAveragePool<Scalar>()

  /// A head whose linear layers have random weights, with standard deviations of 0.01 and 0.001 as in Fast R-CNN.
  public init(
    pool: RegionMaxPool<Scalar>, stage: FixedBlocks<Scalar>, channels: Int, classes: Int, context: Bool,
    using generator: inout RandomGenerator
  ) {
    (self.pool, self.stage) = (pool, stage)
    func siblings() -> Siblings<Linear<Scalar>> {
      Siblings(
        classes: Linear(channels, classes + 1, deviation: 0.01, using: &generator),
        offsets: Linear(channels, 4 * classes, deviation: 0.001, using: &generator))
    }
    self.siblings = siblings()
    self.context = context ? siblings() : nil
  }

  /// The parameters of all parts.
  public var parameters: Parameters {
    get {
      func parameters(_ layers: Siblings<Linear<Scalar>>) -> Siblings<Linear<Scalar>.Parameters> {
        Siblings(classes: layers.classes.parameters, offsets: layers.offsets.parameters)
      }
      return Parameters(
        stage: stage.parameters, siblings: parameters(siblings), context: context.map(parameters))
    }
    set {
      stage.parameters = newValue.stage
      siblings.classes.parameters = newValue.siblings.classes
      siblings.offsets.parameters = newValue.siblings.offsets
      if let parameters = newValue.context {
        context?.classes.parameters = parameters.classes
        context?.offsets.parameters = parameters.offsets
      }
    }
  }

  /// z and t of regions, and what backward needs.
  ///
  /// - Parameters:
  ///   - input: features `[N, H, W, C]`.
  ///   - regions: with global context sorted by picture.
  ///   - sizes: the pictures' sizes, which global context needs.
  public func forward(
    _ input: Tensor<Scalar>, regions: [Region], sizes: [PictureSize]
  ) -> (output: Output, cache: Cache) {
    let all = regions + (context == nil ? [] : Self.wholePictures(sizes))
    let (pooled, poolCache) = pool.forward(input, regions: all)  // (1)
    let (x, stageCache) = stage.forward(pooled)
    let (means, meanCache) = mean.forward(x)  // (2)
    let (output, siblingCaches, contextCaches) = outputs(means, regions)
    return (
      output,
      Cache(
        pool: poolCache, stage: stageCache, mean: meanCache, siblings: siblingCaches, context: contextCaches,
        images: regions.map(\.image))
    )
  }

  /// z and t of pooled regions `[R, b, b, C]`; with global context the whole pictures come last.
  func callAsFunction(pooled: Tensor<Scalar>, regions: [Region]) -> Output {
    outputs(mean(stage(pooled)), regions).output
  }

  /// Every picture as a region.
  static func wholePictures(_ sizes: [PictureSize]) -> [Region] {
    sizes.enumerated().map { n, size in Region(image: n, box: size.box) }
  }

  private func outputs(
    _ means: Tensor<Scalar>, _ regions: [Region]
  ) -> (output: Output, siblings: Siblings<Linear<Scalar>.Cache>, context: Siblings<Linear<Scalar>.Cache>?) {
    let features = means.slice(0..<regions.count)
    let (z, classes) = siblings.classes.forward(features)  // (3)
    let (t, offsets) = siblings.offsets.forward(features)  // (4)
    let caches = Siblings(classes: classes, offsets: offsets)
    guard let context else { return (Output(classes: z, offsets: t), caches, nil) }
    let shared = means.slice(regions.count..<means.shape[0])
    let (zShared, contextClasses) = context.classes.forward(shared)
    let (tShared, contextOffsets) = context.offsets.forward(shared)
    let images = regions.map(\.image)
    return (
      Output(classes: z + zShared.rows(images), offsets: t + tShared.rows(images)), caches,
      Siblings(classes: contextClasses, offsets: contextOffsets)
    )
  }

  /// The gradients with respect to the features of the pictures and to the parameters.
  public func backward(
    _ outputGradient: Output, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let (fromClasses, classGradients) = siblings.classes.backward(outputGradient.classes, cache.siblings.classes)
    let (fromOffsets, offsetGradients) = siblings.offsets.backward(outputGradient.offsets, cache.siblings.offsets)
    var meansGradient = fromClasses + fromOffsets
    var contextGradients: Siblings<Linear<Scalar>.Parameters>?
    if let context, let caches = cache.context {
      let pictures = caches.classes.input.shape[0]
      let (a, classes) = context.classes.backward(
        outputGradient.classes.sumsOfRows(cache.images, count: pictures), caches.classes)
      let (b, offsets) = context.offsets.backward(
        outputGradient.offsets.sumsOfRows(cache.images, count: pictures), caches.offsets)
      contextGradients = Siblings(classes: classes, offsets: offsets)
      meansGradient = Tensor(concatenating: [meansGradient, a + b])
    }
    let (xGradient, _) = mean.backward(meansGradient, cache.mean)
    let (pooledGradient, stageGradients) = stage.backward(xGradient, cache.stage)
    return (
      pool.backward(pooledGradient, cache.pool),
      Parameters(
        stage: stageGradients, siblings: Siblings(classes: classGradients, offsets: offsetGradients),
        context: contextGradients)
    )
  }
}
