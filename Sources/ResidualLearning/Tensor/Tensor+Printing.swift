// Tensor+Printing.swift: tensors as text, in NumPy's form.

import ResidualFiles
import ResidualKernels

extension Tensor: CustomStringConvertible, CustomDebugStringConvertible {
  /// The shape, and the elements in nested brackets. Of a long axis only the first three and the last three are shown.
  public var description: String {
    let width = visibleFlatIndices.map { Self.text(storage[$0]).count }.max() ?? 0
    return "\(shape) \(Scalar.typeName)\n" + rows(axis: 0, start: 0, width: width)
  }

  /// One line for a debugger: the shape, the first elements, the mean, the smallest and the largest.
  public var debugDescription: String {
    guard count > 0 else { return "\(shape)" }
    let first = elements(0..<min(4, count)).map(Self.text).joined(separator: ", ")
    return "\(shape) \(first)\(count > 4 ? ", …" : "")"
      + "  mean \(Self.text(mean)), min \(Self.text(minimum)), max \(Self.text(maximum))"
  }

  private static func text(_ value: Scalar) -> String {
    let value = Double(value)
    return value == value.rounded() && abs(value) < 1e6 ? value.fixed(decimals: 0) : value.rounded(digits: 4)
  }

  /// The positions that are shown of an axis: all, or the first three and the last three where there are more than
  /// seven.
  private static func visible(_ size: Int) -> [Int] {
    size <= 7 ? Array(0..<size) : [0, 1, 2, size - 3, size - 2, size - 1]
  }

  private var visibleFlatIndices: [Int] {
    shape.sizes.reduce([0]) { starts, size in starts.flatMap { start in Self.visible(size).map { start * size + $0 } } }
  }

  private func rows(axis: Int, start: Int, width: Int) -> String {
    guard axis < shape.rank else {
      let text = Self.text(storage[start])
      return String(repeating: " ", count: width - text.count) + text
    }
    let size = shape[axis]
    let positions = Self.visible(size)
    var parts = positions.map { rows(axis: axis + 1, start: start * size + $0, width: width) }
    if positions.count < size { parts.insert("…", at: 3) }
    let isLast = axis == shape.rank - 1
    let separator = isLast ? " " : "\n" + String(repeating: " ", count: axis + 1)
    return "[" + parts.joined(separator: separator) + "]"
  }
}
