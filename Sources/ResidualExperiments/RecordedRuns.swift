// RecordedRuns.swift: the logs of long runs, to be drawn again without training again.
//
// Paper       He et al. 2015 §4.2, Fig. 6, Fig. 7
// Tests       Tests/ResidualExperimentsTests/RecordedRunsTests.swift

import Foundation
import ResidualFiles
import ResidualLearning

/// What a training run left in its folder: `log.csv` and, where there is one, `responses.csv`.
public struct RecordedRun: Equatable, Sendable {
  /// The folder, as seen from the one that all runs are in: `resnet20-paper`.
  public let name: String
  /// How its epochs went, the first one first.
  public let epochs: [Epoch]
  /// The standard deviations of the 3x3 layers' outputs at the end, in the order of the network; none without
  /// `responses.csv`.
  public let responses: [Double]

  /// The runs in the folders inside this one, by name. A folder without an epoch in its `log.csv` is no run.
  public static func all(in folder: String) -> [RecordedRun] {
    let paths = FileManager.default.subpaths(atPath: folder) ?? []
    return paths.filter { $0.hasSuffix("/log.csv") }.sorted().compactMap { path in
      let name = String(path.dropLast("/log.csv".count))
      let log = NumberTable(contentsOf: folder + "/" + path, upTo: .max)
      let responses = NumberTable(contentsOf: folder + "/" + name + "/responses.csv", upTo: .max).rows.last ?? []
      let run = RecordedRun(
        name: name, epochs: log.rows.indices.compactMap { Epoch(log.cells($0)) },
        responses: responses.dropFirst().compactMap(\.self))
      return run.epochs.isEmpty ? nil : run
    }
  }

  /// Fig. 6: training errors dashed, test errors bold, in per cent.
  public static func errors(_ runs: [RecordedRun], title: String) -> LinePlot {
    LinePlot(
      title: title, xLabel: "iteration", yLabel: "error in per cent (dashed: training, bold: test)", yRange: 0...30,
      series: runs.enumerated().flatMap { i, run in
        [
          LinePlot.Series("", run.points { 100 * $0.trainingError }, color: i, isDashed: true),
          LinePlot.Series(run.name, run.points { $0.testError.map { 100 * $0 } }, color: i),
        ]
      })
  }

  /// Fig. 7: the responses of the runs that have some.
  public static func responses(_ runs: [RecordedRun]) -> LinePlot {
    LinePlot(
      title: "Layer responses", xLabel: "layer", yLabel: "standard deviation",
      series: runs.enumerated().filter { !$1.responses.isEmpty }.map { i, run in
        LinePlot.Series(run.name, run.responses.enumerated().map { (Double($0 + 1), $1) }, color: i)
      })
  }

  /// A number of every epoch that has it, over the iterations.
  private func points(_ value: (Epoch) -> Double?) -> [(x: Double, y: Double)] {
    epochs.compactMap { epoch in value(epoch).map { (Double(epoch.iteration), $0) } }
  }
}
