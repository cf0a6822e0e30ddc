// WinogradForms.swift: the small matrices of Winograd's convolutions F(4x4, 3x3) and F(2x2, 3x3), for inference.
//
// Source      Lavin, Gray 2015: Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308, §4
// Derivation  docs/derivations/winograd.md; the points are 0, ±√½, ±√2 and ∞ for the first, 0, ±1 and ∞ for the second

/// The three maps along one axis of F(m x m, 3x3). Each reads numbered vectors from `s` and hands numbered vectors to `t`.
protocol WinogradForm {
  typealias Vector = FloatVector
  /// m, and m + 2: the outputs and the inputs of a tile.
  static var outputs: Int { get }
  static var inputs: Int { get }
  /// `t = Bᵀ s`, of inputs.
  static func spread(_ s: (Int) -> Vector, _ t: (Int, Vector) -> Void)
  /// `t = G s`, of three weights.
  static func spreadWeight(_ s: (Int) -> Vector, _ t: (Int, Vector) -> Void)
  /// `t = Aᵀ s`, of products.
  static func gather(_ s: (Int) -> Vector, _ t: (Int, Vector) -> Void)
}

/// F(4x4, 3x3): 36 products where the definition has 144, and 36 weights where it has 9.
enum Winograd4: WinogradForm {
  @inline(__always) static var outputs: Int { 4 }
  @inline(__always) static var inputs: Int { 6 }
  @inline(__always) private static var a: Float { Float(0.5).squareRoot() }
  @inline(__always) private static var b: Float { Float(2).squareRoot() }

  @inline(__always) static func spread(_ s: (Int) -> Vector, _ t: (Int, Vector) -> Void) {
    let (s1, s2, s3, s4) = (s(1), s(2), s(3), s(4))
    t(0, (s(0) + s4).plus(s2, times: -2.5))
    let (even1, odd1) = (s4.plus(s2, times: -2), s3.plus(s1, times: -2))
    t(1, even1.plus(odd1, times: a))
    t(2, even1.plus(odd1, times: -a))
    let (even2, odd2) = (s4.plus(s2, times: -0.5), s3.plus(s1, times: -0.5))
    t(3, even2.plus(odd2, times: b))
    t(4, even2.plus(odd2, times: -b))
    t(5, (s1 + s(5)).plus(s3, times: -2.5))
  }

  @inline(__always) static func spreadWeight(_ s: (Int) -> Vector, _ t: (Int, Vector) -> Void) {
    let (s0, s1, s2) = (s(0), s(1), s(2))
    t(0, s0)
    let even1 = (s0 * Float(-2.0 / 3)).plus(s2, times: -1.0 / 3)
    t(1, even1.plus(s1, times: -2 * a / 3))
    t(2, even1.plus(s1, times: 2 * a / 3))
    let even2 = (s0 * Float(1.0 / 6)).plus(s2, times: 1.0 / 3)
    t(3, even2.plus(s1, times: b / 6))
    t(4, even2.plus(s1, times: -b / 6))
    t(5, s2)
  }

  @inline(__always) static func gather(_ s: (Int) -> Vector, _ t: (Int, Vector) -> Void) {
    let (s1, s2, s3, s4) = (s(1), s(2), s(3), s(4))
    let (sum1, difference1, sum2, difference2) = (s1 + s2, s1 - s2, s3 + s4, s3 - s4)
    t(0, s(0) + sum1 + sum2)
    t(1, (difference1 * a).plus(difference2, times: b))
    t(2, (sum1 * Float(0.5)).plus(sum2, times: 2))
    t(3, s(5).plus(difference1, times: a / 2).plus(difference2, times: 2 * b))
  }
}

/// F(2x2, 3x3): 16 products where the definition has 36, and 16 weights where it has 9.
enum Winograd2: WinogradForm {
  @inline(__always) static var outputs: Int { 2 }
  @inline(__always) static var inputs: Int { 4 }

  @inline(__always) static func spread(_ s: (Int) -> Vector, _ t: (Int, Vector) -> Void) {
    let (s1, s2) = (s(1), s(2))
    t(0, s(0) - s2)
    t(1, s1 + s2)
    t(2, s2 - s1)
    t(3, s1 - s(3))
  }

  @inline(__always) static func spreadWeight(_ s: (Int) -> Vector, _ t: (Int, Vector) -> Void) {
    let (s0, s1, s2) = (s(0), s(1), s(2))
    let even = (s0 + s2) * Float(0.5)
    t(0, s0)
    t(1, even.plus(s1, times: 0.5))
    t(2, even.plus(s1, times: -0.5))
    t(3, s2)
  }

  @inline(__always) static func gather(_ s: (Int) -> Vector, _ t: (Int, Vector) -> Void) {
    let (s1, s2) = (s(1), s(2))
    t(0, s(0) + s1 + s2)
    t(1, s1 - s2 - s(3))
  }
}
