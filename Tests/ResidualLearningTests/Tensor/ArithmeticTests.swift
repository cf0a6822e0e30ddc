import Foundation
import ResidualKernels
import Testing

@testable import ResidualLearning

@Suite struct ArithmeticTests {
  private let a = Tensor<Float>([2, 2], [1, 2, 3, 4])
  private let b = Tensor<Float>([2, 2], [10, 20, 50, 80])

  @Test func `Elementwise arithmetic of two tensors`() {
    #expect(a + b == Tensor([2, 2], [11, 22, 53, 84]))
    #expect(b - a == Tensor([2, 2], [9, 18, 47, 76]))
    #expect(a * b == Tensor([2, 2], [10, 40, 150, 320]))
    #expect(b / a == Tensor([2, 2], [10, 10, 50 / 3, 20]))
  }

  @Test func `Arithmetic with a number`() {
    #expect(a + 1 == Tensor([2, 2], [2, 3, 4, 5]))
    #expect(a - 1 == Tensor([2, 2], [0, 1, 2, 3]))
    #expect(a * 3 == Tensor([2, 2], [3, 6, 9, 12]))
    #expect(3 * a == a * 3)
    #expect(a / 2 == Tensor([2, 2], [0.5, 1, 1.5, 2]))
  }

  @Test func `A linear combination in place`() {
    var x = a
    x.combine(-1, plus: 0.5, b)
    #expect(x == Tensor([2, 2], [4, 8, 22, 36]))
  }

  @Test(arguments: [1, 7, 8, 15, 16, 17, 100_003])
  func `Any number of elements`(count: Int) {
    var generator = RandomGenerator(seed: 1)
    let x = Tensor<Double>(normal: [count], using: &generator)
    let y = Tensor<Double>(normal: [count], using: &generator)
    let (p, q) = (x.elements, y.elements)
    #expect((x + y).elements == zip(p, q).map(+))
    #expect((x * y - 2).elements == zip(p, q).map { $0 * $1 - 2 })
    #expect(abs(x.sum - p.reduce(0, +)) < 1e-10)
    #expect(abs(x.dot(y) - zip(p, q).map(*).reduce(0, +)) < 1e-10)
    #expect(x.minimum == p.min()! && x.maximum == p.max()!)
  }

  @Test func `Sum, mean, deviation and extremes by hand`() {
    let x = Tensor<Float>([2, 4, 4, 4, 5, 5, 7, 9])
    #expect(x.sum == 40 && x.mean == 5 && x.deviation == 2 && x.minimum == 2 && x.maximum == 9)
    #expect(a.dot(b) == 10 + 40 + 150 + 320)
    #expect(Tensor<Float>(zeros: [0]).sum == 0)
  }

  @Test func `The largest magnitude may be that of a negative element`() {
    #expect(Tensor<Float>([2, -7, 3]).largestMagnitude == 7 && Tensor<Float>([2, -1]).largestMagnitude == 2)
    #expect(Tensor<Float>([-2, -3]).largestMagnitude == 3 && Tensor<Float>([0, -0.0]).largestMagnitude == 0)
    #expect(Tensor<Float>([1, .nan, -3]).largestMagnitude.isNaN)
    #expect(Tensor<Float>([1, -.infinity]).largestMagnitude == .infinity)
  }

  @Test func `A row is added to every row, and rows are summed`() {
    var x = Tensor<Float>([2, 1, 3], [1, 2, 3, 4, 5, 6])
    let before = x
    x.addToEachRow(Tensor([10, 20, 30]))
    #expect(x == Tensor([2, 1, 3], [11, 22, 33, 14, 25, 36]) && before[0, 0, 0] == 1)
    #expect(before.sumOfRows == Tensor([5, 7, 9]))
  }

  @Test func `Sums in Double keep what Float would lose`() {
    // In Float 16,777,216 + 1 is 16,777,216.
    var x = Tensor<Float>([40_001], repeating: 1)
    x[0] = 16_777_216
    #expect(x.sum == 16_777_216 + 40_000)
    let far = Tensor<Float>([4], [10_000, 10_001, 10_002, 10_003])
    #expect(abs(far.deviation - Float(1.25).squareRoot()) < 1e-6)
  }

  @Test func `NaN and infinity are found and not hidden`() {
    for place in [0, 5, 18] {
      var x = Tensor<Float>([19], repeating: 2)
      #expect(x.isFinite)
      x[place] = .infinity
      #expect(!x.isFinite && x.maximum == .infinity && x.minimum == 2)
      x[place] = .nan
      #expect(!x.isFinite && x.maximum.isNaN && x.minimum.isNaN && x.sum.isNaN)
    }
  }

  @Test func `The largest of each row, the first of equal ones`() {
    let x = Tensor<Float>([4, 3], [1, 3, 2, 5, 5, 1, -3, -2, -1, 0, 0, 0])
    #expect(x.argmax == [1, 0, 2, 0])
    #expect(Tensor<Float>([2, 1], [4, 5]).argmax == [0, 0])
  }
}
