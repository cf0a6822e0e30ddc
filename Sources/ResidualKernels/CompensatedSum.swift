// CompensatedSum.swift: long sums that are as accurate as short ones.

/// A sum of vectors, kept in two numbers a lane: the rounded sum, and the total of its rounding errors (Knuth's
/// two-sum; Ogita, Rump & Oishi 2005, "Accurate sum and dot product").
///
/// The terms of the sums in the backward pass of batch normalization mostly cancel, so that a rounding error is a large
/// part of the result, and the error of a plain sum grows with its length. Kernels add a few vectors plainly, and add
/// those partial sums up here.
struct CompensatedSum<Scalar: Element> {
  private var sum: Scalar.Vector
  private var lost = Scalar.Vector.zero

  @inline(__always)
  init(_ start: Scalar.Vector = .zero) { sum = start }

  @inline(__always)
  mutating func add(_ x: Scalar.Vector) {
    let next = sum + x
    let added = next - sum
    lost += (sum - (next - added)) + (x - added)
    sum = next
  }

  @inline(__always) var value: Scalar.Vector { sum + lost }
}
