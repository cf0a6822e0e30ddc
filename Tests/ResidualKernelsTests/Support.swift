@testable import ResidualKernels

/// Numbers between -1 and 1 that look random and are the same every time.
func numbers<Scalar: Element>(_ count: Int, seed: Int) -> Storage<Scalar> {
  var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
  return Storage(
    (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Scalar(Double(state >> 11) / Double(1 << 52) - 1)
    })
}

/// The largest difference, relative to the largest expected value. NaN anywhere gives infinity.
func relativeError<Scalar: Element>(_ actual: Storage<Scalar>, _ expected: Storage<Scalar>) -> Double {
  precondition(actual.count == expected.count, "\(actual.count) elements, \(expected.count) expected")
  var worst = 0.0
  var largest = 0.0
  for i in 0..<actual.count {
    let difference = abs(Double(actual[i]) - Double(expected[i]))
    if difference.isNaN { return .infinity }
    worst = max(worst, difference)
    largest = max(largest, abs(Double(expected[i])))
  }
  return largest == 0 ? worst : worst / largest
}
