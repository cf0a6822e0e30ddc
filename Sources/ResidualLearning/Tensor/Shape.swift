// Shape.swift: the sizes of a tensor's axes.

/// The sizes of a tensor's axes, written as everywhere in this library: `[128, 32, 32, 16]`.
public struct Shape: Equatable, Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// The size of each axis, none negative.
  public let sizes: [Int]

  /// A shape of these sizes.
  public init(_ sizes: [Int]) {
    precondition(sizes.allSatisfy { $0 >= 0 }, "a shape with a negative size: \(sizes)")
    self.sizes = sizes
  }

  /// A shape written as an array: `[N, H, W, C]`.
  public init(arrayLiteral sizes: Int...) { self.init(sizes) }

  /// The number of axes.
  public var rank: Int { sizes.count }

  /// The number of elements of a tensor of this shape: 1 for `[]`.
  public var count: Int { sizes.reduce(1, *) }

  /// The size of one axis.
  public subscript(_ axis: Int) -> Int { sizes[axis] }

  public var description: String { "[" + sizes.map(String.init).joined(separator: ", ") + "]" }
}
