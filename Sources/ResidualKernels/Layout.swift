// Layout.swift: from one order of axes to another.

extension Kernels {
  /// `output[k, j, i] = input[i, j, k]`: the axes of `[outer, middle, inner]` in reverse.
  ///
  /// With the two axes of a kernel's rows and columns as one, PyTorch's `[Cout, Cin, kH·kW]` becomes `[kH·kW, Cin, Cout]`,
  /// and with the sizes exchanged the other way round; a matrix is transposed with `middle` 1.
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
