// Degradation.swift: plain networks get worse with depth, residual ones do not.
//
// Paper       He et al. 2015 §1 Fig. 1; §4.2 Fig. 6 left and middle
// Command     resnet compare
// Tests       Tests/ResidualLearningTests/Experiments/DegradationTests.swift

import ResidualFiles
import ResidualKernels

/// Networks, plain and residual, that are trained one after the other.
public struct Degradation: Sendable {
  /// How one network fared.
  public struct Curve: Sendable {
    /// The network.
    public let architecture: Architecture
    /// Its errors, epoch by epoch.
    public let epochs: [Epoch]
    /// The result of training; nil when the loss stopped being a number.
    public let result: TrainingRun.Result?
    /// Whether training stopped because the loss was not a number.
    public var diverged: Bool { result == nil }
  }

  /// The networks in the order in which they were trained.
  public private(set) var curves: [Curve] = []

  /// Plain and residual networks of 6n + 2 layers, by depth and the plain one first.
  public static func architectures(
    depths: [Int], options: Architecture.Options = .init(), classes: Int
  ) -> [Architecture] {
    depths.flatMap { depth in
      [true, false].map { .cifar(depth: depth, plain: $0, options: options, classes: classes) }
    }
  }

  /// Trains the networks of these runs, one after the other. If `shouldStop` stops it, the last curve is unfinished.
  ///
  /// - Parameter observe: called with every event and the run that it belongs to.
  public init(
    _ runs: [TrainingRun], observe: (TrainingRun, TrainingRun.Event) -> Void = { _, _ in },
    shouldStop: () -> Bool = { false }
  ) throws {
    for run in runs where !shouldStop() {
      var epochs: [Epoch] = []
      var result: TrainingRun.Result?
      do {
        result = try run.run(
          observe: { event in
            if case .epoch(let epoch) = event { epochs.append(epoch) }
            observe(run, event)
          }, shouldStop: shouldStop)
      } catch is Divergence {}
      curves.append(Curve(architecture: run.architecture, epochs: epochs, result: result))
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
            "", curve.epochs.map { (Double($0.iteration), 100 * $0.trainingError) }, color: i, isDashed: true),
          LinePlot.Series(
            curve.architecture.name,
            curve.epochs.compactMap { epoch in epoch.test.map { (Double(epoch.iteration), 100 * $0.error) } }, color: i),
        ]
      })
  }

  /// The largest error of all in per cent: both plots have one scale.
  private var worst: Double {
    100 * (curves.flatMap(\.epochs).map { Swift.max($0.trainingError, $0.test?.error ?? 0) }.max() ?? 0)
  }
}
