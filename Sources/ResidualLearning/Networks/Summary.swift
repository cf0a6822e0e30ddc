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
  /// The kind of a layer.
  public enum Kind: Equatable, Sendable {
    /// A convolution that counts as a weighted layer.
    case convolution
    /// The 1x1 convolution of a shortcut, which does not count as a weighted layer.
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
    /// The kind of layer.
    public let kind: Kind
    /// Its sizes in words: `3x3, 64, stride 2`.
    public let description: String
    /// `[H, W, C]`, or `[C]` behind the pixels.
    public let output: Shape
    /// How many numbers its weights and biases have.
    public let weights: Int
    /// How many numbers γ and β of the normalization behind it have.
    public let normalization: Int
    /// Multiplications and additions for one image, counted in pairs.
    public let multiplyAdds: Int
    /// A convolution's sizes, for one image.
    public let convolution: ConvolutionShape?

    /// How many numbers it learns.
    public var parameters: Int { weights + normalization }
    /// Whether the paper counts it when it says how many layers a network has.
    public var isWeighted: Bool { kind == .convolution || kind == .linear }
  }

  /// The network that is summarised.
  public let architecture: Architecture
  /// The shape `[H, W, C]` of the images.
  public let input: Shape
  /// The layers in the order of the forward pass; a projection stands behind the convolutions that it goes around.
  public private(set) var layers: [Layer] = []

  /// How many numbers all layers learn.
  public var parameters: Int { layers.reduce(0) { $0 + $1.parameters } }
  /// Multiply-adds of all layers for one image.
  public var multiplyAdds: Int { layers.reduce(0) { $0 + $1.multiplyAdds } }
  /// Multiply-adds without those of linear layers: for VGG-16 the paper's number leaves them out.
  public var convolutionMultiplyAdds: Int { layers.reduce(0) { $0 + ($1.kind == .linear ? 0 : $1.multiplyAdds) } }
  /// The number of convolutions and linear layers, without projections.
  public var weightedLayers: Int { layers.count { $0.isWeighted } }

  /// The layers of `architecture` for images of this size; nil stands for the size that the paper trains on.
  public init(_ architecture: Architecture, height: Int? = nil, width: Int? = nil) {
    self.architecture = architecture
    let channels = architecture.stem == nil ? architecture.stemChannels : 3
    var size: Shape = [height ?? architecture.imageSize, width ?? architecture.imageSize, channels]
    input = size
    if let stem = architecture.stem {
      size = append(stem.convolution(architecture.stemChannels), .convolution, size)
      if let pool = stem.maxPool { size = maxPool("stem.maxPool", size, pool.window, pool.padding) }
    }
    for (s, blocks) in architecture.blocks.enumerated() {
      for block in blocks {
        let output = block.convolutions.reduce(size) { append($1, .convolution, $0) }
        if let projection = block.projection { _ = append(projection, .projection, size) }
        size = output
      }
      if architecture.block == .convolution { size = maxPool("stages.\(s).maxPool", size, 2, 0) }
    }
    if architecture.takesAnySize {
      append("pool", .pool, "average over \(size[0])x\(size[1])", [size[2]])
    }
    for layer in architecture.linearLayers {
      append(
        layer.name, .linear, "\(layer.outputs)-d linear", [layer.outputs],
        weights: (layer.inputs + 1) * layer.outputs, multiplyAdds: layer.inputs * layer.outputs)
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

  private mutating func append(
    _ name: String, _ kind: Kind, _ description: String, _ output: Shape, weights: Int = 0, normalization: Int = 0,
    multiplyAdds: Int = 0, convolution: ConvolutionShape? = nil
  ) {
    layers.append(
      Layer(
        name: name, kind: kind, description: description, output: output, weights: weights,
        normalization: normalization, multiplyAdds: multiplyAdds, convolution: convolution))
  }

  private mutating func append(_ convolution: Architecture.Convolution, _ kind: Kind, _ input: Shape) -> Shape {
    let (kernel, channels, stride) = (convolution.kernel, convolution.outputChannels, convolution.stride)
    let sizes = ConvolutionShape(
      batch: 1, height: input[0], width: input[1], inputChannels: input[2], outputChannels: channels,
      kernelHeight: kernel, kernelWidth: kernel, stride: stride, padding: kernel / 2)
    let output: Shape = [sizes.outputHeight, sizes.outputWidth, channels]
    let isNormalized = convolution.normalization != nil
    append(
      convolution.name, kind, "\(kernel)x\(kernel), \(channels)" + (stride == 1 ? "" : ", stride \(stride)"), output,
      weights: convolution.shape.count + (isNormalized ? 0 : channels), normalization: isNormalized ? 2 * channels : 0,
      multiplyAdds: convolution.shape.count * output[0] * output[1], convolution: sizes)
    return output
  }

  private mutating func maxPool(_ name: String, _ input: Shape, _ window: Int, _ padding: Int) -> Shape {
    let sides = [input[0], input[1]].map { ($0 + 2 * padding - window) / 2 + 1 }
    let output: Shape = [sides[0], sides[1], input[2]]
    append(name, .pool, "\(window)x\(window) max-pool, stride 2", output)
    return output
  }
}
