import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct SyntheticImagesTests {
  /// FNV-1a of 64 bits.
  func checksum(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
  }

  @Test func `The images of a seed never change`() {
    let dataset = SyntheticImages.make(count: 100, seed: 1)
    #expect(dataset.pixels.count == 100 * 32 * 32 * 3)
    #expect(checksum(dataset.pixels) == 2_115_005_917_651_183_543)
    #expect(Array(dataset.labels.prefix(10)) == [2, 8, 7, 6, 1, 0, 5, 9, 4, 3])
  }

  @Test func `Every ten images in a row hold each class once`() {
    let labels = SyntheticImages.make(count: 200, seed: 3, size: 4).labels
    let tens = stride(from: 0, to: 200, by: 10).map { Array(labels[$0..<$0 + 10]) }
    #expect(tens.allSatisfy { $0.sorted() == Array(0..<10) })
    #expect(Set(tens).count == 20)
  }

  @Test func `A longer data set begins with a shorter one`() {
    let short = SyntheticImages.make(count: 13, seed: 8)
    #expect(SyntheticImages.make(count: 31, seed: 8).prefix(13) == short)
    #expect(SyntheticImages.make(count: 13, seed: 9) != short)
  }

  @Test(arguments: [1, 7, 33, 56])
  func `Any size can be drawn`(size: Int) {
    let dataset = SyntheticImages.make(count: 3, seed: 1, size: size)
    #expect(dataset.height == size && dataset.width == size && dataset.channels == 3)
    #expect(dataset.pixels.count == 3 * size * size * 3)
    #expect(SyntheticImages.make(count: 0, seed: 1, size: size).count == 0)
  }

  @Test func `The sizes show the same scene`() {
    // Averaged over 2 x 2 pixels, a picture of 64 pixels is the one of 32 except for noise and edges: the mean
    // difference stays near the noise, while that of two different scenes is some 70 grey levels.
    let small = SyntheticImages.make(count: 20, seed: 4)
    let large = SyntheticImages.make(count: 20, seed: 4, size: 64)
    var sum = 0
    for i in 0..<20 {
      let (a, b) = (Array(small.image(i)), Array(large.image(i)))
      for row in 0..<32 {
        for column in 0..<32 {
          let corner = (2 * row * 64 + 2 * column) * 3
          let four = Int(b[corner]) + Int(b[corner + 3]) + Int(b[corner + 192]) + Int(b[corner + 195])
          sum += abs(four / 4 - Int(a[(row * 32 + column) * 3]))
        }
      }
    }
    #expect(sum / (20 * 32 * 32) < 20)
  }

  @Test func `The mean image of a class gives it away in few cases`() {
    // The nearest of ten class means, a linear classifier, is hardly better than guessing on unseen images.
    let train = SyntheticImages.make(count: 500, seed: 1, size: 16)
    let test = SyntheticImages.make(count: 200, seed: 2, size: 16)
    let size = train.imageSize
    var means = [[Double]](repeating: [Double](repeating: 0, count: size), count: 10)
    for i in 0..<train.count {
      let label = Int(train.labels[i])
      for (k, value) in train.image(i).enumerated() { means[label][k] += Double(value) / 50 }
    }
    var correct = 0
    for i in 0..<test.count {
      let image = test.image(i).map(Double.init)
      let distances = means.map { mean in zip(mean, image).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
      let nearest = distances.indices.min { distances[$0] < distances[$1] }
      if nearest == Int(test.labels[i]) { correct += 1 }
    }
    #expect(correct < 60)
  }
}
