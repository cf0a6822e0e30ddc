import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct PoolingTests {
  private let image = Tensor<Float>([1, 3, 4, 1], [1, 5, 2, 0, 3, 4, 9, 8, -7, 6, 7, -1])

  @Test func `The largest of each window`() {
    #expect(MaxPool2D<Float>(window: 2, stride: 2)(image) == Tensor([1, 1, 2, 1], [5, 9]))
    #expect(MaxPool2D<Float>(window: 2, stride: 1)(image) == Tensor([1, 2, 3, 1], [5, 9, 9, 6, 9, 9]))
  }

  @Test func `The border is never the largest, even where all is negative`() {
    let layer = MaxPool2D<Float>(window: 3, stride: 2, padding: 1)
    #expect(layer(image) == Tensor([1, 2, 2, 1], [5, 9, 6, 9]))
    let negative = Tensor<Float>([1, 3, 3, 1], repeating: -2)
    #expect(layer(negative) == Tensor([1, 2, 2, 1], repeating: -2))
  }

  @Test func `Table 1's pool takes 112 to 56`() {
    let layer = MaxPool2D<Float>(window: 3, stride: 2, padding: 1)
    #expect(layer(Tensor(zeros: [1, 112, 112, 2])).shape == [1, 56, 56, 2])
  }

  @Test func `Where windows overlap gradients add up at the largest pixel`() {
    let layer = MaxPool2D<Float>(window: 2, stride: 1)
    let (_, cache) = layer.forward(image)
    let (inputGradient, _) = layer.backward(Tensor([1, 2, 3, 1], [1, 20, 300, 4, 5000, 60000]), cache)
    #expect(inputGradient == Tensor([1, 3, 4, 1], [0, 1, 0, 0, 0, 0, 65320, 0, 0, 4, 0, 0]))
  }

  @Test func `Of equal pixels the first takes all of the gradient`() {
    let layer = MaxPool2D<Float>(window: 2, stride: 2)
    let (_, cache) = layer.forward(Tensor([1, 2, 2, 1], [1, 3, 3, 3]))
    #expect(layer.backward(Tensor([1, 1, 1, 1], [7]), cache).inputGradient == Tensor([1, 2, 2, 1], [0, 7, 0, 0]))
  }

  @Test(arguments: [1, 3, 16, 20, 32])
  func `Channels are pooled apart, as plain loops do it`(channels: Int) {
    var generator = RandomGenerator(seed: 1)
    let layer = MaxPool2D<Float>(window: 3, stride: 2, padding: 1)
    let input = Tensor<Float>(normal: [2, 7, 6, channels], using: &generator)
    let (output, cache) = layer.forward(input)
    let upstream = Tensor<Float>(normal: output.shape, using: &generator)
    var expected = Tensor<Float>(output.shape, repeating: -.infinity)
    var expectedGradient = Tensor<Float>(zeros: input.shape)
    for n in 0..<2 {
      for c in 0..<channels {
        for y in 0..<output.shape[1] {
          for x in 0..<output.shape[2] {
            var best = (0, 0)
            for j in max(0, 2 * y - 1)..<min(7, 2 * y + 2) {
              for i in max(0, 2 * x - 1)..<min(6, 2 * x + 2) where input[n, j, i, c] > expected[n, y, x, c] {
                expected[n, y, x, c] = input[n, j, i, c]
                best = (j, i)
              }
            }
            expectedGradient[n, best.0, best.1, c] += upstream[n, y, x, c]
          }
        }
      }
    }
    #expect(output == expected)
    #expect(largestDifference(layer.backward(upstream, cache).inputGradient, expectedGradient) < 1e-6)
  }

  @Test func `The mean of each channel over an image`() {
    let layer = GlobalAveragePool<Float>()
    let input = Tensor<Float>([2, 1, 3, 2], [1, 10, 2, 20, 6, 60, 0, 1, 0, 1, 3, 1])
    let (output, cache) = layer.forward(input)
    #expect(output == Tensor([2, 2], [3, 30, 1, 1]))
    let (inputGradient, gradients) = layer.backward(Tensor([2, 2], [3, 6, 9, 12]), cache)
    #expect(inputGradient == Tensor([2, 1, 3, 2], [1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4]) && gradients.count == 0)
    #expect(layer(input) == output)
  }
}
