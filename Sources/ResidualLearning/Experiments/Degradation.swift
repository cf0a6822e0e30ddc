// Degradation.swift: plain networks get worse with depth, residual ones do not.
//
// Paper       He et al. 2015 §1 Fig. 1; §4.2 Fig. 6 left and middle
// Command     resnet compare
// Tests       Tests/ResidualLearningTests/Experiments/DegradationTests.swift

import ResidualKernels

/// Plain and residual networks of several depths, trained alike.
public struct Degradation: Sendable {
  /// The errors, 0 to 1, after an epoch.
  public struct Point: Equatable, Sendable {
    /// Steps so far.
    public let iteration: Int
    /// The share of training images classified wrong during the epoch.
    public let trainingError: Double
    /// The mean loss during the epoch.
    public let trainingLoss: Double
    /// The share of test images classified wrong after it.
    public let testError: Double
  }

  /// One network's way.
  public struct Curve: Equatable, Sendable {
    /// The network.
    public let architecture: Architecture
    /// Its errors, epoch by epoch.
    public let points: [Point]
    /// Whether training stopped because the loss was not a number.
    public let diverged: Bool
  }

  /// The networks in the order in which they were trained: by depth, the plain one first.
  public private(set) var curves: [Curve] = []

  /// Trains networks of 6n + 2 layers.
  ///
  /// - Parameters:
  ///   - depths: the depths; each is trained plain and residual.
  ///   - recipe: the recipe of a network of some depth.
  ///   - seed: of weights, order and crops, the same for all networks.
  ///   - progress: told after each step which network is at which iteration, and may throw to stop.
  ///   - finished: told when a network is done.
  public init(
    depths: [Int], options: Architecture.Options = .init(), training: ImageDataset, test: ImageDataset, seed: UInt64,
    recipe: (Int) -> Recipe, progress: (Architecture, Int) throws -> Void = { _, _ in },
    finished: (Curve) -> Void = { _ in }
  ) throws {
    let normalization = PixelNormalization.perPixel(of: training)
    for depth in depths {
      for plain in [true, false] {
        let architecture = Architecture.cifar(
          depth: depth, plain: plain, options: options, classes: training.classNames.count)
        var generator = RandomGenerator(seed: seed)
        func train<Network: ImageClassifier<Float>>(_ network: Network) throws -> Curve {
          var trainer = Trainer(
            network, recipe: recipe(depth), images: training, normalization: normalization, seed: seed)
          var points: [Point] = []
          while !trainer.isFinished {
            do { _ = try trainer.step() } catch is Divergence {
              return Curve(architecture: architecture, points: points, diverged: true)
            }
            let state = trainer.state
            try progress(architecture, state.iteration)
            guard state.iteration % trainer.iterationsPerEpoch == 0 || trainer.isFinished else { continue }
            points.append(
              Point(
                iteration: state.iteration, trainingError: Double(state.epochErrors) / Double(state.epochCount),
                trainingLoss: state.epochLoss / Double(state.epochCount),
                testError: trainer.network.evaluate(test, normalization: normalization).error))
          }
          return Curve(architecture: architecture, points: points, diverged: false)
        }
        let curve = try train(architecture.network(using: &generator))
        curves.append(curve)
        finished(curve)
      }
    }
  }

  /// Fig. 6 left (plain) or middle (residual): training errors dashed, test errors bold.
  public func plot(plain: Bool) -> LinePlot {
    let chosen = curves.filter { ($0.architecture.block == .plain) == plain }
    return LinePlot(
      title: plain ? "Plain networks" : "Residual networks", xLabel: "iteration",
      yLabel: "error in per cent (dashed: training, bold: test)", yRange: 0...Swift.max(10, worst),
      series: chosen.enumerated().flatMap { i, curve in
        [
          LinePlot.Series(
            "", curve.points.map { (Double($0.iteration), 100 * $0.trainingError) }, color: i, isDashed: true),
          LinePlot.Series(
            curve.architecture.name, curve.points.map { (Double($0.iteration), 100 * $0.testError) }, color: i),
        ]
      })
  }

  /// The largest error of all in per cent: both plots have one scale.
  private var worst: Double {
    100 * (curves.flatMap(\.points).map { Swift.max($0.trainingError, $0.testError) }.max() ?? 0)
  }
}
