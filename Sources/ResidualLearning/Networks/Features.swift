// Features.swift: a network's feature maps by their names in the paper.
//
// Paper       He et al. 2015 Table 1, layer names; §4.3, appendix A: "those layers whose strides on the image are no
//             greater than 16 pixels (i.e., conv1, conv2_x, conv3_x, and conv4_x …)"
// Tests       Tests/ResidualLearningTests/Networks/FeaturesTests.swift

import ResidualKernels

/// A group of layers of Table 1.
public enum Feature: Int, CaseIterable, Sendable {
  /// The 7x7 convolution and its pool: stride 4.
  case conv1 = 1
  /// The first stage: stride 4.
  case conv2
  /// The second stage: stride 8.
  case conv3
  /// The third stage: stride 16, where Faster R-CNN looks for regions.
  case conv4
  /// The fourth stage: stride 32; detection runs it for each region.
  case conv5
}

extension ResidualNetwork {
  /// The output `[N, H/s, W/s, C]` of a group of layers, in inference: batch normalization is a fixed scale and shift
  /// of each channel (``FrozenBatchNorm2D``).
  ///
  /// The pool of conv2_x belongs to the stem here, so that conv1 means its output. s is 4, 4, 8, 16 and 32 for a
  /// network of Table 1. Networks of §4.2 have three stages, conv2 to conv4, with s = 1, 2, 4.
  ///
  /// - Parameters:
  ///   - images: `[N, H, W, 3]`, normalized, of any size.
  ///   - feature: the last group of layers that runs.
  public func features(of images: Tensor<Scalar>, upTo feature: Feature) -> Tensor<Scalar> {
    let last = feature.rawValue - 1
    precondition(last <= stages.count, "\(architecture.name) has no \(feature): it has \(stages.count) stages")
    return stages.prefix(last).joined().reduce(stem(images)) { x, block in block(x) }
  }

  /// Pixels of the image from one pixel of a feature map to the next.
  public func stride(of feature: Feature) -> Int {
    architecture.stages.prefix(feature.rawValue - 1).reduce(architecture.stem == .imageNet ? 4 : 1) { $0 * $1.stride }
  }
}
