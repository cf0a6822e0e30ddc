// Architecture+State.swift: the names and shapes of a network's tensors, without the network.
//
// Tests       Tests/ResidualLearningTests/Networks/ArchitectureStateTests.swift

extension Architecture {
  /// A tensor of a network by name and shape.
  typealias NamedShape = (name: String, shape: Shape)

  /// The names and shapes of the network's ``Layer/parameters``, in their order.
  ///
  /// A file is compared with this list before a network is built, since the network that it describes may be too large.
  var parameterShapes: [NamedShape] {
    var shapes: [NamedShape] = []
    for convolution in convolutions {
      let channels: Shape = [convolution.outputChannels]
      shapes.append((convolution.name + ".weight", convolution.shape))
      if let bn = convolution.normalization {
        shapes += [(bn + ".scale", channels), (bn + ".shift", channels)]
      } else {
        shapes.append((convolution.name + ".bias", channels))
      }
    }
    for layer in linearLayers {
      shapes += [(layer.name + ".weight", [layer.inputs, layer.outputs]), (layer.name + ".bias", [layer.outputs])]
    }
    return shapes
  }

  /// The names and shapes that the network's ``Layer/visitStatistics(_:_:)`` visits, in its order.
  var statisticShapes: [NamedShape] {
    convolutions.flatMap { convolution -> [NamedShape] in
      guard let bn = convolution.normalization else { return [] }
      let channels: Shape = [convolution.outputChannels]
      return [(bn + ".runningMean", channels), (bn + ".runningVariance", channels)]
    }
  }

  /// Whether a network can be built from this description, which a file may have made up.
  package var isSound: Bool {
    let sizes = [stemChannels, classes] + hidden + stages.flatMap { [$0.blocks, $0.width, $0.outputChannels] }
    guard sizes.allSatisfy({ (1...4096).contains($0) }), (1...1024).contains(imageSize), hidden.count <= 16,
      (1...16).contains(stages.count), stages.allSatisfy({ (1...4).contains($0.stride) }), weightedLayers <= 10_000
    else { return false }
    if block == .convolution {
      return stem == nil && stemChannels == 3 && stages.allSatisfy { $0.stride == 2 } && imageSize % totalStride == 0
    }
    // Zeros can only add channels.
    let channels = [stemChannels] + stages.map { $0.outputChannels }
    let grows = zip(channels, channels.dropFirst()).allSatisfy { $0 <= $1 }
    return stem != nil && hidden.isEmpty && (!block.hasShortcut || options.shortcut != .a || grows)
  }
}
