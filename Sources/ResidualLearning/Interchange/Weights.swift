// Weights.swift: a trained network, whoever trained it.
//
// Tests       Tests/ResidualLearningTests/Interchange/WeightsTests.swift

import ResidualFiles

/// A network from a file: a checkpoint of this program, or a PyTorch `state_dict`.
public struct Weights: Sendable {
  /// The network.
  public let network: any ImageClassifier<Float>
  /// What the file holds, in words.
  public let summary: String
  /// The names of the classes, if the file has them.
  public let classNames: [String]?
  private let checkpoint: Checkpoint?
  private let source: String

  /// Reads the file at `path` and finds out what it holds. `knowledge` is what names and shapes cannot show; it is used
  /// for PyTorch's files only.
  ///
  /// - Throws: `InputError` when the file is neither, is damaged, or does not hold a whole network.
  public init(contentsOf path: String, knowing knowledge: PyTorchWeights.Knowledge = PyTorchWeights.Knowledge()) throws
  {
    let file = try SafeTensorsFile(contentsOf: path)
    source = path
    if Checkpoint.isOne(file) {
      let checkpoint = try Checkpoint(file)
      let description = checkpoint.description
      self.checkpoint = checkpoint
      network = try checkpoint.network()
      classNames = description.classNames
      summary =
        "checkpoint of \(description.architecture.name) after \(description.state.iteration) of "
        + "\(description.recipe.iterations) iterations"
    } else {
      let weights = try PyTorchWeights(file, knowing: knowledge)
      checkpoint = nil
      network = try weights.network()
      classNames = nil
      summary = weights.summary
    }
  }

  /// How images of this size are normalized for the network: as `asked`, or else as the checkpoint says, or else with
  /// ImageNet's numbers, which most PyTorch programs use. The mean of the images `training` is computed when the file
  /// has no mean image; they are not evaluated otherwise.
  ///
  /// - Throws: `InputError` when the mean image is missing or of another size.
  public func normalization(
    _ asked: PixelNormalization.Kind?, height: Int, width: Int, training: @autoclosure () throws -> ImageDataset?
  ) throws -> PixelNormalization {
    let own = checkpoint?.description.normalization
    let kind = asked ?? own ?? .imageNet
    if kind != .perPixel { return .channels(kind, height: height, width: width) }
    if own == .perPixel { return try checkpoint!.normalization(height: height, width: width) }
    guard let training = try training() else {
      throw InputError("\(source) has no mean image, so its images cannot be normalized per pixel")
    }
    return .perPixel(of: training)
  }

  /// Height and width of the images that the network was trained on.
  public var imageSize: (height: Int, width: Int) {
    if let mean = checkpoint?.meanImageSize { return mean }
    return (network.architecture.imageSize, network.architecture.imageSize)
  }

  /// Whether the file says how images are normalized.
  public var saysNormalization: Bool { checkpoint != nil }
}
