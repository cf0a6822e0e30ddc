import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct PixelNormalizationTests {
  @Test func `The mean image is the mean of each pixel and channel, in units of 255`() {
    let images = dataset(height: 1, width: 2, channels: 3, [0, 51, 255, 10, 20, 30, 102, 51, 0, 20, 40, 61])
    let normalization = PixelNormalization.perPixel(of: images)
    #expect(normalization.kind == .perPixel && normalization.mean.shape == [1, 2, 3])
    let mean: [Float] = [0.2, 0.2, 0.5, 15.0 / 255, 30.0 / 255, 45.5 / 255]
    #expect(largestDifference(normalization.mean, Tensor([1, 2, 3], mean)) < 1e-7)
    #expect(normalization.factor == Tensor([1, 1, 1]))
    let output = normalization.input(images, 0..<2)
    let first: [Float] = [-0.2, 0, 0.5, -5.0 / 255, -10.0 / 255, -15.5 / 255]
    #expect(largestDifference(output, Tensor([2, 1, 2, 3], first + first.map { -$0 })) < 1e-7)
    #expect(normalization.input(images, 1..<2) == output.slice(1..<2))
  }

  /// Pixels 1 to 6 (of 255) in two rows, and a mean of 100: what is beyond the border is 0, not −100.
  @Test(arguments: [
    (0, 0, false, [1, 2, 3, 4, 5, 6]), (0, 0, true, [3, 2, 1, 6, 5, 4]),
    (1, -1, false, [0, 4, 5, 0, 0, 0]), (-1, 2, false, [0, 0, 0, 3, 0, 0]),
    (1, -1, true, [5, 4, 0, 0, 0, 0]), (0, 1, true, [0, 3, 2, 0, 6, 5]), (2, 0, false, [0, 0, 0, 0, 0, 0]),
  ])
  func `A crop is the window, mirrored or not, and zero beyond the border`(
    top: Int, left: Int, isFlipped: Bool, expected: [Int]
  ) {
    let images = dataset(height: 2, width: 3, channels: 1, [1, 2, 3, 4, 5, 6])
    let normalization = PixelNormalization.perPixel(mean: Tensor([2, 3, 1], repeating: 100))
    let output = normalization.input([images.view(0, top: top, left: left, isFlipped: isFlipped)])
    let values = expected.map { $0 == 0 ? 0 : Float($0) / 255 - 100 }
    #expect(largestDifference(output, Tensor([1, 2, 3, 1], values)) < 1e-5)
  }

  @Test func `The mean that is subtracted is that of the pixel in the image, not in the crop`() {
    let images = dataset(height: 1, width: 3, channels: 1, [0, 0, 0])
    let normalization = PixelNormalization.perPixel(mean: Tensor([1, 3, 1], [1, 2, 3]))
    let views = [images.view(0, left: 1), images.view(0, isFlipped: true)]
    #expect(normalization.input(views) == Tensor([2, 1, 3, 1], [-2, -3, 0, -3, -2, -1]))
  }

  @Test(arguments: [
    (PixelNormalization.Kind.cifar, [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
    (.imageNet, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
  ])
  func `The channels' constants take black and white to −mean / deviation and (1 − mean) / deviation`(
    kind: PixelNormalization.Kind, mean: [Double], deviation: [Double]
  ) {
    let images = dataset(height: 1, width: 2, channels: 3, [0, 0, 0, 255, 255, 255])
    let normalization = PixelNormalization.channels(kind, height: 1, width: 2)
    #expect(normalization.kind == kind && normalization.mean.shape == [1, 2, 3])
    let expected = [0.0, 1].flatMap { level in (0..<3).map { Float((level - mean[$0]) / deviation[$0]) } }
    #expect(largestDifference(normalization.input(images, 0..<1), Tensor([1, 1, 2, 3], expected)) < 1e-6)
  }

  @Test func `A mean image over central squares leaves the ends of the longer side out`() {
    // Two columns of 255 in the middle of each image, 0 or 100 beside them.
    func pixels(_ sides: UInt8) -> [UInt8] {
      let row: [UInt8] = [sides, 255, 255, sides].flatMap { (level: UInt8) -> [UInt8] in [level, level, level] }
      return row + row
    }
    let images = dataset(height: 2, width: 4, channels: 3, pixels(0) + pixels(100))
    #expect(PixelNormalization.perPixel(of: images, size: 2).mean == Tensor([2, 2, 3], repeating: 1))
    let square = SyntheticImages.make(count: 3, seed: 1, size: 8)
    #expect(PixelNormalization.perPixel(of: square, size: 8) == PixelNormalization.perPixel(of: square))
  }

  private func dataset(height: Int, width: Int, channels: Int, _ pixels: [UInt8]) -> ImageDataset {
    let count = pixels.count / (height * width * channels)
    return ImageDataset(
      height: height, width: width, channels: channels, pixels: pixels,
      labels: Array(repeating: 0, count: count), classNames: ["all"])
  }
}
