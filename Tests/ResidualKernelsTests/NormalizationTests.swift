import Testing

@testable import ResidualKernels

/// Rows and channels that fill vectors and that do not, in one chunk and in many.
private let matrices = [(1, 1), (6, 3), (7, 16), (33, 20), (5, 8), (64, 64), (3001, 16), (5000, 10), (2, 1000)]

@Suite struct NormalizationTests {
  @Test(arguments: matrices) func `Statistics are the definition's`(rows: Int, channels: Int) {
    checkStatistics(rows, channels, Double.self, tolerance: 1e-13)
    checkStatistics(rows, channels, Float.self, tolerance: 1e-5)
  }

  private func checkStatistics<Scalar: Element>(
    _ rows: Int, _ channels: Int, _: Scalar.Type, tolerance: Double
  ) {
    let input: Storage<Scalar> = numbers(rows * channels, seed: rows)
    let mean = Storage<Scalar>(repeating: .nan, count: channels)
    let variance = Storage<Scalar>(repeating: .nan, count: channels)
    Kernels.channelStatistics(input, channels: channels, mean: mean, variance: variance)
    for c in 0..<channels {
      let values = (0..<rows).map { Double(input[$0 * channels + c]) }
      let expectedMean = values.reduce(0, +) / Double(rows)
      let expectedVariance = values.reduce(0) { $0 + ($1 - expectedMean) * ($1 - expectedMean) } / Double(rows)
      #expect(abs(Double(mean[c]) - expectedMean) <= tolerance)
      #expect(abs(Double(variance[c]) - expectedVariance) <= tolerance)
    }
  }

  @Test(arguments: [3, 16]) func `Far from zero the variance does not cancel in Float`(channels: Int) {
    // 30,000 rows of 10,000 ± 1: the mean of squares less the square of the mean is off by more than the variance.
    let rows = 30_000
    let offsets: Storage<Float> = numbers(rows * channels, seed: 1)
    let input = Storage<Float>(offsets.array(0..<offsets.count).map { 10_000 + $0 })
    let mean = Storage<Float>(uninitialized: channels)
    let variance = Storage<Float>(uninitialized: channels)
    Kernels.channelStatistics(input, channels: channels, mean: mean, variance: variance)
    for c in 0..<channels {
      let values = (0..<rows).map { Double(input[$0 * channels + c]) }
      let expectedMean = values.reduce(0, +) / Double(rows)
      let expected = values.reduce(0) { $0 + ($1 - expectedMean) * ($1 - expectedMean) } / Double(rows)
      #expect(abs(Double(variance[c]) / expected - 1) < 1e-4)
    }
  }

  @Test(arguments: matrices) func `The passes forward and back are the definition's`(rows: Int, channels: Int) {
    checkPasses(rows, channels, Double.self, tolerance: 1e-12)
    checkPasses(rows, channels, Float.self, tolerance: 1e-5)
  }

  private func checkPasses<Scalar: Element>(_ rows: Int, _ channels: Int, _: Scalar.Type, tolerance: Double) {
    let count = rows * channels
    let input: Storage<Scalar> = numbers(count, seed: 1)
    let gradient: Storage<Scalar> = numbers(count, seed: 2)
    let vectors: [Storage<Scalar>] = (3..<8).map { numbers(channels, seed: $0) }
    let (mean, a, b, d, factor) = (vectors[0], vectors[1], vectors[2], vectors[3], vectors[4])

    let output = Storage<Scalar>(repeating: .nan, count: count)
    Kernels.normalize(input, channels: channels, mean: mean, scale: a, shift: b, output: output)
    let expected = Storage((0..<count).map { (input[$0] - mean[$0 % channels]) * a[$0 % channels] + b[$0 % channels] })
    #expect(relativeError(output, expected) <= tolerance)

    let combined = Storage<Scalar>(repeating: .nan, count: count)
    Kernels.normalizationInputGradient(
      gradient: gradient, input: input, channels: channels, a: a, b: b, d: d, mean: mean, inputGradient: combined)
    let expectedGradient = (0..<count).map { i in
      let c = i % channels
      return a[c] * gradient[i] + b[c] * (input[i] - mean[c]) + d[c]
    }
    #expect(relativeError(combined, Storage(expectedGradient)) <= tolerance)

    let sums = Storage<Scalar>(repeating: .nan, count: channels)
    let products = Storage<Scalar>(repeating: .nan, count: channels)
    Kernels.normalizationSums(
      gradient: gradient, input: input, channels: channels, mean: mean, factor: factor, sums: sums, products: products)
    for c in 0..<channels {
      let pixels = stride(from: c, to: count, by: channels)
      let sum = pixels.reduce(0.0) { $0 + Double(gradient[$1]) }
      let product = pixels.reduce(0.0) { $0 + Double(gradient[$1]) * (Double(input[$1]) - Double(mean[c])) }
      #expect(abs(Double(sums[c]) - sum) <= tolerance * Double(rows))
      #expect(abs(Double(products[c]) - product * Double(factor[c])) <= tolerance * Double(rows))
    }
  }

  @Test func `The inverse deviation by hand`() {
    let output = Storage<Double>(repeating: .nan, count: 3)
    Kernels.inverseDeviation(ofVariance: Storage([0, 3.75, 0]), epsilon: 0.25, into: output)
    #expect(output.array(0..<3) == [2, 0.5, 2])
    Kernels.inverseDeviation(ofVariance: Storage([0, 4, 0.25]), epsilon: 0, into: output)
    #expect(output.array(0..<3) == [.infinity, 0.5, 2])
  }

  @Test(arguments: matrices) func `Adding a row to each row, and summing the rows`(rows: Int, channels: Int) {
    checkRows(rows, channels, Double.self, tolerance: 1e-15)
    checkRows(rows, channels, Float.self, tolerance: 1e-7)
  }

  private func checkRows<Scalar: Element>(_ rows: Int, _ channels: Int, _: Scalar.Type, tolerance: Double) {
    let input: Storage<Scalar> = numbers(rows * channels, seed: 1)
    let row: Storage<Scalar> = numbers(channels, seed: 2)
    let output = Storage<Scalar>(repeating: .nan, count: input.count)
    Kernels.addRow(row, toEachRowOf: input, output: output)
    #expect(output.array(0..<output.count) == (0..<input.count).map { input[$0] + row[$0 % channels] })

    let sums = Storage<Scalar>(repeating: .nan, count: channels)
    Kernels.sumRows(input, into: sums)
    for c in 0..<channels {
      let sum = stride(from: c, to: input.count, by: channels).reduce(0.0) { $0 + Double(input[$1]) }
      #expect(abs(Double(sums[c]) - sum) <= tolerance * Double(rows))
    }

    Kernels.addRow(row, toEachRowOf: input, output: input)
    #expect(input.array(0..<input.count) == output.array(0..<output.count), "in place")
  }

  @Test(arguments: [(5000, 3), (5000, 16), (40_000, 32)])
  func `Long sums in Float are as exact as their last rounding`(rows: Int, channels: Int) {
    // Added one after the other, 5,000 equal numbers are off by 1e-5.
    let gradient = Storage<Float>(repeating: 0.1, count: rows * channels)
    let input = Storage<Float>(repeating: 0.7, count: rows * channels)
    let mean = Storage<Float>(repeating: 0.3, count: channels)
    let one = Storage<Float>(repeating: 1, count: channels)
    let expectedSum = Double(rows) * Double(Float(0.1))
    let expectedProduct = expectedSum * Double(Float(0.7) - Float(0.3))

    let sums = Storage<Float>(repeating: .nan, count: channels)
    let products = Storage<Float>(repeating: .nan, count: channels)
    func expectExact() {
      for c in 0..<channels {
        #expect(abs(Double(sums[c]) / expectedSum - 1) < 2e-7)
        #expect(abs(Double(products[c]) / expectedProduct - 1) < 2e-7)
      }
    }
    Kernels.normalizationSums(
      gradient: gradient, input: input, channels: channels, mean: mean, factor: one, sums: sums, products: products)
    expectExact()
    Kernels.sumRows(gradient, into: sums)
    expectExact()

    guard channels % Float.lanes == 0 else { return }
    let rectified = Storage<Float>(repeating: .nan, count: gradient.count)
    Kernels.normalizeAddRectifyGradient(
      gradient, output: input, input: input, mean: mean, into: rectified, sum: sums, product: products)
    expectExact()
  }

  @Test func `Rounding errors are kept beside a sum`() {
    var sum = CompensatedSum<Float>()
    for _ in 0..<100_000 { sum.add(.init(repeating: 0.1)) }
    sum.add(.init(repeating: -10_000))
    // Not 0, for the nearest Float is not 0.1; but a plain sum in Float gives −1.4.
    let expected = 100_000 * Double(Float(0.1)) - 10_000
    #expect(abs(Double(sum.value[0]) - expected) < 0.01)
  }
}
