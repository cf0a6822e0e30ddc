// Ensemble.swift: how well several networks together classify images, each in several views.
//
// Paper       He et al. 2015 §3.4: many views (Views.swift); §4.1 Table 5: ensembles
// Tests       Tests/ResidualLearningTests/Training/EvaluationTests.swift

import ResidualKernels

/// Several networks as one: the mean of their scores. One network is an ensemble too.
public struct Ensemble: Sendable {
  /// A network, and how its images are normalized.
  public struct Member: Sendable {
    /// The network.
    public let network: any ImageClassifier<Float>
    /// How its images are normalized; a mean image of another size than a view is resized to it.
    public let normalization: PixelNormalization

    /// A network with its normalization.
    public init(_ network: any ImageClassifier<Float>, _ normalization: PixelNormalization) {
      (self.network, self.normalization) = (network, normalization)
    }
  }

  /// The networks.
  public let members: [Member]

  /// An ensemble of these networks.
  ///
  /// - Throws: `InputError` when there are none, or their numbers of classes differ.
  public init(_ members: [Member]) throws {
    guard let first = members.first?.network.architecture else { throw InputError("an ensemble of no networks") }
    for other in members.map(\.network.architecture) where other.classes != first.classes {
      throw InputError(
        "an ensemble's networks must tell the same classes apart: \(first.name) has \(first.classes), "
          + "\(other.name) has \(other.classes)")
    }
    self.members = members
  }

  /// The number of classes.
  public var classes: Int { members[0].network.architecture.classes }

  /// The mean probabilities `[pictures.count, classes]` of these pictures, over all views and networks.
  ///
  /// - Parameter batch: the number of views that go through a network at once.
  /// - Throws: `InputError` when a crop is larger than a picture, or a network cannot take a scale.
  public func probabilities(of pictures: [Picture], views: Views = Views(), batch: Int = 128) throws -> Tensor<Float> {
    precondition(batch > 0, "a batch of \(batch)")
    var sums = pictures.map { _ in Tensor<Float>(zeros: [1, classes]) }
    for member in members {
      let architecture = member.network.architecture
      try views.check(for: architecture)
      // Views of one size go through the network together, whatever picture they are of.
      var waiting: [Shape: [(row: Int, view: PictureView)]] = [:]
      for (row, picture) in pictures.enumerated() {
        for (height, width, view) in try views.list(picture, for: architecture) {
          let size: Shape = [height, width, 3]
          waiting[size, default: []].append((row, view))
          if waiting[size]!.count == batch { member.add(waiting.removeValue(forKey: size)!, size, to: &sums) }
        }
      }
      for (size, views) in waiting.sorted(by: { $0.key.sizes.lexicographicallyPrecedes($1.key.sizes) }) {
        member.add(views, size, to: &sums)
      }
    }
    return Tensor(concatenating: sums) / Float(members.count * views.count)
  }

  /// Classifies images by their mean probabilities. The loss is the mean of −log of those of the true classes.
  ///
  /// - Parameters:
  ///   - batch: the number of views that go through a network at once.
  ///   - progress: called with the number of images that are done.
  /// - Throws: `InputError` when the images have more classes than the networks, a crop is larger than an image, or a
  ///   network cannot take a scale.
  public func evaluate(
    _ images: ImageDataset, views: Views = Views(), batch: Int = 128, progress: (Int) -> Void = { _ in }
  ) throws -> Evaluation {
    guard images.classNames.count <= classes else {
      throw InputError("the images have \(images.classNames.count) classes, the network tells \(classes) apart")
    }
    return try Evaluation(of: images, batch: max(1, batch / views.count), progress: progress) { range, labels in
      let scores = try probabilities(of: range.map(images.picture), views: views, batch: batch)
      let losses = labels.enumerated().map { row, label in
        -Double.logarithm(max(Double(scores[row, label]), Double(Float.leastNonzeroMagnitude)))
      }
      return (scores, losses.reduce(0, +) / Double(labels.count))
    }
  }
}

extension Ensemble.Member {
  /// Adds the probabilities of views of one size to the rows of their pictures.
  fileprivate func add(_ views: [(row: Int, view: PictureView)], _ size: Shape, to sums: inout [Tensor<Float>]) {
    let normalization = normalization.resized(height: size[0], width: size[1])
    let probabilities = network.probabilities(normalization.input(views.map(\.view)))
    for (i, (row, _)) in views.enumerated() { sums[row] = sums[row] + probabilities.slice(i..<i + 1) }
  }
}
