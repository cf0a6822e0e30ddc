import ResidualKernels

@testable import ResidualLearning

extension Layer where Scalar == Double {
  /// The layer with all numbers of the named parameters equal to one value.
  func with(_ values: [String: Double]) -> Self {
    var (layer, found) = (self, 0)
    layer.parameters.visit("") { name, tensor in
      guard let value = values[name] else { return }
      tensor = Tensor(tensor.shape, repeating: value)
      found += 1
    }
    precondition(found == values.count, "\(values.keys.sorted()), of which the layer has \(found)")
    return layer
  }
}

extension Block where Scalar == Double {
  /// What `forward` shows, in its order.
  func observed(_ input: Tensor<Double>) -> [(name: String, tensor: Tensor<Double>)] {
    var result: [(name: String, tensor: Tensor<Double>)] = []
    _ = forward(input) { name, tensor in result.append((name, tensor)) }
    return result
  }
}

/// A batch of three images of one pixel, 0, 3 and 6, with which blocks of one channel can be computed by hand.
///
/// Mean 3 and variance 6 take x to x̂ = (−√1.5, 0, √1.5), and so does every further normalization whose ReLU, behind a
/// shift of 2, lets all pass. With a last scale γ = √6 the residual F is (−3, 0, 3). The gradient of all normalizations
/// together is that of the first: with r = 1/√6, dx = γ r (dF − mean dF − x̂ mean (dF x̂)), and γ r = 1.
enum ThreePixels {
  static let input = Tensor<Double>([3, 1, 1, 1], [0, 3, 6])
  /// dy. Where the ReLU passes all but the first image, dF = (0, 1, 1) has mean 2/3, and mean (dF x̂) = √1.5 / 3.
  static let outputGradient = Tensor<Double>([3, 1, 1, 1], [9, 1, 1])
  /// (0 − 2/3 + 1/2, 1 − 2/3, 1 − 2/3 − 1/2).
  static let residualGradient = Tensor<Double>([3, 1, 1, 1], [-1.0 / 6, 1.0 / 3, -1.0 / 6])
  /// ε = 1e-5 beside variances of 1 and 6.
  static let tolerance = 1e-4
}
