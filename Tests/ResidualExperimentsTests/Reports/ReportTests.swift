import ResidualFiles
import Testing

@testable import ResidualExperiments
@testable import ResidualLearning

@Suite struct ReportTests {
  private func run(rate: Double = 0.1) throws -> TrainingRun {
    let images = SyntheticImages.make(count: 20, seed: 1, size: 8)
    var recipe = Recipe.scaled(depth: 8, iterations: 4)
    (recipe.batch, recipe.rate) = (10, rate)
    return try TrainingRun(
      .cifar(depth: 8), recipe: recipe, images: images, test: SyntheticImages.make(count: 15, seed: 2, size: 8), seed: 7
    )
  }

  @Test func `A run's page has its command, numbers, curves and pictures`() throws {
    let run = try run()
    let result = try run.run()
    let html = try run.report(result, command: "resnet train --seed 7", images: "drawn").html
    let epoch = result.epochs.last!
    for part in [
      "<h1>resnet8 on drawn</h1>", "resnet train --seed 7", "4 of 4 steps are done.",
      "the test error after it \(percent(epoch.testError!)).", "<td>seed</td><td>7</td>",
      "<td>this run</td><td>\(percent(epoch.trainingError))</td><td>–</td><td>\(percent(epoch.testError!))</td>",
      "iterations 4, not 64000", "<h2>The surest mistakes</h2>", "<h2>The first layer", "Layer responses, sorted",
    ] { #expect(html.contains(part), "\(part)") }
    #expect(html.components(separatedBy: "<svg").count == 6)
    let predictions = try Predictions(result.network, run.test!, normalization: result.normalization)
    #expect(html.components(separatedBy: "<img").count == 1 + predictions.mistakes.count + 16)
    #expect(Double(predictions.mistakes.count) / 15 == epoch.testError!)
  }

  @Test func `A run that diverges has a page that says so`() throws {
    let run = try run(rate: 1e20)
    let result = try run.run()
    #expect(result.divergence != nil)
    let html = try run.report(result, command: "c", images: "drawn").html
    #expect(html.contains("<p>The run diverged: ") && !html.contains("surest mistakes"))
  }

  @Test func `A comparison's page has a row for each network, with the paper's error beside it`() throws {
    let images = SyntheticImages.make(count: 20, seed: 1, size: 8)
    let runs = try [UInt64(1), 2].flatMap { seed in
      try [Architecture.cifar(depth: 8, plain: true), .cifar(depth: 20)].map { architecture in
        var recipe = Recipe.scaled(depth: architecture.weightedLayers, iterations: 2)
        recipe.batch = 10
        return try TrainingRun(architecture, recipe: recipe, images: images, test: images.prefix(10), seed: seed)
      }
    }
    let comparison = try Degradation(runs)
    let html = comparison.report(command: "resnet compare", images: "drawn").html
    func words(_ label: String, _ value: (Epoch) -> Double?) -> String {
      let spread = comparison.spread(label, value)!
      return "\(percent(spread.mean)) ± \(percent(spread.deviation!))"
    }
    for label in ["plain8", "resnet20"] {
      let paper = label == "resnet20" ? "8.75 (Table 6)" : "not printed"
      let row =
        "<tr><td>\(label)</td><td>\(label.dropFirst(label.count - (label == "plain8" ? 1 : 2)))</td><td>2</td>"
        + "<td>\(words(label, \.trainingError))</td><td>\(words(label, \.testError))</td><td>\(paper)</td></tr>"
      #expect(html.contains(row), "\(row)")
    }
    #expect(html.contains("Seeds: 1, 2.") && html.components(separatedBy: "<svg").count == 6)
  }
}
