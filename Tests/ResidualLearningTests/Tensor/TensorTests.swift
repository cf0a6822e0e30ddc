import ResidualKernels
import Testing

@testable import ResidualLearning

@Suite struct TensorTests {
  private let numbers = Tensor<Float>([2, 3], [1, 2, 3, 4, 5, 6])

  @Test func `Elements lie in row-major order`() {
    #expect(numbers[0, 2] == 3 && numbers[1, 0] == 4 && numbers[flat: 4] == 5)
    #expect(numbers.elements == [1, 2, 3, 4, 5, 6] && numbers.elements(2..<4) == [3, 4])
    let image = Tensor<Float>([2, 3, 4, 5], (0..<120).map { Float($0) })
    #expect(image[1, 2, 3, 4] == 119 && image[1, 0, 2, 3] == 73)
    #expect(image.imageSizes == (2, 3, 4, 5))
  }

  @Test func `A copy is independent of its original`() {
    let original = Tensor<Float>([4], [1, 2, 3, 4])
    var copy = original
    #expect(copy.storage === original.storage)
    copy[2] = 30
    #expect(original.elements == [1, 2, 3, 4] && copy.elements == [1, 2, 30, 4])
    var added = original
    added += original
    added -= Tensor([1, 1, 1, 1])
    added.combine(2, plus: 10, original)
    #expect(original.elements == [1, 2, 3, 4] && added.elements == [12, 26, 40, 54])
    var itself = original
    itself += itself
    #expect(itself.elements == [2, 4, 6, 8])
  }

  @Test func `A tensor that nobody shares changes in place`() {
    var x = Tensor<Float>(zeros: [5])
    let before = ObjectIdentifier(x.storage)
    x[3] = 1
    x += Tensor([1, 2, 3, 4, 5])
    x.combine(2, plus: 1, Tensor([0, 0, 0, 0, 1]))
    #expect(ObjectIdentifier(x.storage) == before && x.elements == [2, 4, 6, 10, 11])
  }

  @Test func `Another shape shares the elements until one of the two changes`() {
    var rows = numbers.reshaped([3, 2])
    #expect(rows[1, 0] == 3 && rows.storage === numbers.storage)
    rows[1, 0] = 9
    #expect(numbers[0, 2] == 3 && rows.elements == [1, 2, 9, 4, 5, 6])
  }

  @Test func `A slice is some items of the first axis, and a copy`() {
    let x = Tensor<Float>([4, 1, 2], [0, 1, 2, 3, 4, 5, 6, 7])
    var middle = x.slice(1..<3)
    #expect(middle == Tensor([2, 1, 2], [2, 3, 4, 5]))
    middle[0, 0, 0] = 20
    #expect(x[1, 0, 0] == 2)
    #expect(x.slice(0..<4) == x && x.slice(2..<2).shape == [0, 1, 2])
    #expect(Tensor<Float>([5, 6, 7]).slice(2..<3) == Tensor([7]))
  }

  @Test func `Concatenation puts tensors one behind the other along the first axis`() {
    let x = Tensor<Float>([5, 3], (0..<15).map { Float($0) })
    #expect(Tensor(concatenating: [x.slice(0..<1), x.slice(1..<4), x.slice(4..<4), x.slice(4..<5)]) == x)
    #expect(Tensor(concatenating: [Tensor<Float>([1]), Tensor([2, 3])]) == Tensor([1, 2, 3]))
  }

  @Test func `Tensors are equal as numbers are`() {
    #expect(Tensor<Float>([1, 0]) == Tensor([1, -0.0]))
    #expect(Tensor<Float>([1, 2]) != Tensor([1, 3]))
    #expect(numbers != numbers.reshaped([3, 2]))
    let bad = Tensor<Float>([1, .nan])
    #expect(bad != Tensor([1, .nan]))
  }

  @Test func `Random tensors have the moments asked for, and the same numbers for the same seed`() {
    var (a, b) = (RandomGenerator(seed: 5), RandomGenerator(seed: 5))
    let x = Tensor<Float>(normal: [100, 100], mean: 3, deviation: 2, using: &a)
    #expect(x == Tensor(normal: [100, 100], mean: 3, deviation: 2, using: &b))
    // Five standard errors of 10,000 numbers: 0.1 and 0.07.
    #expect(abs(x.mean - 3) < 0.1 && abs(x.deviation - 2) < 0.07)
    let y = Tensor<Double>(uniform: [10_000], from: -1, to: 3, using: &a)
    #expect(y.minimum >= -1 && y.maximum < 3 && abs(y.mean - 1) < 0.06)
    #expect(abs(y.deviation - 4 / 12.0.squareRoot()) < 0.03)
  }

  @Test func `Float and Double get the same random numbers, except for rounding`() {
    var (a, b) = (RandomGenerator(seed: 5), RandomGenerator(seed: 5))
    let x = Tensor<Float>(normal: [100], using: &a)
    let y = Tensor<Double>(normal: [100], using: &b)
    #expect(x == y.converted(to: Float.self))
  }
}
