// Gathering.swift: some elements of a tensor, and some rows.
//
// Tests       Tests/ResidualDetectionTests/Layers/GatheringTests.swift

import ResidualKernels
import ResidualLearning

extension Tensor {
  /// The elements with these numbers of the row-major order, `[indices.count]`.
  func elements(at indices: [Int]) -> Tensor { Tensor(indices.map { self[flat: $0] }) }

  /// The gradient of ``elements(at:)``: a tensor of this shape with these elements, and zeros elsewhere. No index comes
  /// twice.
  static func scattering(_ elements: Tensor, to indices: [Int], shape: Shape) -> Tensor {
    precondition(elements.count == indices.count, "\(elements.count) elements for \(indices.count) places")
    var result = Tensor(zeros: shape)
    for (i, index) in indices.enumerated() { result[flat: index] = elements[flat: i] }
    return result
  }

  /// The rows of a matrix with these numbers; a number may come more than once.
  func rows(_ numbers: [Int]) -> Tensor {
    precondition(shape.rank == 2, "rows of a matrix, this is \(shape)")
    let result = Tensor(uninitialized: [numbers.count, shape[1]])
    for (i, row) in numbers.enumerated() {
      result.storage.copy(from: storage, at: row * shape[1], to: i * shape[1], count: shape[1])
    }
    return result
  }

  /// The gradient of ``rows(_:)``: row n of `count` rows is the sum of the rows i with `numbers[i]` = n. The numbers
  /// ascend.
  func sumsOfRows(_ numbers: [Int], count: Int) -> Tensor {
    precondition(
      shape.rank == 2 && shape[0] == numbers.count && zip(numbers, numbers.dropFirst()).allSatisfy { $0 <= $1 },
      "sums of rows of \(shape), numbered \(numbers)")
    let columns = shape[1]
    let zero = Storage<Scalar>(repeating: 0, count: columns)
    var (sums, start) = ([Tensor](), 0)
    for n in 0..<count {
      let end = numbers[start...].firstIndex { $0 > n } ?? numbers.count
      let part = slice(start..<end)
      let sum = Tensor(zeros: [1, columns])
      if end > start {
        Kernels.normalizationSums(
          gradient: part.storage, input: part.storage, channels: columns, mean: zero, factor: zero, sums: sum.storage,
          products: Storage(uninitialized: columns))
      }
      sums.append(sum)
      start = end
    }
    return Tensor(concatenating: sums)
  }
}
