// DetectorPlan+Scenes.swift: detectors for small scenes.

import ResidualLearning

extension Architecture {
  /// A narrow network of Table 1's shape for scenes, 8n + 2 layers deep: a 3x3 convolution, then n blocks on each of
  /// the maps 1/2, 1/4, 1/8 and 1/16 as large as the picture, with 16, 32, 64 and 128 channels.
  ///
  /// - Parameters:
  ///   - depth: 8n + 2 with n at least 1.
  ///   - plain: whether its blocks have no shortcuts.
  ///   - classes: outputs of the linear layer, which training as a classifier needs.
  ///   - width: channels of the first stage.
  public static func scenes(depth: Int, plain: Bool = false, classes: Int, width: Int = 16) -> Architecture {
    precondition(depth >= 10 && depth % 8 == 2, "networks for scenes have 8n + 2 layers, not \(depth)")
    var network = imageNet(depth: 18, plain: plain, options: Options(shortcut: .a), classes: classes, width: width)
    network.name = "\(plain ? "plain" : "resnet")\(depth)"
    network.stem = .cifar
    network.imageSize = 32
    for s in network.stages.indices {
      network.stages[s].blocks = (depth - 2) / 8
      network.stages[s].stride = 2
    }
    return network
  }
}

extension DetectorPlan {
  /// A detector of figures of 15 to 45 pixels, on a network of `Architecture.scenes`.
  public static func scenes(depth: Int = 10, plain: Bool = false, classNames: [String]) -> DetectorPlan {
    DetectorPlan(
      architecture: .scenes(depth: depth, plain: plain, classes: classNames.count), classNames: classNames,
      anchorScales: [16, 24, 36], bins: 6)
  }

  /// The detector on the network with this name: `resnet` or `plain`, and a depth of 8n + 2 layers.
  ///
  /// - Throws: `InputError` when there is no such network.
  public static func named(_ name: String, classNames: [String]) throws -> DetectorPlan {
    let word = name.prefix { $0.isLetter }
    guard ["resnet", "plain"].contains(word), let depth = Int(name.dropFirst(word.count)),
      depth >= 10 && depth % 8 == 2 && depth <= 1000
    else {
      throw InputError(
        "there is no network '\(name)' for scenes: names are 'resnet' or 'plain' and a depth of 8n + 2 layers, such as "
          + "resnet10 or plain26")
    }
    return .scenes(depth: depth, plain: word == "plain", classNames: classNames)
  }
}
