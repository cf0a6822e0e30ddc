// Detector+Prediction.swift: from pictures to detections.
//
// Paper       He et al. 2015 §4.3, appendix A: 300 proposals, NMS; appendix B: box refinement, multi-scale testing
// Tests       Tests/ResidualDetectionTests/Networks/PredictionTests.swift

import ResidualKernels
import ResidualLearning

/// How a detector is tested.
public struct PredictionSettings: Equatable, Codable, Sendable {
  /// The lowest probability of a detection.
  public var leastScore = 0.05
  /// The largest IoU with a better detection of the same class: 0.3 in the paper.
  public var threshold = 0.3
  /// The most detections of a picture.
  public var limit = 100
  /// Whether boxes are pooled and judged a second time, and voted on (appendix B).
  public var refinesBoxes = false
  /// Shorter sides of the picture at which regions are pooled, besides its own (appendix B).
  public var scales: [Int] = []

  /// The paper's settings without the improvements of appendix B.
  public init() {}
}

extension Detector where Scalar == Float {
  /// The objects in each of these pictures, the surest first. All of them have one size.
  public func detections(
    in pictures: [Picture], normalization: DetectionNormalization, settings: PredictionSettings = PredictionSettings()
  ) -> [[Detection]] {
    let pyramid = FeaturePyramid(self, pictures, normalization, settings.scales)
    let regions = proposedBoxes(pyramid.base, pyramid.sizes).enumerated().flatMap { n, boxes in
      boxes.map { Region(image: n, box: $0) }
    }
    var predictions = predict(regions, pyramid)
    guard settings.refinesBoxes else {
      return predictions.map { selected($0, settings) }
    }
    // Appendix B: pool again from the regressed boxes; 300 new predictions join the 300 old ones.
    let again = predictions.enumerated().flatMap { n, list in
      list.filter { $0.best.area > 0 }.map { Region(image: n, box: $0.best) }
    }
    let refined = predict(again, pyramid)
    for n in predictions.indices { predictions[n] += refined[n] }
    return predictions.map { list in
      selected(list, settings).map { voted($0, list) }
    }
  }

  /// The proposals for each of these pictures, the best first: the boxes that the head is to look at. All pictures have
  /// one size.
  public func proposals(in pictures: [Picture], normalization: DetectionNormalization) -> [[Box]] {
    proposedBoxes(
      trunk(normalization(pictures)), pictures.map { PictureSize(height: $0.height, width: $0.width) })
  }

  private func proposedBoxes(_ features: Tensor<Float>, _ sizes: [PictureSize]) -> [[Box]] {
    RegionProposalNetwork.proposals(
      proposals(features), anchors: plan.anchors.boxes(rows: features.shape[1], columns: features.shape[2]),
      sizes: sizes, settings: plan.testProposals)
  }

  /// What the head says of one region: for each class its probability and its box.
  private struct Prediction {
    let scores: [Double]
    let boxes: [Box]

    /// The box of the likeliest class.
    var best: Box { boxes[scores.indices.max { scores[$0] < scores[$1] }!] }
  }

  /// What the head says of regions, in one list for each picture.
  private func predict(_ regions: [Region], _ pyramid: FeaturePyramid) -> [[Prediction]] {
    var predictions = [[Prediction]](repeating: [], count: pyramid.sizes.count)
    guard !regions.isEmpty else { return predictions }
    let whole = head.context == nil ? [] : RegionHead<Float>.wholePictures(pyramid.sizes)
    let output = head(pooled: pyramid.pooled(regions + whole, head.pool), regions: regions)
    let (_, cache) = SoftmaxCrossEntropy<Float>().forward(output.classes, labels: regions.map { _ in 0 })
    let (probabilities, offsets) = (cache.probabilities.elements, output.offsets.elements)
    let classes = plan.classNames.count
    for (r, region) in regions.enumerated() {
      let size = pyramid.sizes[region.image]
      let boxes = (0..<classes).map { k in
        let t = (0..<4).map { Double(offsets[(r * classes + k) * 4 + $0]) }
        return BoxEncoding.detector.decode(
          BoxOffsets(x: t[0], y: t[1], width: t[2], height: t[3]), relativeTo: plan.reference(of: region.box)
        ).clipped(width: size.width, height: size.height)
      }
      predictions[region.image].append(
        Prediction(scores: (0..<classes).map { Double(probabilities[r * (classes + 1) + 1 + $0]) }, boxes: boxes))
    }
    return predictions
  }

  /// The detections of a picture: class by class, non-maximum suppression.
  private func selected(_ predictions: [Prediction], _ settings: PredictionSettings) -> [Detection] {
    var detections: [Detection] = []
    for k in plan.classNames.indices {
      let candidates = predictions.filter { $0.scores[k] >= settings.leastScore && $0.boxes[k].area > 0 }
      let (boxes, scores) = (candidates.map { $0.boxes[k] }, candidates.map { $0.scores[k] })
      for i in nonMaximumSuppression(boxes, scores: scores, threshold: settings.threshold) {
        detections.append(Detection(box: boxes[i], label: k, score: scores[i]))
      }
    }
    return Array(detections.sorted { $0.precedes($1) }.prefix(settings.limit))
  }

  /// The detection with the mean, weighted by scores, of all boxes of its class that overlap it by half or more
  /// (Gidaris & Komodakis 2015).
  private func voted(_ detection: Detection, _ predictions: [Prediction]) -> Detection {
    var (sum, weight) = ([0.0, 0.0, 0.0, 0.0], 0.0)
    for prediction in predictions {
      let (box, score) = (prediction.boxes[detection.label], prediction.scores[detection.label])
      guard box.iou(detection.box) >= 0.5 else { continue }
      for (i, side) in [box.left, box.top, box.right, box.bottom].enumerated() { sum[i] += score * side }
      weight += score
    }
    guard weight > 0 else { return detection }
    var detection = detection
    detection.box = Box(
      left: sum[0] / weight, top: sum[1] / weight, right: sum[2] / weight, bottom: sum[3] / weight)
    return detection
  }
}

/// The features of pictures at their own size and, for multi-scale testing, at others.
struct FeaturePyramid {
  /// The features at the pictures' own size.
  let base: Tensor<Float>
  /// The pictures' own sizes.
  let sizes: [PictureSize]
  private let levels: [(scale: Double, features: Tensor<Float>)]

  init(
    _ detector: Detector<Float>, _ pictures: [Picture], _ normalization: DetectionNormalization, _ scales: [Int]
  ) {
    sizes = pictures.map { PictureSize(height: $0.height, width: $0.width) }
    base = detector.trunk(normalization(pictures))
    let shorter = pictures[0].shorterSide
    var levels = [(scale: 1.0, features: base)]
    for scale in scales where scale != shorter {
      let features = detector.trunk(normalization(pictures.map { $0.resized(shorterSide: scale) }))
      levels.append((Double(scale) / Double(shorter), features))
    }
    self.levels = levels.sorted { $0.scale < $1.scale }
  }

  /// The pooled features of regions. With several scales: those of the two adjacent scales that make the region's area
  /// nearest to the area of a picture's seventh part, merged by the larger of two numbers (maxout), as in Ren et al.
  /// 2015 ("Object detection networks on convolutional feature maps"), which appendix B follows.
  func pooled(_ regions: [Region], _ pool: RegionMaxPool<Float>) -> Tensor<Float> {
    let maps = levels.map { level in
      pool(
        level.features,
        regions: regions.map { Region(image: $0.image, box: $0.box.scaled(level.scale, level.scale)) })
    }
    guard maps.count > 1 else { return maps[0] }
    let relu = ReLU<Float>()
    // max(a, b) = a + max(b − a, 0), pair by pair; the pair of each region by its size.
    let pairs = zip(maps, maps.dropFirst()).map { $0 + relu($1 - $0) }
    guard pairs.count > 1 else { return pairs[0] }
    let target = Double(min(sizes[0].height, sizes[0].width)) / 4
    return Tensor(
      concatenating: regions.enumerated().map { r, region in
        let side = region.box.area.squareRoot()
        let best = pairs.indices.min {
          let distance = { (p: Int) in abs(side * (levels[p].scale + levels[p + 1].scale) / 2 - target) }
          return distance($0) < distance($1)
        }!
        return pairs[best].slice(r..<r + 1)
      })
  }
}
