// Softmax.swift: the probabilities of classes, and the loss of the true ones.

extension Kernels {
  /// `probabilities[n, k] = exp(logits[n, k]) / Σ exp(logits[n, j])`, the sum over all classes j.
  ///
  /// The largest logit of a row is subtracted first, so that no exponential overflows.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func softmax<Scalar: Element>(
    _ logits: Storage<Scalar>, classes: Int, probabilities: Storage<Scalar>
  ) {
    checkSoftmax(logits, classes: classes, probabilities: probabilities)
    if implementation == .reference {
      return referenceSoftmax(logits, classes: classes, probabilities: probabilities)
    }
    for row in 0..<logits.count / classes {
      let x = logits.base + row * classes
      let p = probabilities.base + row * classes
      let largest = largest(x, classes)
      var sum: Scalar = 0
      for k in 0..<classes {
        p[k] = Scalar.exponential(x[k] - largest)
        sum += p[k]
      }
      for k in 0..<classes { p[k] /= sum }
    }
  }

  /// For each row the loss of its true class: `log Σ exp(logits[n, j]) − logits[n, labels[n]]`, which is minus the
  /// logarithm of the class's probability.
  ///
  /// It is computed from the logits, so that a probability that rounds to zero still has a finite loss.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func crossEntropy<Scalar: Element>(
    _ logits: Storage<Scalar>, classes: Int, labels: [Int]
  ) -> [Scalar] {
    checkCrossEntropy(logits, classes: classes, labels: labels)
    if implementation == .reference { return referenceCrossEntropy(logits, classes: classes, labels: labels) }
    return labels.enumerated().map { row, label in
      let x = logits.base + row * classes
      let largest = largest(x, classes)
      var sum: Scalar = 0
      for k in 0..<classes { sum += Scalar.exponential(x[k] - largest) }
      return Scalar.logarithm(sum) - (x[label] - largest)
    }
  }

  /// The gradient of the mean loss with respect to the logits:
  /// `gradient[n, k] = (probabilities[n, k] − 1[k = labels[n]]) / labels.count`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func crossEntropyGradient<Scalar: Element>(
    _ probabilities: Storage<Scalar>, classes: Int, labels: [Int], into gradient: Storage<Scalar>
  ) {
    checkCrossEntropy(probabilities, classes: classes, labels: labels)
    precondition(gradient.count == probabilities.count, "\(gradient.count) elements of the gradient")
    let count = Scalar(labels.count)
    for (row, label) in labels.enumerated() {
      for k in 0..<classes {
        let i = row * classes + k
        gradient.base[i] = (probabilities.base[i] - (k == label ? 1 : 0)) / count
      }
    }
  }

  /// The largest logit of a row; any number where one of them is NaN, for then every result is NaN.
  @inline(__always)
  private static func largest<Scalar: Element>(_ x: UnsafePointer<Scalar>, _ classes: Int) -> Scalar {
    var largest = x[0]
    for k in 1..<classes where x[k] > largest { largest = x[k] }
    return largest
  }

  private static func checkSoftmax<Scalar: Element>(
    _ logits: Storage<Scalar>, classes: Int, probabilities: Storage<Scalar>
  ) {
    precondition(classes > 0 && logits.count % classes == 0, "\(logits.count) logits in rows of \(classes)")
    precondition(probabilities.count == logits.count, "\(probabilities.count) probabilities")
  }

  private static func checkCrossEntropy<Scalar: Element>(_ logits: Storage<Scalar>, classes: Int, labels: [Int]) {
    precondition(logits.count == labels.count * classes, "\(logits.count) logits, \(labels.count) x \(classes) needed")
    precondition(labels.allSatisfy { (0..<classes).contains($0) }, "a label outside 0..<\(classes)")
  }
}

// MARK: - Reference

extension Kernels {
  /// The definition of ``softmax(_:classes:probabilities:)``, with numerator and denominator divided by the numerator:
  /// `probabilities[n, k] = 1 / Σ exp(logits[n, j] − logits[n, k])`. An exponential that overflows gives probability 0.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func referenceSoftmax<Scalar: Element>(
    _ logits: Storage<Scalar>, classes: Int, probabilities: Storage<Scalar>
  ) {
    checkSoftmax(logits, classes: classes, probabilities: probabilities)
    for row in 0..<logits.count / classes {
      for k in row * classes..<(row + 1) * classes {
        var sum: Scalar = 0
        for j in row * classes..<(row + 1) * classes { sum += Scalar.exponential(logits.base[j] - logits.base[k]) }
        probabilities.base[k] = 1 / sum
      }
    }
  }

  /// The definition of ``crossEntropy(_:classes:labels:)``: `log Σ exp(logits[n, j] − logits[n, labels[n]])`. Unlike
  /// the fast version it is infinite where an exponential overflows.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func referenceCrossEntropy<Scalar: Element>(
    _ logits: Storage<Scalar>, classes: Int, labels: [Int]
  ) -> [Scalar] {
    checkCrossEntropy(logits, classes: classes, labels: labels)
    return labels.enumerated().map { row, label in
      var sum: Scalar = 0
      for j in 0..<classes {
        sum += Scalar.exponential(logits.base[row * classes + j] - logits.base[row * classes + label])
      }
      return Scalar.logarithm(sum)
    }
  }
}
