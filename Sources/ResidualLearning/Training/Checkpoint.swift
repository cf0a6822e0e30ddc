// Checkpoint.swift: a training run in one file.
//
// Tests       Tests/ResidualLearningTests/Training/CheckpointTests.swift

import Foundation
import ResidualFiles

/// A network, and the training run it is from, as one safetensors file.
///
/// | tensors                       | what                                                 |
/// |:------------------------------|:-----------------------------------------------------|
/// | `stem.conv.weight`, …         | the parameters under their names                     |
/// | `stem.bn.runningMean`, …      | the running statistics                               |
/// | `velocity.stem.conv.weight`, …| the optimizer's velocities; left out, it only predicts |
/// | `normalization.mean`          | the mean image, where the network needs one          |
///
/// The metadata hold the architecture, the recipe, where training stands, the seed and the names of the classes, as
/// JSON. The order of the images and the views of them are functions of the seed and of where training stands (see
/// ``Trainer``), so they need no place of their own. A checksum over all of it shows damage.
public struct Checkpoint: Sendable {
  /// What the metadata say about a run.
  public struct Description: Equatable, Codable, Sendable {
    /// The network.
    public var architecture: Architecture
    /// How it is trained.
    public var recipe: Recipe
    /// Where training stands.
    public var state: TrainingState
    /// The seed of the run.
    public var seed: UInt64
    /// How pixels are normalized.
    public var normalization: PixelNormalization.Kind
    /// The names of the classes.
    public var classNames: [String]
    /// The number of training images, and a checksum of them.
    public var images: String
  }

  /// The run that the file describes.
  public let description: Description
  private let file: SafeTensorsFile
  /// The path that it was read from, for error messages.
  var source: String { file.source }
  private var hasVelocity: Bool { file.entries.contains { $0.name.hasPrefix(Self.velocityPrefix) } }

  private static let key = "resnet"
  package static let velocityPrefix = "velocity."

  /// The run of `trainer` as it stands. `fingerprint` is the training images' ``ImageDataset/fingerprint``. It throws
  /// what `JSONEncoder` throws for a recipe with an infinite number.
  public init<Network>(_ trainer: Trainer<Network>, fingerprint: String) throws {
    description = Description(
      architecture: trainer.network.architecture, recipe: trainer.recipe, state: trainer.state, seed: trainer.seed,
      normalization: trainer.normalization.kind, classNames: trainer.images.classNames, images: fingerprint)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    var file = SafeTensorsFile(metadata: [Self.key: String(decoding: try encoder.encode(description), as: UTF8.self)])
    for (name, tensor) in trainer.network.state { file.append(name, shape: tensor.shape.sizes, tensor.elements) }
    for (name, tensor) in trainer.optimizer.velocity.named {
      file.append(Self.velocityPrefix + name, shape: tensor.shape.sizes, tensor.elements)
    }
    if trainer.normalization.kind == .perPixel {
      let mean = trainer.normalization.mean
      file.append("normalization.mean", shape: mean.shape.sizes, mean.elements)
    }
    file.seal()
    self.file = file
  }

  /// Reads a checkpoint.
  ///
  /// - Throws: `InputError` when the file cannot be read, is damaged, or is no checkpoint of this program.
  public init(contentsOf path: String) throws {
    try self.init(SafeTensorsFile(contentsOf: path))
  }

  /// The checkpoint in a safetensors file.
  ///
  /// - Throws: `InputError` when the file is damaged or no checkpoint of this program: without a description, with one
  ///   that there cannot be, or with other tensors than the description says (all of them are listed).
  public init(_ file: SafeTensorsFile) throws {
    guard let text = file.metadata[Self.key] else {
      throw InputError("\(file.source) is no checkpoint: its metadata have no entry '\(Self.key)'")
    }
    try file.checkSeal()
    do {
      description = try JSONDecoder().decode(Description.self, from: Data(text.utf8))
    } catch {
      throw InputError("\(file.source) is a checkpoint of another version: its description cannot be read")
    }
    self.file = file
    guard description.isSound else {
      throw InputError("\(file.source) is no checkpoint of this program: it describes a run that there cannot be")
    }
    // The tensors are compared before anything of their size is built: a description may say anything.
    let parameters = description.architecture.parameterShapes
    var expected = parameters + description.architecture.statisticShapes
    if hasVelocity { expected += parameters.map { (Self.velocityPrefix + $0.name, $0.shape) } }
    if description.normalization == .perPixel { expected.append(("normalization.mean", try mean().shape)) }
    try file.check(expected: expected.map { (name: $0.name, shape: $0.shape.sizes) })
  }

  /// Whether a safetensors file says that it is a checkpoint of this program.
  public static func isOne(_ file: SafeTensorsFile) -> Bool { file.metadata[key] != nil }

  /// Writes the checkpoint; what was at `path` stays until the new file is complete. Throws `InputError` if it cannot.
  public func write(to path: String) throws { try file.write(to: path) }

  /// The trained network. It throws `InputError` when a tensor of the file cannot be read.
  public func network() throws -> any ImageClassifier<Float> {
    var generator = RandomGenerator(seed: 0)
    return try loaded(description.architecture.network(using: &generator))
  }

  /// `network` with this checkpoint's parameters and statistics. It throws `InputError` when one is missing.
  public func loaded<Network: ImageClassifier<Float>>(_ network: Network) throws -> Network {
    var network = network
    try network.visitState { name, tensor in tensor = Tensor(tensor.shape, try file.floats(name)) }
    return network
  }

  /// The velocities of the optimizer, for parameters like these. Throws `InputError` when the file has none.
  public func velocity<Parameters: ParameterSet<Float>>(like parameters: Parameters) throws -> Parameters {
    guard hasVelocity else { throw InputError("\(source) only predicts: it has no velocities for a run to go on") }
    var (velocity, failure) = (parameters, (any Error)?.none)
    velocity.visit(Self.velocityPrefix) { name, tensor in
      do { tensor = Tensor(tensor.shape, try file.floats(name)) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
    return velocity
  }

  /// How images of this size are normalized for the network. Throws `InputError` if the mean image has another size.
  public func normalization(height: Int, width: Int) throws -> PixelNormalization {
    guard description.normalization == .perPixel else {
      return .channels(description.normalization, height: height, width: width)
    }
    let mean = try mean()
    guard mean.shape == [height, width, 3] else {
      throw InputError(
        "\(file.source) has a mean image of \(mean.shape[0])x\(mean.shape[1]), the images are \(height)x\(width) "
          + "(scales resize them)")
    }
    return .perPixel(mean: mean)
  }

  /// Height and width of the mean image, if there is one.
  public var meanImageSize: (height: Int, width: Int)? {
    file["normalization.mean"].map { ($0.shape[0], $0.shape[1]) }
  }

  private func mean() throws -> Tensor<Float> {
    guard let entry = file["normalization.mean"], entry.shape.count == 3, entry.shape[2] == 3, !entry.bytes.isEmpty
    else {
      throw InputError("\(file.source) has no mean image [H, W, 3] under 'normalization.mean'")
    }
    return Tensor(Shape(entry.shape), try file.floats("normalization.mean"))
  }
}

extension ImageDataset {
  /// How many images there are, and a checksum of their pixels and labels.
  public var fingerprint: String {
    var sum = Checksum64()
    sum.add(Data(pixels))
    sum.add(Data(labels))
    return "\(count) images of \(height)x\(width), \(sum.hexadecimal)"
  }
}
