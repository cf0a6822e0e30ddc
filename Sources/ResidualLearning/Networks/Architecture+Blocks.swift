// Architecture+Blocks.swift: every convolution and linear layer of a network, described once.
//
// From it follow the layers with their random weights (Block, Stem, VGG), Summary, the shapes that files are checked
// against (Architecture+State), the names of Fig. 7 (LayerResponses), and how PyTorch's files are recognised.
//
// Paper       He et al. 2015 Table 1, Fig. 5; §4.2
// Tests       Tests/ResidualLearningTests/Networks/ArchitectureStateTests.swift, SummaryTests.swift

extension Architecture {
  /// A convolution on paper.
  public struct Convolution: Equatable, Sendable {
    /// Its place in the network: `stages.0.blocks.2.conv1`.
    public let name: String
    /// The normalization behind it, `stages.0.blocks.2.bn1`; nil where it has a bias instead (VGG).
    public let normalization: String?
    /// Height and width of its kernel.
    public let kernel: Int
    /// The channels Cin of the input.
    public let inputChannels: Int
    /// The channels Cout of the output.
    public let outputChannels: Int
    /// The stride s. The padding is half the kernel.
    public let stride: Int

    /// The shape `[k, k, Cin, Cout]` of its weights.
    public var shape: Shape { [kernel, kernel, inputChannels, outputChannels] }
  }

  /// A block on paper.
  public struct Block: Equatable, Sendable {
    /// The convolutions of the residual branch, in their order.
    public let convolutions: [Convolution]
    /// The projection W_s; nil where the shortcut is none.
    public let projection: Convolution?
    /// Whether it is a residual block.
    public let hasShortcut: Bool
    /// The options of the network that it belongs to.
    public let options: Options

    /// The channels of the input x.
    public var inputChannels: Int { convolutions[0].inputChannels }
    /// The channels of the output y.
    public var outputChannels: Int { convolutions[convolutions.count - 1].outputChannels }
    /// How many pixels of x lie between one pixel of y and the next.
    public var stride: Int { convolutions.reduce(1) { $0 * $1.stride } }
  }

  /// The description of a block, with the names of its layers.
  ///
  /// - Parameters:
  ///   - path: the beginning of the names: `stages.0.blocks.2.`
  ///   - inputChannels: the channels of the input x.
  ///   - stage: the stage with the block's width and output channels.
  ///   - stride: 2 in the first block of a stage that halves the image, else 1.
  package static func block(
    _ kind: BlockKind, _ path: String = "", inputChannels: Int, stage: Stage, stride: Int, options: Options
  ) -> Block {
    let layers = kind.layers(
      width: stage.width, channels: stage.outputChannels, stride: stride, placement: options.stridePlacement)
    let isVGG = kind == .convolution
    let inputs = [inputChannels] + layers.map { $0.channels }
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

  /// The blocks of each stage, in their order. A stage of VGG has its stride in the pool at its end.
  public var blocks: [[Block]] {
    let isVGG = block == .convolution
    let channels = [stemChannels] + stages.map { $0.outputChannels }
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
