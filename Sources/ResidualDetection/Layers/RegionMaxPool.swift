// RegionMaxPool.swift: the features of a region, whatever its size (RoI pooling).
//
// Paper       He et al. 2015 §4.3: "RoI pooling before conv5_1"; Girshick 2015 (Fast R-CNN), §2.1, §2.3, equation (4)
// Derivation  docs/derivations/detection.md
// Kernels     Sources/ResidualKernels/RegionPooling.swift
// Tests       Tests/ResidualDetectionTests/Layers/RegionMaxPoolTests.swift

import ResidualKernels
import ResidualLearning

/// A box on one picture of a batch.
public struct Region: Equatable, Sendable {
  /// The number of the picture in the batch.
  public var image: Int
  /// The box, in pixels of the picture.
  public var box: Box

  /// A box on picture number `image`.
  public init(image: Int, box: Box) { (self.image, self.box) = (image, box) }
}

/// Cuts each region of a feature map into b x b bins and keeps the largest cell of each, channel by channel.
///
///     cells      from round(left/s) to round(right/s), both included, and the same from top to bottom     (1)
///     forward    y[r, i] = max x[j]         over the cells j of bin i of region r                          (2)
///     backward   dx[j] = Σ dy[r, i]         over the r, i whose maximum is j                               (3)
///
/// i and j stand for a row and a column. In (1) halves are rounded away from zero.
///
/// Regions overlap, neighbouring bins may share a row of cells, and so (3) *adds*. If several cells of a bin are
/// largest, the first takes all of the gradient. A bin with no cell on the map is 0 and hands back nothing.
///
/// (1) rounds, so y does not change when a box moves a little: its derivative with respect to the box is zero wherever
/// it exists. That is why no gradient flows into the coordinates of proposals; the region proposal network learns from
/// its own loss only.
///
/// (1) counts cells from the first to the last, which is one more than their difference, as Fast R-CNN does. That is
/// no width of a box: boxes have continuous sides (``Box``).
///
/// | symbol | in code                           | shape          |
/// |:-------|:----------------------------------|:---------------|
/// | x      | `input`                           | `[N, H, W, C]` |
/// | y      | `output`                          | `[R, b, b, C]` |
/// | b, s   | `bins`, `stride`                  | numbers        |
/// | dx, dy | `inputGradient`, `outputGradient` | as x, y        |
public struct RegionMaxPool<Scalar: Element>: Sendable {
  /// Input and output, as in `MaxPool2D`: a cell that equals its bin's maximum is the one.
  public struct Cache: Sendable {
    /// x `[N, H, W, C]`.
    public let input: Tensor<Scalar>
    /// y `[R, b, b, C]`.
    public let output: Tensor<Scalar>
    /// The cells of each region (1).
    public let regions: [CellRegion]
  }

  /// b.
  public let bins: Int
  /// s, pixels of the picture from one cell of the map to the next.
  public let stride: Double

  /// A pooling into `bins` x `bins` bins on a map with a cell every `stride` pixels.
  public init(bins: Int, stride: Double) {
    precondition(bins > 0 && stride > 0, "\(bins) bins on a map of stride \(stride)")
    (self.bins, self.stride) = (bins, stride)
  }

  /// The largest cells of each bin of each region, and what backward needs.
  public func forward(_ input: Tensor<Scalar>, regions: [Region]) -> (output: Tensor<Scalar>, cache: Cache) {
    let cells = regions.map(self.cells)
    let output = Tensor<Scalar>(uninitialized: [regions.count, bins, bins, input.imageSizes.channels])
    Kernels.regionMaxPool(sizes(of: input), cells, input: input.storage, output: output.storage)  // (2)
    return (output, Cache(input: input, output: output, regions: cells))
  }

  /// The largest cells of each bin of each region.
  public func callAsFunction(_ input: Tensor<Scalar>, regions: [Region]) -> Tensor<Scalar> {
    forward(input, regions: regions).output
  }

  /// The gradient of the loss with respect to the feature map.
  public func backward(_ outputGradient: Tensor<Scalar>, _ cache: Cache) -> Tensor<Scalar> {
    precondition(
      outputGradient.shape == cache.output.shape,
      "outputGradient is \(outputGradient.shape), the output was \(cache.output.shape)")
    let inputGradient = Tensor<Scalar>(uninitialized: cache.input.shape)
    Kernels.regionMaxPoolGradient(
      sizes(of: cache.input), cache.regions, input: cache.input.storage, output: cache.output.storage,
      outputGradient: outputGradient.storage, inputGradient: inputGradient.storage)  // (3)
    return inputGradient
  }

  /// The cells of a region, equation (1); at least one row and one column.
  func cells(of region: Region) -> CellRegion {
    func round(_ value: Double) -> Int { Int((value / stride).rounded()) }
    let (left, top) = (round(region.box.left), round(region.box.top))
    return CellRegion(
      image: region.image, top: top, left: left, rows: max(1, round(region.box.bottom) - top + 1),
      columns: max(1, round(region.box.right) - left + 1))
  }

  private func sizes(of input: Tensor<Scalar>) -> RegionPoolingShape {
    let (batch, height, width, channels) = input.imageSizes
    return RegionPoolingShape(batch: batch, height: height, width: width, channels: channels, bins: bins)
  }
}
