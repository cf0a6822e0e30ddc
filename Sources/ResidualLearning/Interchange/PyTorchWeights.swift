// PyTorchWeights.swift: networks from PyTorch programs and for PyTorch programs.
//
// Tests       Tests/ResidualLearningTests/Interchange/PyTorchWeightsTests.swift

import Foundation
import ResidualFiles
import ResidualKernels

/// A PyTorch `state_dict` in a safetensors file: akamaster's CIFAR networks, torchvision's ResNets and VGGs, and what
/// ``file(of:)`` writes.
///
/// The network is recognised from names and shapes. They do not say everything: plain networks look like those of
/// option A, and neither the place of option A's zeros nor that of a bottleneck's stride shows. Those are taken to be
/// as in the program that the names are from (zeros around, the stride in the 3x3) unless the caller knows better.
public struct PyTorchWeights: Sendable {
  /// What names and shapes cannot show. Nil stands for what the program does that the names are from.
  public struct Knowledge: Equatable, Sendable {
    /// Whether it is a plain network.
    public var isPlain = false
    /// Where option A's zeros are.
    public var zeros: ZeroPlacement?
    /// Where a bottleneck's stride is.
    public var stridePlacement: StridePlacement?

    /// No knowledge beyond names and shapes.
    public init() {}
  }

  /// The network.
  public let architecture: Architecture
  /// The names of the tensors in the file.
  public let names: PyTorchNames
  private let file: SafeTensorsFile

  private static let architectureKey = "resnet.architecture"

  /// Recognises the network in a file.
  ///
  /// Names may begin with `module.`, as `DataParallel` writes them; `num_batches_tracked` is passed over.
  ///
  /// - Throws: `InputError` when there is no such network in it, or one that lists all names that are unknown, missing
  ///   or of a wrong shape.
  public init(_ file: SafeTensorsFile, knowing knowledge: Knowledge = Knowledge()) throws {
    self.file = Self.withoutWrapping(file)
    let reader = PyTorchRecognition(self.file)
    names = reader.names
    var architecture: Architecture
    if let text = file.metadata[Self.architectureKey] {
      architecture = try Self.described(text, source: file.source)
    } else {
      architecture = try reader.architecture()
      if knowledge.isPlain { architecture.block = architecture.block == .basic ? .plain : architecture.block }
    }
    architecture.options.zeros = knowledge.zeros ?? architecture.options.zeros
    architecture.options.stridePlacement = knowledge.stridePlacement ?? architecture.options.stridePlacement
    guard architecture.isSound else {
      throw InputError("\(file.source) holds a network that there cannot be: its sizes are out of range")
    }
    let family = [Architecture.BlockKind.plain: "plain", .convolution: "vgg"][architecture.block] ?? "resnet"
    architecture.name = family + "\(architecture.weightedLayers)"
    self.architecture = architecture
    let expected = architecture.parameterShapes + architecture.statisticShapes
    try self.file.check(
      expected: expected.map { (name: names.name(of: $0.name), shape: PyTorchNames.shape(of: $0.shape)) })
  }

  /// The network. It throws `InputError` when a tensor of the file cannot be read.
  public func network<Scalar: Element>(_: Scalar.Type = Float.self) throws -> any ImageClassifier<Scalar> {
    var generator = RandomGenerator(seed: 0)
    return try loaded(architecture.network(Scalar.self, using: &generator))
  }

  private func loaded<Network: ImageClassifier>(_ network: Network) throws -> Network {
    var network = network
    try network.visitState { name, tensor in
      let values = try file.doubles(names.name(of: name)).map { Network.Scalar($0) }
      tensor = Tensor(tensor.shape, inPyTorchOrder: values, channels: names.channels(inRowsOf: name))
    }
    return network
  }

  /// A network under PyTorch's names and in its order of axes: akamaster's names for CIFAR networks, torchvision's for
  /// ImageNet's. `load_state_dict(safetensors.torch.load_file(...))` takes it there. It throws what `JSONEncoder` throws.
  public static func file<Network: ImageClassifier>(of network: Network) throws -> SafeTensorsFile {
    let architecture = network.architecture
    let names = PyTorchNames.usual(for: architecture)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let description = String(decoding: try encoder.encode(architecture), as: UTF8.self)
    var file = SafeTensorsFile(metadata: ["format": "pt", architectureKey: description])
    for (name, tensor) in network.state {
      let values = tensor.elementsInPyTorchOrder(channels: names.channels(inRowsOf: name)).map { Float($0) }
      file.append(names.name(of: name), shape: PyTorchNames.shape(of: tensor.shape), values)
    }
    return file
  }

  /// The network that was found, in words.
  public var summary: String {
    let isVGG = architecture.block == .convolution
    var parts = [
      "stages of \(architecture.stages.map { "\($0.blocks)" }.joined(separator: ", ")) "
        + (isVGG ? "convolutions" : "\(architecture.block) blocks"),
      "\(architecture.stages.map { "\($0.outputChannels)" }.joined(separator: ", ")) channels",
    ]
    let options = architecture.options
    if architecture.block == .plain {
      parts.append("no shortcuts")
    } else if architecture.block.hasShortcut {
      parts.append("shortcuts \(options.shortcut.rawValue)")
      if options.shortcut == .a {
        parts.append(options.zeros == .around ? "zeros around the channels" : "zeros after the channels")
      }
    }
    if architecture.block.hasStridePlacement {
      parts.append(options.stridePlacement == .first1x1 ? "stride in the first 1x1" : "stride in the 3x3")
    }
    let whose = names.classifier == "linear" ? "akamaster's" : "torchvision's"
    return "PyTorch weights of \(architecture.name) under \(whose) names: \(parts.joined(separator: ", ")), "
      + "\(architecture.classes) classes"
  }

  /// The file without `module.` before every name and without counters.
  private static func withoutWrapping(_ file: SafeTensorsFile) -> SafeTensorsFile {
    let prefix = "module."
    let isWrapped = !file.entries.isEmpty && file.entries.allSatisfy { $0.name.hasPrefix(prefix) }
    var result = SafeTensorsFile(metadata: file.metadata, source: file.source)
    for entry in file.entries where !entry.name.hasSuffix(".num_batches_tracked") {
      let name = isWrapped ? String(entry.name.dropFirst(prefix.count)) : entry.name
      guard name != SafeTensorsFile.metadataName else { continue }
      result.append(name, type: entry.type, shape: entry.shape, bytes: entry.bytes)
    }
    return result
  }

  private static func described(_ text: String, source: String) throws -> Architecture {
    do {
      return try JSONDecoder().decode(Architecture.self, from: Data(text.utf8))
    } catch {
      throw InputError("\(source): its metadata describe no network that this program can read")
    }
  }
}
