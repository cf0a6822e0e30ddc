// DetectionEvaluation.swift: how well a detector does on a set of pictures.
//
// Paper       He et al. 2015 §4.3, Tables 7 and 8
// Tests       Tests/ResidualDetectionTests/Evaluation/DetectionEvaluationTests.swift

/// Detections judged against the objects that are there.
///
/// The detections of a class are taken best first. Each one may claim one object of its class on its picture, with an
/// intersection over union of at least the threshold; an object can be claimed once, so that a second box around it is
/// wrong. COCO and VOC differ in which object that is:
///
/// - COCO: of the objects not yet claimed, the one with the highest IoU.
/// - VOC: of all objects, the one with the highest IoU; if that is claimed, the detection is wrong.
public struct DetectionEvaluation: Sendable {
  /// Which object a detection may claim.
  public enum Rule: Sendable {
    /// The best that is not claimed.
    case coco
    /// The best, if it is not claimed.
    case voc
  }

  /// The classes that have objects, ascending. A class without any has no recall and takes no part in a mean.
  public let classes: [Int]
  let objects: [[LabelledBox]]
  let detections: [[Detection]]

  /// The thresholds of COCO's mAP@[.5, .95].
  public static let cocoThresholds = (0..<10).map { 0.5 + 0.05 * Double($0) }
  /// The most detections of a class on a picture that COCO looks at, the best ones.
  public static let mostDetections = 100

  /// An evaluation of `detections`, one list a picture, where `objects` are. No order within the lists matters.
  public init(objects: [[LabelledBox]], detections: [[Detection]]) {
    precondition(
      objects.count == detections.count, "\(objects.count) pictures, \(detections.count) lists of detections")
    self.objects = objects
    self.detections = detections.map { $0.sorted { $0.precedes($1) } }
    classes = Set(objects.joined().map(\.label)).sorted()
  }

  /// The curve of one class, which must have objects.
  public func precisionRecall(label: Int, threshold: Double, rule: Rule) -> PrecisionRecall {
    var judged: [(detection: Detection, picture: Int, isRight: Bool)] = []
    var count = 0
    for (picture, (all, found)) in zip(objects, detections).enumerated() {
      let boxes = all.filter { $0.label == label }.map(\.box)
      count += boxes.count
      var isClaimed = [Bool](repeating: false, count: boxes.count)
      for detection in found.filter({ $0.label == label }).prefix(Self.mostDetections) {
        let overlaps = boxes.map(detection.box.iou)
        let candidates = boxes.indices.filter { rule == .voc || !isClaimed[$0] }
        let best = candidates.max { overlaps[$0] < overlaps[$1] }
        let isRight = best.map { overlaps[$0] >= threshold && !isClaimed[$0] } ?? false
        if isRight { isClaimed[best!] = true }
        judged.append((detection, picture, isRight))
      }
    }
    judged.sort {
      $0.detection.score != $1.detection.score
        ? $0.detection.score > $1.detection.score
        : $0.picture != $1.picture ? $0.picture < $1.picture : $0.detection.precedes($1.detection)
    }
    return PrecisionRecall(isRight: judged.map(\.isRight), objects: count)
  }

  /// The mean over the classes of COCO's average precision at this threshold; 0 when no class has an object.
  public func meanAveragePrecision(threshold: Double) -> Double {
    mean { precisionRecall(label: $0, threshold: threshold, rule: .coco).points101 }
  }

  /// COCO's mAP@.5.
  public var mAP50: Double { meanAveragePrecision(threshold: 0.5) }

  /// COCO's mAP@[.5, .95]: the mean over ten thresholds.
  public var mAP: Double {
    Self.cocoThresholds.reduce(0) { $0 + meanAveragePrecision(threshold: $1) } / Double(Self.cocoThresholds.count)
  }

  /// VOC's mAP at IoU 0.5, by the area under the curve.
  public var vocArea: Double { mean { precisionRecall(label: $0, threshold: 0.5, rule: .voc).area } }

  /// VOC 2007's mAP at IoU 0.5, by eleven points.
  public var vocElevenPoints: Double {
    mean { precisionRecall(label: $0, threshold: 0.5, rule: .voc).elevenPoints }
  }

  /// COCO's average precision at IoU 0.5 of each class that has objects.
  public var byClass: [(label: Int, averagePrecision: Double)] {
    classes.map { ($0, precisionRecall(label: $0, threshold: 0.5, rule: .coco).points101) }
  }

  private func mean(_ value: (Int) -> Double) -> Double {
    classes.isEmpty ? 0 : classes.reduce(0) { $0 + value($1) } / Double(classes.count)
  }
}
