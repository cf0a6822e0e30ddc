import ResidualKernels
import ResidualLearning
import ResidualWalk

/// The walks that the tests look at.
enum Walks {
  /// `resnet trace` without arguments.
  static let small = walk(Walk.small())
  /// The same, plain.
  static let plain = walk(Walk.small(plain: true))
  /// Projections, and two pictures a step.
  static let projections = walk(Walk.small(options: .init(shortcut: .c)), count: 2)
  /// Table 1's stem with its max-pool, bottlenecks and odd sizes.
  static let bottlenecks = walk(bottleneck, size: 18)
  static let all = [small, plain, projections, bottlenecks]

  static func network(_ architecture: Architecture) -> ResidualNetwork<Double> { Walk.network(architecture) }

  static func walk(_ architecture: Architecture, count: Int = 1, size: Int = 8) -> Walk {
    let (images, labels) = Walk.drawn(count: count, size: size)
    return Walk(network(architecture), images: images, labels: labels)
  }

  static let bottleneck: Architecture = {
    var architecture = Architecture.imageNet(depth: 50, classes: 10, width: 3)
    architecture.stages = [
      Architecture.Stage(blocks: 1, width: 2, outputChannels: 8, stride: 1),
      Architecture.Stage(blocks: 2, width: 3, outputChannels: 12, stride: 2),
    ]
    return architecture
  }()
}
