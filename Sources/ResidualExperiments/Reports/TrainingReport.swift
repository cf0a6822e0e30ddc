// TrainingReport.swift: what became of a training run, as a page.
//
// Paper       He et al. 2015 §4.2, Fig. 6, Fig. 7, Table 6
// Command     resnet train
// Tests       Tests/ResidualExperimentsTests/Reports/ReportTests.swift

import Foundation
import ResidualFiles
import ResidualLearning

extension TrainingRun {
  /// The page of a run: its command and configuration, its curves, and what its network does with the test images.
  ///
  /// - Parameters:
  ///   - command: the command that began or resumed the run.
  ///   - images: where the images are from, in words.
  /// - Throws: `InputError` when the test images have a size that the network cannot take.
  public func report(_ result: Result, command: String, images: String) throws -> HTMLPage {
    var page = HTMLPage(title: "\(label) on \(images)")
    page.paragraph(outcome(result))
    page.code(command)
    addConfiguration(to: &page, images: images)
    addCurves(result, to: &page)
    if let epoch = result.epochs.last { addErrors(epoch, to: &page) }
    guard result.divergence == nil else { return page }
    if let test {
      let predictions = try Predictions(
        result.network, test, normalization: result.normalization, crop: recipe.augmentation.scaled?.size)
      page.addConfusion(predictions)
      page.addMistakes(predictions)
    }
    page.addFilters(of: result.network)
    if recipe.augmentation.scaled == nil, let shown = test.map({ $0.prefix(512) }) {
      page.addResponses([
        (label, LayerResponses(result.network, images: shown, normalization: result.normalization))
      ])
    }
    return page
  }

  /// How the run stands, in a sentence or two.
  private func outcome(_ result: Result) -> String {
    if let divergence = result.divergence { return "The run diverged: \(divergence)." }
    let steps = "\(result.state.iteration) of \(recipe.iterations) steps are done."
    guard let epoch = result.epochs.last else { return steps }
    return steps + " The training error of the last epoch is \(percent(epoch.trainingError))"
      + (epoch.testError.map { ", the test error after it \(percent($0))." } ?? ".")
  }

  private func addConfiguration(to page: inout HTMLPage, images: String) {
    page.heading("Configuration")
    let depth = architecture.weightedLayers
    let differences = recipe.differences(fromPaperOfDepth: depth)
    let section = recipe.augmentation.scaled == nil ? "§4.2" : "§3.4"
    page.table(
      ["what", "this run"],
      [
        ["network", "\(architecture.name), \(depth) layers, \(Summary(architecture).parameters) parameters"],
        [
          "shortcuts",
          [.plain, .convolution].contains(architecture.block)
            ? "none" : "option \(architecture.options.shortcut.rawValue)",
        ],
        [
          "images",
          "\(images): \(training.count) to train on, \(heldOut.count) held out, \(test?.count ?? 0) to test with",
        ],
        ["seed", "\(seed)"], ["recipe", recipe.summary],
        [
          "different from the paper's \(section)",
          differences.isEmpty ? "nothing that the paper says" : differences.joined(separator: "; "),
        ],
      ], ofWords: true)
  }

  private func addCurves(_ result: Result, to page: inout HTMLPage) {
    page.heading("Curves")
    let epochs = result.epochs
    func points(_ value: (Epoch) -> Double?) -> [(x: Double, y: Double)] {
      epochs.compactMap { epoch in value(epoch).map { (Double(epoch.iteration), $0) } }
    }
    let heldOut = points { $0.heldOutError.map { 100 * $0 } }
    page.plots([
      LinePlot(
        title: "Errors", xLabel: "iteration", yLabel: "error in per cent",
        series: [
          .init("training", points { 100 * $0.trainingError }, color: 0, isDashed: true),
          .init("test", points { $0.testError.map { 100 * $0 } }, color: 0),
        ] + (heldOut.isEmpty ? [] : [.init("held out", heldOut, color: 1)])),
      LinePlot(
        title: "Training loss", xLabel: "iteration", yLabel: "cross-entropy",
        series: [.init("loss", points(\.trainingLoss), color: 0)]),
      LinePlot(
        title: "Speed", xLabel: "iteration", yLabel: "images per second",
        series: [.init("median of an epoch", points(\.imagesPerSecond), color: 2)]),
    ])
  }

  /// The errors of the last epoch beside the paper's.
  private func addErrors(_ epoch: Epoch, to page: inout HTMLPage) {
    page.heading("Errors beside the paper's")
    page.table(["", "training", "held out", "test"], [errorRow(epoch), paperRow])
    page.paragraph(
      "The paper's errors are per cent of CIFAR-10's 10,000 test images after 64,000 iterations, or of ImageNet's "
        + "validation images.")
  }

  private func errorRow(_ epoch: Epoch) -> [String] {
    func words(_ error: Double?) -> String { error.map(percent) ?? "–" }
    return ["this run", words(epoch.trainingError), words(epoch.heldOutError), words(epoch.testError)]
  }

  private var paperRow: [String] {
    ["the paper", "–", "–", PaperNumbers(architecture)?.error ?? "not printed"]
  }
}

extension HTMLPage {
  fileprivate mutating func addConfusion(_ predictions: Predictions) {
    let names = predictions.images.classNames
    heading("What is taken for what")
    paragraph("Rows are the true classes, columns the classes that the network chooses.")
    table(
      corner: "true class", columns: names,
      rows: zip(names, predictions.confusion).map { (name: $0, counts: $1) })
  }

  fileprivate mutating func addMistakes(_ predictions: Predictions) {
    let names = predictions.images.classNames
    heading("The surest mistakes")
    let wrong = predictions.mistakes.prefix(24)
    if wrong.isEmpty { return paragraph("All test images are classified right.") }
    pictures(
      wrong.map { i in
        let label = names[Int(predictions.images.labels[i])]
        let share = Int((100 * predictions.confidence[i]).rounded(.down))
        return (
          predictions.images.picture(i),
          "image \(i), \(label), taken for \(names[predictions.chosen[i]]), sure to \(share) %"
        )
      })
  }

  /// The kernels of the first convolution as pictures: each from its smallest weight, black, to its largest, white.
  fileprivate mutating func addFilters(of network: any ImageClassifier<Float>) {
    guard let weight = Self.firstWeight(of: network), weight.shape[2] == 3 else { return }
    heading("The first layer's filters")
    let (height, width, count) = (weight.shape[0], weight.shape[1], weight.shape[3])
    pictures(
      (0..<min(count, 64)).map { filter in
        let numbers = (0..<height * width * 3).map { weight.elements[$0 * count + filter] }
        let (low, high) = (numbers.min()!, numbers.max()!)
        let bytes = numbers.map { UInt8((255 * ($0 - low) / max(high - low, .leastNormalMagnitude)).rounded()) }
        return (
          Picture(height: height, width: width, pixels: bytes),
          "filter \(filter), weights \(String(format: "%.2f to %.2f", low, high))"
        )
      })
  }

  private static func firstWeight(of network: some ImageClassifier<Float>) -> Tensor<Float>? {
    network.parameters.named.first { $0.tensor.shape.rank == 4 }?.tensor
  }

  /// Fig. 7 of these networks.
  public mutating func addResponses(_ responses: [(name: String, responses: LayerResponses)]) {
    let responses = responses.filter { !$0.responses.layers.isEmpty }
    if responses.isEmpty { return }
    heading("Layer responses (Fig. 7)")
    paragraph(
      "The standard deviation of every 3x3 layer's output, after batch normalization and before the ReLU or the "
        + "addition.")
    plots([LayerResponses.plot(responses, sorted: false), LayerResponses.plot(responses, sorted: true)])
    table(
      ["network", "layers", "mean", "smallest", "largest"],
      responses.map { name, responses in
        let sorted = responses.sorted
        return [name, "\(sorted.count)"]
          + [responses.mean, sorted[sorted.count - 1], sorted[0]].map { String(format: "%.3f", $0) }
      })
  }
}

/// A share as per cent.
func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
