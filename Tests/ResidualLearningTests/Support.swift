import ResidualKernels

@testable import ResidualLearning

/// The largest difference between two elements at the same place; infinite for shapes that differ and for NaN.
func largestDifference<Scalar: Element>(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Double {
  guard a.shape == b.shape else { return .infinity }
  return zip(a.elements, b.elements).reduce(0) { worst, pair in
    let difference = abs(Double(pair.0) - Double(pair.1))
    return difference.isNaN ? .infinity : max(worst, difference)
  }
}

extension Tensor {
  /// The same numbers in another precision.
  func converted<Other: Element>(to _: Other.Type) -> Tensor<Other> { Tensor<Other>(shape, elements.map { Other($0) }) }
}

/// FNV-1a, word by word.
func checksum(_ words: [UInt64]) -> UInt64 {
  words.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1) &* 0x100_0000_01b3 }
}
