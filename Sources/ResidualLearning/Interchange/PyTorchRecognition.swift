// PyTorchRecognition.swift: which network a PyTorch `state_dict` is of.
//
// Tests       Tests/ResidualLearningTests/Interchange/PyTorchWeightsTests.swift

import ResidualFiles

/// Reads an architecture off the names and shapes of a `state_dict`.
struct PyTorchRecognition {
  let file: SafeTensorsFile
  let names: PyTorchNames
  /// For each stage and block, the names behind `layer1.0.`
  private let stages: [[String: Set<String>]]
  /// The stages of a VGG network; empty for other networks.
  private let features: [Architecture.Stage]

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
    features = Self.features(file)
    names =
      features.isEmpty
      ? PyTorchNames(classifier: usual.classifier, shortcut: shortcut ?? usual.shortcut) : .vgg(features)
  }

  /// The stages of a VGG: the numbers of the convolutions in `features` are two apart, three where a pool lies between.
  private static func features(_ file: SafeTensorsFile) -> [Architecture.Stage] {
    func channels(_ number: Int) -> Int? { file["features.\(number).weight"].map { $0.shape.first ?? 0 } }
    var stages: [Architecture.Stage] = []
    var number = 0
    while let first = channels(number) {
      var stage = Architecture.Stage(blocks: 0, width: first, outputChannels: first, stride: 2)
      while channels(number) != nil {
        stage.blocks += 1
        number += 2
      }
      stages.append(stage)
      number += 1
    }
    return stages
  }

  private func vgg() throws -> Architecture {
    let inputs = try shape("classifier.0.weight", rank: 2)[1]
    let outputs = try [0, 3, 6].map { try shape("classifier.\($0).weight", rank: 2)[0] }
    let area = inputs / max(names.channels, 1)
    let side = (1...64).first { $0 * $0 >= area } ?? 0
    return Architecture(
      name: "", stem: nil, stemChannels: 3, block: .convolution, stages: features, options: Architecture.Options(),
      hidden: Array(outputs.dropLast()), classes: outputs[2], imageSize: side << min(features.count, 16))
  }

  func architecture() throws -> Architecture {
    if !features.isEmpty { return try vgg() }
    let stemShape = try shape("conv1.weight", rank: 4)
    let stem: Architecture.Stem
    switch Array(stemShape[1...]) {
    case [3, 3, 3]: stem = .cifar
    case [3, 7, 7]: stem = .imageNet
    default:
      throw InputError(
        "\(file.source): \"conv1.weight\" is \(stemShape) and should be [C, 3, 3, 3] (CIFAR) or [C, 3, 7, 7] (ImageNet)"
      )
    }
    guard !stages.isEmpty else { throw unrecognised("no tensor of a stage, such as \"layer1.0.conv1.weight\"") }
    // The residual kind whose convolutions there are, the one with most of them first.
    let kinds = Architecture.BlockKind.allCases.filter(\.hasShortcut).sorted { $0.weightedLayers > $1.weightedLayers }
    let kind =
      kinds.first { kind in
        stages.contains { $0.values.contains { $0.contains("conv\(kind.weightedLayers)") } }
      } ?? .basic
    let projections = stages.flatMap { $0.values }.map { $0.contains(names.shortcut) }
    return Architecture(
      name: "", stem: stem, stemChannels: stemShape[0], block: kind,
      stages: try stages.enumerated().map { s, blocks in
        Architecture.Stage(
          blocks: blocks.count, width: try shape("layer\(s + 1).0.conv1.weight", rank: 4)[0],
          outputChannels: try shape("layer\(s + 1).0.conv\(kind.weightedLayers).weight", rank: 4)[0],
          stride: s == 0 ? 1 : 2)
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
