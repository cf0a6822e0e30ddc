import ResidualKernels
import Testing

@testable import ResidualLearning

@Suite struct ShapeTests {
  @Test func `A shape is written in brackets, counts its elements and has axes`() {
    let shape: Shape = [128, 32, 32, 16]
    #expect("\(shape)" == "[128, 32, 32, 16]")
    #expect(shape.count == 2_097_152 && shape.rank == 4 && shape[1] == 32 && shape.sizes == [128, 32, 32, 16])
  }

  @Test func `A shape without axes has one element, one with an empty axis has none`() {
    let scalar: Shape = []
    #expect(scalar.count == 1 && scalar.rank == 0 && "\(scalar)" == "[]")
    #expect(Shape([3, 0, 2]).count == 0)
  }

  @Test func `Shapes are equal when all their sizes are`() {
    #expect(Shape([2, 3]) == [2, 3])
    #expect(Shape([2, 3]) != [3, 2])
    #expect(Shape([6]) != [2, 3])
    #expect(Set([Shape([2, 3]), [2, 3], [3, 2]]).count == 2)
  }
}
