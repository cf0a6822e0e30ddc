// Architecture+Blocks.swift: every convolution and linear layer of a network, described once.
//
// What follows from it: the layers with their random weights (Block, Stem, VGG), Summary, the shapes that files are
// checked against (Architecture+State), the names of Fig. 7 (LayerResponses), how PyTorch's files are recognised.
//
// Paper       He et al. 2015 Table 1, Fig. 5; §4.2
// Tests       Tests/ResidualLearningTests/Networks/ArchitectureStateTests.swift, SummaryTests.swift

extension Architecture {
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
    ///   - width: channels inside a bottleneck.
    ///   - channels: channels of the block's output.
    ///   - stride: that of the block.
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

    /// Convolutions of a block that are not projections.
    public var weightedLayers: Int { layers(width: 1, channels: 1, stride: 1, placement: .first1x1).count }
    /// Whether a shortcut goes around the convolutions.
    public var hasShortcut: Bool { self == .basic || self == .bottleneck }
    /// Whether ``StridePlacement`` makes a difference.
    public var hasStridePlacement: Bool { self == .bottleneck }
    /// Channels of the output for each channel of the width.
    var outputChannelsPerWidth: Int { self == .bottleneck ? 4 : 1 }
  }

  /// A convolution on paper.
  public struct Convolution: Equatable, Sendable {
    /// Its place in the network: `stages.0.blocks.2.conv1`.
    public let name: String
    /// The normalization behind it, `stages.0.blocks.2.bn1`; nil where it has a bias instead (VGG).
    public let normalization: String?
    /// Height and width of its kernel.
    public let kernel: Int
    /// Cin.
    public let inputChannels: Int
    /// Cout.
    public let outputChannels: Int
    /// s; the padding is half the kernel.
    public let stride: Int

    /// The shape `[k, k, Cin, Cout]` of its weights.
    public var shape: Shape { [kernel, kernel, inputChannels, outputChannels] }
  }

  /// A block on paper.
  public struct Block: Equatable, Sendable {
    /// The convolutions of the residual branch, in their order.
    public let convolutions: [Convolution]
    /// W_s, where the shortcut is a projection.
    public let projection: Convolution?
    /// Whether it is a residual block.
    public let hasShortcut: Bool
    /// The choices of its network.
    public let options: Options

    /// Channels of x.
    public var inputChannels: Int { convolutions[0].inputChannels }
    /// Channels of y.
    public var outputChannels: Int { convolutions[convolutions.count - 1].outputChannels }
    /// Pixels of x from one pixel of y to the next.
    public var stride: Int { convolutions.reduce(1) { $0 * $1.stride } }
  }

  /// A block with its names.
  ///
  /// - Parameters:
  ///   - path: what its names begin with: `stages.0.blocks.2.`
  ///   - inputChannels: channels of x.
  ///   - stage: its width and the channels of its output.
  ///   - stride: 2 in the first block of a stage that halves the image, else 1.
  static func block(
    _ kind: BlockKind, _ path: String = "", inputChannels: Int, stage: Stage, stride: Int, options: Options
  ) -> Block {
    let layers = kind.layers(
      width: stage.width, channels: stage.outputChannels, stride: stride, placement: options.stridePlacement)
    let isVGG = kind == .convolution
    let inputs = [inputChannels] + layers.map(\.channels)
    let convolutions = layers.enumerated().map { i, layer in
      Convolution(
        name: path + (isVGG ? "" : numbered("conv", i, of: layers.count)),
        normalization: isVGG ? nil : path + numbered("bn", i, of: layers.count), kernel: layer.kernel,
        inputChannels: inputs[i], outputChannels: layer.channels, stride: layer.stride)
    }
    let channels = stage.outputChannels
    let projects = kind.hasShortcut && options.shortcut.projects(from: inputChannels, to: channels, stride: stride)
    let projection = Convolution(
      name: path + "shortcut.conv", normalization: path + "shortcut.bn", kernel: 1, inputChannels: inputChannels,
      outputChannels: channels, stride: stride)
    return Block(
      convolutions: convolutions, projection: projects ? projection : nil, hasShortcut: kind.hasShortcut,
      options: options)
  }

  /// The blocks of each stage, in their order. VGG's stages have their stride in the pool behind them.
  public var blocks: [[Block]] {
    let isVGG = block == .convolution
    let channels = [stemChannels] + stages.map(\.outputChannels)
    return stages.enumerated().map { s, stage in
      (0..<stage.blocks).map { b in
        Self.block(
          block, isVGG ? "stages.\(s).convolutions.\(b)" : "stages.\(s).blocks.\(b).",
          inputChannels: channels[b == 0 ? s : s + 1], stage: stage, stride: b == 0 && !isVGG ? stage.stride : 1,
          options: options)
      }
    }
  }

  /// All convolutions in the order of their parameters: the stem's, then block by block, a projection behind the
  /// convolutions that it goes around.
  public var convolutions: [Convolution] {
    let first = stem.map { [$0.convolution(stemChannels)] } ?? []
    return first + blocks.joined().flatMap { $0.convolutions + ($0.projection.map { [$0] } ?? []) }
  }

  /// The linear layers with their inputs and outputs. The first of VGG's has an input for every pixel.
  public var linearLayers: [(name: String, inputs: Int, outputs: Int)] {
    let channels = stages.last?.outputChannels ?? stemChannels
    guard !takesAnySize else { return [("classifier", channels, classes)] }
    let side = imageSize / totalStride
    let outputs = hidden + [classes]
    return zip([side * side * channels] + hidden, outputs).enumerated().map { ("linear.\($0)", $1.0, $1.1) }
  }
}

extension Architecture.Stem {
  /// The first convolution.
  func convolution(_ channels: Int) -> Architecture.Convolution {
    Architecture.Convolution(
      name: "stem.conv", normalization: "stem.bn", kernel: self == .cifar ? 3 : 7, inputChannels: 3,
      outputChannels: channels, stride: self == .cifar ? 1 : 2)
  }

  /// The pool of conv2_x, which belongs to the stem here.
  var maxPool: (window: Int, stride: Int, padding: Int)? { self == .cifar ? nil : (3, 2, 1) }
}
