// Degradation.swift: plain networks get worse with depth, residual ones do not.
//
// Paper       He et al. 2015 §1 Fig. 1; §4.2 Fig. 6 left and middle, Table 6; §4.1 Tables 2, 3
// Command     resnet compare
// Tests       Tests/ResidualExperimentsTests/DegradationTests.swift

import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning

/// Networks, plain and residual, each trained with one seed or several.
public struct Degradation: Sendable {
  /// How one run went.
  public struct Curve: Sendable {
    /// The run.
    public let run: TrainingRun
    /// What became of it.
    public let result: TrainingRun.Result

    /// The errors of the last epoch; nil when the loss was not a number before the end.
    public var last: Epoch? { result.divergence == nil ? result.epochs.last : nil }
  }

  /// A mean over runs of one network with several seeds, and the standard deviation of one run from it, if there are
  /// several.
  public struct Spread: Equatable, Sendable {
    /// The mean of the values.
    public let mean: Double
    /// The standard deviation of one value, from n − 1; nil for a single one.
    public let deviation: Double?

    /// The spread of these values; nil without any.
    public init?(_ values: [Double]) {
      guard !values.isEmpty else { return nil }
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      self.mean = mean
      deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil
    }
  }

  /// The runs in the order in which they were done.
  public private(set) var curves: [Curve] = []

  /// Plain and residual networks of 6n + 2 layers, by depth and the plain one first.
  public static func architectures(
    depths: [Int], options: Architecture.Options = .init(), classes: Int
  ) -> [Architecture] {
    depths.flatMap { depth in
      [true, false].map { .cifar(depth: depth, plain: $0, options: options, classes: classes) }
    }
  }

  /// Runs every run to its end, or until `shouldStop` says so; then the last curve is unfinished. A run whose folder has a
  /// checkpoint goes on from there, and one that is done is not done again.
  ///
  /// - Parameters:
  ///   - runs: the runs in the order in which they are begun.
  ///   - sideBySide: whether each thread has a run of its own. Networks too small to keep several threads busy are done
  ///     sooner like that; the results have the same bits.
  ///   - observe: called with every event and the run that it belongs to, one at a time.
  ///   - shouldStop: asked after every step.
  /// - Throws: `InputError` before the first step when a folder holds another run; when a run cannot be saved.
  public init(
    _ runs: [TrainingRun], sideBySide: Bool = false,
    observe: (TrainingRun, TrainingRun.Event) -> Void = { _, _ in }, shouldStop: () -> Bool = { false }
  ) throws {
    let checkpoints = try runs.map { run in
      let checkpoint = try run.folder.flatMap { try TrainingRun.checkpoint(in: $0) }
      if let checkpoint { try run.check(checkpoint) }
      return checkpoint
    }
    let lock = NSLock()
    var results = [Result<TrainingRun.Result, any Error>?](repeating: nil, count: runs.count)
    var hasFailed = false
    func stops() -> Bool { shouldStop() || lock.withLock { hasFailed } }
    func finish(_ number: Int) {
      guard !stops() else { return }
      let result = Result {
        try runs[number].run(
          from: checkpoints[number], observe: { event in lock.withLock { observe(runs[number], event) } },
          shouldStop: stops)
      }
      lock.withLock {
        results[number] = result
        if case .failure = result { hasFailed = true }
      }
    }
    if sideBySide { Parallel.forEachChunk(runs.count, finish) } else { runs.indices.forEach(finish) }
    curves = try zip(runs, results).compactMap { run, result in
      try result.map { Curve(run: run, result: try $0.get()) }
    }
  }

  /// The labels of the networks, each once, in the order of the runs.
  public var labels: [String] {
    curves.map(\.run.label).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// The spread of a number of the last epoch over the runs of a network that did not diverge.
  public func spread(_ label: String, _ value: (Epoch) -> Double?) -> Spread? {
    Spread(curves(label).compactMap { $0.last.flatMap(value) })
  }

  /// The runs of a network.
  public func curves(_ label: String) -> [Curve] { curves.filter { $0.run.label == label } }

  /// Fig. 6 left (plain) or middle (residual): training errors dashed, test errors bold; means over the seeds.
  public func plot(plain: Bool) -> LinePlot {
    let chosen = labels.filter { (curves($0)[0].run.architecture.block == .plain) == plain }
    return LinePlot(
      title: plain ? "Plain networks" : "Residual networks", xLabel: "iteration",
      yLabel: "error in per cent (dashed: training, bold: test)", yRange: 0...Swift.max(10, worst),
      series: chosen.enumerated().flatMap { i, label in
        [
          LinePlot.Series("", points(label) { 100 * $0.trainingError }, color: i, isDashed: true),
          LinePlot.Series(label, points(label) { $0.testError.map { 100 * $0 } }, color: i),
        ]
      })
  }

  /// The mean of a number over the seeds, epoch by epoch.
  func points(_ label: String, _ value: (Epoch) -> Double?) -> [(x: Double, y: Double)] {
    let epochs = curves(label).flatMap(\.result.epochs)
    return Set(epochs.map(\.iteration)).sorted().compactMap { iteration in
      Spread(epochs.filter { $0.iteration == iteration }.compactMap(value)).map { (Double(iteration), $0.mean) }
    }
  }

  /// The largest error of all in per cent: both plots have one scale.
  private var worst: Double {
    100 * (curves.flatMap(\.result.epochs).map { Swift.max($0.trainingError, $0.testError ?? 0) }.max() ?? 0)
  }
}
