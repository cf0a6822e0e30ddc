// LayerResponses.swift: how strongly each layer responds.
//
// Paper       He et al. 2015 §4.2 "Analysis of Layer Responses", Fig. 7
// Command     resnet responses
// Tests       Tests/ResidualLearningTests/Networks/LayerResponsesTests.swift

import ResidualKernels

/// The standard deviation of each 3x3 layer's output, after batch normalization and before the ReLU or the addition.
///
/// Residual functions are closer to zero than others when these are smaller in a residual network than in a plain one.
/// The normalization is that of the training pass, batch by batch, so that it shows γ, not how well the running
/// statistics fit.
public struct LayerResponses: Equatable, Sendable {
  /// One layer.
  public struct Response: Equatable, Sendable {
    /// `stages.0.blocks.2.bn1`: the normalization behind the layer.
    public let name: String
    /// The standard deviation over all images, pixels and channels.
    public let deviation: Double
  }

  /// The layers in the order of the network (Fig. 7, top).
  public let layers: [Response]

  /// The deviations, the largest first (Fig. 7, bottom).
  public var sorted: [Double] { layers.map { $0.deviation }.sorted(by: >) }
  /// The mean deviation of all layers.
  public var mean: Double { layers.reduce(0) { $0 + $1.deviation } / Double(max(layers.count, 1)) }

  /// The responses of `network` to these images, `batch` at a time, which are normalized together.
  public init(
    _ network: some ImageClassifier<Float>, images: ImageDataset, normalization: PixelNormalization, batch: Int = 128
  ) {
    precondition(images.count > 0 && batch > 0, "responses to \(images.count) images in batches of \(batch)")
    self.init(
      network,
      batches: stride(from: 0, to: images.count, by: batch).lazy.map { start in
        normalization.input(images, start..<min(start + batch, images.count))
      })
  }

  /// The responses of `network` to batches of normalized images `[N, H, W, 3]`.
  public init(_ network: some ImageClassifier<Float>, batches: some Sequence<Tensor<Float>>) {
    let names = network.architecture.convolutions.filter { $0.kernel == 3 }.compactMap { $0.normalization }
    var sums: [String: (count: Double, sum: Double, squares: Double)] = [:]
    for batch in batches {
      _ = network.forward(batch) { name, tensor in
        guard names.contains(name) else { return }
        let (count, mean, deviation) = (Double(tensor.count), Double(tensor.mean), Double(tensor.deviation))
        let old = sums[name] ?? (0, 0, 0)
        sums[name] = (
          old.count + count, old.sum + count * mean, old.squares + count * (deviation * deviation + mean * mean)
        )
      }
    }
    layers = names.compactMap { name in
      sums[name].map { count, sum, squares in
        let mean = sum / count
        return Response(name: name, deviation: max(0, squares / count - mean * mean).squareRoot())
      }
    }
  }
}
