import ResidualKernels
import Testing

@testable import ResidualLearning

@Suite struct EvaluationTests {
  /// Networks of eight layers for 24x24 images, whose statistics are not those of the start.
  private func network(seed: UInt64, classes: Int = 10) -> ResidualNetwork<Float> {
    var generator = RandomGenerator(seed: seed)
    var architecture = Architecture.cifar(depth: 8, classes: classes, width: 4)
    architecture.imageSize = 24
    var network = ResidualNetwork<Float>(architecture, using: &generator)
    network.classifier.parameters.weight = Tensor(normal: [16, classes], deviation: 0.5, using: &generator)
    network.track(network.forward(Tensor(normal: [4, 24, 24, 3], deviation: 0.3, using: &generator)).cache, rate: 0.5)
    return network
  }

  private let images = SyntheticImages.make(count: 6, seed: 5, size: 32)
  private var normalization: PixelNormalization { .channels(.cifar, height: 24, width: 24) }

  private func softmax(_ logits: Tensor<Float>) -> [Float] {
    (0..<logits.shape[0]).flatMap { n -> [Float] in
      let row = logits.slice(n..<n + 1).elements.map { Float.exponential($0) }
      return row.map { $0 / row.reduce(0, +) }
    }
  }

  /// A window on a picture, normalized number by number.
  private func input(_ picture: Picture, _ top: Int, _ left: Int, _ height: Int, _ width: Int, flip: Bool = false)
    -> Tensor<Float>
  {
    let mean: [Float] = [0.4914, 0.4822, 0.4465]
    let deviation: [Float] = [0.2470, 0.2435, 0.2616]
    var values: [Float] = []
    for y in 0..<height {
      for x in 0..<width {
        for c in 0..<3 {
          let column = left + (flip ? width - 1 - x : x)
          let byte = picture.pixels[((top + y) * picture.width + column) * 3 + c]
          values.append((Float(byte) / 255 - mean[c]) / deviation[c])
        }
      }
    }
    return Tensor([1, height, width, 3], values)
  }

  private func worst(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).map { abs($0 - $1) }.max() ?? .infinity }

  @Test func `Ten crops give the mean of the ten views by hand`() throws {
    let network = network(seed: 1)
    let scores = try Ensemble([.init(network, normalization)]).probabilities(
      of: [0, 3, 4].map(images.picture), views: Views(crops: .ten), batch: 7)
    for (row, number) in [0, 3, 4].enumerated() {
      var mean = [Float](repeating: 0, count: 10)
      for flip in [false, true] {
        for (top, left) in [(0, 0), (0, 8), (8, 0), (8, 8), (4, 4)] {
          let view = softmax(network(input(images.picture(number), top, left, 24, 24, flip: flip)))
          for k in 0..<10 { mean[k] += view[k] / 10 }
        }
      }
      #expect(worst(scores.slice(row..<row + 1).elements, mean) < 1e-5)
      #expect(abs(mean.reduce(0, +) - 1) < 1e-5)
    }
  }

  @Test func `Several scales give the mean of the fully convolutional views by hand`() throws {
    let network = network(seed: 2)
    let picture = Picture(height: 20, width: 30, pixels: (0..<1800).map { UInt8($0 * 7 % 251) })
    let list = [images.picture(0), picture]
    let views = Views(scales: [24, 32, 40])
    let scores = try Ensemble([.init(network, normalization)]).probabilities(of: list, views: views)
    for (row, sizes) in [[(24, 24), (32, 32), (40, 40)], [(24, 36), (32, 48), (40, 60)]].enumerated() {
      var mean = [Float](repeating: 0, count: 10)
      for (scale, (height, width)) in zip(views.scales, sizes) {
        let resized = list[row].resized(shorterSide: scale)
        #expect(resized.height == height && resized.width == width)
        let view = softmax(network(input(resized, 0, 0, height, width)))
        for k in 0..<10 { mean[k] += view[k] / 3 }
      }
      #expect(worst(scores.slice(row..<row + 1).elements, mean) < 1e-5)
    }
  }

  @Test func `On an image of another size the linear layer sees the mean over all positions`() {
    let network = network(seed: 3)
    let image = input(images.picture(2), 0, 0, 32, 32)
    let features = network.stages.joined().reduce(network.stem(image)) { $1($0) }
    #expect(features.shape == [1, 8, 8, 16])
    // The linear layer at every position, then the mean of its scores.
    let positions = network.classifier(features.reshaped([64, 16]))
    let mean = (0..<10).map { k in (0..<64).reduce(Float(0)) { $0 + positions[$1, k] } / 64 }
    #expect(worst(network(image).elements, mean) < 1e-5)
  }

  @Test func `On an image of the network's own size ten crops are the image and its mirror image`() throws {
    let network = network(seed: 7)
    // Lighter to the right.
    let small = Picture(height: 24, width: 24, pixels: (0..<24 * 72).map { UInt8($0 % 72 * 3) })
    let scores = try Ensemble([.init(network, normalization)]).probabilities(of: [small], views: Views(crops: .ten))
    let pair = [false, true].map { softmax(network(input(small, 0, 0, 24, 24, flip: $0))) }
    #expect(worst(scores.elements, zip(pair[0], pair[1]).map { ($0 + $1) / 2 }) < 1e-6)
    #expect(worst(pair[0], pair[1]) > 1e-3)
  }

  @Test func `An ensemble of one is the network itself`() throws {
    let network = network(seed: 4)
    let normalization = PixelNormalization.perPixel(of: images)
    let ensemble = try Ensemble([.init(network, normalization)])
    let scores = try ensemble.probabilities(of: (0..<6).map(images.picture))
    #expect(worst(scores.elements, softmax(network(normalization.input(images, 0..<6)))) < 1e-6)
    let expected = network.evaluate(images, normalization: normalization)
    let found = try ensemble.evaluate(images, batch: 4)
    #expect(found.correct == expected.correct)
    #expect(abs(found.loss - expected.loss) < 1e-5)
  }

  @Test func `An ensemble averages the probabilities of its networks, not their logits`() throws {
    let (a, b) = (network(seed: 5), network(seed: 6))
    let scores = try Ensemble([.init(a, normalization), .init(b, normalization)]).probabilities(
      of: [images.picture(1)], views: Views(scales: [24]))
    let view = input(images.picture(1).resized(shorterSide: 24), 0, 0, 24, 24)
    let (p, q) = (softmax(a(view)), softmax(b(view)))
    #expect(worst(scores.elements, zip(p, q).map { ($0 + $1) / 2 }) < 1e-6)
    #expect(worst(p, q) > 1e-3)
  }

  @Test func `A mean image of another size is stretched to the view`() {
    let mean = Tensor<Float>([2, 2, 3], [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
    let stretched = PixelNormalization.perPixel(mean: mean).resized(height: 2, width: 4)
    #expect((0..<4).map { stretched.mean[0, $0, 1] } == [0, 0.25, 0.75, 1])
    #expect((0..<4).map { stretched.mean[1, $0, 2] } == [2, 2.25, 2.75, 3])
    let flat = PixelNormalization.channels(.imageNet, height: 3, width: 3).resized(height: 5, width: 7)
    #expect(flat == PixelNormalization.channels(.imageNet, height: 5, width: 7))
  }

  // MARK: - Bad input

  private func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "no error"
  }

  @Test func `A crop larger than the image is refused`() throws {
    var large = Architecture.cifar(depth: 8)
    large.imageSize = 64
    var generator = RandomGenerator(seed: 1)
    let ensemble = try Ensemble([.init(large.network(using: &generator), normalization)])
    #expect(
      message { _ = try ensemble.evaluate(images, views: Views(crops: .ten)) }
        == "a crop of 64x64 is larger than an image of 32x32")
    #expect(
      message { _ = try ensemble.evaluate(images, views: Views(crops: .ten, scales: [48])) }
        == "a crop of 64x64 is larger than an image of scale 48")
  }

  @Test func `Scales that a network cannot take are refused`() throws {
    let ensemble = try Ensemble([.init(network(seed: 1), normalization)])
    #expect(
      message { _ = try ensemble.evaluate(images, views: Views(scales: [32, 30])) }
        == "resnet8 takes scales that are multiples of 4, as its stages halve the image, not 30")
    var generator = RandomGenerator(seed: 1)
    let vgg = Architecture.vgg(depth: 16, classes: 10, width: 1, hidden: 2, imageSize: 32).network(using: &generator)
    #expect(
      message { _ = try Ensemble([.init(vgg, normalization)]).evaluate(images, views: Views(scales: [64])) }
        == "vgg16 takes images of 32x32 only, as its linear layers have a weight for every pixel, not 64x64")
  }

  @Test func `Networks of different classes make no ensemble, nor do none`() {
    let (ten, three) = (network(seed: 1), network(seed: 2, classes: 3))
    #expect(
      message { _ = try Ensemble([.init(ten, normalization), .init(three, normalization)]) }
        == "an ensemble's networks must tell the same classes apart: resnet8 has 10, resnet8 has 3")
    #expect(message { _ = try Ensemble([]) } == "an ensemble of no networks")
    #expect(
      message { _ = try Ensemble([.init(three, normalization)]).evaluate(images) }
        == "the images have 10 classes, the network tells 3 apart")
  }
}
