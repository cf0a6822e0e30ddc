// NonMaximumSuppression.swift: one box for each object.
//
// Paper       Ren et al. 2015 (Faster R-CNN), §3.3: IoU 0.7 for proposals; He et al. 2015, appendix B: 0.3 for
//             detections
// Tests       Tests/ResidualDetectionTests/Boxes/NonMaximumSuppressionTests.swift

/// The numbers of the boxes that remain when every box is dropped that overlaps a better one by more than `threshold`,
/// best first.
///
/// Boxes are taken in the order of their scores; of equal scores the first in the list comes first. A dropped box drops
/// no other.
///
/// - Parameters:
///   - boxes: the boxes, in any order.
///   - scores: the score of each box; the larger, the better.
///   - threshold: the largest intersection over union with a better box that a box may have.
///   - limit: the most boxes that remain.
public func nonMaximumSuppression(_ boxes: [Box], scores: [Double], threshold: Double, limit: Int = .max) -> [Int] {
  precondition(boxes.count == scores.count, "\(boxes.count) boxes with \(scores.count) scores")
  var kept: [Int] = []
  for candidate in order(ofScores: scores) {
    guard kept.count < limit else { break }
    if kept.allSatisfy({ boxes[$0].iou(boxes[candidate]) <= threshold }) { kept.append(candidate) }
  }
  return kept
}

/// The numbers of the scores, the highest first; of equal ones the first in the list comes first.
func order(ofScores scores: [Double]) -> [Int] {
  scores.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
}
