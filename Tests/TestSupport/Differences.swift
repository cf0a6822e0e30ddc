import ResidualKernels
import ResidualLearning

/// The largest difference between two elements at the same place; infinite for shapes that differ and for NaN.
package func largestDifference<Scalar: Element>(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Double {
  guard a.shape == b.shape else { return .infinity }
  return zip(a.elements, b.elements).reduce(0) { worst, pair in
    let difference = abs(Double(pair.0) - Double(pair.1))
    return difference.isNaN ? .infinity : max(worst, difference)
  }
}
