// HeInitialization.swift: the size of random initial weights.
//
// Paper       He et al. 2015 §3.4 initializes "as in" He et al. 2015 (Delving Deep into Rectifiers, arXiv:1502.01852),
//             whose §2.2 it is
// Tests       Tests/ResidualLearningTests/Layers/Conv2DTests.swift

/// The variance of random weights that keeps the variance of a signal through convolutions with ReLU: 2/fan, where fan
/// is a number of connections.
public enum HeInitialization: String, CaseIterable, Codable, Sendable {
  /// fan = kH·kW·Cin, the connections into an output: keeps the variance of the forward pass. This is the default.
  case fanIn
  /// fan = kH·kW·Cout, the connections out of an input: keeps the variance of the backward pass. The reference says
  /// that either is enough; torchvision uses this one.
  case fanOut

  /// The standard deviation √(2/fan) for weights `[kH, kW, Cin, Cout]`.
  public func deviation(ofWeight shape: Shape) -> Double {
    let channels = self == .fanIn ? shape[2] : shape[3]
    return (2 / Double(shape[0] * shape[1] * channels)).squareRoot()
  }
}
