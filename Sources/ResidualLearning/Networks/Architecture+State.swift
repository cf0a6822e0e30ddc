// Architecture+State.swift: the names and shapes of a network's tensors, without the network.
//
// Tests       Tests/ResidualLearningTests/Networks/ArchitectureStateTests.swift

extension Architecture {
  /// A tensor of a network by name and shape.
  typealias NamedShape = (name: String, shape: Shape)

  /// What ``Layer/parameters`` of the network names, in its order.
  ///
  /// Files are compared with this list before a network is built: what a file describes may be too large to build.
  var parameterShapes: [NamedShape] { layers.flatMap(\.parameters) }

  /// What ``Layer/visitStatistics(_:_:)`` of the network names, in its order.
  var statisticShapes: [NamedShape] { layers.flatMap(\.statistics) }

  /// Layers with tensors.
  private enum NamedLayer {
    case convolution(String, Shape, bias: Bool = false)
    case normalization(String, Int)
    case linear(String, Int, Int)

    var parameters: [NamedShape] {
      switch self {
      case .convolution(let path, let shape, let bias):
        [(path + ".weight", shape)] + (bias ? [(path + ".bias", [shape[3]])] : [])
      case .normalization(let path, let channels): [(path + ".scale", [channels]), (path + ".shift", [channels])]
      case .linear(let path, let inputs, let outputs):
        [(path + ".weight", [inputs, outputs]), (path + ".bias", [outputs])]
      }
    }

    var statistics: [NamedShape] {
      guard case .normalization(let path, let channels) = self else { return [] }
      return [(path + ".runningMean", [channels]), (path + ".runningVariance", [channels])]
    }
  }

  private var layers: [NamedLayer] {
    if block == .convolution { return vggLayers }
    let side = stem == .cifar ? 3 : 7
    var layers: [NamedLayer] = [
      .convolution("stem.conv", [side, side, 3, stemChannels]), .normalization("stem.bn", stemChannels),
    ]
    var channels = stemChannels
    for (s, stage) in stages.enumerated() {
      for b in 0..<stage.blocks {
        let path = "stages.\(s).blocks.\(b)."
        let (width, output) = (stage.width, stage.outputChannels)
        let shapes: [Shape] =
          block == .bottleneck
          ? [[1, 1, channels, width], [3, 3, width, width], [1, 1, width, output]]
          : [[3, 3, channels, output], [3, 3, output, output]]
        for (i, shape) in shapes.enumerated() {
          layers.append(.convolution(path + "conv\(i + 1)", shape))
          layers.append(.normalization(path + "bn\(i + 1)", shape[3]))
        }
        if block != .plain, hasProjection(from: channels, to: output, stride: b == 0 ? stage.stride : 1) {
          layers.append(.convolution(path + "shortcut.conv", [1, 1, channels, output]))
          layers.append(.normalization(path + "shortcut.bn", output))
        }
        channels = output
      }
    }
    return layers + [.linear("classifier", channels, classes)]
  }

  private var vggLayers: [NamedLayer] {
    var layers: [NamedLayer] = []
    var channels = stemChannels
    for (s, stage) in stages.enumerated() {
      for c in 0..<stage.blocks {
        layers.append(
          .convolution("stages.\(s).convolutions.\(c)", [3, 3, channels, stage.outputChannels], bias: true))
        channels = stage.outputChannels
      }
    }
    let side = imageSize / totalStride
    var features = channels * side * side
    for (l, outputs) in (hidden + [classes]).enumerated() {
      layers.append(.linear("linear.\(l)", features, outputs))
      features = outputs
    }
    return layers
  }

  private func hasProjection(from inputChannels: Int, to outputChannels: Int, stride: Int) -> Bool {
    switch options.shortcut {
    case .a: false
    case .b: stride != 1 || inputChannels != outputChannels
    case .c: true
    }
  }
}

extension Architecture {
  /// Whether a network can be built from it: a description from a file may say anything.
  package var isSound: Bool {
    let sizes = [stemChannels, classes] + hidden + stages.flatMap { [$0.blocks, $0.width, $0.outputChannels] }
    guard sizes.allSatisfy({ (1...4096).contains($0) }), (1...1024).contains(imageSize), hidden.count <= 16,
      (1...16).contains(stages.count), stages.allSatisfy({ (1...4).contains($0.stride) }), weightedLayers <= 10_000
    else { return false }
    if block == .convolution {
      return stem == nil && stemChannels == 3 && stages.allSatisfy { $0.stride == 2 } && imageSize % totalStride == 0
    }
    // Zeros can only add channels.
    let channels = [stemChannels] + stages.map(\.outputChannels)
    let grows = zip(channels, channels.dropFirst()).allSatisfy { $0 <= $1 }
    return stem != nil && hidden.isEmpty && (block == .plain || options.shortcut != .a || grows)
  }
}
