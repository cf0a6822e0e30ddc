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

  /// The numbers that the network sees: `[pictures.count, H, W, 3]`, where H and W are those of the largest picture.
  /// Smaller ones lie at the left and the top; beyond them there is the mean colour, to within rounding.
  public func callAsFunction(_ pictures: [Picture]) -> Tensor<Float> {
    let height = pictures.map(\.height).max() ?? 0
    let width = pictures.map(\.width).max() ?? 0
    precondition(height > 0 && width > 0, "no pictures to normalize")
    let output = Tensor<Float>(uninitialized: [pictures.count, height, width, 3])
    let mean = Tensor<Float>([height * width * 3], (0..<height * width).flatMap { _ in self.mean.map { Float($0) } })
    Kernels.loadViews(
      pictures.map { PictureView(pixels: padded($0, height, width), height: height, width: width, top: 0, left: 0) },
      height: height, width: width, mean: mean.storage, factor: Storage(repeating: 1, count: 3),
      output: output.storage)
    return output
  }

  private func padded(_ picture: Picture, _ height: Int, _ width: Int) -> [UInt8] {
    if picture.height == height && picture.width == width { return picture.pixels }
    let color = mean.map { UInt8(min(max($0 * 255, 0), 255).rounded()) }
    var pixels: [UInt8] = []
    pixels.reserveCapacity(height * width * 3)
    for y in 0..<height {
      let row = y < picture.height ? picture.pixels[y * picture.width * 3..<(y + 1) * picture.width * 3] : []
      pixels += row
      for _ in row.count / 3..<width { pixels += color }
    }
    return pixels
  }
}
