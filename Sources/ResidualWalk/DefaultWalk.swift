// DefaultWalk.swift: the small network and the small picture of `resnet trace` without arguments.
//
// Tests       Tests/ResidualWalkTests/WalkTests.swift

import ResidualExperiments
import ResidualKernels
import ResidualLearning

extension Walk {
  /// How `resnet trace` normalizes pixels: with CIFAR-10's mean and deviation of each channel. A mean image of one image
  /// would leave nothing of it.
  public static func normalization(size: Int) -> PixelNormalization {
    .channels(.cifar, height: size, width: size)
  }

  /// A network with weights drawn from a seed. Scales γ, shifts β and the bias are drawn too, since 1 and 0, their values
  /// before training, would hide mistakes.
  public static func network(_ architecture: Architecture, seed: UInt64 = 1) -> ResidualNetwork<Double> {
    var generator = RandomGenerator(seed: seed)
    return withRandomParameters(
      ResidualNetwork<Double>(architecture, fused: false, using: &generator), using: &generator)
  }

  /// The same network in `Double`. It throws nothing: every tensor is there.
  public static func network(_ network: ResidualNetwork<Float>) throws -> ResidualNetwork<Double> {
    var generator = RandomGenerator(seed: 0)
    var result = ResidualNetwork<Double>(network.architecture, fused: false, using: &generator)
    let state = Dictionary(uniqueKeysWithValues: network.state.map { ($0.name, $0.tensor) })
    try result.visitState { name, tensor in
      tensor = Tensor(tensor.shape, state[name]!.elements.map(Double.init))
    }
    return result
  }

  /// Drawn pictures as a network's input, and their classes.
  public static func drawn(count: Int = 1, size: Int = 8, seed: UInt64 = 1) -> (images: Tensor<Double>, labels: [Int]) {
    let images = SyntheticImages.make(count: count, seed: seed, size: size)
    let input = normalization(size: size).input(images, 0..<count)
    return (Tensor(input.shape, input.elements.map(Double.init)), images.labels.map { Int($0) })
  }

  /// The network of `resnet trace` without arguments: a residual net with one block a stage and four channels in the
  /// first.
  public static func small(plain: Bool = false, options: Architecture.Options = .init()) -> Architecture {
    .cifar(depth: 8, plain: plain, options: options, width: 4)
  }

  /// The same step of the plain network with the same weights: the blocks without their shortcuts. It is nil where there
  /// is none to leave out, and for bottlenecks, whose plain form the paper does not have.
  public var withoutShortcuts: Walk? {
    guard architecture.block == .basic else { return nil }
    var description = architecture
    description.block = .plain
    description.name = "plain\(architecture.weightedLayers)"
    var generator = RandomGenerator(seed: 0)
    var network = ResidualNetwork<Double>(description, fused: false, using: &generator)
    let known = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.tensor) })
    network.parameters.visit("") { name, tensor in tensor = known[name]! }
    return Walk(network, images: values[0], labels: labels, rate: rate)
  }
}
