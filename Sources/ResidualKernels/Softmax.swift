// Softmax.swift: probabilities of classes and the loss of the true ones.

extension Kernels {
  /// `probabilities[n, k] = exp(logits[n, k]) / Σ exp(logits[n, j])`, and for each row the loss
  /// `−log probabilities[n, labels[n]]`.
  ///
  /// The largest logit of a row is subtracted first, so that no exponential overflows; the loss is taken from the
  /// logits, so that a probability that rounds to zero still has a finite logarithm.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func softmax<Scalar: Element>(
    _ logits: Storage<Scalar>, classes: Int, labels: [Int], probabilities: Storage<Scalar>
  ) -> [Scalar] {
    precondition(logits.count == labels.count * classes, "\(logits.count) logits, \(labels.count) x \(classes) needed")
    precondition(probabilities.count == logits.count, "\(probabilities.count) probabilities")
    precondition(labels.allSatisfy { (0..<classes).contains($0) }, "a label outside 0..<\(classes)")
    var losses: [Scalar] = []
    losses.reserveCapacity(labels.count)
    for (row, label) in labels.enumerated() {
      let x = logits.base + row * classes
      let p = probabilities.base + row * classes
      var largest = x[0]
      for k in 1..<classes where x[k] > largest { largest = x[k] }
      var sum: Scalar = 0
      for k in 0..<classes {
        p[k] = Scalar.exponential(x[k] - largest)
        sum += p[k]
      }
      for k in 0..<classes { p[k] /= sum }
      losses.append(Scalar.logarithm(sum) - (x[label] - largest))
    }
    return losses
  }
}
