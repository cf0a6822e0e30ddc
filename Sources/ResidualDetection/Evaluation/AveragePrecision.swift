// AveragePrecision.swift: one number for a ranked list of detections.
//
// Paper       He et al. 2015 §4.3, Tables 7 and 8: mAP (%) at IoU 0.5 on PASCAL VOC; mAP@.5 and mAP@[.5, .95] on COCO
//             Everingham et al. 2010 (PASCAL VOC), §4.2; Lin et al. 2014 (COCO)
// Derivation  docs/derivations/detection.md
// Tests       Tests/ResidualDetectionTests/Evaluation/AveragePrecisionTests.swift

/// Precision and recall along a list of detections of one class, best first.
///
/// After the first k detections, of which t_k are right, out of n objects:
///
///     precision p_k = t_k / k,     recall r_k = t_k / n                                  (1)
///     p̂(r) = max p_k              over the k with r_k ≥ r, else 0                         (2)
///     elevenPoints = 1/11 Σ p̂(r)   over r = 0, 0.1, …, 1            VOC 2007             (3)
///     area = Σ (r_k − r_{k−1}) p̂(r_k)                                VOC since 2010       (4)
///     points101 = 1/101 Σ p̂(r)     over r = 0, 0.01, …, 1           COCO                 (5)
public struct PrecisionRecall: Equatable, Sendable {
  /// r_k, and the largest p_j with j ≥ k, for k = 1, 2, ….
  let recalls: [Double], envelope: [Double]

  /// The curve of a list.
  ///
  /// - Parameters:
  ///   - isRight: whether each detection is right, the one with the highest score first.
  ///   - objects: n, the objects that there were to find, at least one.
  public init(isRight: [Bool], objects: Int) {
    precondition(objects > 0, "the precision and recall of \(objects) objects")
    var right = 0
    var (recalls, precisions) = ([Double](), [Double]())
    for (k, hit) in isRight.enumerated() {
      if hit { right += 1 }
      recalls.append(Double(right) / Double(objects))
      precisions.append(Double(right) / Double(k + 1))  // (1)
    }
    for k in precisions.indices.dropLast().reversed() { precisions[k] = max(precisions[k], precisions[k + 1]) }  // (2)
    (self.recalls, envelope) = (recalls, precisions)
  }

  /// p̂(r), equation (2).
  public func precision(atRecall r: Double) -> Double {
    recalls.firstIndex { $0 >= r }.map { envelope[$0] } ?? 0
  }

  /// Equation (3).
  public var elevenPoints: Double { (0...10).reduce(0) { $0 + precision(atRecall: Double($1) / 10) } / 11 }

  /// Equation (4).
  public var area: Double {
    var (sum, before) = (0.0, 0.0)
    for (r, p) in zip(recalls, envelope) {
      sum += (r - before) * p
      before = r
    }
    return sum
  }

  /// Equation (5).
  public var points101: Double { (0...100).reduce(0) { $0 + precision(atRecall: Double($1) / 100) } / 101 }
}
