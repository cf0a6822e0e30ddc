// PyTorchWeights.swift: networks from PyTorch programs, and for them.
//
// Tests       Tests/ResidualLearningTests/Formats/PyTorchWeightsTests.swift

import Foundation
import ResidualKernels

/// A PyTorch `state_dict` in a safetensors file: akamaster's CIFAR networks, torchvision's ResNets, and what
/// ``file(of:)`` writes.
///
/// The network is recognised from names and shapes. They do not say everything: plain networks look like those of option A,
/// and neither the place of option A's zeros nor that of a bottleneck's stride shows. Those are taken to be as in the
/// program that the names are from (zeros around, the stride in the 3x3) unless the caller knows better.
public struct PyTorchWeights: Sendable {
  /// What the names and shapes cannot show; nil is for "as in the program that the names are from".
  public struct Knowledge: Equatable, Sendable {
    /// Whether it is a plain network.
    public var isPlain = false
    /// Where option A's zeros are.
    public var zeros: ZeroPlacement?
    /// Where a bottleneck's stride is.
    public var stridePlacement: StridePlacement?

    /// Nothing more than the names and shapes show.
    public init() {}
  }

  /// The network.
  public let architecture: Architecture
  /// Whose names they are.
  public let names: PyTorchNames
  private let file: SafeTensorsFile

  private static let architectureKey = "resnet.architecture"

  /// Recognises the network in a file.
  ///
  /// Names may begin with `module.`, as `DataParallel` writes them; `num_batches_tracked` is passed over.
  ///
  /// - Throws: `InputError` when there is no such network in it, or one that lists all names that are unknown, missing or
  ///   of a wrong shape.
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
    architecture.name = (architecture.block == .plain ? "plain" : "resnet") + "\(architecture.weightedLayers)"
    guard architecture.isSound else {
      throw InputError("\(file.source) holds a network that there cannot be: its sizes are out of range")
    }
    self.architecture = architecture
    let expected = architecture.parameterShapes + architecture.statisticShapes
    try self.file.check(
      expected: expected.map { (name: names.name(of: $0.name), shape: PyTorchNames.shape(of: $0.shape)) })
  }

  /// The network.
  public func network<Scalar: Element>(_: Scalar.Type = Float.self) throws -> any ImageClassifier<Scalar> {
    var generator = RandomGenerator(seed: 0)
    return try loaded(architecture.network(Scalar.self, using: &generator))
  }

  private func loaded<Network: ImageClassifier>(_ network: Network) throws -> Network {
    var network = network
    try network.visitState { name, tensor in
      let values = try file.doubles(names.name(of: name)).map { Network.Scalar($0) }
      tensor = Tensor(tensor.shape, inPyTorchOrder: values)
    }
    return network
  }

  /// A network under PyTorch's names and in its order of axes: akamaster's names for CIFAR networks, torchvision's for
  /// ImageNet's. `load_state_dict(safetensors.torch.load_file(...))` takes it there.
  public static func file<Network: ImageClassifier>(of network: Network) throws -> SafeTensorsFile {
    let architecture = network.architecture
    let names = architecture.stem == .cifar ? PyTorchNames.akamaster : .torchvision
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let description = String(decoding: try encoder.encode(architecture), as: UTF8.self)
    var file = SafeTensorsFile(metadata: ["format": "pt", architectureKey: description])
    for (name, tensor) in network.state {
      let values = tensor.elementsInPyTorchOrder.map { Float($0) }
      file.append(names.name(of: name), shape: PyTorchNames.shape(of: tensor.shape), values)
    }
    return file
  }

  /// What was found, in words.
  public var summary: String {
    var parts = [
      "stages of \(architecture.stages.map { "\($0.blocks)" }.joined(separator: ", ")) \(architecture.block) blocks",
      "\(architecture.stages.map { "\($0.outputChannels)" }.joined(separator: ", ")) channels",
    ]
    let options = architecture.options
    if architecture.block == .plain {
      parts.append("no shortcuts")
    } else {
      parts.append("shortcuts \(options.shortcut.rawValue)")
      if options.shortcut == .a {
        parts.append(options.zeros == .around ? "zeros around the channels" : "zeros after the channels")
      }
    }
    if architecture.block == .bottleneck {
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

/// Reads an architecture off the names and shapes of a `state_dict`.
private struct PyTorchRecognition {
  let file: SafeTensorsFile
  let names: PyTorchNames
  /// For each stage the names behind `layer1.`, by block.
  private let stages: [[String: Set<String>]]

  init(_ file: SafeTensorsFile) {
    self.file = file
    var stages: [Int: [String: Set<String>]] = [:]
    var shortcut: String?
    for entry in file.entries {
      let parts = entry.name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      guard parts.count >= 4, parts[0].hasPrefix("layer"), let stage = Int(parts[0].dropFirst(5)) else { continue }
      stages[stage, default: [:]][parts[1], default: []].insert(parts[2])
      if parts[2] == "shortcut" || parts[2] == "downsample" { shortcut = parts[2] }
    }
    var found: [[String: Set<String>]] = []
    while let stage = stages[found.count + 1] { found.append(stage) }
    self.stages = found
    let usual = file["linear.weight"] != nil ? PyTorchNames.akamaster : .torchvision
    names = PyTorchNames(classifier: usual.classifier, shortcut: shortcut ?? usual.shortcut)
  }

  func architecture() throws -> Architecture {
    let stemShape = try shape("conv1.weight", rank: 4)
    let stem: Architecture.Stem
    switch Array(stemShape[1...]) {
    case [3, 3, 3]: stem = .cifar
    case [3, 7, 7]: stem = .imageNet
    default:
      throw InputError(
        "\(file.source): \"conv1.weight\" is \(stemShape) and should be [C, 3, 3, 3] (CIFAR) or [C, 3, 7, 7] (ImageNet)")
    }
    guard !stages.isEmpty else { throw unrecognised("no tensor of a stage, such as \"layer1.0.conv1.weight\"") }
    let isBottleneck = stages.contains { $0.values.contains { $0.contains("conv3") } }
    let last = isBottleneck ? "conv3" : "conv2"
    let projections = stages.flatMap { $0.values }.map { $0.contains(names.shortcut) }
    return Architecture(
      name: "", stem: stem, stemChannels: stemShape[0], block: isBottleneck ? .bottleneck : .basic,
      stages: try stages.enumerated().map { s, blocks in
        Architecture.Stage(
          blocks: blocks.count, width: try shape("layer\(s + 1).0.conv1.weight", rank: 4)[0],
          outputChannels: try shape("layer\(s + 1).0.\(last).weight", rank: 4)[0], stride: s == 0 ? 1 : 2)
      },
      options: Architecture.Options(
        shortcut: !projections.contains(true) ? .a : projections.contains(false) ? .b : .c,
        zeros: .around, stridePlacement: .middle3x3),
      classes: try shape(names.classifier + ".weight", rank: 2)[0], imageSize: stem == .cifar ? 32 : 224)
  }

  private func shape(_ name: String, rank: Int) throws -> [Int] {
    guard let shape = file[name]?.shape else { throw unrecognised("no tensor \(name.quoted)") }
    guard shape.count == rank else {
      throw InputError("\(file.source): \(name.quoted) should have \(rank) axes and is \(shape)")
    }
    return shape
  }

  private func unrecognised(_ what: String) -> InputError {
    let first = file.entries.prefix(3).map(\.name.quoted).joined(separator: ", ")
    return InputError(
      "\(file.source) holds neither a checkpoint nor a PyTorch network under akamaster's or torchvision's names: it has "
        + what + (first.isEmpty ? "" : "; its first names are \(first)"))
  }
}
