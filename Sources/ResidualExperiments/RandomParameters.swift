// RandomParameters.swift: layers whose scales, shifts and biases are not those of a network before training, 1 and 0,
// which would hide mistakes.
//
// Tests       Tests/ResidualExperimentsTests/StandardChecksTests.swift

import ResidualKernels
import ResidualLearning

/// The layer with scales between 1/2 and 3/2 and with shifts and biases that are not zero.
package func withRandomParameters<Checked: Layer>(_ layer: Checked, using generator: inout RandomGenerator) -> Checked
where Checked.Scalar == Double {
  var layer = layer
  layer.parameters.visit("") { name, tensor in
    if name.hasSuffix("scale") {
      tensor = Tensor(uniform: tensor.shape, from: 0.5, to: 1.5, using: &generator)
    } else if name.hasSuffix("shift") || name.hasSuffix("bias") {
      tensor = Tensor(normal: tensor.shape, deviation: 0.5, using: &generator)
    } else if name.hasSuffix("classifier.weight") {
      tensor = Tensor(normal: tensor.shape, deviation: 0.5, using: &generator)
    }
  }
  return layer
}
