import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct StemTests {
  /// Height and width of the images and of the output.
  @Test(arguments: [
    (Architecture.Stem.cifar, 32, 32, 32, 32), (.cifar, 7, 12, 7, 12), (.imageNet, 224, 224, 56, 56),
    (.imageNet, 225, 33, 57, 9), (.imageNet, 30, 37, 8, 10), (.imageNet, 1, 4, 1, 1),
  ])
  func `The stem of CIFAR keeps the size, that of ImageNet quarters it, upwards`(
    kind: Architecture.Stem, height: Int, width: Int, newHeight: Int, newWidth: Int
  ) {
    let stem = stem(Float.self, kind, 4)
    let images = Tensor<Float>([1, height, width, 3], repeating: 1)
    #expect(stem(images).shape == [1, newHeight, newWidth, 4])
    #expect(stem.forward(images).output.shape == [1, newHeight, newWidth, 4])
  }

  @Test func `The kernels are 3x3 and 7x7, without a bias`() {
    for (kind, size, stride) in [(Architecture.Stem.cifar, 3, 1), (.imageNet, 7, 2)] {
      let stem = stem(Double.self, kind, 5)
      #expect(stem.parameters.named.map(\.name) == ["conv.weight", "bn.scale", "bn.shift"])
      #expect(stem.block.units[0].conv.parameters.weight.shape == [size, size, 3, 5])
      #expect(stem.block.units[0].conv.stride == stride)
      #expect(stem.statistics.map(\.name) == ["bn.runningMean", "bn.runningVariance"])
    }
  }

  @Test func `The pool takes the largest of nine rectified numbers`() {
    var generator = RandomGenerator(seed: 10)
    let stem = stem(Double.self, .imageNet, 2)
    var observed: [String: Tensor<Double>] = [:]
    let output = stem.forward(Tensor(normal: [1, 13, 10, 3], using: &generator)) { observed[$0] = $1 }.output
    let normalized = observed["bn"]!
    #expect(observed["conv"]?.shape == [1, 7, 5, 2] && normalized.shape == [1, 7, 5, 2])
    #expect(
      observed["maxPool"] == output && observed["output"]?.shape == [1, 7, 5, 2] && output.shape == [1, 4, 3, 2])
    for y in 0..<4 {
      for x in 0..<3 {
        for c in 0..<2 {
          let rows = max(0, 2 * y - 1)...min(6, 2 * y + 1)
          let columns = max(0, 2 * x - 1)...min(4, 2 * x + 1)
          let window = rows.flatMap { row in columns.map { normalized[0, row, $0, c] } }
          #expect(output[0, y, x, c] == max(0, window.max()!))
        }
      }
    }
  }

  @Test(arguments: [Architecture.Stem.cifar, .imageNet], [false, true])
  func `The gradients without the images' are those of backward`(kind: Architecture.Stem, fused: Bool) {
    var generator = RandomGenerator(seed: 11)
    let stem = stem(Double.self, kind, 16, fused: fused)
    let (output, cache) = stem.forward(Tensor(normal: [2, 16, 12, 3], using: &generator))
    let upstream = Tensor<Double>(normal: output.shape, using: &generator)
    let (imagesGradient, expected) = stem.backward(upstream, cache)
    let gradients = stem.parameterGradients(upstream, cache)
    #expect(imagesGradient.shape == [2, 16, 12, 3])
    #expect(largestDifference(gradients.units[0].conv.weight, expected.units[0].conv.weight) < 1e-10)
    #expect(largestDifference(gradients.units[0].bn.scale, expected.units[0].bn.scale) < 1e-10)
    #expect(largestDifference(gradients.units[0].bn.shift, expected.units[0].bn.shift) < 1e-10)
    #expect(expected.units[0].conv.weight.maximum > 0.1)
  }

  private func stem<Scalar: Element>(
    _: Scalar.Type, _ kind: Architecture.Stem, _ channels: Int, fused: Bool = false
  ) -> Stem<Scalar> {
    var generator = RandomGenerator(seed: 1)
    return Stem(kind, channels, fused: fused, using: &generator)
  }
}
