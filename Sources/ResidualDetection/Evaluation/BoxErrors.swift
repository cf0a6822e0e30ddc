// BoxErrors.swift: how far the boxes that were found lie from the objects.
//
// Tests       Tests/ResidualDetectionTests/Evaluation/BoxErrorsTests.swift

/// The errors of boxes, side by side. A mean far from zero shows a mistake in a coordinate, a large deviation that the
/// network cannot know better or has not learned it.
///
/// For every object the box with the highest intersection over union counts, if that is at least one half.
public struct BoxErrors: Equatable, Sendable {
  /// Objects in all, and those that have a box.
  public let objects: Int, found: Int
  /// The mean IoU of those boxes with their objects.
  public let meanIoU: Double
  /// The means and the standard deviations of what the boxes' left, top, right and bottom sides exceed those of the
  /// objects by, in pixels.
  public let means: [Double], deviations: [Double]

  /// The errors of `boxes`, of which there is one list for each list of `objects`: a picture's, or those of one class on
  /// it.
  public init(objects: [[Box]], boxes: [[Box]]) {
    precondition(objects.count == boxes.count, "\(objects.count) lists of objects, \(boxes.count) of boxes")
    var (errors, overlaps) = ([[Double]](), [Double]())
    for (all, candidates) in zip(objects, boxes) {
      for object in all {
        guard let best = candidates.max(by: { $0.iou(object) < $1.iou(object) }), best.iou(object) >= 0.5 else {
          continue
        }
        overlaps.append(best.iou(object))
        errors.append([
          best.left - object.left, best.top - object.top, best.right - object.right, best.bottom - object.bottom,
        ])
      }
    }
    func mean(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }
    self.objects = objects.joined().count
    found = overlaps.count
    meanIoU = mean(overlaps)
    let means = (0..<4).map { side in mean(errors.map { $0[side] }) }
    deviations = (0..<4).map { side in
      mean(errors.map { ($0[side] - means[side]) * ($0[side] - means[side]) }).squareRoot()
    }
    self.means = means
  }
}

extension DetectionEvaluation {
  /// The errors of the detections' boxes, those of each class against the objects of that class.
  public var boxErrors: BoxErrors {
    var (truths, boxes): ([[Box]], [[Box]]) = ([], [])
    for (objects, found) in zip(objects, detections) {
      for label in classes {
        truths.append(objects.filter { $0.label == label }.map(\.box))
        boxes.append(found.filter { $0.label == label }.map(\.box))
      }
    }
    return BoxErrors(objects: truths, boxes: boxes)
  }
}
