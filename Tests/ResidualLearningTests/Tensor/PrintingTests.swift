import ResidualKernels
import Testing

@testable import ResidualLearning

@Suite struct PrintingTests {
  @Test func `A vector`() {
    #expect("\(Tensor<Float>([1, -2, 3]))" == "[3] Float\n[ 1 -2  3]")
    #expect("\(Tensor<Double>([0.5, 1000, 1e-7]))" == "[3] Double\n[  0.5  1000 1e-07]")
  }

  @Test func `A matrix, its columns below each other`() {
    #expect(
      "\(Tensor<Float>([2, 3], [1, 2.5, 3, -40, 5, 0.125]))" == """
        [2, 3] Float
        [[    1   2.5     3]
         [  -40     5 0.125]]
        """)
  }

  @Test func `Of a long axis the first and the last three`() {
    #expect("\(Tensor<Float>((0..<100).map { Float($0) }))" == "[100] Float\n[ 0  1  2 … 97 98 99]")
    #expect("\(Tensor<Float>([7], [1, 2, 3, 4, 5, 6, 7]))" == "[7] Float\n[1 2 3 4 5 6 7]")
    #expect(
      "\(Tensor<Float>([9, 2], (0..<18).map { Float($0) }))" == """
        [9, 2] Float
        [[ 0  1]
         [ 2  3]
         [ 4  5]
         …
         [12 13]
         [14 15]
         [16 17]]
        """)
  }

  @Test func `More axes nest, and no tensor is a wall of numbers`() {
    #expect(
      "\(Tensor<Float>([2, 1, 2], [1, 2, 3, 4]))" == """
        [2, 1, 2] Float
        [[[1 2]]
         [[3 4]]]
        """)
    let large = "\(Tensor<Float>([64, 32, 32, 3], repeating: 1))"
    #expect(large.count < 4000 && large.hasPrefix("[64, 32, 32, 3] Float\n[[[[1 1 1]\n   [1 1 1]"))
  }

  @Test func `No axes, no elements, no numbers`() {
    #expect("\(Tensor<Float>([], [7]))" == "[] Float\n7")
    #expect("\(Tensor<Float>(zeros: [0]))" == "[0] Float\n[]")
    #expect("\(Tensor<Float>([.nan, .infinity, -1]))" == "[3] Float\n[nan inf  -1]")
  }

  @Test func `One line for a debugger`() {
    let x = Tensor<Float>([2, 3], [1, 2, 3, 4, 5, 6])
    #expect(x.debugDescription == "[2, 3] 1, 2, 3, 4, …  mean 3.5, min 1, max 6")
    #expect(Tensor<Float>([0.25, 2]).debugDescription == "[2] 0.25, 2  mean 1.125, min 0.25, max 2")
    #expect(Tensor<Float>(zeros: [0, 3]).debugDescription == "[0, 3]")
  }
}
