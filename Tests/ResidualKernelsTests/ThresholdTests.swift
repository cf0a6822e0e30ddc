import Testing

@testable import ResidualKernels

/// The fast kernels on both sides of every number at which they cut their work another way, against the plain loops.
/// Where the numbers are: `ImageGroups`, `PartialSums`, `addOuterProducts`, `WinogradSizes`, `WinogradConvolution`,
/// `RowChunks`, `ConvolutionShape.bands`.
@Suite struct ThresholdTests {
  private static func shape(
    _ batch: Int, _ height: Int, _ width: Int, _ inputs: Int, _ outputs: Int, _ kernel: Int, _ stride: Int = 1
  ) -> ConvolutionShape {
    ConvolutionShape(
      batch: batch, height: height, width: width, inputChannels: inputs, outputChannels: outputs,
      kernelHeight: kernel, kernelWidth: kernel, stride: stride, padding: kernel / 2)
  }

  /// Name, and shapes for the fused kernels: channels fill vectors.
  static let fused: [(String, [ConvolutionShape])] = [
    // 32 chunks: a chunk has one group up to 32 groups, and several from 33 on. One image is a group here.
    ("groups of one image", [31, 32, 33, 64, 65, 128].map { shape($0, 3, 2, 16, 16, 1) }),
    ("groups of one image, 3x3 at stride 2", [32, 33, 128].map { shape($0, 5, 4, 16, 32, 3, 2) }),
    // Winograd's groups have 32 / tiles images, a quarter of the batch at most. 2 of 16x16, 8 of 8x8, 32 of 4x4.
    ("groups of 2 images", [64, 65, 66].map { shape($0, 13, 13, 16, 16, 3) }),
    ("groups of 8 images", [31, 32, 33, 128, 256, 257].map { shape($0, 5, 5, 16, 16, 3) }),
    ("groups of up to 32 images", [3, 4, 127, 128, 131].map { shape($0, 4, 4, 16, 16, 3) }),
    // 16 chunks of sums of the weight gradient, 8 where they are large.
    ("chunks of small sums", [15, 16, 17].map { shape($0, 3, 3, 16, 32, 3, 2) }),
    ("chunks of large sums", [8, 9, 17].map { shape($0, 2, 2, 96, 128, 3, 2) }),
    // Statistics and sums are taken over runs of 8 pixels.
    ("runs of pixels", [1, 7, 8, 9, 15, 16, 17].map { shape(2, 1, $0, 16, 16, 1) }),
    // The weight gradient takes 256 / width rows at a time: 9 of 28, 16 of 16, 1 of more than 128.
    ("rows at once", [shape(2, 9, 28, 16, 16, 1), shape(2, 10, 28, 16, 16, 1), shape(2, 28, 28, 16, 16, 1)]),
    ("rows at once at stride 2", [shape(1, 56, 56, 16, 16, 3, 2), shape(1, 33, 31, 16, 16, 1, 2)]),
    (
      "rows at once, narrow and wide",
      [shape(1, 33, 8, 16, 16, 1), shape(1, 3, 129, 16, 16, 1), shape(1, 2, 300, 16, 16, 1)]
    ),
    // Winograd's kernels take 32 tiles at a time: 4 rows of 8, 1 row of more than 16.
    ("rows of tiles", [shape(1, 16, 32, 16, 16, 3), shape(1, 17, 32, 16, 16, 3), shape(2, 36, 30, 16, 16, 3)]),
    ("rows of many tiles", [shape(1, 9, 66, 16, 16, 3), shape(1, 6, 133, 16, 16, 3)]),
    // Panels of two vectors of output channels, the last of them half full.
    ("panels", [16, 32, 48, 80].map { shape(2, 5, 6, 32, $0, 3) } + [48, 80].map { shape(2, 5, 6, 32, $0, 3, 2) }),
    // Passes over a tensor are cut into chunks of 16,384 elements.
    ("chunks of a pass", [1023, 1024, 1025, 2047, 2048, 3073].map { shape(1, 1, $0, 16, 16, 1) }),
  ]

  @Test(arguments: fused.indices) func `Fused kernels on both sides of their thresholds`(row: Int) {
    for shape in Self.fused[row].1 {
      let kernels = FusedCase<Float>(shape)
      for (i, (fast, plain)) in zip(kernels.results(of: .fast), kernels.results(of: .reference)).enumerated() {
        #expect(relativeError(fast, plain) <= 2e-5, "\(Self.fused[row].0): result \(i) of \(shape)")
      }
    }
  }

  @Test func `Direct convolutions on both sides of their thresholds`() {
    let batches = [1, 2, 3, 4, 5, 8, 15, 16, 17]
    // Bands of at least 4 rows where the batch has fewer than 16 images; chunks of the weight gradient's sums.
    var shapes = batches.flatMap { batch in [4, 7, 8, 9, 65].map { Self.shape(batch, $0, 3, 2, 5, 3) } }
    shapes += batches.map { Self.shape($0, 17, 5, 3, 17, 3, 2) }
    // More than one block of rows in a band, whose width decides how many rows are a block.
    shapes += [Self.shape(16, 28, 28, 3, 5, 1), Self.shape(17, 56, 56, 1, 3, 3, 2), Self.shape(1, 4200, 1, 3, 5, 1)]
    shapes += [Self.shape(16, 3, 257, 1, 2, 1), Self.shape(16, 33, 8, 2, 16, 1)]
    for (i, shape) in shapes.enumerated() { ConvolutionTests().checkAll(shape, Float.self, tolerance: 3e-5, seed: i) }
  }

  @Test func `Winograd's convolutions on both sides of their thresholds`() {
    // Many channels and few tiles: several panels, and a distance between the tiles.
    var shapes = [112, 128].map { Self.shape(2, 5, 5, 16, $0, 3) }
    shapes += [63, 64].map { Self.shape($0, 5, 5, 16, 128, 3) }
    shapes += [64, 80, 128, 144].map { Self.shape(1, 5, 6, $0, 128, 3) }
    // Weights that one thread transforms, and more; groups of images; bands of rows; blocks of tiles.
    shapes += [64, 80].map { Self.shape(2, 4, 4, $0, 64, 3) }
    shapes += [4, 7, 8, 9, 33, 67].map { Self.shape($0, 8, 7, 16, 16, 3) }
    shapes += [(1, 36, 32), (2, 20, 20), (3, 20, 20), (1, 6, 133), (16, 17, 17), (17, 9, 9)].map {
      Self.shape($0, $1, $2, 16, 16, 3)
    }
    for (i, shape) in shapes.enumerated() {
      let errors = WinogradTests.errors(shape, Float.self, seed: i)
      #expect(errors.max()! <= 5e-6, "\(errors) of \(shape)")
    }
  }

  @Test func `Passes over channels on both sides of their thresholds`() {
    let rows = [1, 7, 8, 9, 15, 16, 17, 1023, 1024, 1025, 2047, 2048, 2049]
    for channels in [16, 5] {
      for rows in rows + [16384 / channels, 16384 / channels + 1] {
        let x: Storage<Float> = numbers(rows * channels, seed: rows)
        let g: Storage<Float> = numbers(rows * channels, seed: rows + 1)
        let (mean, factor): (Storage<Float>, Storage<Float>) = (numbers(channels, seed: 3), numbers(channels, seed: 4))
        func new() -> Storage<Float> { Storage(repeating: .nan, count: channels) }
        let (means, variances, sums, products, rowSums) = (new(), new(), new(), new(), new())
        Kernels.channelStatistics(x, channels: channels, mean: means, variance: variances)
        Kernels.normalizationSums(
          gradient: g, input: x, channels: channels, mean: mean, factor: factor, sums: sums, products: products)
        Kernels.sumRows(x, into: rowSums)
        for c in 0..<channels {
          var (sum, product, total) = (0.0, 0.0, 0.0)
          for i in stride(from: c, to: x.count, by: channels) {
            total += Double(x[i])
            sum += Double(g[i])
            product += Double(g[i]) * (Double(x[i]) - Double(mean[c]))
          }
          let average = total / Double(rows)
          let squares = stride(from: c, to: x.count, by: channels).reduce(0.0) { sum, i in
            sum + (Double(x[i]) - average) * (Double(x[i]) - average)
          }
          let allowed = 2e-6 * Double(rows).squareRoot()
          #expect(abs(Double(means[c]) - average) < 1e-6 && abs(Double(rowSums[c]) - total) < allowed, "\(rows)")
          #expect(abs(Double(variances[c]) - squares / Double(rows)) < 1e-6, "\(rows)")
          #expect(abs(Double(sums[c]) - sum) < allowed, "\(rows)")
          #expect(abs(Double(products[c]) - product * Double(factor[c])) < allowed, "\(rows)")
        }
      }
    }
  }
}
