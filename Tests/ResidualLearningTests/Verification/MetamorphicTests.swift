import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

/// What must happen to a result when the input is changed in a way whose effect is known: to the bit, where arithmetic
/// allows it.
@Suite struct MetamorphicTests {
  /// Small whole numbers: their products and sums are exact in Float, so that the order of a sum does not show.
  private func whole(_ shape: Shape, _ generator: inout RandomGenerator) -> Tensor<Float> {
    Tensor(shape, (0..<shape.count).map { _ in Float(generator.below(9)) - 4 })
  }

  /// The tensor with the items of one axis in another order: item i of the result is item `order[i]`.
  private func reordered(_ x: Tensor<Float>, axis: Int, _ order: [Int]) -> Tensor<Float> {
    let inner = x.shape.sizes.suffix(from: axis + 1).reduce(1, *)
    let size = x.shape[axis]
    let elements = x.elements
    return Tensor(
      x.shape,
      elements.indices.map { i in
        let (outer, place) = (i / (inner * size), i / inner % size)
        return elements[(outer * size + order[place]) * inner + i % inner]
      })
  }

  private func mirrored(_ x: Tensor<Float>, axis: Int) -> Tensor<Float> {
    reordered(x, axis: axis, (0..<x.shape[axis]).reversed())
  }

  /// Direct sums, Winograd's, one channel and a channel too many for a vector.
  private static let convolutions: [(inputs: Int, outputs: Int, kernel: Int, stride: Int)] = [
    (16, 32, 3, 2), (5, 7, 3, 1), (32, 16, 1, 1), (17, 16, 5, 1), (1, 16, 7, 2),
  ]

  // MARK: - Images

  @Test(arguments: [5, 17, 19], [false, true])
  func `Images in another order have their logits in that order, to the bit`(batch: Int, fused: Bool) throws {
    for (name, shortcut) in [("resnet8", ShortcutOption.a), ("resnet8", .b), ("plain8", .a)] {
      var generator = RandomGenerator(seed: 1)
      let network = try Architecture.named(name, shortcut: shortcut).network(fused: fused, using: &generator)
      let images = Tensor<Float>(normal: [batch, 12, 9, 3], using: &generator)
      let order = generator.permutation(batch)
      let logits = network(images)
      #expect(network(reordered(images, axis: 0, order)) == reordered(logits, axis: 0, order), "\(name) \(shortcut)")
    }
  }

  // MARK: - Convolutions

  @Test(arguments: convolutions.indices)
  func `Input channels in another order, with their weights, give the same output`(index: Int) {
    let (inputs, outputs, kernel, stride) = Self.convolutions[index]
    var generator = RandomGenerator(seed: 2)
    let weight = whole([kernel, kernel, inputs, outputs], &generator)
    let x = whole([3, 8, 11, inputs], &generator)
    let order = generator.permutation(inputs)
    let layer = Conv2D(weight: weight, stride: stride, padding: kernel / 2)
    let other = Conv2D(weight: reordered(weight, axis: 2, order), stride: stride, padding: kernel / 2)
    let (y, cache) = layer.forward(x)
    let (otherY, otherCache) = other.forward(reordered(x, axis: 3, order))
    #expect(otherY == y)
    let dy = whole(y.shape, &generator)
    let (dx, gradients) = layer.backward(dy, cache)
    let (otherDx, otherGradients) = other.backward(dy, otherCache)
    #expect(otherDx == reordered(dx, axis: 3, order))
    #expect(otherGradients.weight == reordered(gradients.weight, axis: 2, order))
  }

  @Test(arguments: convolutions.indices)
  func `Output channels in another order are that order of the output`(index: Int) {
    let (inputs, outputs, kernel, stride) = Self.convolutions[index]
    var generator = RandomGenerator(seed: 3)
    // Every output is a sum of its own: the numbers need not be whole.
    let weight = Tensor<Float>(normal: [kernel, kernel, inputs, outputs], using: &generator)
    let x = Tensor<Float>(normal: [3, 8, 11, inputs], using: &generator)
    let order = generator.permutation(outputs)
    let y = Conv2D(weight: weight, stride: stride, padding: kernel / 2)(x)
    let other = Conv2D(weight: reordered(weight, axis: 3, order), stride: stride, padding: kernel / 2)(x)
    #expect(other == reordered(y, axis: 3, order))
  }

  @Test(arguments: convolutions.indices, [1, 2])
  func `Mirrored images and mirrored kernels give the mirrored output`(index: Int, axis: Int) {
    let (inputs, outputs, kernel, stride) = Self.convolutions[index]
    var generator = RandomGenerator(seed: 4)
    let weight = whole([kernel, kernel, inputs, outputs], &generator)
    let x = whole([2, 9, 11, inputs], &generator)  // odd, so that stride 2 meets both edges
    let layer = Conv2D(weight: weight, stride: stride, padding: kernel / 2)
    let mirror = Conv2D(weight: mirrored(weight, axis: axis - 1), stride: stride, padding: kernel / 2)
    let (y, cache) = layer.forward(x)
    let (mirrorY, mirrorCache) = mirror.forward(mirrored(x, axis: axis))
    #expect(mirrorY == mirrored(y, axis: axis))
    let dy = whole(y.shape, &generator)
    let (dx, gradients) = layer.backward(dy, cache)
    let (mirrorDx, mirrorGradients) = mirror.backward(mirrored(dy, axis: axis), mirrorCache)
    #expect(mirrorDx == mirrored(dx, axis: axis))
    #expect(mirrorGradients.weight == mirrored(gradients.weight, axis: axis - 1))
  }

  /// Winograd's transforms multiply with √2, so that sums in another order round otherwise.
  @Test func `Winograd's convolution knows neither the order of channels nor left from right`() {
    var generator = RandomGenerator(seed: 5)
    let weight = Tensor<Float>(normal: [3, 3, 32, 32], using: &generator)
    let x = Tensor<Float>(normal: [4, 16, 16, 32], using: &generator)
    let layer = Conv2D(weight: weight, padding: 1)
    #expect(Kernels.usesWinograd(layer.sizes(of: x), Float.self))
    let order = generator.permutation(32)
    let permuted = Conv2D(weight: reordered(weight, axis: 2, order), padding: 1)
    let mirror = Conv2D(weight: mirrored(weight, axis: 1), padding: 1)
    let y = layer(x)
    #expect((permuted(reordered(x, axis: 3, order)) - y).largestMagnitude < 1e-5 * y.largestMagnitude)
    #expect((mirrored(mirror(mirrored(x, axis: 2)), axis: 2) - y).largestMagnitude < 1e-5 * y.largestMagnitude)
  }

  // MARK: - Normalization

  /// With ε = 0 and a power of two every number on the way is multiplied by a power of two, which rounds nothing.
  @Test(arguments: [(3, 16), (16, 16), (16, 24)])
  func `Weights before a normalization times 2 give the same output and half the gradient, to the bit`(
    inputs: Int, outputs: Int
  ) {
    var generator = RandomGenerator(seed: 6)
    let conv = Conv2D<Float>(inputs, outputs, kernel: 3, using: &generator)
    var bn = BatchNorm2D<Float>(channels: outputs, epsilon: 0)
    bn.parameters.scale = Tensor(uniform: [outputs], from: 0.5, to: 1.5, using: &generator)
    let x = Tensor<Float>(normal: [8, 12, 9, inputs], using: &generator)
    let dy = Tensor<Float>(normal: [8, 12, 9, outputs], using: &generator)
    func pass(_ conv: Conv2D<Float>) -> (y: Tensor<Float>, dx: Tensor<Float>, dw: Tensor<Float>, bn: [Tensor<Float>]) {
      let (z, convCache) = conv.forward(x)
      let (y, bnCache) = bn.forward(z)
      let (dz, gradients) = bn.backward(dy, bnCache)
      let (dx, convGradients) = conv.backward(dz, convCache)
      return (y, dx, convGradients.weight, [gradients.scale, gradients.shift])
    }
    let once = pass(conv)
    let twice = pass(Conv2D(weight: conv.parameters.weight * 2, padding: 1))
    #expect(twice.y == once.y && twice.dx == once.dx && twice.bn == once.bn)
    #expect(twice.dw * 2 == once.dw)
  }

  @Test(arguments: [3, 16], [false, true])
  func `Two copies of a batch have its statistics`(channels: Int, far: Bool) {
    var generator = RandomGenerator(seed: 7)
    let x = Tensor<Double>(normal: [5, 7, 6, channels], mean: far ? 100 : 0, using: &generator)
    let bn = BatchNorm2D<Double>(channels: channels)
    let (once, twice) = (bn.statistics(of: x), bn.statistics(of: Tensor(concatenating: [x, x])))
    #expect((once.mean - twice.mean).largestMagnitude <= 1e-15 * max(1, once.mean.largestMagnitude))
    #expect((once.variance - twice.variance).largestMagnitude <= 1e-14)
    let y = bn.forward(x).output
    let both = bn.forward(Tensor(concatenating: [x, x])).output
    #expect((both.slice(0..<5) - y).largestMagnitude <= 1e-12 && both.slice(0..<5) == both.slice(5..<10))
  }

  // MARK: - Blocks

  /// 0 times anything that is finite is ±0, which changes no sum but that of two zeros, and -0 equals 0.
  @Test(arguments: ShortcutOption.allCases, [false, true])
  func `A block whose last scale is zero is its shortcut and a ReLU, to the bit`(option: ShortcutOption, fused: Bool) {
    for kind in [Architecture.BlockKind.basic, .bottleneck] {
      for (outputs, stride) in [(16, 1), (32, 2)] {
        var block = makeBlock(
          kind, 16, width: 16, output: outputs, stride: stride, options: .init(shortcut: option), fused: fused,
          scalar: Float.self)
        let last = block.units.indices.last!
        block.units[last].bn.parameters.scale = Tensor(zeros: [outputs])
        block.units[last].bn.parameters.shift = Tensor(zeros: [outputs])
        var generator = RandomGenerator(seed: 10)
        let x = Tensor<Float>(normal: [17, 9, 8, 16], using: &generator)
        let shortcut = block.shortcut!
        #expect(block.forward(x).output == ReLU()(shortcut.forward(x).output), "\(kind), stride \(stride)")
        #expect(block(x) == ReLU()(shortcut(x)), "\(kind), stride \(stride)")
      }
    }
  }

  // MARK: - Softmax

  @Test func `Classes in another order have their probabilities in that order`() {
    var generator = RandomGenerator(seed: 8)
    let logits = Tensor<Float>(normal: [20, 10], deviation: 3, using: &generator)
    let order = generator.permutation(10)
    let p = softmax(reordered(logits, axis: 1, order))
    #expect((p - reordered(softmax(logits), axis: 1, order)).largestMagnitude <= 1e-6)
  }

  @Test func `A larger logit has no smaller probability`() {
    var generator = RandomGenerator(seed: 9)
    for deviation in [1e-6, 1e-3, 1, 30] {
      let logits = Tensor<Float>(normal: [50, 40], deviation: deviation, using: &generator)
      let (z, p) = (logits.elements, softmax(logits).elements)
      for row in 0..<50 {
        let order = (row * 40..<(row + 1) * 40).sorted { z[$0] < z[$1] }
        #expect(zip(order, order.dropFirst()).allSatisfy { p[$0] <= p[$1] })
      }
    }
  }
}
