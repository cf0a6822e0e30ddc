// Evaluation.swift: how well a network classifies images.
//
// Paper       He et al. 2015 §4.2: "we only evaluate the single view of the original 32x32 image"
// Tests       Tests/ResidualLearningTests/Training/EvaluationTests.swift

import ResidualKernels

/// How well a network does on a set of images.
public struct Evaluation: Equatable, Sendable {
  /// The number of images classified right.
  public var correct: Int
  /// The number of images.
  public var count: Int
  /// The mean loss.
  public var loss: Double

  /// An evaluation of `count` images.
  public init(correct: Int, count: Int, loss: Double) {
    (self.correct, self.count, self.loss) = (correct, count, loss)
  }

  /// The share classified right, 0 to 1.
  public var accuracy: Double { count == 0 ? 0 : Double(correct) / Double(count) }
  /// The share classified wrong, 0 to 1.
  public var error: Double { count == 0 ? 1 : Double(count - correct) / Double(count) }

  /// Evaluates images batch by batch.
  ///
  /// - Parameters:
  ///   - score: given the numbers of some images and their labels, returns a score for each class, the largest for the
  ///     class that is chosen, `[range.count, classes]`, and the mean loss.
  ///   - progress: called with the number of images that are done.
  init<Failure: Error>(
    of images: ImageDataset, batch: Int, progress: (Int) -> Void,
    score: (Range<Int>, [Int]) throws(Failure) -> (scores: Tensor<Float>, loss: Double)
  ) throws(Failure) {
    self.init(correct: 0, count: images.count, loss: 0)
    for start in stride(from: 0, to: images.count, by: batch) {
      let range = start..<min(start + batch, images.count)
      let labels = images.labels[range].map { Int($0) }
      let (scores, mean) = try score(range, labels)
      loss += mean * Double(range.count) / Double(images.count)
      correct += zip(scores.argmax, labels).count { $0 == $1 }
      progress(range.upperBound)
    }
  }
}

extension Classifier where Scalar == Float {
  /// Classifies images in inference mode, each in its single original view (§4.2).
  ///
  /// - Parameters:
  ///   - images: the images and their labels.
  ///   - normalization: what makes the network's input of them, as in its training.
  ///   - batch: the number of images that go through the network at once.
  ///   - progress: called with the number of images that are done, after each batch.
  public func evaluate(
    _ images: ImageDataset, normalization: PixelNormalization, batch: Int = 128, progress: (Int) -> Void = { _ in }
  ) -> Evaluation {
    Evaluation(of: images, batch: batch, progress: progress) { range, labels in
      let logits = self(normalization.input(images, range))
      return (logits, Double(SoftmaxCrossEntropy<Float>().forward(logits, labels: labels).loss))
    }
  }

  /// The probabilities of the classes for a network's input: `[N, classes]`.
  public func probabilities(_ input: Tensor<Float>) -> Tensor<Float> { softmax(self(input)) }
}
