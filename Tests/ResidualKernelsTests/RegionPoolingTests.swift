import Testing

@testable import ResidualKernels

@Suite struct RegionPoolingTests {
  /// Regions that overlap, reach beyond the map, lie outside, and are smaller than the bins.
  static let regions = [
    CellRegion(image: 0, top: 0, left: 0, rows: 6, columns: 5),
    CellRegion(image: 1, top: 1, left: 2, rows: 3, columns: 4),
    CellRegion(image: 0, top: 2, left: 1, rows: 1, columns: 1),
    CellRegion(image: 1, top: -2, left: -1, rows: 7, columns: 3),
    CellRegion(image: 1, top: 4, left: 3, rows: 9, columns: 9),
    CellRegion(image: 0, top: 20, left: 0, rows: 2, columns: 2),
  ]

  @Test(arguments: [1, 2, 3, 7]) func `Pooling of regions is the definition's`(bins: Int) {
    for channels in [1, 3, 8, 16, 20, 32] {
      check(bins: bins, channels: channels, Double.self)
      check(bins: bins, channels: channels, Float.self)
    }
  }

  @Test(arguments: [3, 16]) func `A value that is no number stays in sight behind the pooling of regions`(channels: Int)
  {
    let shape = RegionPoolingShape(batch: 1, height: 3, width: 3, channels: channels, bins: 1)
    for place in 0..<9 {
      let input: Storage<Float> = numbers(9 * channels, seed: place)
      input[place * channels + 1] = .nan
      let output = Storage<Float>(repeating: 0, count: channels)
      Kernels.regionMaxPool(
        shape, [CellRegion(image: 0, top: 0, left: 0, rows: 3, columns: 3)], input: input, output: output)
      #expect(output[1].isNaN, "cell \(place)")
      #expect(!output[0].isNaN && !output[2].isNaN)
    }
  }

  /// Plain loops over the bins' own bounds, in real numbers rather than whole ones.
  private func check<Scalar: Element>(bins: Int, channels: Int, _: Scalar.Type) {
    let shape = RegionPoolingShape(batch: 2, height: 6, width: 7, channels: channels, bins: bins)
    let regions = Self.regions
    let input: Storage<Scalar> = numbers(shape.inputCount, seed: 1)
    let count = regions.count * bins * bins * channels
    let gradient: Storage<Scalar> = numbers(count, seed: 2)
    let output = Storage<Scalar>(repeating: .nan, count: count)
    let inputGradient = Storage<Scalar>(repeating: .nan, count: shape.inputCount)
    Kernels.regionMaxPool(shape, regions, input: input, output: output)
    Kernels.regionMaxPoolGradient(
      shape, regions, input: input, output: output, outputGradient: gradient, inputGradient: inputGradient)

    var expected: [Scalar] = []
    var expectedGradient = [Scalar](repeating: 0, count: shape.inputCount)
    for region in regions {
      for i in 0..<bins {
        for j in 0..<bins {
          for c in 0..<channels {
            var best: Int?
            for y in 0..<6 {
              for x in 0..<7 {
                let (row, column) = (Double(y - region.top), Double(x - region.left))
                let (height, width) = (Double(region.rows) / Double(bins), Double(region.columns) / Double(bins))
                // A cell belongs to a bin when the two share more than a border.
                let isIn =
                  row + 1 > Double(i) * height + 1e-9 && row < Double(i + 1) * height - 1e-9
                  && column + 1 > Double(j) * width + 1e-9 && column < Double(j + 1) * width - 1e-9
                let index = ((region.image * 6 + y) * 7 + x) * channels + c
                if isIn && (best.map { input[index] > input[$0] } ?? true) { best = index }
              }
            }
            if let best { expectedGradient[best] += gradient[expected.count] }
            expected.append(best.map { input[$0] } ?? 0)
          }
        }
      }
    }
    #expect(output.array(0..<count) == expected, "\(shape)")
    #expect(relativeError(inputGradient, Storage(expectedGradient)) < 1e-6, "\(shape)")
  }
}
