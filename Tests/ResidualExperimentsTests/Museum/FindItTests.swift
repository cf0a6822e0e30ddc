import Foundation
import ResidualExperiments
import TestSupport
import Testing

@testable import ResidualLearning

/// The exercises "find it" of docs/bug-museum.md: each function has one mistake.
@Suite struct FindItTests {
  // begin
  /// dx of a ReLU.
  func exercise1(_ dy: [Double], _ x: [Double]) -> [Double] {
    zip(dy, x).map { dy, x in max(dy, 0) * (x > 0 ? 1 : 0) }
  }
  // end

  // begin
  /// dx of batch normalization, one channel; r is 1/√(v + ε), n is x̂.
  func exercise2(_ dy: [Double], n: [Double], r: Double, scale: Double) -> [Double] {
    let m = Double(dy.count)
    let shiftGradient = dy.reduce(0, +)
    let scaleGradient = zip(dy, n).reduce(0) { $0 + $1.0 * $1.1 }
    return zip(dy, n).map { dy, n in r * (dy - shiftGradient / m - n * scaleGradient / m) }
  }
  // end

  // begin
  /// dx of a convolution along a line: stride s, padding 1, kernel of three.
  func exercise3(_ dy: [Double], _ w: [Double], length: Int, stride s: Int) -> [Double] {
    var dx = [Double](repeating: 0, count: length)
    for i in dy.indices {
      for k in 0..<3 {
        let j = i * s + k - 1
        if j >= 0 && j < length { dx[j] = dy[i] * w[k] }
      }
    }
    return dx
  }
  // end

  // begin
  /// dz of softmax and cross-entropy for N images of K classes.
  func exercise4(_ p: [[Double]], labels: [Int]) -> [[Double]] {
    var dz = p
    for (n, t) in labels.enumerated() { dz[n][t] -= 1 }
    return dz.map { row in row.map { $0 / Double(row.count) } }
  }
  // end

  // begin
  /// dx of a residual block with an identity shortcut: y is its output, branch its residual function's backward.
  func exercise5(_ dy: [Double], y: [Double], branch: ([Double]) -> [Double]) -> [Double] {
    let dsum = zip(dy, y).map { dy, y in y > 0 ? dy : 0 }
    return zip(branch(dsum), dy).map { $0 + $1 }
  }
  // end

  @Test func `The page shows these five functions`() throws {
    try CoursePage("docs/bug-museum.md").expectSnippets(source: #filePath)
  }

  @Test func `Each of the five is wrong where its answer says, and right elsewhere`() {
    // 1: negative gradients.
    #expect(exercise1([1, 2], [1, -1]) == [1, 0] && exercise1([-1, 2], [1, -1]) != [-1, 0])
    // 2: a scale other than 1.
    let bn = BatchNorm2D<Double>(channels: 1, epsilon: 0)
    let (_, cache) = bn.forward(Tensor([1, 2, 2, 1], [1, 3, 3, 9]))
    let dy: [Double] = [2, 1, 0, 1]
    let n: [Double] = [-1, -1.0 / 3, -1.0 / 3, 5.0 / 3]
    func off(_ scale: Double) -> Double {
      var scaled = bn
      scaled.parameters.scale = Tensor([scale])
      let right = scaled.backward(Tensor([1, 2, 2, 1], dy), cache).inputGradient
      let found = Tensor<Double>([1, 2, 2, 1], exercise2(dy, n: n, r: 1.0 / 3, scale: scale))
      return largestDifference(right, found)
    }
    #expect(off(1) < 1e-12 && off(3) > 0.1)
    // 3: pixels that several outputs read; none with a stride of three.
    func right(_ dy: [Double], _ w: [Double], length: Int, stride: Int) -> [Double] {
      let conv = Conv2D<Double>(weight: Tensor([3, 3, 1, 1], [0, 0, 0] + w + [0, 0, 0]), stride: stride, padding: 1)
      let (output, cache) = conv.forward(Tensor(zeros: [1, 1, length, 1]))
      return conv.backward(Tensor(output.shape, dy), cache).inputGradient.elements
    }
    #expect(exercise3([5, 7], [1, 2, 3], length: 5, stride: 3) == right([5, 7], [1, 2, 3], length: 5, stride: 3))
    #expect(
      exercise3([1, 1, 2], [1, 2, -1], length: 5, stride: 2) != right([1, 1, 2], [1, 2, -1], length: 5, stride: 2))
    // 4: N other than K.
    let loss = SoftmaxCrossEntropy<Double>()
    func differs(images: Int) -> Bool {
      let logits = Tensor<Double>([images, 3], (0..<(3 * images)).map { Double($0 % 4) })
      let labels = [Int](repeating: 1, count: images)
      let cache = loss.forward(logits, labels: labels).cache
      let p = (0..<images).map { cache.probabilities.slice($0..<($0 + 1)).elements }
      let found = Tensor<Double>([images, 3], exercise4(p, labels: labels).flatMap { $0 })
      return largestDifference(found, loss.backward(cache)) > 1e-12
    }
    #expect(!differs(images: 3) && differs(images: 2))
    // 5: a closed ReLU.
    #expect(exercise5([1, 2], y: [1, 1]) { $0 } == [2, 4] && exercise5([1, 2], y: [1, 0]) { $0 } != [2, 0])
  }
}
