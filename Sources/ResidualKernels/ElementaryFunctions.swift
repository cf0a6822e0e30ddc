// ElementaryFunctions.swift: the exponential and the logarithm, made of additions, multiplications and divisions.
//
// Source      Muller 2016, Elementary Functions, chapter 11 on the reduction of arguments
// Tests       Tests/ResidualKernelsTests/ElementaryFunctionsTests.swift
//
// IEEE 754 fixes every bit of a sum, a product, a quotient and a square root. It does not fix `exp` and `log`: their last
// bits differ between C libraries, and with one C library between processors. Here every operation is one of the
// former, each rounded once, and none is fused, so that a result has the same bits on every machine and in every build.

extension Double {
  /// eˣ, at most one unit in the last place from the nearest `Double`. It never falls as x grows.
  ///
  ///     x = k ln 2 + r,   k the nearest whole number to x / ln 2          eˣ = 2ᵏ eʳ    (1)
  ///     eʳ = 1 + r + r² (1/2! + r/3! + r²/4! + … + r¹²/14!)                              (2)
  ///
  /// |r| ≤ 0.35, so that the terms that (2) leaves out are below 10⁻¹⁹. The largest terms are added last.
  public static func exponential(_ x: Double) -> Double {
    guard x < 709.782712893384 else { return x.isNaN ? x : .infinity }
    guard x > -745.1332191019412 else { return 0 }
    // Adding 1.5 · 2⁵², where neighbouring numbers are 1 apart, rounds to a whole number. The high part of ln 2 ends in
    // 21 zero bits, so that k times it is exact.
    let k = (x * 0x1.71547652b82fep+0 + 0x1.8p52) - 0x1.8p52
    let r = (x - k * 0x1.62e42fee00000p-1) - k * 0x1.a39ef35793c76p-33  // (1)
    var p = 1.0 / 87_178_291_200
    p = p * r + 1.0 / 6_227_020_800
    p = p * r + 1.0 / 479_001_600
    p = p * r + 1.0 / 39_916_800
    p = p * r + 1.0 / 3_628_800
    p = p * r + 1.0 / 362_880
    p = p * r + 1.0 / 40_320
    p = p * r + 1.0 / 5_040
    p = p * r + 1.0 / 720
    p = p * r + 1.0 / 120
    p = p * r + 1.0 / 24
    p = p * r + 1.0 / 6
    p = p * r + 1.0 / 2
    let y = 1 + (r + r * r * p)  // (2)
    // In two steps, because 2ᵏ alone may be too large or too small for a `Double` where the result is not.
    let half = Int(k) / 2
    return y * powerOfTwo(half) * powerOfTwo(Int(k) - half)
  }

  /// ln x, at most three units in the last place from the nearest `Double`; −∞ for 0 and NaN for negative numbers.
  ///
  ///     x = m 2ᵉ,   2/3 < m ≤ 4/3                      ln x = ln m + e ln 2            (3)
  ///     ln m = 2 (t + t³/3 + t⁵/5 + … + t²⁵/25),       t = (m − 1) / (m + 1)           (4)
  ///
  /// |t| ≤ 1/5, so that the terms that (4) leaves out are below 10⁻²⁰.
  public static func logarithm(_ x: Double) -> Double {
    guard x > 0 && x < .infinity else { return x == 0 ? -.infinity : x > 0 ? x : .nan }
    var m = x.significand
    var e = Double(x.exponent)
    if m > 4.0 / 3 {
      m /= 2
      e += 1
    }
    let t = (m - 1) / (m + 1)
    let square = t * t
    var p = 1.0 / 25
    p = p * square + 1.0 / 23
    p = p * square + 1.0 / 21
    p = p * square + 1.0 / 19
    p = p * square + 1.0 / 17
    p = p * square + 1.0 / 15
    p = p * square + 1.0 / 13
    p = p * square + 1.0 / 11
    p = p * square + 1.0 / 9
    p = p * square + 1.0 / 7
    p = p * square + 1.0 / 5
    p = p * square + 1.0 / 3
    p = p * square + 1
    return 2 * t * p + e * 0x1.62e42fefa39efp-1  // (4), (3)
  }

  /// 2ⁿ for the exponents of normal numbers.
  private static func powerOfTwo(_ n: Int) -> Double { Double(bitPattern: UInt64(n + 1023) << 52) }
}

extension Float {
  /// eˣ, computed in `Double` and rounded. It never falls as x grows.
  public static func exponential(_ x: Float) -> Float { Float(Double.exponential(Double(x))) }

  /// ln x, computed in `Double` and rounded.
  public static func logarithm(_ x: Float) -> Float { Float(Double.logarithm(Double(x))) }
}
