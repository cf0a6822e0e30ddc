// Architecture+Network.swift: from the description to the network.
//
// Tests       Tests/ResidualLearningTests/Networks/ResidualNetworkTests.swift

import ResidualKernels

extension Architecture {
  /// The network of this description, residual, plain or VGG, with random weights.
  ///
  /// - Parameter fused: as in ``ResidualNetwork/init(_:fused:using:)``. VGG networks have no fused form.
  public func network<Scalar: Element>(
    _: Scalar.Type = Float.self, fused: Bool = true, using generator: inout RandomGenerator
  ) -> any ImageClassifier<Scalar> {
    if block == .convolution { return VGG(self, using: &generator) }
    return ResidualNetwork(self, fused: fused, using: &generator)
  }
}
