// RegionProposalNetwork.swift: where there may be an object.
//
// Paper       Ren et al. 2015 (Faster R-CNN), §3.1; He et al. 2015 §4.3, appendix A: 300 proposals
// Derivation  docs/derivations/detection.md
// Tests       Tests/ResidualDetectionTests/Networks/RegionProposalNetworkTests.swift

import ResidualKernels
import ResidualLearning

/// Looks at every cell of the features and says of each of its k anchors whether it is near an object, and where that
/// is.
///
///     h = σ(W ∗ features + b)         3x3, as many channels as the features     (1)
///     z = W_z ∗ h + b_z               1x1, k channels: objectness               (2)
///     t = W_t ∗ h + b_t               1x1, 4k channels: offsets                 (3)
///
/// | symbol   | in code                      | shape              |
/// |:---------|:-----------------------------|:-------------------|
/// | features | `input`                      | `[N, H, W, C]`     |
/// | z        | `Output.objectness`          | `[N, H, W, k]`     |
/// | t        | `Output.offsets`             | `[N, H, W, 4k]`    |
public struct RegionProposalNetwork<Scalar: Element>: Sendable {
  /// What is learned.
  public struct Parameters: ParameterSet {
    /// W and b.
    public var hidden: Conv2D<Scalar>.Parameters
    /// W_z and b_z.
    public var objectness: Conv2D<Scalar>.Parameters
    /// W_t and b_t.
    public var offsets: Conv2D<Scalar>.Parameters

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      hidden.visit(path + "hidden.", body)
      objectness.visit(path + "objectness.", body)
      offsets.visit(path + "offsets.", body)
    }
  }

  /// z and t, or the gradients of the loss with respect to them.
  public struct Output: Sendable {
    /// z `[N, H, W, k]`.
    public var objectness: Tensor<Scalar>
    /// t `[N, H, W, 4k]`: the four numbers of an anchor lie side by side.
    public var offsets: Tensor<Scalar>
  }

  /// What backward needs.
  public struct Cache: Sendable {
    /// The features.
    let hidden: Conv2D<Scalar>.Cache
    /// h, as the ReLU and as the two other convolutions keep it.
    let activated: ReLU<Scalar>.Cache
    let objectness, offsets: Conv2D<Scalar>.Cache
  }

  /// (1).
  public var hidden: Conv2D<Scalar>
  /// (2).
  public var objectness: Conv2D<Scalar>
  /// (3).
  public var offsets: Conv2D<Scalar>
  private let relu = ReLU<Scalar>()

  /// Random weights with a standard deviation of 0.01, as in Faster R-CNN; biases of zero.
  public init(channels: Int, anchorsPerCell k: Int, using generator: inout RandomGenerator) {
    func conv(_ inputs: Int, _ outputs: Int, _ kernel: Int) -> Conv2D<Scalar> {
      Conv2D(
        weight: Tensor(normal: [kernel, kernel, inputs, outputs], deviation: 0.01, using: &generator),
        bias: Tensor(zeros: [outputs]), padding: kernel / 2)
    }
    hidden = conv(channels, channels, 3)
    objectness = conv(channels, k, 1)
    offsets = conv(channels, 4 * k, 1)
  }

  /// The parameters of the three convolutions.
  public var parameters: Parameters {
    get {
      Parameters(hidden: hidden.parameters, objectness: objectness.parameters, offsets: offsets.parameters)
    }
    set {
      (hidden.parameters, objectness.parameters) = (newValue.hidden, newValue.objectness)
      offsets.parameters = newValue.offsets
    }
  }

  /// z and t, and what backward needs.
  public func forward(_ input: Tensor<Scalar>) -> (output: Output, cache: Cache) {
    let (convolved, hiddenCache) = hidden.forward(input)
    let (activated, reluCache) = relu.forward(convolved)  // (1)
    let (z, objectnessCache) = objectness.forward(activated)  // (2)
    let (t, offsetsCache) = offsets.forward(activated)  // (3)
    return (
      Output(objectness: z, offsets: t),
      Cache(hidden: hiddenCache, activated: reluCache, objectness: objectnessCache, offsets: offsetsCache)
    )
  }

  /// z and t.
  public func callAsFunction(_ input: Tensor<Scalar>) -> Output { forward(input).output }

  /// h feeds two outputs, so that two gradients add up in it.
  public func backward(
    _ outputGradient: Output, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let (fromObjectness, objectnessGradients) = objectness.backward(outputGradient.objectness, cache.objectness)
    let (fromOffsets, offsetGradients) = offsets.backward(outputGradient.offsets, cache.offsets)
    let (hiddenGradient, _) = relu.backward(fromObjectness + fromOffsets, cache.activated)
    let (inputGradient, hiddenGradients) = hidden.backward(hiddenGradient, cache.hidden)
    return (
      inputGradient,
      Parameters(hidden: hiddenGradients, objectness: objectnessGradients, offsets: offsetGradients)
    )
  }
}

// MARK: - Proposals

/// Which boxes of a region proposal network the detector looks at.
public struct ProposalSettings: Equatable, Codable, Sendable {
  /// The anchors with the highest objectness that are looked at.
  public var candidates = 1000
  /// The largest IoU with a better proposal.
  public var threshold = 0.7
  /// The proposals that remain: 300 in the paper, at test.
  public var limit = 300
  /// The smallest width and height, in pixels.
  public var smallestSide = 4.0

  /// The settings of the paper.
  public init() {}
}

extension RegionProposalNetwork {
  /// The proposals for each picture of a batch, the best first.
  ///
  /// A proposal is an anchor moved by its offsets and cut at the border of its picture. They are *ranked* by
  /// objectness, never dropped because it is low: a detector trained for a few steps calls everything background, and
  /// an object whose proposals were thrown away cannot be found again.
  ///
  /// - Parameters:
  ///   - output: objectness and offsets of the batch.
  ///   - anchors: of a map as large as the output's.
  ///   - sizes: the height and width of each picture in pixels.
  ///   - settings: how many proposals remain, and which.
  public static func proposals(
    _ output: Output, anchors: [Box], sizes: [PictureSize], settings: ProposalSettings
  ) -> [[Box]] {
    let (logits, offsets) = (output.objectness.elements, output.offsets.elements)
    precondition(
      logits.count == sizes.count * anchors.count && offsets.count == 4 * logits.count,
      "objectness \(output.objectness.shape) for \(sizes.count) pictures with \(anchors.count) anchors")
    return sizes.enumerated().map { n, size in
      let first = n * anchors.count
      let scores = (0..<anchors.count).map { Double(logits[first + $0]) }
      var (boxes, kept) = ([Box](), [Double]())
      for a in order(ofScores: scores).prefix(settings.candidates) {
        let t = (0..<4).map { Double(offsets[4 * (first + a) + $0]) }
        let box = BoxEncoding.proposals.decode(
          BoxOffsets(x: t[0], y: t[1], width: t[2], height: t[3]), relativeTo: anchors[a]
        ).clipped(width: size.width, height: size.height)
        guard box.width >= settings.smallestSide && box.height >= settings.smallestSide else { continue }
        boxes.append(box)
        kept.append(scores[a])
      }
      return nonMaximumSuppression(boxes, scores: kept, threshold: settings.threshold, limit: settings.limit)
        .map { boxes[$0] }
    }
  }
}

/// Rows and columns of a picture.
public struct PictureSize: Equatable, Sendable {
  /// Rows and columns.
  public var height, width: Int

  /// A size.
  public init(height: Int, width: Int) { (self.height, self.width) = (height, width) }

  /// The box around the whole picture.
  var box: Box { Box(left: 0, top: 0, right: Double(width), bottom: Double(height)) }
}
