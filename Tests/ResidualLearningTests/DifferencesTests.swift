import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

/// The numbers of docs/differences.md that no other suite has.
@Suite struct DifferencesTests {
  @Test func `Zeros after the channels and around them give different logits for the same weights`() {
    let images = SyntheticImages.make(count: 4, seed: 1)
    func logits(_ zeros: ZeroPlacement) -> Tensor<Float> {
      var generator = RandomGenerator(seed: 1)
      let network = ResidualNetwork<Float>(
        .cifar(depth: 20, options: .init(zeros: zeros)), using: &generator)
      return network.forward(PixelNormalization.perPixel(of: images).input(images, 0..<4)).output
    }
    let (after, around) = (logits(.after), logits(.around))
    #expect((after - around).deviation > 0.2 * after.deviation)
  }

  @Test func `ResNet-50 has a projection of stride 1 in its first stage, ResNet-34 has none there`() {
    func projections(_ depth: Int) -> [String] {
      Summary(.imageNet(depth: depth)).layers.filter { $0.kind == .projection }.map(\.description)
    }
    #expect(projections(50) == ["1x1, 256", "1x1, 512, stride 2", "1x1, 1024, stride 2", "1x1, 2048, stride 2"])
    #expect(projections(34) == ["1x1, 128, stride 2", "1x1, 256, stride 2", "1x1, 512, stride 2"])
  }

  @Test func `With the stride in the first 1x1 three of four input pixels do not reach the 3x3`() {
    var generator = RandomGenerator(seed: 2)
    func pixelsSeen(_ placement: StridePlacement) -> Int {
      let block = makeBlock(
        .bottleneck, 4, width: 2, output: 8, stride: 2, options: .init(shortcut: .b, stridePlacement: placement))
      let (conv1, conv2) = (block.units[0].conv, block.units[1].conv)
      let (middle, cache1) = conv1.forward(Tensor(normal: [1, 8, 8, 4], using: &generator))
      let (output, cache2) = conv2.forward(middle)
      let gradient = conv2.backward(Tensor(normal: output.shape, using: &generator), cache2).inputGradient
      let input = conv1.backward(gradient, cache1).inputGradient
      return (0..<64).count { input.elements[4 * $0] != 0 }
    }
    #expect(pixelsSeen(.first1x1) == 16)
    #expect(pixelsSeen(.middle3x3) == 64)
  }

  @Test func `Fan-in and fan-out differ where the channels change`() {
    #expect(abs(HeInitialization.fanIn.deviation(ofWeight: [3, 3, 3, 16]) - 0.2722) < 1e-4)
    #expect(abs(HeInitialization.fanOut.deviation(ofWeight: [3, 3, 3, 16]) - 0.1179) < 1e-4)
    #expect(
      HeInitialization.fanIn.deviation(ofWeight: [3, 3, 16, 16])
        == HeInitialization.fanOut.deviation(ofWeight: [3, 3, 16, 16]))
  }

  @Test func `Fan-in and fan-out differ by the root of 2 where a stage doubles the channels`() {
    for channels in [16, 32] {
      let shape: Shape = [3, 3, channels, 2 * channels]
      let ratio = HeInitialization.fanIn.deviation(ofWeight: shape) / HeInitialization.fanOut.deviation(ofWeight: shape)
      #expect(abs(ratio - 2.0.squareRoot()) < 1e-12)
    }
  }

  @Test func `Behind a normalization twice the weights give the same output and get half the gradient`() {
    var generator = RandomGenerator(seed: 6)
    let bn = BatchNorm2D<Double>(channels: 4, epsilon: 0)
    let input = Tensor<Double>(normal: [2, 5, 4, 3], using: &generator)
    let weight = Tensor<Double>(normal: [3, 3, 3, 4], using: &generator)
    let upstream = Tensor<Double>(normal: [2, 5, 4, 4], using: &generator)
    func pass(_ weight: Tensor<Double>) -> (output: Tensor<Double>, gradient: Tensor<Double>) {
      let conv = Conv2D(weight: weight, padding: 1)
      let (convolved, convCache) = conv.forward(input)
      let (output, bnCache) = bn.forward(convolved)
      let convolvedGradient = bn.backward(upstream, bnCache).inputGradient
      return (output, conv.backward(convolvedGradient, convCache).gradients.weight)
    }
    let (once, twice) = (pass(weight), pass(weight * 2))
    // A factor of 2 rounds nothing.
    #expect(twice.output == once.output)
    #expect(twice.gradient * 2 == once.gradient)
  }

  @Test func `A scale of zero in a block's last normalization takes the gradient from four of its six parameters`() {
    var generator = RandomGenerator(seed: 3)
    var block = makeBlock(.basic, 4, width: 4, output: 4)
    func withoutGradient() -> [String] {
      let (output, cache) = block.forward(Tensor(normal: [2, 4, 4, 4], using: &generator))
      let (_, gradients) = block.backward(Tensor(normal: output.shape, using: &generator), cache)
      return gradients.named.filter { $0.tensor.elements.allSatisfy { $0 == 0 } }.map(\.name)
    }
    #expect(withoutGradient().isEmpty)
    block.units[1].bn.parameters.scale = Tensor(zeros: [4])
    #expect(withoutGradient() == ["conv1.weight", "bn1.scale", "bn1.shift", "conv2.weight"])
  }

  @Test func `Running variances are unbiased: on the last maps of a batch of 128 a factor of 8192 over 8191`() {
    var bn = BatchNorm2D<Double>(channels: 1)
    var generator = RandomGenerator(seed: 4)
    let cache = bn.forward(Tensor(normal: [128, 8, 8, 1], using: &generator)).cache
    bn.track(cache, rate: 1)
    #expect(abs(bn.running.variance[0] / cache.batch.variance[0] - 8192.0 / 8191) < 1e-12)
    #expect(bn.epsilon == 1e-5)
  }

  @Test func `Of ResNet-20's parameters 1,386 are scales, shifts and biases`() {
    var generator = RandomGenerator(seed: 1)
    let network = ResidualNetwork<Float>(.cifar(depth: 20), using: &generator)
    let others = network.parameters.named.filter { !$0.name.hasSuffix("weight") }
    #expect(others.reduce(0) { $0 + $1.tensor.count } == 1386)
  }

  @Test func `ResNet-18 of Table 1 with ten classes has 11.2 million parameters, ResNet-20 has 0.27`() {
    #expect(Summary(.imageNet(depth: 18, classes: 10)).parameters == 11_181_642)
    #expect(Summary(.cifar(depth: 20)).parameters == 269_722)
  }

  @Test func `What a crop shows beyond the border is zero, the mean, and not black`() {
    let images = SyntheticImages.make(count: 200, seed: 1)
    let normalization = PixelNormalization.perPixel(of: images)
    let corner = normalization.input([images.view(0, top: -4, left: -4)])
    #expect((0..<3).map { corner[0, 0, 0, $0] } == [0, 0, 0])
    // A black pixel there would be minus the mean.
    #expect(normalization.mean.mean > 0.3)
  }

  @Test func `A max-pool with Torch's border sees other windows than one that pads right and below`() {
    var generator = RandomGenerator(seed: 5)
    let input = Tensor<Double>(normal: [1, 112, 112, 1], using: &generator)
    let torch = MaxPool2D<Double>(window: 3, stride: 2, padding: 1)(input)
    #expect(torch.shape == [1, 56, 56, 1])
    // Windows from row 2i on, cut at the last row: Caffe's rounding up, TensorFlow's SAME.
    var equal = 0
    for y in 0..<56 {
      for x in 0..<56 {
        var largest = -Double.infinity
        for j in 2 * y..<min(2 * y + 3, 112) {
          for i in 2 * x..<min(2 * x + 3, 112) { largest = max(largest, input[0, j, i, 0]) }
        }
        if torch[0, y, x, 0] == largest { equal += 1 }
      }
    }
    // Two windows share four of their nine pixels.
    #expect(Double(equal) / 3136 > 0.2 && Double(equal) / 3136 < 0.4)
  }
}
