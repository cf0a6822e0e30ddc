// RegionPooling.swift: the largest value of each bin of a region.

/// A region of a feature map in whole cells: `rows` x `columns` cells of image `image`, from (`top`, `left`) on. It may
/// reach beyond the map.
public struct CellRegion: Equatable, Sendable {
  /// The number of the image in the batch.
  public var image: Int
  /// The first row and the first column; they may be negative.
  public var top, left: Int
  /// How many rows and columns, at least one of each.
  public var rows, columns: Int

  /// `rows` x `columns` cells from (`top`, `left`) on.
  public init(image: Int, top: Int, left: Int, rows: Int, columns: Int) {
    precondition(rows > 0 && columns > 0, "a region of \(rows)x\(columns) cells")
    (self.image, self.top, self.left, self.rows, self.columns) = (image, top, left, rows, columns)
  }
}

/// The sizes of a pooling of regions: of the feature map `[batch, height, width, channels]`, and `bins` x `bins` bins.
public struct RegionPoolingShape: Equatable, Sendable {
  /// The sizes of the feature map.
  public let batch, height, width, channels: Int
  /// The rows and the columns of bins that a region is cut into.
  public let bins: Int

  /// The sizes of a pooling.
  public init(batch: Int, height: Int, width: Int, channels: Int, bins: Int) {
    precondition(batch > 0 && height > 0 && width > 0 && channels > 0 && bins > 0, "an empty map or no bins")
    (self.batch, self.height, self.width, self.channels, self.bins) = (batch, height, width, channels, bins)
  }

  /// Elements of the feature map.
  var inputCount: Int { batch * height * width * channels }

  /// The cells of a bin of a region that lie on the map; nil where none does. Bins are numbered row by row: of row i of
  /// bins the cells' rows from ⌊i·rows/bins⌋ to ⌈(i + 1)·rows/bins⌉, the end not included, and so with the columns.
  /// Neighbouring bins share a row when `bins` does not divide `rows`.
  @inline(__always)
  func window(_ region: CellRegion, bin: Int) -> PoolingWindow? {
    let (i, j) = (bin / bins, bin % bins)
    let top = max(0, region.top + i * region.rows / bins)
    let left = max(0, region.left + j * region.columns / bins)
    let bottom = min(height, region.top + ((i + 1) * region.rows + bins - 1) / bins)
    let right = min(width, region.left + ((j + 1) * region.columns + bins - 1) / bins)
    guard top < bottom && left < right else { return nil }
    return PoolingWindow(
      first: (region.image * height + top) * width + left, rows: bottom - top, columns: right - left)
  }
}

extension Kernels {
  /// `output[r, i, j, c]` = the largest `input[n, y, x, c]` over the cells (y, x) of bin (i, j) of region r of image n.
  /// NaN where one of them is. A bin without a cell on the map is 0.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func regionMaxPool<Scalar: Element>(
    _ shape: RegionPoolingShape, _ regions: [CellRegion], input: Storage<Scalar>, output: Storage<Scalar>
  ) {
    check(shape, regions, input: input, output: output)
    let map = PooledMap(input, width: shape.width, channels: shape.channels)
    let bins = shape.bins * shape.bins
    Parallel.forEachChunk(regions.count) { r in
      for bin in 0..<bins {
        let target = output.base + (r * bins + bin) * map.channels
        if let window = shape.window(regions[r], bin: bin) {
          map.largest(of: window, into: target)
        } else {
          target.update(repeating: 0, count: map.channels)
        }
      }
    }
  }

  /// The gradient of a bin goes to the cell that was the largest, the first one if several are; a cell that was the
  /// largest of several bins or regions gets the sum, added in the order of the regions. Cells under no region get 0.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func regionMaxPoolGradient<Scalar: Element>(
    _ shape: RegionPoolingShape, _ regions: [CellRegion], input: Storage<Scalar>, output: Storage<Scalar>,
    outputGradient: Storage<Scalar>, inputGradient: Storage<Scalar>
  ) {
    check(shape, regions, input: input, output: output)
    precondition(
      outputGradient.count == output.count && inputGradient.count == input.count,
      "gradients of \(outputGradient.count) and \(inputGradient.count) elements")
    let map = PooledMap(input, width: shape.width, channels: shape.channels)
    let bins = shape.bins * shape.bins
    let size = shape.height * shape.width * map.channels
    let regionsOfImage = (0..<shape.batch).map { n in regions.indices.filter { regions[$0].image == n } }
    // Regions of one image add into the same cells: one chunk an image.
    Parallel.forEachChunk(shape.batch) { n in
      (inputGradient.base + n * size).update(repeating: 0, count: size)
      let pending = Storage<Scalar>(uninitialized: map.channels)
      for r in regionsOfImage[n] {
        for bin in 0..<bins {
          guard let window = shape.window(regions[r], bin: bin) else { continue }
          let start = (r * bins + bin) * map.channels
          map.addGradient(
            outputGradient.base + start, ofLargest: output.base + start, of: window, pending, to: inputGradient)
        }
      }
    }
  }

  private static func check<Scalar: Element>(
    _ shape: RegionPoolingShape, _ regions: [CellRegion], input: Storage<Scalar>, output: Storage<Scalar>
  ) {
    precondition(input.count == shape.inputCount, "\(input.count) elements do not make \(shape)")
    precondition(
      output.count == regions.count * shape.bins * shape.bins * shape.channels,
      "\(output.count) elements for \(regions.count) regions of \(shape)")
    precondition(regions.allSatisfy { (0..<shape.batch).contains($0.image) }, "a region of no image of \(shape)")
  }
}
