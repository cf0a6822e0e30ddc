// WinogradForms.swift: Winograd's convolutions F(4x4, 3x3) and F(2x2, 3x3).
//
// Source      Lavin, Gray 2015: Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308, §4
// Derivation  docs/derivations/winograd.md has the first, whose points are 0, ±√½, ±√2 and ∞; those of the second, which
//             only inference uses, are 0, ±1 and ∞

/// The size of a tile of F(m x m, 3x3), and its three maps along one axis.
protocol WinogradForm<Scalar> {
  associatedtype Scalar: Element
  /// m: the outputs of a tile along an axis. It has m + 2 inputs.
  static var outputs: Int { get }
  /// `Bᵀ`, of inputs; `G`, of three weights; `Aᵀ`, of products.
  associatedtype Input: AxisMap<Scalar>
  associatedtype Weight: AxisMap<Scalar>
  associatedtype Output: AxisMap<Scalar>
}

/// F(4x4, 3x3): 36 products where the definition has 144, and 36 weights where it has 9.
enum Winograd4<Scalar: Element>: WinogradForm {
  @inline(__always) static var outputs: Int { 4 }
  typealias Input = InputSpread<Scalar>
  typealias Weight = WeightSpread<Scalar>
  typealias Output = OutputGather<Scalar>
}

/// F(2x2, 3x3): 16 products where the definition has 36, and 16 weights where it has 9.
enum Winograd2<Scalar: Element>: WinogradForm {
  @inline(__always) static var outputs: Int { 2 }

  enum Input: AxisMap {
    @inline(__always)
    static func apply(_ s: (Int) -> Scalar.Vector, _ t: (Int, Scalar.Vector) -> Void) {
      let (s1, s2) = (s(1), s(2))
      t(0, s(0) - s2)
      t(1, s1 + s2)
      t(2, s2 - s1)
      t(3, s1 - s(3))
    }
  }

  enum Weight: AxisMap {
    @inline(__always)
    static func apply(_ s: (Int) -> Scalar.Vector, _ t: (Int, Scalar.Vector) -> Void) {
      let (s0, s1, s2) = (s(0), s(1), s(2))
      let even = (s0 + s2) * Scalar(0.5)
      t(0, s0)
      t(1, even.plus(s1, times: 0.5))
      t(2, even.plus(s1, times: -0.5))
      t(3, s2)
    }
  }

  enum Output: AxisMap {
    @inline(__always)
    static func apply(_ s: (Int) -> Scalar.Vector, _ t: (Int, Scalar.Vector) -> Void) {
      let (s1, s2) = (s(1), s(2))
      t(0, s(0) + s1 + s2)
      t(1, s1 - s2 - s(3))
    }
  }
}
