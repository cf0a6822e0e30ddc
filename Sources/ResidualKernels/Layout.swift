// Layout.swift: tensors with their axes in another order.

extension Kernels {
  /// `output[k, j, i] = input[i, j, k]`: the axes of `[outer, middle, inner]` in reverse.
  ///
  /// With a kernel's rows and columns as one axis, PyTorch's `[Cout, Cin, kH·kW]` becomes `[kH·kW, Cin, Cout]`, or the
  /// other way round. With `middle` 1, a matrix is transposed.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func reverseAxes<Scalar: Element>(
    _ input: Storage<Scalar>, outer: Int, middle: Int, inner: Int, into output: Storage<Scalar>
  ) {
    precondition(
      input.count == outer * middle * inner && output.count == input.count,
      "\(input.count) and \(output.count) elements for [\(outer), \(middle), \(inner)]")
    precondition(input !== output, "axes cannot be reversed in place")
    for k in 0..<inner {
      for j in 0..<middle {
        var source = input.base + j * inner + k
        let target = output.base + (k * middle + j) * outer
        for i in 0..<outer {
          target[i] = source.pointee
          source += middle * inner
        }
      }
    }
  }
}
