// Architecture.swift: what a network is made of, as a value.
//
// Paper       He et al. 2015 §3.3, Table 1; §4.2
// Tests       Tests/ResidualLearningTests/Networks/ArchitectureTests.swift

import ResidualFiles

/// A network on paper: the stem, the stages and the choices within them. ``ResidualNetwork`` builds it.
public struct Architecture: Equatable, Codable, Sendable {
  /// The kinds of block.
  public enum BlockKind: String, CaseIterable, Codable, Sendable {
    /// Two 3x3 convolutions without a shortcut.
    case plain
    /// Two 3x3 convolutions and a shortcut.
    case basic
    /// 1x1, 3x3, 1x1 and a shortcut.
    case bottleneck
    /// One 3x3 convolution with a bias and a ReLU: VGG's, without normalization and shortcut.
    case convolution

    /// Kernel, output channels and stride of each convolution between the block's input and output.
    ///
    /// - Parameters:
    ///   - width: the channels inside a bottleneck.
    ///   - channels: the channels of the block's output.
    ///   - stride: the stride of the whole block.
    func layers(
      width: Int, channels: Int, stride: Int, placement: StridePlacement
    ) -> [(kernel: Int, channels: Int, stride: Int)] {
      switch self {
      case .convolution: [(3, channels, stride)]
      case .plain, .basic: [(3, channels, stride), (3, channels, 1)]
      case .bottleneck where placement == .first1x1: [(1, width, stride), (3, width, 1), (1, channels, 1)]
      case .bottleneck: [(1, width, 1), (3, width, stride), (1, channels, 1)]
      }
    }

    /// The number of convolutions of a block, without a projection.
    public var weightedLayers: Int { layers(width: 1, channels: 1, stride: 1, placement: .first1x1).count }
    /// Whether a shortcut goes around the convolutions.
    public var hasShortcut: Bool { self == .basic || self == .bottleneck }
    /// Whether ``StridePlacement`` makes a difference.
    public var hasStridePlacement: Bool { self == .bottleneck }
    /// How many times as many channels the output has as the inside of the block.
    package var outputChannelsPerWidth: Int { self == .bottleneck ? 4 : 1 }
  }

  /// What comes before the first stage.
  public enum Stem: String, Codable, Sendable {
    /// 3x3 convolution, BN, ReLU (§4.2).
    case cifar
    /// 7x7 convolution with stride 2, BN, ReLU, 3x3 max-pool with stride 2 (Table 1: conv1 and the pool of conv2_x).
    case imageNet
  }

  /// Blocks at one size of image.
  public struct Stage: Equatable, Codable, Sendable {
    /// The number of blocks.
    public var blocks: Int
    /// The channels of the 3x3 convolutions.
    public var width: Int
    /// The channels of a block's output: the width, or four times the width for a bottleneck.
    public var outputChannels: Int
    /// 2 where the stage halves the image: the stride of its first block, or of the max-pool at the end of VGG's
    /// stages.
    public var stride: Int

    package init(blocks: Int, width: Int, outputChannels: Int, stride: Int) {
      (self.blocks, self.width, self.outputChannels, self.stride) = (blocks, width, outputChannels, stride)
    }
  }

  /// The choices that the paper compares or leaves open.
  public struct Options: Equatable, Codable, Sendable {
    /// The kind of shortcut: option A, B or C.
    public var shortcut: ShortcutOption
    /// Where option A puts its zeros.
    public var zeros: ZeroPlacement
    /// Which convolution of a bottleneck has the stride.
    public var stridePlacement: StridePlacement
    /// Whether random weights are scaled by their inputs or by their outputs.
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
  /// The first layers; nil where the first stage takes the images (VGG).
  public var stem: Stem?
  /// The channels of the stem's output or, without a stem, of the images.
  public var stemChannels: Int
  /// The kind of block.
  public var block: BlockKind
  /// The stages in their order.
  public var stages: [Stage]
  /// The options of its blocks.
  public var options: Options
  /// The outputs of each linear layer before the last. Only VGG has such layers, two of them.
  public var hidden: [Int] = []
  /// The outputs of the last layer.
  public var classes: Int
  /// Height and width of the images that the paper trains on. Any other size works too, except for VGG, whose first
  /// linear layer has a weight for every pixel.
  public var imageSize: Int

  /// The number of layers with weights: convolutions that are not projections, and linear layers.
  public var weightedLayers: Int {
    let blocks = stages.reduce(0) { $0 + $1.blocks }
    return (stem == nil ? 0 : 1) + blocks * block.weightedLayers + hidden.count + 1
  }

  /// How many pixels of the image lie between one pixel of the last stage's output and the next: 4 for CIFAR, 32 for
  /// ImageNet.
  public var totalStride: Int { stages.reduce(stem == .imageNet ? 4 : 1) { $0 * $1.stride } }

  /// Whether the network takes images of any size. It does if the mean over all pixels comes before its linear layer.
  public var takesAnySize: Bool { block != .convolution }
}

/// Which shortcuts a network has (§4.1, Table 3).
public enum ShortcutOption: String, CaseIterable, Codable, Sendable {
  /// Identity everywhere; where channels increase, the new ones are zero. It has no parameters; the CIFAR networks
  /// (§4.2) use it.
  case a = "A"
  /// A projection where channels increase, identity elsewhere. Table 1's networks deeper than 34 layers use it.
  case b = "B"
  /// Projections everywhere.
  case c = "C"

  /// Whether the shortcut between tensors of these channels is a projection.
  func projects(from inputChannels: Int, to outputChannels: Int, stride: Int) -> Bool {
    switch self {
    case .a: false
    case .b: stride != 1 || inputChannels != outputChannels
    case .c: true
    }
  }
}

/// Where option A puts the channels of zeros. The paper does not say. Both places are in use, and weights trained with
/// one give wrong results with the other. See docs/differences.md.
public enum ZeroPlacement: String, CaseIterable, Codable, Sendable {
  /// Behind the input's channels, as in Facebook's Torch implementation. The default.
  case after
  /// Half in front of the input's channels and half behind them, as in Lasagne and in the popular PyTorch program for
  /// CIFAR.
  case around
}

/// Which convolution of a bottleneck has the stride. The paper does not say. See docs/differences.md.
public enum StridePlacement: String, CaseIterable, Codable, Sendable {
  /// The first 1x1, as in the authors' released model. The default; the paper's 3.8e9 multiply-adds fit it.
  case first1x1
  /// The 3x3, as in torchvision: more multiply-adds, fewer pixels thrown away.
  case middle3x3
}

extension Architecture {
  /// The networks of §4.2 for 32x32 images: n blocks on each of the maps 32, 16, 8 with `width`, 2 `width` and
  /// 4 `width` channels (16, 32, 64 in the paper). `depth` is 6n + 2 with n at least 1. A `plain` one has no shortcuts.
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
  /// 28, 14 and 7. Another `width` than 64 changes all of them in proportion. `depth` is 18, 34, 50, 101 or 152; it is
  /// 18 or 34 for a `plain` network, which has no shortcuts.
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
  ///   - classes: outputs of the last linear layer.
  ///   - width: channels of the first stage.
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
  ) throws(InputError) -> Architecture {
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
