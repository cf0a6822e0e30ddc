import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct BatchNorm2DTests {
  /// Two channels of four pixels: 1, 3, 5, 7 and 2, 2, 4, 4. Means 4 and 3, variances 5 and 1.
  private let input = Tensor<Double>([1, 2, 2, 2], [1, 2, 3, 2, 5, 4, 7, 4])

  private func layer(epsilon: Double = 0) -> BatchNorm2D<Double> {
    var layer = BatchNorm2D<Double>(channels: 2, epsilon: epsilon)
    layer.parameters.scale = Tensor([2, -1])
    layer.parameters.shift = Tensor([10, 0.5])
    return layer
  }

  @Test func `Means and biased variances by hand`() {
    let statistics = layer().statistics(of: input)
    #expect(statistics.mean == Tensor([4, 3]) && statistics.variance == Tensor([5, 1]))
  }

  @Test func `The output by hand`() {
    let (output, cache) = layer().forward(input)
    let r = 1 / 5.0.squareRoot()
    let expected = Tensor<Double>(
      [1, 2, 2, 2], [10 - 6 * r, 1.5, 10 - 2 * r, 1.5, 10 + 2 * r, -0.5, 10 + 6 * r, -0.5])
    #expect(largestDifference(output, expected) < 1e-14)
    #expect(largestDifference(cache.inverseDeviation, Tensor([r, 1])) < 1e-15)
    // ε goes under the root.
    #expect(layer(epsilon: 4).forward(input).cache.inverseDeviation[0] == 1.0 / 3)
  }

  @Test func `The gradients by hand`() {
    // Channel 1, x̂ = (−1, −1, 1, 1): with dy = (1, 0, 0, 0), dβ = 1, dγ = −1, γ r = −1 and
    // dx = −(dy − 1/4 + x̂/4) = −(1 − 1/4 − 1/4, −1/4 − 1/4, 0, 0).
    let (_, cache) = layer().forward(input)
    let upstream = Tensor<Double>([1, 2, 2, 2], [0, 1, 0, 0, 0, 0, 0, 0])
    let (inputGradient, gradients) = layer().backward(upstream, cache)
    #expect(gradients.shift == Tensor([0, 1]) && gradients.scale == Tensor([0, -1]))
    #expect(inputGradient == Tensor([1, 2, 2, 2], [0, -0.5, 0, 0.5, 0, 0, 0, 0]))
  }

  @Test func `The output of each channel has the shift as its mean and the scale as its deviation`() {
    var generator = RandomGenerator(seed: 1)
    for channels in [3, 16, 20] {
      var layer = BatchNorm2D<Double>(channels: channels)
      layer.parameters.scale = Tensor(uniform: [channels], from: 0.5, to: 2, using: &generator)
      layer.parameters.shift = Tensor(normal: [channels], using: &generator)
      let input = Tensor<Double>(normal: [3, 5, 4, channels], mean: 7, deviation: 3, using: &generator)
      let statistics = layer.statistics(of: layer.forward(input).output)
      let squared = layer.parameters.scale * layer.parameters.scale
      #expect(largestDifference(statistics.mean, layer.parameters.shift) < 1e-13)
      #expect(largestDifference(statistics.variance, squared) < 1e-5)  // ε keeps it a millionth smaller
    }
  }

  @Test func `The gradient has mean zero and no share of the normalized input`() {
    var generator = RandomGenerator(seed: 2)
    let layer = BatchNorm2D<Double>(channels: 5, epsilon: 0)
    let input = Tensor<Double>(normal: [2, 4, 3, 5], using: &generator)
    let (output, cache) = layer.forward(input)
    let upstream = Tensor<Double>(normal: input.shape, using: &generator)
    let (inputGradient, _) = layer.backward(upstream, cache)
    for c in 0..<5 {
      let pixels = stride(from: c, to: input.count, by: 5)
      #expect(abs(pixels.reduce(0) { $0 + inputGradient[flat: $1] }) < 1e-12)
      #expect(abs(pixels.reduce(0) { $0 + inputGradient[flat: $1] * output[flat: $1] }) < 1e-12)
    }
  }

  @Test func `Running statistics move by the rate; their variance is unbiased`() {
    var layer = layer()
    let (_, cache) = layer.forward(input)
    layer.track(cache, rate: 0.1)
    // Mean 0 → 0.1 · 4; variance 1 → 0.9 + 0.1 · 5 · 4/3.
    #expect(largestDifference(layer.running.mean, Tensor([0.4, 0.3])) < 1e-15)
    #expect(largestDifference(layer.running.variance, Tensor([0.9 + 0.1 * 20 / 3, 0.9 + 0.1 * 4 / 3])) < 1e-15)
    layer.track(cache, rate: 1)
    #expect(layer.running.mean == Tensor([4, 3]))
    #expect(largestDifference(layer.running.variance, Tensor([20.0 / 3, 4.0 / 3])) < 1e-15)
  }

  @Test func `Unbiased variances of many small batches average to the variance of all images; biased ones do not`() {
    var generator = RandomGenerator(seed: 3)
    var layer = BatchNorm2D<Double>(channels: 1)
    var (unbiased, biased) = (0.0, 0.0)
    for _ in 0..<4000 {
      let (_, cache) = layer.forward(Tensor(normal: [1, 2, 2, 1], deviation: 3, using: &generator))
      layer.track(cache, rate: 1)
      unbiased += layer.running.variance[0] / 4000
      biased += cache.batch.variance[0] / 4000
    }
    // The variance is 9; five standard errors are 9 √(2/3/4000) · 5 = 0.58. Biased: 9 · 3/4.
    #expect(abs(unbiased - 9) < 0.58)
    #expect(abs(biased - 6.75) < 0.44)
  }

  @Test func `Inference uses the running statistics, and forward does not touch them`() {
    var layer = layer()
    layer.running.mean = Tensor([1, 2])
    layer.running.variance = Tensor([4, 0.25])
    // Channel 0: 2 (x − 1)/2 + 10; channel 1: −(x − 2)/0.5 + 0.5.
    let expected = Tensor<Double>([1, 2, 2, 2], [10, 0.5, 12, 0.5, 14, -3.5, 16, -3.5])
    #expect(layer(input) == expected)
    _ = layer.forward(input)
    #expect(layer(input) == expected)
    // Each image by itself: a batch of two gives what the two give alone.
    let other = input * 3
    #expect(layer(Tensor(concatenating: [input, other])) == Tensor(concatenating: [layer(input), layer(other)]))
  }

  @Test func `In Float a mean of 10,000 and a deviation of 1 give what Double gives`() {
    var generator = RandomGenerator(seed: 4)
    for channels in [3, 16] {
      let exact = Tensor<Double>(normal: [4, 16, 16, channels], mean: 1e4, using: &generator)
      let input = exact.converted(to: Float.self)  // rounds to 1/1024
      let same = input.converted(to: Double.self)
      let (output, _) = BatchNorm2D<Float>(channels: channels).forward(input)
      let (expected, cache) = BatchNorm2D<Double>(channels: channels).forward(same)
      // Float's neighbours of 10,000 are 1/1024 apart: the mean is right to about two of these steps.
      #expect(largestDifference(output.converted(to: Double.self), expected) < 4e-3)
      let variance = BatchNorm2D<Float>(channels: channels).statistics(of: input).variance
      #expect(largestDifference(variance.converted(to: Double.self), cache.batch.variance) < 1e-5)

      // E[x²] − E[x]² in Float, what must not be done: squares near 1e8 are rounded to eights.
      let pixels = stride(from: 0, to: input.count, by: channels).map { input[flat: $0] }
      let mean = pixels.reduce(0, +) / Float(pixels.count)
      let naive = pixels.reduce(0) { $0 + $1 * $1 } / Float(pixels.count) - mean * mean
      #expect(abs(Double(naive) - cache.batch.variance[0]) > 0.1)
    }
  }

  @Test func `One pixel per channel has variance zero and gives the shift`() {
    var layer = BatchNorm2D<Float>(channels: 3)
    layer.parameters.shift = Tensor([1, 2, 3])
    let (output, cache) = layer.forward(Tensor([1, 1, 1, 3], [5, -6, 7]))
    #expect(output == Tensor([1, 1, 1, 3], [1, 2, 3]))
    layer.track(cache, rate: 1)
    #expect(layer.running.variance == Tensor([0, 0, 0]) && layer.running.mean == Tensor([5, -6, 7]))
  }

  @Test func `Parameters and statistics are visited by name`() {
    var layer = BatchNorm2D<Float>(channels: 3)
    #expect(layer.parameters.named.map(\.name) == ["scale", "shift"])
    var names: [String] = []
    layer.visitStatistics("bn1.") { name, running in
      names.append(name)
      running.variance = Tensor([4, 5, 6])
    }
    #expect(names == ["bn1."] && layer.running.variance == Tensor([4, 5, 6]))
    #expect(layer.statistics.map(\.name) == ["runningMean", "runningVariance"])
    #expect(layer.statistics[1].tensor == Tensor([4, 5, 6]))
  }
}
