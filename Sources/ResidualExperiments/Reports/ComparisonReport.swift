// ComparisonReport.swift: plain and residual networks side by side, as a page.
//
// Paper       He et al. 2015 Fig. 1, Fig. 6
// Command     resnet compare
// Tests       Tests/ResidualExperimentsTests/Reports/ReportTests.swift

import Foundation
import ResidualFiles
import ResidualLearning

extension Degradation {
  /// The page of a comparison: its command and recipe, the curves of Fig. 6, and the last errors beside the paper's.
  ///
  /// - Parameters:
  ///   - command: the command that made or resumed it.
  ///   - images: where the images are from, in words.
  public func report(command: String, images: String) -> HTMLPage {
    var page = HTMLPage(title: "\(labels.joined(separator: ", ")) on \(images)")
    page.code(command)
    let kinds = [true, false].filter { plain in
      curves.contains { ($0.run.architecture.block == .plain) == plain }
    }
    page.plots(kinds.map { plot(plain: $0) })
    addErrors(to: &page)
    addRecipes(to: &page, images: images)
    page.addResponses(firstResponses)
    page.heading("Speed")
    page.plots([speed])
    return page
  }

  private func addErrors(to page: inout HTMLPage) {
    page.heading("Errors after the last epoch")
    let rows = labels.map { label in
      let runs = curves(label)
      let diverged = runs.count { $0.result.divergence != nil }
      func words(_ value: (Epoch) -> Double?) -> String {
        guard let spread = spread(label, value) else { return "–" }
        return percent(spread.mean) + (spread.deviation.map { " ± \(percent($0))" } ?? "")
      }
      let architecture = runs[0].run.architecture
      return [
        label, "\(architecture.weightedLayers)", "\(runs.count)" + (diverged > 0 ? ", \(diverged) diverged" : ""),
        words(\.trainingError), words(\.testError), PaperNumbers(architecture)?.error ?? "not printed",
      ]
    }
    page.table(["network", "layers", "runs", "training", "test", "the paper's test error"], rows)
    page.paragraph("After ± stands the standard deviation of one run, where a network has several seeds.")
  }

  private func addRecipes(to page: inout HTMLPage, images: String) {
    page.heading("Configuration")
    let first = curves.map(\.run)[0]
    page.paragraph(
      "\(images): \(first.training.count) to train on, \(first.heldOut.count) held out, \(first.test?.count ?? 0) to test "
        + "with. Seeds: \(Set(curves.map(\.run.seed)).sorted().map(String.init).joined(separator: ", ")).")
    page.table(
      ["network", "recipe", "different from the paper's"],
      labels.map { label in
        let run = curves(label)[0].run
        let differences = run.recipe.differences(fromPaperOfDepth: run.architecture.weightedLayers)
        return [label, run.recipe.summary, differences.isEmpty ? "nothing" : differences.joined(separator: "; ")]
      }, ofWords: true)
  }

  /// The responses of each network's first run to the first test images; not of networks that crops are trained on, which
  /// take another size.
  private var firstResponses: [(name: String, responses: LayerResponses)] {
    labels.compactMap { label in
      // Images of another size than the crops that were trained on do not fit the mean image.
      guard let curve = curves(label).first(where: { $0.last != nil }), let test = curve.run.test,
        curve.run.recipe.augmentation.scaled == nil
      else { return nil }
      return (
        label,
        LayerResponses(curve.result.network, images: test.prefix(512), normalization: curve.result.normalization)
      )
    }
  }

  private var speed: LinePlot {
    LinePlot(
      title: "Speed", xLabel: "iteration", yLabel: "images per second, median of an epoch",
      series: labels.enumerated().map { i, label in
        .init(label, points(label, \.imagesPerSecond), color: i)
      })
  }
}
