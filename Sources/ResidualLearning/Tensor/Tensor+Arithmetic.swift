// Tensor+Arithmetic.swift: elementwise arithmetic, sums over rows, and reductions.

import ResidualKernels

extension Tensor {
  /// The elementwise sum of two tensors of one shape.
  public static func + (a: Tensor, b: Tensor) -> Tensor { elementwise(.add, a, b) }
  /// The elementwise difference of two tensors of one shape.
  public static func - (a: Tensor, b: Tensor) -> Tensor { elementwise(.subtract, a, b) }
  /// The elementwise product of two tensors of one shape.
  public static func * (a: Tensor, b: Tensor) -> Tensor { elementwise(.multiply, a, b) }
  /// The elementwise quotient of two tensors of one shape.
  public static func / (a: Tensor, b: Tensor) -> Tensor { elementwise(.divide, a, b) }

  /// Adds one number to every element.
  public static func + (a: Tensor, b: Scalar) -> Tensor { elementwise(.add, a, b) }
  /// Subtracts one number from every element.
  public static func - (a: Tensor, b: Scalar) -> Tensor { elementwise(.subtract, a, b) }
  /// Multiplies every element by one number.
  public static func * (a: Tensor, b: Scalar) -> Tensor { elementwise(.multiply, a, b) }
  /// Multiplies every element by one number.
  public static func * (a: Scalar, b: Tensor) -> Tensor { elementwise(.multiply, b, a) }
  /// Divides every element by one number.
  public static func / (a: Tensor, b: Scalar) -> Tensor { elementwise(.divide, a, b) }

  /// Adds `b` in place.
  public static func += (a: inout Tensor, b: Tensor) { a.apply(.add, b) }
  /// Subtracts `b` in place.
  public static func -= (a: inout Tensor, b: Tensor) { a.apply(.subtract, b) }

  /// `self = alpha · self + beta · other`, in place.
  public mutating func combine(_ alpha: Scalar, plus beta: Scalar, _ other: Tensor) {
    checkShape(other)
    let memory = mutableStorage
    Kernels.linearCombination(alpha, memory, beta, other.storage, into: memory)
  }

  private static func elementwise(_ operation: Kernels.Operation, _ a: Tensor, _ b: Tensor) -> Tensor {
    a.checkShape(b)
    let result = Tensor(uninitialized: a.shape)
    Kernels.elementwise(operation, a.storage, b.storage, into: result.storage)
    return result
  }

  private static func elementwise(_ operation: Kernels.Operation, _ a: Tensor, _ b: Scalar) -> Tensor {
    let result = Tensor(uninitialized: a.shape)
    Kernels.elementwise(operation, a.storage, b, into: result.storage)
    return result
  }

  private mutating func apply(_ operation: Kernels.Operation, _ other: Tensor) {
    checkShape(other)
    let memory = mutableStorage
    Kernels.elementwise(operation, memory, other.storage, into: memory)
  }

  private func checkShape(_ other: Tensor) {
    precondition(shape == other.shape, "shapes that differ: \(shape) and \(other.shape)")
  }
}

// MARK: - Rows

extension Tensor {
  /// Adds the vector `[C]` to every row of `[..., C]`, in place.
  mutating func addToEachRow(_ row: Tensor) {
    precondition(row.shape == [shape[shape.rank - 1]], "a row of \(row.shape) for the rows of \(shape)")
    let memory = mutableStorage
    Kernels.addRow(row.storage, toEachRowOf: memory, output: memory)
  }

  /// The sum `[C]` of all rows of `[..., C]`.
  var sumOfRows: Tensor {
    let result = Tensor(uninitialized: [shape[shape.rank - 1]])
    Kernels.sumRows(storage, into: result.storage)
    return result
  }
}

// MARK: - Reductions

extension Tensor {
  /// The sum of all elements, computed in `Double`.
  public var sum: Scalar { Scalar(Kernels.sum(storage)) }

  /// The mean of all elements, computed in `Double`.
  public var mean: Scalar { Scalar(Kernels.sum(storage) / Double(count)) }

  /// The standard deviation of all elements about their mean: the mean square is over n elements, not n − 1.
  public var deviation: Scalar {
    let centred = self - mean
    return Scalar((Kernels.dot(centred.storage, centred.storage) / Double(count)).squareRoot())
  }

  /// The sum of the products of the elements at equal places, computed in `Double`.
  public func dot(_ other: Tensor) -> Scalar {
    checkShape(other)
    return Scalar(Kernels.dot(storage, other.storage))
  }

  /// The smallest element; NaN if there is one.
  public var minimum: Scalar { Kernels.extremes(storage).smallest }

  /// The largest element; NaN if there is one.
  public var maximum: Scalar { Kernels.extremes(storage).largest }

  /// The largest absolute value of an element; NaN if there is one.
  public var largestMagnitude: Scalar {
    let (smallest, largest) = Kernels.extremes(storage)
    return max(largest, -smallest)
  }

  /// Whether no element is infinite or NaN.
  public var isFinite: Bool { Kernels.firstNonFinite(storage) == nil }

  /// The index of the largest element of each row of a matrix `[N, K]`: the first one where several are largest.
  public var argmax: [Int] {
    precondition(shape.rank == 2 && shape[1] > 0, "argmax of the rows of a matrix, this is \(shape)")
    return Kernels.argmax(storage, columns: shape[1])
  }
}
