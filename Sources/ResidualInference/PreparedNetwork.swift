// PreparedNetwork.swift: a trained network as a value that only classifies.
//
// Kernels     Sources/ResidualKernels/Inference
// Docs        docs/performance.md
// Tests       Tests/ResidualInferenceTests/PreparedNetworkTests.swift

import ResidualKernels
import ResidualLearning

/// A network for inference, prepared once: nothing that depends on the weights alone is computed again for each image.
///
/// With running statistics, batch normalization is an affine function of each channel, and so it can be folded into the
/// convolution before it: γ (W ∗ x − μ) r + β = W' ∗ x + b' with r = 1/√(σ² + ε), W' = γ r W and b' = β − γ r μ. The
/// weights W' are packed or transformed for the form of convolution that is the fastest at its size of image
/// (`InferenceConvolution.Form`); b', the shortcut and the ReLU are added where the output is written. Small images
/// go through all layers in groups that stay in the cache of one thread; large ones one layer after the other, which
/// reads every weight once for the batch. Logits are those of the network up to rounding, and have the same bits
/// whatever the batch and the number of threads are.
public struct PreparedNetwork: Classifier {
  public let architecture: Architecture
  private let stem: InferenceConvolution
  private let maxPool: MaxPool2D<Float>?
  private let blocks: [PreparedBlock]
  private let classifier: InferenceConvolution
  /// The number of images that go through the layers together, and whether each group has a thread of its own.
  private let group: Int
  private let isSmall: Bool

  /// Prepares a network for images `[batch, imageSize, imageSize, 3]`, the size being the architecture's. Others are
  /// classified as well, though other forms may be faster for them.
  ///
  /// Nil where the channels of a layer do not fill whole vectors.
  init?(_ network: ResidualNetwork<Float>, batch: Int) {
    let units = [network.stem.block.units[0]] + network.stages.joined().flatMap { $0.units }
    guard units.allSatisfy({ $0.bn.channels.isMultiple(of: Float.Vector.scalarCount) }) else { return nil }
    architecture = network.architecture
    let size = architecture.imageSize
    // The largest tensor of a group fills a quarter of an L2 cache of 1 MB.
    let fitting = (1 << 16) / (size * size * architecture.stemChannels)
    isSmall = fitting > 0
    group = max(1, min(isSmall ? fitting : 8, batch))
    var shape: Shape = [group, size, size, 3]
    stem = InferenceConvolution(units[0], &shape, rectifies: true)
    maxPool = network.stem.maxPool
    if let pool = maxPool {
      let sizes = [shape[1], shape[2]].map { ($0 + 2 * pool.padding - pool.window) / pool.stride + 1 }
      shape = [group, sizes[0], sizes[1], shape[3]]
    }
    blocks = network.stages.joined().map { PreparedBlock($0, &shape) }
    classifier = InferenceConvolution(network.classifier, batch: group)
  }

  /// The logits `[N, classes]` of images `[N, H, W, 3]`.
  public func callAsFunction(_ images: Tensor<Float>) -> Tensor<Float> {
    let (batch, classes) = (images.shape[0], architecture.classes)
    let logits = Tensor<Float>(uninitialized: [batch, classes])
    func classify(_ i: Int) {
      let range = i * group..<min((i + 1) * group, batch)
      let rows = self.rows(images.slice(range))
      for (j, n) in range.enumerated() {
        logits.storage.copy(from: rows.storage, at: j * rows.shape[3], to: n * classes, count: classes)
      }
    }
    Parallel.forEachChunk((batch + group - 1) / group, pays: isSmall, classify)
    return logits
  }

  /// The logits `[N, 1, 1, classes]`, with more classes that mean nothing where theirs do not fill whole vectors.
  private func rows(_ images: Tensor<Float>) -> Tensor<Float> {
    var x = stem(images)
    if let maxPool { x = maxPool(x) }
    for block in blocks { x = block(x) }
    let features = GlobalAveragePool<Float>()(x)
    return classifier(features.reshaped([features.shape[0], 1, 1, features.shape[1]]))
  }
}

/// One block: y = σ(F(x) + h(x)), with F's convolutions and the projection of h prepared.
private struct PreparedBlock: Sendable {
  let convolutions: [InferenceConvolution]
  let projection: InferenceConvolution?
  let shortcut: Shortcut<Float>?

  /// - Parameter shape: that of the input, and afterwards that of the output.
  init(_ block: Block<Float>, _ shape: inout Shape) {
    var input = shape
    convolutions = block.units.map { InferenceConvolution($0, &shape, rectifies: true) }
    projection = block.shortcut?.projection.map { InferenceConvolution($0, &input, rectifies: false) }
    shortcut = projection == nil ? block.shortcut : nil
  }

  func callAsFunction(_ input: Tensor<Float>) -> Tensor<Float> {
    let h = projection?(input) ?? shortcut?(input)
    let inside = convolutions.dropLast().reduce(input) { x, convolution in convolution(x) }
    return convolutions[convolutions.count - 1](inside, adding: h)
  }
}

extension InferenceConvolution {
  /// A convolution and the normalization behind it, for inputs of this shape, which becomes that of the output.
  fileprivate init(_ unit: ConvBN<Float>, _ shape: inout Shape, rectifies: Bool) {
    let sizes = unit.conv.sizes(ofShape: shape)
    shape = unit.conv.outputShape(sizes)
    let (bn, statistics) = (unit.bn, unit.bn.running)
    self.init(
      sizes, weight: unit.conv.parameters.weight.storage,
      affine: bn.affine(statistics, inverseDeviation: bn.inverseDeviation(of: statistics)), rectifies: rectifies)
  }

  /// A linear layer, which is a convolution of images of one pixel.
  fileprivate init(_ linear: Linear<Float>, batch: Int) {
    let (inputs, outputs) = (linear.parameters.weight.shape[0], linear.parameters.weight.shape[1])
    self.init(
      ConvolutionShape(
        batch: batch, height: 1, width: 1, inputChannels: inputs, outputChannels: outputs, kernelHeight: 1,
        kernelWidth: 1),
      weight: linear.parameters.weight.storage,
      affine: ChannelAffine(
        mean: Storage(repeating: 0, count: outputs), scale: Storage(repeating: 1, count: outputs),
        shift: linear.parameters.bias.storage), rectifies: false)
  }

  /// `[N, H, W, Cin]` to `[N, H', W', Cout]`; `other` is added before the ReLU.
  fileprivate func callAsFunction(_ input: Tensor<Float>, adding other: Tensor<Float>? = nil) -> Tensor<Float> {
    let (batch, height, width, _) = input.imageSizes
    let sizes = sizes(batch: batch, height: height, width: width)
    let output = Tensor<Float>(
      uninitialized: [batch, sizes.outputHeight, sizes.outputWidth, sizes.outputChannels])
    run(sizes, input: input.storage, adding: other?.storage, output: output.storage)
    return output
  }
}

extension ImageClassifier<Float> {
  /// The network for inference: see ``PreparedNetwork``. A network that has no such form is returned as it is: VGG,
  /// which has no normalization; one whose channels do not fill whole vectors; and any while the kernels' plain loops
  /// are chosen (`Kernels.implementation`).
  ///
  /// - Parameter batch: the number of images that will be classified at once.
  public func prepared(batch: Int = 1) -> any Classifier<Float> {
    guard Kernels.implementation == .fast, let network = self as? ResidualNetwork<Float> else { return self }
    return PreparedNetwork(network, batch: batch) ?? self
  }
}
