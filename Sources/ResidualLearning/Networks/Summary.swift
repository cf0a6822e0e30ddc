// Summary.swift: every layer of a network with its sizes and costs, counted from the architecture alone.
//
// Paper       He et al. 2015 Table 1: output sizes and FLOPs; Table 6: layers and parameters
// Command     resnet summary NETWORK
// Tests       Tests/ResidualLearningTests/Networks/SummaryTests.swift

import ResidualKernels

/// The layers of a network on paper: output sizes, parameters, multiply-adds.
///
/// Multiply-adds are those of convolutions and linear layers for one image, as the paper counts its "FLOPs": a
/// multiplication and an addition are one. Normalization, ReLU, pooling and the additions of the shortcuts are left
/// out.
public struct Summary: Equatable, Sendable {
  /// What a layer is.
  public enum Kind: Equatable, Sendable {
    /// A convolution that counts as a weighted layer.
    case convolution
    /// The 1x1 convolution of a shortcut, which does not.
    case projection
    /// A maximum or mean over pixels.
    case pool
    /// A linear layer, which counts as a weighted layer.
    case linear
  }

  /// One layer.
  public struct Layer: Equatable, Sendable {
    /// Its place in the network: `stages.0.blocks.2.conv1`.
    public let name: String
    /// What it is.
    public let kind: Kind
    /// Its sizes in words: `3x3, 64, stride 2`.
    public let description: String
    /// `[H, W, C]`, or `[C]` behind the pixels.
    public let output: Shape
    /// Numbers in its weights and biases.
    public let weights: Int
    /// γ and β of the normalization right behind it.
    public let normalization: Int
    /// Multiplications and additions for one image, counted in pairs.
    public let multiplyAdds: Int
    /// A convolution's sizes, for one image.
    public let convolution: ConvolutionShape?

    /// All that it learns.
    public var parameters: Int { weights + normalization }
    /// Whether the paper counts it when it says how many layers a network has.
    public var isWeighted: Bool { kind == .convolution || kind == .linear }
  }

  /// What the layers are of.
  public let architecture: Architecture
  /// `[H, W, C]` of the images.
  public let input: Shape
  /// The layers in the order of the forward pass; a projection stands behind the convolutions that it goes around.
  public private(set) var layers: [Layer] = []

  /// Learned numbers of all layers.
  public var parameters: Int { layers.reduce(0) { $0 + $1.parameters } }
  /// Multiply-adds of all layers for one image.
  public var multiplyAdds: Int { layers.reduce(0) { $0 + $1.multiplyAdds } }
  /// Multiply-adds without those of linear layers: for VGG-16 the paper's number leaves them out.
  public var convolutionMultiplyAdds: Int { layers.reduce(0) { $0 + ($1.kind == .linear ? 0 : $1.multiplyAdds) } }
  /// Convolutions and linear layers, projections not counted.
  public var weightedLayers: Int { layers.count { $0.isWeighted } }

  /// The layers of `architecture` for images of this size; nil stands for the size that the paper trains on.
  public init(_ architecture: Architecture, height: Int? = nil, width: Int? = nil) {
    self.architecture = architecture
    var size = Size(
      height: height ?? architecture.imageSize, width: width ?? architecture.imageSize,
      channels: architecture.stem == nil ? architecture.stemChannels : 3)
    input = size.shape
    if let stem = architecture.stem { size = append(stem, architecture.stemChannels, size) }
    for (s, stage) in architecture.stages.enumerated() {
      for b in 0..<stage.blocks {
        if architecture.block == .convolution {
          size = convolve("stages.\(s).convolutions.\(b)", size, stage.outputChannels, kernel: 3, bias: true)
        } else {
          size = append(block: "stages.\(s).blocks.\(b).", stage, stride: b == 0 ? stage.stride : 1, size)
        }
      }
      if architecture.block == .convolution { size = maxPool("stages.\(s).maxPool", size, window: 2, padding: 0) }
    }
    var features = size.height * size.width * size.channels
    if architecture.takesAnySize {
      features = size.channels
      append("pool", .pool, "average over \(size.height)x\(size.width)", [features])
    }
    let outputs = architecture.hidden + [architecture.classes]
    for (l, count) in outputs.enumerated() {
      append(
        architecture.takesAnySize ? "classifier" : "linear.\(l)", .linear, "\(count)-d linear", [count],
        weights: (features + 1) * count, multiplyAdds: features * count)
      features = count
    }
  }

  /// The different convolutions, in the order in which they first come, and how often each comes.
  public func convolutions(batch: Int) -> [(shape: ConvolutionShape, count: Int)] {
    var result: [(shape: ConvolutionShape, count: Int)] = []
    for layer in layers {
      guard var shape = layer.convolution else { continue }
      shape.batch = batch
      if let i = result.firstIndex(where: { $0.shape == shape }) {
        result[i].count += 1
      } else {
        result.append((shape, 1))
      }
    }
    return result
  }

  // MARK: - Parts

  private struct Size {
    var height, width, channels: Int
    var shape: Shape { [height, width, channels] }
  }

  private mutating func append(
    _ name: String, _ kind: Kind, _ description: String, _ output: Shape, weights: Int = 0, normalization: Int = 0,
    multiplyAdds: Int = 0, convolution: ConvolutionShape? = nil
  ) {
    layers.append(
      Layer(
        name: name, kind: kind, description: description, output: output, weights: weights,
        normalization: normalization, multiplyAdds: multiplyAdds, convolution: convolution))
  }

  private mutating func append(_ stem: Architecture.Stem, _ channels: Int, _ size: Size) -> Size {
    switch stem {
    case .cifar: return convolve("stem.conv", size, channels, kernel: 3)
    case .imageNet:
      let convolved = convolve("stem.conv", size, channels, kernel: 7, stride: 2)
      return maxPool("stem.maxPool", convolved, window: 3, padding: 1)
    }
  }

  private mutating func append(block name: String, _ stage: Architecture.Stage, stride: Int, _ size: Size) -> Size {
    let options = architecture.options
    let output: Size
    if architecture.block == .bottleneck {
      let isFirst = options.stridePlacement == .first1x1
      let reduced = convolve(name + "conv1", size, stage.width, kernel: 1, stride: isFirst ? stride : 1)
      let middle = convolve(name + "conv2", reduced, stage.width, kernel: 3, stride: isFirst ? 1 : stride)
      output = convolve(name + "conv3", middle, stage.outputChannels, kernel: 1)
    } else {
      let middle = convolve(name + "conv1", size, stage.outputChannels, kernel: 3, stride: stride)
      output = convolve(name + "conv2", middle, stage.outputChannels, kernel: 3)
    }
    let changes = stride != 1 || size.channels != stage.outputChannels
    if architecture.block != .plain, options.shortcut == .c || options.shortcut == .b && changes {
      _ = convolve(
        name + "shortcut.conv", size, stage.outputChannels, kernel: 1, stride: stride, kind: .projection)
    }
    return output
  }

  private mutating func convolve(
    _ name: String, _ input: Size, _ channels: Int, kernel: Int, stride: Int = 1, bias: Bool = false,
    kind: Kind = .convolution
  ) -> Size {
    let padding = kernel / 2
    let output = Size(
      height: (input.height + 2 * padding - kernel) / stride + 1,
      width: (input.width + 2 * padding - kernel) / stride + 1, channels: channels)
    let weights = kernel * kernel * input.channels * channels
    append(
      name, kind, "\(kernel)x\(kernel), \(channels)" + (stride == 1 ? "" : ", stride \(stride)"), output.shape,
      weights: weights + (bias ? channels : 0), normalization: bias ? 0 : 2 * channels,
      multiplyAdds: weights * output.height * output.width,
      convolution: ConvolutionShape(
        batch: 1, height: input.height, width: input.width, inputChannels: input.channels, outputChannels: channels,
        kernelHeight: kernel, kernelWidth: kernel, stride: stride, padding: padding))
    return output
  }

  private mutating func maxPool(_ name: String, _ input: Size, window: Int, padding: Int) -> Size {
    let output = Size(
      height: (input.height + 2 * padding - window) / 2 + 1, width: (input.width + 2 * padding - window) / 2 + 1,
      channels: input.channels)
    append(name, .pool, "\(window)x\(window) max-pool, stride 2", output.shape)
    return output
  }
}
