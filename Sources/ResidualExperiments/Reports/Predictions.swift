// Predictions.swift: what a network says about every image of a set.
//
// Command     resnet train, for its report
// Tests       Tests/ResidualExperimentsTests/Reports/PredictionsTests.swift

import ResidualFiles
import ResidualLearning

/// The class that a network chooses for each image, and how sure it is.
public struct Predictions: Sendable {
  /// The images, and their true classes.
  public let images: ImageDataset
  /// The class with the highest score, for each image.
  public let chosen: [Int]
  /// The probability of that class, for each image.
  public let confidence: [Float]

  /// The predictions of `network`, image by image in a single view: as they are or, where crops of another size were
  /// trained on, resized to that.
  ///
  /// - Throws: `InputError` when the network cannot take images of that size.
  public init(
    _ network: any ImageClassifier<Float>, _ images: ImageDataset, normalization: PixelNormalization, crop: Int? = nil,
    batch: Int = 128
  ) throws {
    self.images = images
    let ensemble = try Ensemble([.init(network, normalization)])
    var (chosen, confidence): ([Int], [Float]) = ([], [])
    for start in stride(from: 0, to: images.count, by: batch) {
      let range = start..<min(start + batch, images.count)
      let probabilities =
        if let crop {
          try ensemble.probabilities(of: range.map(images.picture), views: Views(scales: [crop]))
        } else {
          network.probabilities(normalization.input(images, range))
        }
      let classes = probabilities.argmax
      chosen += classes
      confidence += classes.enumerated().map { probabilities[$0, $1] }
    }
    (self.chosen, self.confidence) = (chosen, confidence)
  }

  /// How many images of each true class (row) are taken for each class (column).
  public var confusion: [[Int]] {
    let classes = images.classNames.count
    var counts = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
    for (label, choice) in zip(images.labels, chosen) where choice < classes { counts[Int(label)][choice] += 1 }
    return counts
  }

  /// The numbers of the images that are classified wrong, the surest mistake first.
  public var mistakes: [Int] {
    (0..<images.count).filter { chosen[$0] != Int(images.labels[$0]) }
      .sorted { (-confidence[$0], $0) < (-confidence[$1], $1) }
  }
}
