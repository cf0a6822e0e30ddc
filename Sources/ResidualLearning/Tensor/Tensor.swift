// Tensor.swift: an array of numbers with a shape.

import ResidualKernels

/// An array of numbers with a shape: images `[N, H, W, C]`, kernels `[kH, kW, Cin, Cout]`, matrices, vectors `[C]`.
///
/// A value: a copy is independent of its original, and shares its memory until one of the two changes. The elements
/// lie in row-major order, the last axis without gaps. Channels come last, so that the channels of a pixel lie side by
/// side and fill the lanes of a SIMD vector.
public struct Tensor<Scalar: Element>: Sendable {
  /// The size of each axis.
  public let shape: Shape
  /// The memory that kernels read. Copies of the tensor share it: a kernel that writes takes ``mutableStorage``.
  package private(set) var storage: Storage<Scalar>

  /// A tensor around memory that a kernel filled.
  init(_ shape: Shape, _ storage: Storage<Scalar>) {
    precondition(storage.count == shape.count, "\(storage.count) elements do not fill \(shape)")
    self.shape = shape
    self.storage = storage
  }

  /// A tensor whose elements a kernel is about to write.
  package init(uninitialized shape: Shape) { self.init(shape, Storage(uninitialized: shape.count)) }

  /// A tensor whose elements all have one value.
  public init(_ shape: Shape, repeating value: Scalar) {
    self.init(shape, Storage(repeating: value, count: shape.count))
  }

  /// A tensor of zeros.
  public init(zeros shape: Shape) { self.init(shape, repeating: 0) }

  /// A tensor of these elements, in row-major order.
  public init(_ shape: Shape, _ elements: [Scalar]) {
    precondition(elements.count == shape.count, "\(elements.count) elements do not fill \(shape)")
    self.init(shape, Storage(elements))
  }

  /// A vector `[elements.count]`.
  public init(_ elements: [Scalar]) { self.init([elements.count], elements) }

  /// A tensor of numbers from a normal distribution, drawn one after the other in row-major order.
  public init(
    normal shape: Shape, mean: Double = 0, deviation: Double = 1, using generator: inout RandomGenerator
  ) {
    self.init(shape, Storage(rounding: generator.numbers(shape.count) { mean + deviation * $0.normal() }))
  }

  /// A tensor of numbers from a uniform distribution over [`low`, `high`), drawn one after the other in row-major
  /// order.
  public init(
    uniform shape: Shape, from low: Double = 0, to high: Double = 1, using generator: inout RandomGenerator
  ) {
    self.init(shape, Storage(rounding: generator.numbers(shape.count) { $0.uniform(low, high) }))
  }

  /// The number of elements.
  public var count: Int { storage.count }

  /// All elements in row-major order.
  public var elements: [Scalar] { storage.array(0..<count) }

  /// The elements in `range` of the row-major order.
  public func elements(_ range: Range<Int>) -> [Scalar] { storage.array(range) }

  /// Element number `index` of the row-major order.
  public subscript(flat index: Int) -> Scalar {
    get { storage[index] }
    set { mutableStorage[index] = newValue }
  }

  /// The element at a position, one index for each axis.
  public subscript(_ position: Int...) -> Scalar {
    get { storage[flatIndex(position)] }
    set { self[flat: flatIndex(position)] = newValue }
  }

  private func flatIndex(_ position: [Int]) -> Int {
    precondition(position.count == shape.rank, "\(position.count) indices into a tensor of shape \(shape)")
    var index = 0
    for (i, size) in zip(position, shape.sizes) {
      precondition(i >= 0 && i < size, "position \(position) in a tensor of shape \(shape)")
      index = index * size + i
    }
    return index
  }

  /// Memory that belongs to this tensor alone, for a kernel to write to.
  var mutableStorage: Storage<Scalar> {
    mutating get {
      if !isKnownUniquelyReferenced(&storage) { storage = storage.copy() }
      return storage
    }
  }
}

// MARK: - Shapes

extension Tensor {
  /// The same elements in another shape with as many of them.
  public func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "a tensor of shape \(self.shape) does not fill \(shape)")
    return Tensor(shape, storage)
  }

  /// The items `range` of the first axis: images of a batch, rows of a matrix.
  public func slice(_ range: Range<Int>) -> Tensor {
    precondition(
      shape.rank >= 1 && range.lowerBound >= 0 && range.upperBound <= shape[0], "items \(range) of \(shape)")
    let result = Tensor(uninitialized: Shape([range.count] + shape.sizes.dropFirst()))
    let size = shape.sizes.dropFirst().reduce(1, *)
    result.storage.copy(from: storage, at: range.lowerBound * size, to: 0, count: range.count * size)
    return result
  }

  /// The tensors `parts` one after the other along the first axis. Their shapes agree in all other axes.
  public init(concatenating parts: [Tensor]) {
    precondition(!parts.isEmpty, "no tensors to concatenate")
    let rest = Array(parts[0].shape.sizes.dropFirst())
    let total = parts.reduce(0) { $0 + $1.shape[0] }
    self.init(uninitialized: Shape([total] + rest))
    var start = 0
    for part in parts {
      precondition(Array(part.shape.sizes.dropFirst()) == rest, "\(part.shape) does not go behind \(parts[0].shape)")
      storage.copy(from: part.storage, at: 0, to: start, count: part.count)
      start += part.count
    }
  }

  /// The sizes of a batch of images.
  ///
  /// Layers call it on their input: the program stops when the tensor is not `[N, H, W, C]`.
  public var imageSizes: (batch: Int, height: Int, width: Int, channels: Int) {
    precondition(shape.rank == 4, "images are [N, H, W, C], this is \(shape)")
    return (shape[0], shape[1], shape[2], shape[3])
  }
}

extension Tensor: Equatable {
  /// Whether shapes and elements are equal (as numbers: 0 equals -0, NaN equals nothing).
  public static func == (a: Tensor, b: Tensor) -> Bool {
    a.shape == b.shape && (a.storage === b.storage || a.elements == b.elements)
  }
}
