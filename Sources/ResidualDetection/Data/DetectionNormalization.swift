// DetectionNormalization.swift: pictures as a detector sees them.
//
// Paper       He et al. 2015 §3.4: the mean is subtracted; §4.3 does not say which
// Tests       Tests/ResidualDetectionTests/Data/SceneTests.swift

import ResidualKernels
import ResidualLearning

/// Pixels / 255, minus one mean colour.
///
/// A mean image, as in classification, would belong to one size of picture; objects of a scene may be anywhere.
public struct DetectionNormalization: Equatable, Codable, Sendable {
  /// The mean of red, green and blue, 0 to 1.
  public var mean: [Double]

  /// Subtracts this colour.
  public init(mean: [Double]) {
    precondition(mean.count == 3, "a mean colour of \(mean.count) numbers")
    self.mean = mean
  }

  /// The network's input for pictures: `[pictures.count, H, W, 3]`, where H and W are those of the largest picture.
  /// Smaller ones lie at the left and the top; beyond them there are zeros, as if there were the mean colour.
  public func callAsFunction(_ pictures: [Picture]) -> Tensor<Float> {
    let height = pictures.map(\.height).max() ?? 0
    let width = pictures.map(\.width).max() ?? 0
    precondition(height > 0 && width > 0, "no pictures to normalize")
    let output = Tensor<Float>(uninitialized: [pictures.count, height, width, 3])
    let mean = Tensor<Float>([height * width * 3], (0..<height * width).flatMap { _ in self.mean.map { Float($0) } })
    Kernels.loadViews(
      pictures.map { PictureView(pixels: $0.pixels, height: $0.height, width: $0.width) },
      height: height, width: width, mean: mean.storage, factor: Storage(repeating: 1, count: 3),
      output: output.storage)
    return output
  }
}
