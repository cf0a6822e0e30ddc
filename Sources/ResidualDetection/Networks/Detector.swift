// Detector.swift: Faster R-CNN on a residual net.
//
// Paper       He et al. 2015 §4.3, appendix A; Ren et al. 2015 (Faster R-CNN), §3.2
// Derivation  docs/derivations/detection.md
// Tests       Tests/ResidualDetectionTests/Networks/DetectorTests.swift

import ResidualKernels
import ResidualLearning

/// Finds objects in pictures: a trunk that is run once, proposals, and a head that is run on every proposal.
///
///     x = trunk(images)                                                       (1)
///     proposals ← rank, move and thin out the anchors by rpn(x)               (2)   numbers: no gradient
///     z, t = head(x, proposals)                                               (3)
///     L = L_objectness + L_anchors + L_classes + L_boxes                      (4)
///
/// x feeds two parts, so that its gradient is the sum of two: from rpn(x), and from the head through the pooling of
/// regions. Both parts and the trunk are trained jointly: Faster R-CNN's approximate joint training, where (2) is taken
/// as constant.
public struct Detector<Scalar: Element>: Sendable {
  /// What is learned.
  public struct Parameters: ParameterSet {
    /// Of the trunk.
    public var trunk: Trunk<Scalar>.Parameters
    /// Of the region proposal network.
    public var proposals: RegionProposalNetwork<Scalar>.Parameters
    /// Of the head.
    public var head: RegionHead<Scalar>.Parameters

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      trunk.visit(path + "trunk.", body)
      proposals.visit(path + "proposals.", body)
      head.visit(path + "head.", body)
    }
  }

  /// What it is.
  public let plan: DetectorPlan
  /// (1).
  public var trunk: Trunk<Scalar>
  /// rpn of (2).
  public var proposals: RegionProposalNetwork<Scalar>
  /// (3).
  public var head: RegionHead<Scalar>

  /// The parameters of all parts.
  public var parameters: Parameters {
    get { Parameters(trunk: trunk.parameters, proposals: proposals.parameters, head: head.parameters) }
    set {
      trunk.parameters = newValue.trunk
      proposals.parameters = newValue.proposals
      head.parameters = newValue.head
    }
  }

  /// Visits the constants of all fixed normalizations.
  public mutating func visitConstants(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
    trunk.visitConstants(path + "trunk.", body)
    head.stage.visitConstants(path + "head.", body)
  }
}

// MARK: - Training

/// What a step learns from: some anchors and some regions, and what is true of them. Only numbers; no gradient flows
/// into them.
public struct DetectionSample: Equatable, Sendable {
  /// The sampled anchors by their numbers in the batch, n · A + a.
  public var anchors: [Int] = []
  /// Whether each of ``anchors`` is an object.
  public var isObject: [Bool] = []
  /// Those of the anchors that are objects, by their numbers in the batch.
  public var objectAnchors: [Int] = []
  /// The offsets from each of ``objectAnchors`` to its object.
  public var anchorOffsets: [BoxOffsets] = []
  /// The sampled regions, sorted by picture.
  public var regions: [Region] = []
  /// The class of each of ``regions``: 0 is background, k + 1 is class k.
  public var labels: [Int] = []
  /// The places in ``regions`` of those that are objects.
  public var objectRegions: [Int] = []
  /// The offsets from each of ``objectRegions`` to its object.
  public var regionOffsets: [BoxOffsets] = []

  /// A sample of nothing.
  public init() {}
}

/// The four parts of the loss.
public struct DetectionLosses: Equatable, Sendable {
  /// Whether an anchor is an object.
  public var objectness: Double
  /// The offsets of anchors.
  public var anchors: Double
  /// The class of a region.
  public var classes: Double
  /// The offsets of regions.
  public var boxes: Double

  /// No losses.
  public init(objectness: Double = 0, anchors: Double = 0, classes: Double = 0, boxes: Double = 0) {
    (self.objectness, self.anchors, self.classes, self.boxes) = (objectness, anchors, classes, boxes)
  }

  /// L.
  public var total: Double { objectness + anchors + classes + boxes }
}

extension Detector {
  /// What backward needs.
  public struct Cache: Sendable {
    let trunk: Trunk<Scalar>.Cache
    let proposals: RegionProposalNetwork<Scalar>.Cache
    let head: RegionHead<Scalar>.Cache
    /// The gradients of (4) with respect to what the two parts put out.
    let proposedGradient: RegionProposalNetwork<Scalar>.Output
    let outputGradient: RegionHead<Scalar>.Output
  }

  /// The losses of a batch, and what backward needs.
  ///
  /// - Parameters:
  ///   - images: `[N, H, W, 3]`, normalized.
  ///   - sizes: the part of each that is picture.
  ///   - sample: what the step learns from; it is told the proposals for each picture and the anchors of one.
  public func forward(
    _ images: Tensor<Scalar>, sizes: [PictureSize], sample: (_ proposals: [[Box]], _ anchors: [Box]) -> DetectionSample
  ) -> (losses: DetectionLosses, cache: Cache) {
    let (features, trunkCache) = trunk.forward(images)  // (1)
    let (proposed, proposalsCache) = proposals.forward(features)
    let anchors = plan.anchors.boxes(rows: features.shape[1], columns: features.shape[2])
    let boxes = RegionProposalNetwork.proposals(
      proposed, anchors: anchors, sizes: sizes, settings: plan.trainingProposals)  // (2)
    let sample = sample(boxes, anchors)
    let (output, headCache) = head.forward(features, regions: sample.regions, sizes: sizes)  // (3)

    let (proposalLosses, proposedGradient) = lossOfProposals(proposed, sample)
    let (regionLosses, outputGradient) = lossOfRegions(output, sample)
    let losses = DetectionLosses(
      objectness: proposalLosses.classes, anchors: proposalLosses.boxes, classes: regionLosses.classes,
      boxes: regionLosses.boxes)  // (4)
    return (
      losses,
      Cache(
        trunk: trunkCache, proposals: proposalsCache, head: headCache, proposedGradient: proposedGradient,
        outputGradient: outputGradient)
    )
  }

  /// The gradient of the total loss with respect to all parameters.
  public func backward(_ cache: Cache) -> Parameters {
    let (fromHead, headGradients) = head.backward(cache.outputGradient, cache.head)
    let (fromProposals, proposalsGradients) = proposals.backward(cache.proposedGradient, cache.proposals)
    return Parameters(
      trunk: trunk.gradients(fromHead + fromProposals, cache.trunk), proposals: proposalsGradients,
      head: headGradients)
  }

  /// The losses of the anchors in a sample, and their gradients.
  private func lossOfProposals(
    _ output: RegionProposalNetwork<Scalar>.Output, _ sample: DetectionSample
  ) -> (losses: (classes: Double, boxes: Double), gradient: RegionProposalNetwork<Scalar>.Output) {
    let objectness = ObjectnessLoss<Scalar>()
    let (classLoss, classCache) = objectness.forward(
      output.objectness.elements(at: sample.anchors), isObject: sample.isObject)
    let places = sample.objectAnchors.flatMap { a in (0..<4).map { 4 * a + $0 } }
    let smooth = SmoothL1<Scalar>(threshold: 1 / 9)
    let (boxLoss, boxCache) = smooth.forward(
      output.offsets.elements(at: places), targets: Self.targets(sample.anchorOffsets),
      divisor: Scalar(max(sample.anchors.count, 1)))
    return (
      (Double(classLoss), Double(boxLoss)),
      RegionProposalNetwork.Output(
        objectness: .scattering(
          objectness.backward(classCache), to: sample.anchors, shape: output.objectness.shape),
        offsets: .scattering(smooth.backward(boxCache), to: places, shape: output.offsets.shape))
    )
  }

  /// The losses of the regions in a sample, and their gradients. Of the offsets only those of the true class count.
  private func lossOfRegions(
    _ output: RegionHead<Scalar>.Output, _ sample: DetectionSample
  ) -> (losses: (classes: Double, boxes: Double), gradient: RegionHead<Scalar>.Output) {
    let classes = SoftmaxCrossEntropy<Scalar>()
    let (classLoss, classCache) = classes.forward(output.classes, labels: sample.labels)
    let columns = output.offsets.shape[1]
    let places = sample.objectRegions.flatMap { r in (0..<4).map { r * columns + 4 * (sample.labels[r] - 1) + $0 } }
    let smooth = SmoothL1<Scalar>()
    let (boxLoss, boxCache) = smooth.forward(
      output.offsets.elements(at: places), targets: Self.targets(sample.regionOffsets),
      divisor: Scalar(max(sample.regions.count, 1)))
    return (
      (Double(classLoss), Double(boxLoss)),
      RegionHead.Output(
        classes: classes.backward(classCache),
        offsets: .scattering(smooth.backward(boxCache), to: places, shape: output.offsets.shape))
    )
  }

  private static func targets(_ offsets: [BoxOffsets]) -> Tensor<Scalar> {
    Tensor(offsets.flatMap { $0.elements.map { Scalar($0) } })
  }
}

extension DetectorPlan {
  /// Draws what a step learns from.
  ///
  /// Anchors that reach beyond their picture take no part (Faster R-CNN §3.3). The true boxes are proposals too: while
  /// the others are bad, they are the only ones that show an object. A picture without proposals and objects is
  /// background itself.
  ///
  /// - Parameters:
  ///   - objects: the objects of each picture.
  ///   - proposals: the proposals for each picture.
  ///   - anchors: the anchors of one picture.
  ///   - sizes: the height and width of each picture in pixels.
  ///   - generator: what the sample is drawn from.
  public func sample(
    objects: [[LabelledBox]], proposals: [[Box]], anchors: [Box], sizes: [PictureSize],
    using generator: inout RandomGenerator
  ) -> DetectionSample {
    var sample = DetectionSample()
    for (n, truth) in objects.enumerated() {
      let size = sizes[n]
      let boxes = truth.map(\.box)
      let inside = anchors.indices.filter { anchors[$0].isInside(width: size.width, height: size.height) }
      let matches = anchorMatching.match(inside.map { anchors[$0] }, to: boxes)
      let chosen = Sample(of: matches, count: anchorSample, objectShare: anchorObjectShare, using: &generator)
      for i in chosen.objects {
        guard case .object(let object) = matches[i] else { continue }
        sample.objectAnchors.append(n * anchors.count + inside[i])
        sample.anchorOffsets.append(BoxEncoding.proposals.encode(boxes[object], relativeTo: anchors[inside[i]]))
      }
      sample.anchors += (chosen.objects + chosen.background).map { n * anchors.count + inside[$0] }
      sample.isObject += chosen.objects.map { _ in true } + chosen.background.map { _ in false }

      var candidates = proposals[n] + boxes
      if candidates.isEmpty { candidates = [size.box] }
      let found = proposalMatching.match(candidates, to: boxes)
      let regions = Sample(of: found, count: regionSample, objectShare: regionObjectShare, using: &generator)
      for i in regions.objects {
        guard case .object(let object) = found[i] else { continue }
        sample.objectRegions.append(sample.regions.count)
        sample.regionOffsets.append(
          BoxEncoding.detector.encode(boxes[object], relativeTo: reference(of: candidates[i])))
        sample.regions.append(Region(image: n, box: candidates[i]))
        sample.labels.append(truth[object].label + 1)
      }
      sample.regions += regions.background.map { Region(image: n, box: candidates[$0]) }
      sample.labels += regions.background.map { _ in 0 }
    }
    return sample
  }
}
