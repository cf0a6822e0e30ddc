// Evaluation.swift: how well a network classifies, in its single view of each image.
//
// Paper       He et al. 2015 §4.2: "For testing, we only evaluate the single view of the original 32x32 image"
// Tests       Tests/ResidualLearningTests/Training/TrainerTests.swift

/// How well a network does on a set of images.
public struct Evaluation: Equatable, Sendable {
  /// Images classified right.
  public var correct: Int
  /// Images.
  public var count: Int
  /// The mean loss.
  public var loss: Double

  /// An evaluation of `count` images.
  public init(correct: Int, count: Int, loss: Double) {
    self.correct = correct
    self.count = count
    self.loss = loss
  }

  /// The share classified right, 0 to 1.
  public var accuracy: Double { count == 0 ? 0 : Double(correct) / Double(count) }
  /// The share classified wrong, 0 to 1.
  public var error: Double { 1 - accuracy }
}

extension ImageClassifier where Scalar == Float {
  /// Classifies images in inference mode, each in its single original view (§4.2).
  ///
  /// - Parameter progress: told how many images are done, batch by batch.
  public func evaluate(
    _ images: ImageDataset, normalization: Normalization, batch: Int = 128, progress: (Int) -> Void = { _ in }
  ) -> Evaluation {
    var result = Evaluation(correct: 0, count: images.count, loss: 0)
    for start in stride(from: 0, to: images.count, by: batch) {
      let range = start..<min(start + batch, images.count)
      let labels = range.map { Int(images.labels[$0]) }
      let logits = self(normalization(images, range))
      let (loss, _) = SoftmaxCrossEntropy<Float>().forward(logits, labels: labels)
      result.loss += Double(loss) * Double(range.count) / Double(images.count)
      result.correct += zip(logits.argmax, labels).count { $0 == $1 }
      progress(range.upperBound)
    }
    return result
  }
}
