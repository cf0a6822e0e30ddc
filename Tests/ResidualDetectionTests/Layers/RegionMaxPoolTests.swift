import ResidualKernels
import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct RegionMaxPoolTests {
  /// A map of one channel, 4x4, a cell every 10 pixels.
  let map = Tensor<Double>([1, 4, 4, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
  let pool = RegionMaxPool<Double>(bins: 2, stride: 10)

  func region(_ left: Double, _ top: Double, _ right: Double, _ bottom: Double) -> Region {
    Region(image: 0, box: Box(left: left, top: top, right: right, bottom: bottom))
  }

  @Test func `Cells by hand: rounded, halves away from zero, both ends included`() {
    #expect(
      pool.cells(of: region(4, 5, 24, 25)) == CellRegion(image: 0, top: 1, left: 0, rows: 3, columns: 3))
    // Smaller than a cell: one cell.
    #expect(pool.cells(of: region(11, 11, 12, 12)) == CellRegion(image: 0, top: 1, left: 1, rows: 1, columns: 1))
  }

  @Test func `Pooling by hand`() {
    // Rows and columns 0 to 3 in two bins of two.
    #expect(pool(map, regions: [region(0, 0, 30, 30)]) == Tensor([1, 2, 2, 1], [6, 8, 14, 16]))
    // Rows and columns 0 to 2 in two bins, 0 to 1 and 1 to 2: row 1 and column 1 belong to both.
    #expect(pool(map, regions: [region(0, 0, 20, 20)]) == Tensor([1, 2, 2, 1], [6, 7, 10, 11]))
    // One cell fills all bins.
    #expect(pool(map, regions: [region(10, 20, 10, 20)]) == Tensor([1, 2, 2, 1], [10, 10, 10, 10]))
  }

  @Test func `Overlapping regions add, and so do the bins of one region`() {
    // Cell 11 (row 2, column 2) is the largest of the last bin of the first region and of all four bins of the second.
    let (_, cache) = pool.forward(map, regions: [region(0, 0, 20, 20), region(20, 20, 20, 20)])
    let gradient = pool.backward(Tensor([2, 2, 2, 1], [1, 2, 3, 4, 10, 20, 30, 40]), cache)
    var expected = [Double](repeating: 0, count: 16)
    expected[5] = 1
    expected[6] = 2
    expected[9] = 3
    expected[10] = 4 + 10 + 20 + 30 + 40
    #expect(gradient == Tensor([1, 4, 4, 1], expected))
  }

  @Test func `Of equal cells the first takes all`() {
    let flat = Tensor<Double>([1, 4, 4, 1], repeating: 7)
    let (_, cache) = pool.forward(flat, regions: [region(0, 0, 30, 30)])
    let gradient = pool.backward(Tensor([1, 2, 2, 1], [1, 2, 3, 4]), cache).elements
    #expect(gradient.enumerated().filter { $0.element != 0 }.map(\.offset) == [0, 2, 8, 10])
  }

  @Test func `A bin outside the map is zero, also where all of the map is negative`() {
    // Columns 2 to 5: the second column of bins is beyond the map.
    let negative = map * -1
    let (output, cache) = pool.forward(negative, regions: [region(20, 0, 50, 30)])
    #expect(output == Tensor([1, 2, 2, 1], [-3, 0, -11, 0]))
    let gradient = pool.backward(Tensor([1, 2, 2, 1], [1, 2, 3, 4]), cache)
    #expect(gradient.sum == 4)  // 1 and 3; 2 and 4 have nowhere to go
  }

  @Test func `A box that moves a little changes nothing`() {
    // Why no gradient flows into the coordinates of a proposal.
    let here = pool(map, regions: [region(3, 3, 21, 21)])
    #expect(pool(map, regions: [region(3.01, 2.9, 21.1, 20.95)]) == here)
  }

  @Test(arguments: [1, 3, 5], [3, 16]) func `The gradient is that of the output`(bins: Int, channels: Int) {
    var generator = RandomGenerator(seed: UInt64(bins * 100 + channels))
    let pool = RegionMaxPool<Double>(bins: bins, stride: 4)
    let input = Tensor<Double>(normal: [2, 5, 7, channels], using: &generator)
    // They overlap; the last but one reaches beyond the map, the last lies outside.
    let regions = [
      Region(image: 0, box: Box(left: 0, top: 0, right: 18, bottom: 14)),
      Region(image: 0, box: Box(left: 3, top: 5, right: 22, bottom: 19)),
      Region(image: 1, box: Box(left: 8, top: 8, right: 9, bottom: 9)),
      Region(image: 1, box: Box(left: 6, top: -9, right: 60, bottom: 16)),
      Region(image: 1, box: Box(left: 100, top: 100, right: 120, bottom: 120)),
    ]
    let (output, cache) = pool.forward(input, regions: regions)
    let upstream = Tensor<Double>(normal: output.shape, using: &generator)
    let result = GradientCheck().run(
      "RegionMaxPool", at: [("input", input)], outputGradient: upstream, gradients: [pool.backward(upstream, cache)]
    ) { pool($0[0], regions: regions) }
    #expect(result.passed && result.elements + result.skipped == input.count, "\(result.tableRow)")
  }
}
