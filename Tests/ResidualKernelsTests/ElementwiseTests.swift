import Testing

@testable import ResidualKernels

@Suite struct ElementwiseTests {
  private static let counts = [0, 1, 7, 8, 16, 17, 1000, 200_001]

  @Test(arguments: counts) func `Arithmetic is the definition's, to the bit`(count: Int) {
    check(count, Double.self)
    check(count, Float.self)
  }

  private func check<Scalar: Element>(_ count: Int, _: Scalar.Type) {
    let a: Storage<Scalar> = numbers(count, seed: 1)
    let b: Storage<Scalar> = numbers(count, seed: 2)
    let output = Storage<Scalar>(repeating: .nan, count: count)
    func expectEqual(_ expected: (Scalar, Scalar) -> Scalar) {
      #expect(output.array(0..<count) == (0..<count).map { expected(a[$0], b[$0]) })
    }
    let operations: [(Kernels.Operation, (Scalar, Scalar) -> Scalar)] = [
      (.add, { $0 + $1 }), (.subtract, { $0 - $1 }), (.multiply, { $0 * $1 }), (.divide, { $0 / $1 }),
    ]
    for (operation, definition) in operations {
      Kernels.elementwise(operation, a, b, into: output)
      expectEqual(definition)
      Kernels.elementwise(operation, a, 3, into: output)
      expectEqual { x, _ in definition(x, 3) }
    }
    Kernels.rectify(a, into: output)
    expectEqual { x, _ in max(x, 0) }
    Kernels.mask(a, wherePositive: b, into: output)
    expectEqual { $1 > 0 ? $0 : 0 }
    // A fused multiply-add rounds once where the plain loop rounds twice.
    Kernels.linearCombination(0.25, a, -3, b, into: output)
    let expected = Storage((0..<count).map { Scalar(0.25) * a[$0] - 3 * b[$0] })
    #expect(relativeError(output, expected) < 1e-6)
  }

  @Test func `The output may be one of the inputs`() {
    let a: Storage<Float> = numbers(1001, seed: 1)
    let before = a.array(0..<1001)
    Kernels.elementwise(.add, a, a, into: a)
    #expect(a.array(0..<1001) == before.map { $0 + $0 })
  }

  @Test(arguments: counts) func `Sums are those of Double`(count: Int) {
    let a: Storage<Float> = numbers(count, seed: 1)
    let b: Storage<Float> = numbers(count, seed: 2)
    let sum = (0..<count).reduce(0.0) { $0 + Double(a[$1]) }
    let dot = (0..<count).reduce(0.0) { $0 + Double(a[$1]) * Double(b[$1]) }
    #expect(abs(Kernels.sum(a) - sum) < 1e-8)
    #expect(abs(Kernels.dot(a, b) - dot) < 1e-8)
  }

  @Test func `Extremes and the first bad element`() {
    let a: Storage<Double> = numbers(1000, seed: 3)
    let values = a.array(0..<1000)
    let extremes = Kernels.extremes(a)
    #expect(extremes.smallest == values.min()! && extremes.largest == values.max()!)
    #expect(Kernels.firstNonFinite(a) == nil)
    a[700] = -.infinity
    #expect(Kernels.firstNonFinite(a) == 700 && Kernels.extremes(a).smallest == -.infinity)
    a[300] = .nan
    #expect(Kernels.firstNonFinite(a) == 300 && Kernels.extremes(a).smallest.isNaN)
  }

  @Test func `The largest of each row, the first of equal ones`() {
    let a = Storage<Double>([1, 3, 2, 5, 5, 1, -3, -2, -1, 0, -0.0, 0])
    #expect(
      Kernels.argmax(a, columns: 3) == [1, 0, 2, 0] && Kernels.argmax(a, columns: 1) == [Int](repeating: 0, count: 12))
  }

  @Test func `A vector's ReLU keeps NaN, and its mask does not multiply`() {
    let values: [Float] = [1, -1, 0, -0.0, .nan, .infinity, -.infinity, 5, 1, -1, 0, 2, 3, 4, -5, 6]
    let input = Storage(values)
    let output = Storage<Float>(repeating: 9, count: 16)
    Kernels.rectify(input, into: output)
    #expect(output.array(0..<4) == [1, 0, 0, 0] && output[4].isNaN && output[5] == .infinity && output[6] == 0)
    // An infinite gradient where the condition is not positive gives 0, not NaN.
    Kernels.mask(Storage(repeating: .infinity, count: 16), wherePositive: input, into: output)
    #expect(output.array(0..<8) == [.infinity, 0, 0, 0, 0, .infinity, 0, .infinity])
  }
}
