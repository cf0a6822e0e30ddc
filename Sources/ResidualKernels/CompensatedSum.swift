// CompensatedSum.swift: long sums as exact as short ones.

/// A sum of vectors in two numbers a lane: the rounded sum, and what its roundings lost (Knuth's two-sum; Ogita, Rump &
/// Oishi 2005, "Accurate sum and dot product").
///
/// The sums of batch normalization's backward mostly cancel, so a rounding in them is a large part of what is left,
/// and the error of a plain sum grows with its length. Kernels sum a few vectors plainly and add those sums up here.
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
