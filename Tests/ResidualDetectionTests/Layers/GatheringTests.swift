import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct GatheringTests {
  let matrix = Tensor<Double>([3, 2], [1, 2, 3, 4, 5, 6])

  @Test func `Elements are taken by their numbers and put back`() {
    #expect(matrix.elements(at: [4, 0]) == Tensor([5, 1]))
    #expect(
      Tensor<Double>.scattering(Tensor([5, 1]), to: [4, 0], shape: [3, 2]) == Tensor([3, 2], [1, 0, 0, 0, 5, 0]))
  }

  @Test func `Rows are taken by their numbers, and their gradients added`() {
    #expect(matrix.rows([0, 0, 2]) == Tensor([3, 2], [1, 2, 1, 2, 5, 6]))
    #expect(matrix.sumsOfRows([0, 0, 2], count: 4) == Tensor([4, 2], [4, 6, 0, 0, 5, 6, 0, 0]))
  }
}
