import ResidualKernels
import ResidualLearning

/// A block with random weights that depend on nothing but the sizes: `width` channels inside, `output` behind it.
package func makeBlock<Scalar: Element>(
  _ kind: Architecture.BlockKind, _ input: Int, width: Int, output: Int, stride: Int = 1,
  options: Architecture.Options = Architecture.Options(), fused: Bool = false, scalar: Scalar.Type = Double.self
) -> Block<Scalar> {
  var generator = RandomGenerator(seed: 1)
  let stage = Architecture.Stage(blocks: 1, width: width, outputChannels: output, stride: stride)
  let description = Architecture.block(kind, inputChannels: input, stage: stage, stride: stride, options: options)
  return Block(description, fused: fused, using: &generator)
}
