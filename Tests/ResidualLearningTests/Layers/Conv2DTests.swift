import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct Conv2DTests {
  /// 1 to 9 in three rows.
  private let image = Tensor<Float>([1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9])

  @Test func `A 2x2 kernel over a 3x3 image: four sums of four products`() {
    let layer = Conv2D(weight: Tensor<Float>([2, 2, 1, 1], [1, 2, 3, 4]), bias: Tensor([0.5]))
    // 1·1 + 2·2 + 3·4 + 4·5 = 37, and a half
    #expect(layer(image) == Tensor([1, 2, 2, 1], [37.5, 47.5, 67.5, 77.5]))
  }

  @Test func `Its gradients by hand`() {
    let layer = Conv2D(weight: Tensor<Float>([2, 2, 1, 1], [1, 2, 3, 4]), bias: Tensor([0.5]))
    let (_, cache) = layer.forward(image)
    let (inputGradient, gradients) = layer.backward(Tensor([1, 2, 2, 1], [1, 0, 0, 10]), cache)
    // dy at the top left spreads the kernel there, ten times the kernel lies at the bottom right.
    #expect(inputGradient == Tensor([1, 3, 3, 1], [1, 2, 0, 3, 14, 20, 0, 30, 40]))
    // 1, 2, 4, 5 under the kernel at the top left, and ten times 5, 6, 8, 9 at the bottom right
    #expect(gradients.weight == Tensor([2, 2, 1, 1], [51, 62, 84, 95]))
    #expect(gradients.bias == Tensor([11]))
  }

  @Test func `Stride 2 and padding 1: the corners see a border of zeros`() {
    let layer = Conv2D(weight: Tensor<Float>([3, 3, 1, 1], repeating: 1), stride: 2, padding: 1)
    // 1 + 2 + 4 + 5 and so on
    #expect(layer(image) == Tensor([1, 2, 2, 1], [12, 16, 24, 28]))
    let (inputGradient, gradients) = layer.backward(Tensor([1, 2, 2, 1], [1, 2, 3, 4]), layer.forward(image).cache)
    #expect(inputGradient == Tensor([1, 3, 3, 1], [1, 3, 2, 4, 10, 6, 3, 7, 4]))
    // Only the lower right output has weight [0, 0] on the image, at the pixel 5.
    #expect(gradients.weight[0, 0, 0, 0] == 4 * 5 && gradients.bias == nil)
  }

  @Test func `A kernel lies on the image as it is written: it is not mirrored`() {
    var weight = Tensor<Float>(zeros: [3, 3, 1, 1])
    weight[0, 1, 0, 0] = 1  // the pixel above
    let layer = Conv2D(weight: weight, padding: 1)
    #expect(layer(image) == Tensor([1, 3, 3, 1], [0, 0, 0, 1, 2, 3, 4, 5, 6]))
  }

  @Test func `A 1x1 kernel multiplies the channels of each pixel with a matrix`() {
    let layer = Conv2D(weight: Tensor<Float>([1, 1, 2, 3], [1, 2, 3, 4, 5, 6]))
    let input = Tensor<Float>([1, 1, 2, 2], [1, 10, 2, 20])
    #expect(layer(input) == Tensor([1, 1, 2, 3], [41, 52, 63, 82, 104, 126]))
  }

  @Test func `Sizes of the output: (H + 2p − k) / s + 1, rounded down`() {
    var generator = RandomGenerator(seed: 1)
    func shape(_ kernel: Int, _ stride: Int, _ padding: Int?, _ height: Int, _ width: Int) -> Shape {
      let layer = Conv2D<Float>(3, 5, kernel: kernel, stride: stride, padding: padding, using: &generator)
      return layer(Tensor(zeros: [2, height, width, 3])).shape
    }
    #expect(shape(3, 1, nil, 7, 4) == [2, 7, 4, 5])
    #expect(shape(3, 2, nil, 7, 4) == [2, 4, 2, 5])
    #expect(shape(7, 2, 3, 224, 32) == [2, 112, 16, 5])
    #expect(shape(1, 2, 0, 7, 8) == [2, 4, 4, 5])
    #expect(shape(5, 3, 0, 9, 11) == [2, 2, 3, 5])
  }

  @Test func `Random weights have He's deviation, by the connections in or out`() {
    #expect(HeInitialization.fanIn.deviation(ofWeight: [3, 3, 64, 128]) == (2.0 / 576).squareRoot())
    #expect(HeInitialization.fanOut.deviation(ofWeight: [3, 3, 64, 128]) == (2.0 / 1152).squareRoot())
    for (fan, deviation) in [(HeInitialization.fanIn, (2.0 / 288).squareRoot()), (.fanOut, (2.0 / 576).squareRoot())] {
      var generator = RandomGenerator(seed: 4)
      let layer = Conv2D<Double>(32, 64, kernel: 3, bias: true, fan: fan, using: &generator)
      let weight = layer.parameters.weight
      // 18,432 numbers: five standard errors of their deviation are 2.6 %, of their mean 0.037 deviations.
      #expect(abs(weight.deviation / deviation - 1) < 0.026)
      #expect(abs(weight.mean) < 0.037 * deviation)
      #expect(layer.parameters.bias == Tensor(zeros: [64]))
    }
  }

  @Test func `With He's weights a signal keeps its size through twenty layers with ReLU`() {
    var generator = RandomGenerator(seed: 6)
    var x = Tensor<Float>(normal: [2, 8, 8, 32], using: &generator)
    let relu = ReLU<Float>()
    for _ in 0..<20 { x = relu(Conv2D<Float>(32, 32, kernel: 1, using: &generator)(x)) }
    let square = x.dot(x) / Float(x.count)
    #expect(square > 0.1 && square < 10, "the mean square is \(square), it was 1")
  }

  @Test func `Forward and inference are the same, and parameter gradients need no input gradient`() {
    var generator = RandomGenerator(seed: 1)
    let layer = Conv2D<Float>(3, 16, kernel: 3, stride: 2, bias: true, using: &generator)
    let input = Tensor<Float>(normal: [2, 7, 6, 3], using: &generator)
    let (output, cache) = layer.forward(input)
    #expect(output == layer(input) && cache.input == input)
    let upstream = Tensor<Float>(normal: output.shape, using: &generator)
    let (_, gradients) = layer.backward(upstream, cache)
    let alone = layer.parameterGradients(upstream, cache)
    #expect(gradients.weight == alone.weight && gradients.bias == alone.bias)
  }

  @Test func `The fast kernels give what the plain loops give`() {
    var generator = RandomGenerator(seed: 2)
    for (channels, outputs, kernel, stride) in [(3, 16, 3, 1), (16, 20, 3, 2), (16, 16, 1, 1), (5, 8, 7, 2)] {
      let layer = Conv2D<Double>(channels, outputs, kernel: kernel, stride: stride, using: &generator)
      let input = Tensor<Double>(normal: [2, 9, 7, channels], using: &generator)
      let (output, cache) = layer.forward(input)
      let upstream = Tensor<Double>(normal: output.shape, using: &generator)
      let (inputGradient, gradients) = layer.backward(upstream, cache)

      let (sizes, weight) = (layer.sizes(of: input), layer.parameters.weight)
      let expected = Tensor<Double>(zeros: output.shape)
      Kernels.referenceConvolution(sizes, input: input.storage, weight: weight.storage, output: expected.storage)
      let expectedInput = Tensor<Double>(zeros: input.shape)
      Kernels.referenceConvolutionInputGradient(
        sizes, outputGradient: upstream.storage, weight: weight.storage, inputGradient: expectedInput.storage)
      let expectedWeight = Tensor<Double>(zeros: weight.shape)
      Kernels.referenceConvolutionWeightGradient(
        sizes, input: input.storage, outputGradient: upstream.storage, weightGradient: expectedWeight.storage)
      #expect(largestDifference(output, expected) < 1e-12)
      #expect(largestDifference(inputGradient, expectedInput) < 1e-12)
      #expect(largestDifference(gradients.weight, expectedWeight) < 1e-12)
    }
  }

  @Test func `Parameters are visited by name, without a bias that is not there`() {
    var generator = RandomGenerator(seed: 1)
    let with = Conv2D<Float>(3, 4, kernel: 3, bias: true, using: &generator)
    #expect(with.parameters.named.map(\.name) == ["weight", "bias"] && with.parameters.count == 112)
    let without = Conv2D<Float>(3, 4, kernel: 3, using: &generator)
    #expect(without.parameters.named.map(\.name) == ["weight"] && without.parameters.count == 108)
    var changed = with.parameters
    changed.visit("a.") { name, tensor in if name == "a.bias" { tensor = Tensor([1, 2, 3, 4]) } }
    #expect(changed.bias == Tensor([1, 2, 3, 4]) && with.parameters.bias == Tensor(zeros: [4]))
  }
}
