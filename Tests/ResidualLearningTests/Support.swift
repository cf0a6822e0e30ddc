import ResidualKernels

@testable import ResidualLearning

extension Tensor {
  /// The same numbers in another precision.
  func converted<Other: Element>(to _: Other.Type) -> Tensor<Other> { Tensor<Other>(shape, elements.map { Other($0) }) }
}
