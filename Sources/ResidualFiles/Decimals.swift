// Decimals.swift: numbers as texts of so many decimal digits.
//
// These are the texts of the C library's printf. They are made here because Embedded Swift has no `String(format:)`; a
// tensor and a gradient check then print the same there.
//
// Tests       Tests/ResidualFilesTests/DecimalsTests.swift

extension Double {
  /// The number with so many digits behind the point, as `%.3f` writes it: `0.125`.
  package func fixed(decimals: Int) -> String {
    text { digits in
      let rounded = digits.rounded(to: digits.exponent + decimals)
      let whole = max(rounded.exponent, 0)
      let zeros = min(max(-rounded.exponent, 0), decimals)
      let all = rounded.text(whole + max(decimals - zeros, 0))
      let fraction = String(repeating: "0", count: zeros) + all.dropFirst(whole)
      return (whole == 0 ? "0" : String(all.prefix(whole))) + (decimals == 0 ? "" : "." + fraction)
    }
  }

  /// The number as a digit with so many decimals and a power of ten, as `%.1e` writes it: `3.1e-10`.
  package func scientific(decimals: Int) -> String {
    text { digits in
      let rounded = digits.rounded(to: decimals + 1)
      let all = rounded.text(decimals + 1)
      let power = rounded.isZero ? 0 : rounded.exponent - 1
      let end = (power < 0 ? "e-" : "e+") + (abs(power) < 10 ? "0" : "") + String(abs(power))
      return String(all.prefix(1)) + (decimals == 0 ? "" : "." + all.dropFirst(1)) + end
    }
  }

  /// The number with so many digits, without zeros at the end, as `%.4g` writes it: `3.142`, `1e-05`.
  package func rounded(digits count: Int) -> String {
    guard isFinite else { return fixed(decimals: 0) }
    let rounded = Digits(magnitude).rounded(to: count)
    let power = rounded.isZero ? 0 : rounded.exponent - 1
    let isScientific = power < -4 || power >= count
    let text = isScientific ? scientific(decimals: count - 1) : fixed(decimals: count - 1 - power)
    let number = text.prefix { $0 != "e" }
    guard number.contains(".") else { return text }
    let short = String(number.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed())
    return short + text.dropFirst(number.count)
  }

  /// The sign and what `body` makes of the digits.
  private func text(_ body: (Digits) -> String) -> String {
    if isNaN { return "nan" }
    return (sign == .minus ? "-" : "") + (isInfinite ? "inf" : body(Digits(magnitude)))
  }
}

/// A number in decimal: 0.d₁d₂d₃… · 10^exponent, all of its digits or the first ones rounded.
private struct Digits {
  /// The digits; the first is not zero. There are none of zero.
  var digits: [UInt8] = []
  var exponent = 0

  var isZero: Bool { digits.isEmpty }

  /// All digits of a finite number that is not negative.
  ///
  /// It is m · 2^e with a whole m: for a negative e, m · 5^-e divided by 10^-e.
  init(_ magnitude: Double) {
    if magnitude == 0 { return }
    let isNormal = magnitude.exponentBitPattern > 0
    let e = (isNormal ? Int(magnitude.exponentBitPattern) : 1) - 1075
    let m = magnitude.significandBitPattern | (isNormal ? 1 << 52 : 0)
    let base: UInt64 = 1_000_000_000
    var limbs = [m % base, m / base]  // the last digits first
    for _ in 0..<abs(e) {
      var carry: UInt64 = 0
      for i in limbs.indices {
        let product = limbs[i] * (e < 0 ? 5 : 2) + carry
        (limbs[i], carry) = (product % base, product / base)
      }
      if carry > 0 { limbs.append(carry) }
    }
    for limb in limbs.reversed() {
      let text = String(limb).utf8
      digits += [UInt8](repeating: 0, count: 9 - text.count) + text.map { $0 - 48 }
    }
    digits.removeFirst(digits.prefix { $0 == 0 }.count)
    exponent = digits.count - max(-e, 0)
  }

  /// The number rounded to `count` digits, to the even one of two neighbours that are equally near.
  func rounded(to count: Int) -> Digits {
    guard count < digits.count else { return self }
    var result = self
    result.digits = Array(digits.prefix(max(count, 0)))
    guard count >= 0 else { return Digits(0) }
    let isHalf = digits[count] == 5 && digits.dropFirst(count + 1).allSatisfy { $0 == 0 }
    let isUp = isHalf ? (result.digits.last ?? 0) % 2 == 1 : digits[count] >= 5
    guard isUp else { return result.digits.isEmpty ? Digits(0) : result }
    while result.digits.last == 9 { result.digits.removeLast() }
    if result.digits.isEmpty {
      result.digits = [1]
      result.exponent += 1
    } else {
      result.digits[result.digits.count - 1] += 1
    }
    return result
  }

  /// The first `count` digits; zeros follow the last one.
  func text(_ count: Int) -> String {
    let shown = digits.prefix(count)
    return String(decoding: shown.map { $0 + 48 }, as: UTF8.self) + String(repeating: "0", count: count - shown.count)
  }
}
