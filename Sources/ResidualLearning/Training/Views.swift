// Views.swift: the views of a test image, and the networks, whose scores are averaged.
//
// Paper       He et al. 2015 §3.4: "the standard 10-crop testing", "the fully-convolutional form", "average the
//             scores at multiple scales"; §4.1 Table 5: ensembles
// Tests       Tests/ResidualLearningTests/Training/EvaluationTests.swift

import ResidualKernels

/// The views of a test image whose scores are averaged.
///
/// A score is a probability: it is taken after the softmax, as in AlexNet's 10-crop testing.
public struct Views: Equatable, Sendable {
  /// The part of an image that the network sees.
  public enum Crops: Int, CaseIterable, Sendable {
    /// The whole image: the network runs over any size, and its linear layer sees the mean over all positions.
    ///
    /// That is one reading of "the fully-convolutional form". The other slides the 7x7 average pool of Table 1 over the
    /// image, as VGG slides its first linear layer, and averages the scores of all windows; there positions near the
    /// border count less. The paper does not say which. At the size of the training crops the two agree.
    case whole = 1
    /// Ten squares of the network's own size: the four corners, the centre, and their mirror images. The image must be
    /// larger than that (see ``Views/scales``): otherwise all five places are one, and the ten crops are the image and
    /// its mirror image, five times each.
    case ten = 10
  }

  /// The part of an image that the network sees at each scale.
  public var crops: Crops
  /// The lengths, in pixels, that the shorter side is resized to; the images stay as they are if there are none. The
  /// paper's best results are of 224, 256, 384, 480 and 640 (§3.4).
  public var scales: [Int]

  /// These crops at each of these scales. The single original view is `Views()`.
  public init(crops: Crops = .whole, scales: [Int] = []) {
    (self.crops, self.scales) = (crops, scales)
  }

  /// The number of views of an image.
  public var count: Int { crops.rawValue * max(1, scales.count) }

  /// Refuses scales that the network cannot take.
  ///
  /// - Throws: `InputError`.
  func check(for network: Architecture) throws {
    let size = network.imageSize
    for scale in scales {
      if crops == .ten {
        guard scale >= size else {
          throw InputError("a crop of \(size)x\(size) is larger than an image of scale \(scale)")
        }
      } else if network.takesAnySize {
        guard scale > 0 && scale % network.totalStride == 0 else {
          throw InputError(
            "\(network.name) takes scales that are multiples of \(network.totalStride), as its stages halve the image, "
              + "not \(scale)")
        }
      }
    }
  }

  /// The views of one picture, in the order of the scales.
  ///
  /// - Throws: `InputError` when a crop is larger than the picture, or the network cannot take the picture's size.
  public func list(_ picture: Picture, for network: Architecture) throws -> [(height: Int, width: Int, PictureView)] {
    let size = network.imageSize
    return try (scales.isEmpty ? [picture.shorterSide] : scales).flatMap { scale in
      let picture = picture.resized(shorterSide: scale)
      let (height, width) = (picture.height, picture.width)
      func view(_ top: Int, _ left: Int, _ isFlipped: Bool = false) -> PictureView {
        PictureView(
          pixels: picture.pixels, height: height, width: width, top: top, left: left, isFlipped: isFlipped)
      }
      if crops == .whole {
        guard network.takesAnySize || height == size && width == size else {
          throw InputError(
            "\(network.name) takes images of \(size)x\(size) only, as its linear layers have a weight for every pixel, "
              + "not \(height)x\(width)")
        }
        return [(height, width, view(0, 0))]
      }
      guard min(height, width) >= size else {
        throw InputError("a crop of \(size)x\(size) is larger than an image of \(height)x\(width)")
      }
      let (bottom, right) = (height - size, width - size)
      let places = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom / 2, right / 2)]
      return [false, true].flatMap { flipped in places.map { (size, size, view($0.0, $0.1, flipped)) } }
    }
  }
}

/// Several networks as one: the mean of their scores. One network is an ensemble too.
public struct Ensemble: Sendable {
  /// A network, and how its images are normalized.
  public struct Member: Sendable {
    /// The network.
    public let network: any Classifier<Float>
    /// How its images are normalized; a mean image of another size than a view is resized to it.
    public let normalization: PixelNormalization

    /// A network with its normalization.
    public init(_ network: any Classifier<Float>, _ normalization: PixelNormalization) {
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

  /// The mean probabilities `[pictures.count, classes]` of these pictures, over all views and networks. `batch` views
  /// go through a network at once.
  ///
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
  ///   - images: the images and their labels.
  ///   - views: the crops and scales in which each image is seen.
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
