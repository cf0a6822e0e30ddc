import Testing

@testable import ResidualKernels

@Suite struct LayoutTests {
  @Test func `The axes change places`() {
    let input = Storage((0..<24).map { Float($0) })  // [2, 3, 4]
    let output = Storage<Float>(uninitialized: 24)
    Kernels.reverseAxes(input, outer: 2, middle: 3, inner: 4, into: output)
    for (i, j, k) in [(0, 0, 0), (1, 0, 0), (0, 2, 1), (1, 1, 3), (1, 2, 3)] {
      #expect(output[(k * 3 + j) * 2 + i] == Float((i * 3 + j) * 4 + k))
    }
  }

  @Test func `Reversed twice, everything is where it was`() {
    let input: Storage<Double> = numbers(5 * 7 * 9, seed: 1)
    let (reversed, output) = (Storage<Double>(uninitialized: 315), Storage<Double>(uninitialized: 315))
    Kernels.reverseAxes(input, outer: 5, middle: 7, inner: 9, into: reversed)
    Kernels.reverseAxes(reversed, outer: 9, middle: 7, inner: 5, into: output)
    #expect(output.array(0..<315) == input.array(0..<315))
    #expect(reversed.array(0..<315) != input.array(0..<315))
  }
}
