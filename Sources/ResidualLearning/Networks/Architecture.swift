// Architecture.swift: what a network is made of, as a value.
//
// Paper       He et al. 2015 §3.3, Table 1; §4.2
// Tests       Tests/ResidualLearningTests/Networks/ArchitectureTests.swift

/// A network on paper: the stem, the stages and the choices within them. ``ResidualNetwork`` builds it.
public struct Architecture: Equatable, Codable, Sendable {
  /// What comes before the first stage.
  public enum Stem: String, Codable, Sendable {
    /// 3x3 convolution, BN, ReLU (§4.2).
    case cifar
    /// 7x7 convolution with stride 2, BN, ReLU, 3x3 max-pool with stride 2 (Table 1: conv1 and the pool of conv2_x).
    case imageNet
  }

  /// Blocks at one size of image.
  public struct Stage: Equatable, Codable, Sendable {
    /// Blocks.
    public var blocks: Int
    /// Channels of the 3x3 convolutions.
    public var width: Int
    /// Channels of a block's output: the width, or four times as many behind a bottleneck.
    public var outputChannels: Int
    /// 2 where the stage halves the image: the stride of its first block, or of the max-pool at the end of VGG's
    /// stages.
    public var stride: Int
  }

  /// What the paper compares or leaves open.
  public struct Options: Equatable, Codable, Sendable {
    /// Option A, B or C.
    public var shortcut: ShortcutOption
    /// Option A's zeros.
    public var zeros: ZeroPlacement
    /// Where a bottleneck's stride is.
    public var stridePlacement: StridePlacement
    /// Which fan the random weights are scaled by.
    public var fan: HeInitialization

    /// The paper's choices, and ours where it makes none.
    public init(
      shortcut: ShortcutOption = .a, zeros: ZeroPlacement = .after, stridePlacement: StridePlacement = .first1x1,
      fan: HeInitialization = .fanIn
    ) {
      self.shortcut = shortcut
      self.zeros = zeros
      self.stridePlacement = stridePlacement
      self.fan = fan
    }
  }

  /// `resnet20`, `plain34`, …
  public var name: String
  /// What comes first; nil where the stages begin with the images (VGG).
  public var stem: Stem?
  /// Channels of the stem's output, or of the images.
  public var stemChannels: Int
  /// The kind of block.
  public var block: BlockKind
  /// The stages in their order.
  public var stages: [Stage]
  /// The choices.
  public var options: Options
  /// Outputs of the linear layers before the last one: none, or VGG's two.
  public var hidden: [Int] = []
  /// Outputs of the last layer.
  public var classes: Int
  /// Height and width of the images that the paper trains on. Any other size works too, except for VGG, whose first
  /// linear layer has a weight for every pixel.
  public var imageSize: Int

  /// Layers with weights: convolutions that are not projections, and linear layers.
  public var weightedLayers: Int {
    let blocks = stages.reduce(0) { $0 + $1.blocks }
    return (stem == nil ? 0 : 1) + blocks * block.weightedLayers + hidden.count + 1
  }

  /// Pixels of the image from one pixel of the last stage's output to the next: 4 for CIFAR, 32 for ImageNet.
  public var totalStride: Int { stages.reduce(stem == .imageNet ? 4 : 1) { $0 * $1.stride } }

  /// Whether it takes images of any size: the mean over all pixels comes before its linear layer.
  public var takesAnySize: Bool { block != .convolution }
}

/// Which convolution of a bottleneck has the stride. The paper does not say. See docs/differences.md.
public enum StridePlacement: String, CaseIterable, Codable, Sendable {
  /// The first 1x1, as in the authors' released model. The default; the paper's 3.8e9 multiply-adds fit it.
  case first1x1
  /// The 3x3, as in torchvision: more multiply-adds, fewer pixels thrown away.
  case middle3x3
}

extension Architecture {
  /// The networks of §4.2: 6n + 2 layers on 32x32 images, n blocks on each of the maps 32, 16, 8 with 16, 32, 64
  /// channels.
  ///
  /// - Parameter depth: 6n + 2 with n at least 1.
  public static func cifar(
    depth: Int, plain: Bool = false, options: Options = Options(), classes: Int = 10, width: Int = 16
  ) -> Architecture {
    precondition(depth >= 8 && depth % 6 == 2, "CIFAR networks have 6n + 2 layers, not \(depth)")
    let n = (depth - 2) / 6
    return Architecture(
      name: (plain ? "plain" : "resnet") + "\(depth)", stem: .cifar, stemChannels: width,
      block: plain ? .plain : .basic,
      stages: (0..<3).map {
        Stage(blocks: n, width: width << $0, outputChannels: width << $0, stride: $0 == 0 ? 1 : 2)
      },
      options: options, classes: classes, imageSize: 32)
  }

  /// Table 1: the depth, the kind of block, and how many blocks conv2_x to conv5_x have.
  public static let table1: [(depth: Int, block: BlockKind, blocks: [Int])] = [
    (18, .basic, [2, 2, 2, 2]),
    (34, .basic, [3, 4, 6, 3]),
    (50, .bottleneck, [3, 4, 6, 3]),
    (101, .bottleneck, [3, 4, 23, 3]),
    (152, .bottleneck, [3, 8, 36, 3]),
  ]

  /// A network of Table 1: stages of 64, 128, 256 and 512 channels (four times as many behind a bottleneck) on maps 56,
  /// 28, 14 and 7.
  ///
  /// - Parameter depth: 18, 34, 50, 101 or 152; 18 or 34 for a plain one.
  public static func imageNet(
    depth: Int, plain: Bool = false, options: Options = Options(shortcut: .b), classes: Int = 1000, width: Int = 64
  ) -> Architecture {
    guard let row = table1.first(where: { $0.depth == depth && (!plain || $0.block == .basic) }) else {
      preconditionFailure("Table 1 has no \(plain ? "plain" : "residual") network of \(depth) layers")
    }
    return Architecture(
      name: (plain ? "plain" : "resnet") + "\(depth)", stem: .imageNet, stemChannels: width,
      block: plain ? .plain : row.block,
      stages: row.blocks.enumerated().map { i, blocks in
        Stage(
          blocks: blocks, width: width << i, outputChannels: (width << i) * row.block.outputChannelsPerWidth,
          stride: i == 0 ? 1 : 2)
      },
      options: options, classes: classes, imageSize: 224)
  }

  /// VGG's networks (Simonyan & Zisserman 2015), with which the paper compares: the layers, and how many 3x3
  /// convolutions the five stages have.
  public static let vggTable: [(depth: Int, convolutions: [Int])] = [
    (16, [2, 2, 3, 3, 3]),
    (19, [2, 2, 4, 4, 4]),
  ]

  /// VGG-16 or VGG-19: stages of 64, 128, 256, 512 and 512 channels, each with a 2x2 max-pool at its end, and three
  /// linear layers.
  ///
  /// - Parameters:
  ///   - depth: 16 or 19.
  ///   - hidden: outputs of the first two linear layers.
  ///   - imageSize: height and width of the images, a multiple of 32.
  public static func vgg(
    depth: Int, classes: Int = 1000, width: Int = 64, hidden: Int = 4096, imageSize: Int = 224
  ) -> Architecture {
    guard let row = vggTable.first(where: { $0.depth == depth }) else {
      preconditionFailure("VGG has 16 or 19 layers, not \(depth)")
    }
    precondition(imageSize > 0 && imageSize % 32 == 0, "VGG's images are multiples of 32 pixels, not \(imageSize)")
    return Architecture(
      name: "vgg\(depth)", stem: nil, stemChannels: 3, block: .convolution,
      stages: row.convolutions.enumerated().map { i, convolutions in
        let channels = width << min(i, 3)
        return Stage(blocks: convolutions, width: channels, outputChannels: channels, stride: 2)
      },
      options: Options(), hidden: [hidden, hidden], classes: classes, imageSize: imageSize)
  }

  /// The network with this name: `resnet`, `plain` or `vgg` and a depth.
  ///
  /// Depths of Table 1 are Table 1's networks; every other 6n + 2 is one of §4.2. `shortcut` nil means the paper's own:
  /// A for CIFAR, B for Table 1. Networks without shortcuts ignore it.
  ///
  /// - Throws: `InputError` when there is no such network.
  public static func named(
    _ name: String, shortcut: ShortcutOption? = nil, options: Options = Options(), classes: Int? = nil
  ) throws -> Architecture {
    let word = name.prefix { $0.isLetter }
    guard ["resnet", "plain", "vgg"].contains(word), let depth = Int(name.dropFirst(word.count)), depth > 0 else {
      throw InputError(
        "there is no network '\(name)': names are 'resnet', 'plain' or 'vgg' and a depth, such as resnet20")
    }
    if word == "vgg" {
      guard vggTable.contains(where: { $0.depth == depth }) else {
        throw InputError("there is no network '\(name)': VGG networks are vgg16 and vgg19")
      }
      return vgg(depth: depth, classes: classes ?? 1000)
    }
    let plain = word == "plain"
    var options = options
    if let row = table1.first(where: { $0.depth == depth }), !plain || row.block == .basic {
      options.shortcut = shortcut ?? .b
      return imageNet(depth: depth, plain: plain, options: options, classes: classes ?? 1000)
    }
    // A typing error would otherwise fill the memory.
    guard depth <= 10_000 else {
      throw InputError("there is no network '\(name)': the deepest that can be named have 10,000 layers")
    }
    guard depth >= 8 && depth % 6 == 2 else {
      throw InputError(
        "there is no network '\(name)': a CIFAR network has 6n + 2 layers (20, 32, 44, 56, 110, 1202, …), "
          + "an ImageNet network 18, 34, 50, 101 or 152")
    }
    options.shortcut = shortcut ?? .a
    return cifar(depth: depth, plain: plain, options: options, classes: classes ?? 10)
  }
}
