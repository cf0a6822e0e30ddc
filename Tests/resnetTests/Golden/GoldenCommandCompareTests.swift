import Foundation
import ResidualFiles
import ResidualLearning
import TestSupport
import Testing

@testable import resnet

/// `resnet compare` on a few images: what every option does to the runs, their figures and their numbers.
@Suite struct GoldenCommandCompareTests {
  typealias Finished = GoldenCommandTrainTests.Finished

  static let base = OptionWords(
    "--networks resnet8:4 --data data --limit 19 --batch 7 --iterations 5 --rate 0.07 --momentum 0.83 --decay 0.003 "
      + "--seed 7 --json")

  static let table = [
    Variation("base", "", .none),
    Variation("shortcut", "--shortcut B", .all),
    Variation("shortcut behind the colon", "--networks resnet8:4:B", .none, from: "shortcut"),
    Variation("zeros", "--zeros around", .all),
    Variation("data", "--data other", .all),
    Variation("limit", "--limit 18", .all),
    Variation("all images", "--limit -", .all, from: "limit"),
    Variation("batch", "--batch 8", .all),
    Variation("iterations", "--iterations 6", .all),
    Variation("epochs", "--iterations - --epochs 2", .none, from: "iterations"),
    Variation("rate", "--rate 0.05", .all),
    Variation("momentum", "--momentum 0.7", .all),
    Variation("decay", "--decay 0.03", .all),
    Variation("seed", "--seed 6", .all),
    Variation("statistics", "--bn-statistics recomputed", .statistics),
    Variation("gradients", "--log-gradients", .none),
    Variation("layers", "--blocks layered", .rounding),
    Variation("wide", "--networks resnet8 --limit 7 --iterations 1", .all),
    Variation("wide, layers", "--networks resnet8 --limit 7 --iterations 1 --blocks layered", .rounding, from: "wide"),
    Variation(
      "wide, direct", "--networks resnet8 --limit 7 --iterations 1 --convolution direct", .rounding, from: "wide"),
    Variation("plain loops", "--kernels reference", .rounding),
    Variation("one thread", "--threads 1", .none),
    Variation("no JSON", "--json -", .none),
    Variation("paper", "--recipe paper", .all),
    Variation("section 3.4", "--recipe imagenet --crop 16", .all),
    Variation("crop", "--recipe imagenet --crop 24", .all, from: "section 3.4"),
    Variation("two seeds, two networks", "--networks plain8:4,resnet8:4 --seeds 2", .none),
    Variation("defaults", "--batch - --rate - --momentum - --decay - --seed -", .all),
  ]

  @Test func `Every option changes what it should and nothing else`() async {
    await #expect(processExitsWith: .success) {
      let lab = try CommandLab()
      let golden = try GoldenFile("compare")
      var finished: [String: Finished] = [:]
      for row in GoldenCommandCompareTests.table {
        let folder = row.name.replacing(" ", with: "-").replacing(",", with: "")
        let line = "compare " + GoldenCommandCompareTests.base.changed(by: row.change + " --output \(folder)").line
        let result = try lab.run(line)
        let runs = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.contains(".") }.sorted()
        // The last one is the residual network, or that of the first of its seeds.
        let run = try Finished(folder + "/" + runs.last { !$0.hasSuffix("seed8") || runs.count == 1 }!)
        if let old = finished[row.from] { run.expect(row.effect, since: old, row.name) }
        finished[row.name] = run
        let sums = try runs.map { "\($0): \(try Finished(folder + "/" + $0).sums.text)" }
        let figures = try ["plain", "residual"].map { try GoldenCommandTrainTests.figure("\(folder)/\($0).svg") }
        golden.append(row.name, ([line, result.text] + sums + [run.log] + figures).joined(separator: "\n"))
      }
      for line in [
        "--depths 8 --data other --iterations 1", "--depths 8,14 --networks resnet8", "--depths 9",
        "--epochs 1 --iterations 1",
        "--networks resnet8:0", "--depths 8 --construct", "--networks resnet8 --construct",
        "--depths 8,14 --construct --data data --limit 5 --iterations 1 --output built",
        "--depths 8,14 --construct --limit 5 --iterations 1 --seeds 2 --threads 1 --output drawn",
        "--networks resnet8:4 --data data --limit 19 --output base --iterations 5 --seed 7",
      ] {
        golden.append(line, try lab.run("compare \(line)").text)
      }
      #expect(FileManager.default.fileExists(atPath: "runs/compare/plain8-seed1/log.csv"))
      #expect(FileManager.default.fileExists(atPath: "drawn/plain14-4-from-plain8-4-seed1/log.csv"))
      // The run that begins with a constructed network is another one than that which begins with random weights.
      let built = try ["plain14", "plain14-from-plain8", "resnet14", "resnet14-from-resnet8"].map {
        try GoldenCommandTrainTests.sum("built/\($0)-seed1/checkpoint.safetensors")
      }
      #expect(Set(built).count == 4)
      try golden.finish()
    }
  }

  @Test func `The table names every option`() {
    expectAllOptions(
      of: .compare, in: Self.table.map(\.change) + [Self.base.line, "--output O --depths 8 --construct"])
  }

  /// Without a folder of data: as many drawn images, epochs and as high a rate as the help says.
  @Test func `Drawn images have a recipe of their own`() throws {
    func run(_ line: String) throws -> TrainingRun {
      let arguments = try Command.parse(line.split(separator: " ").map(String.init)).arguments
      let images = Images(count: 3000)
      return try arguments.comparedRuns(images, in: "f")[0]
    }
    let drawn = try run("compare --depths 8")
    #expect(
      try Command.parse(["compare", "--depths", "8"]).arguments.comparedRuns(Images(count: 9), in: "f").map(
        \.seed) == [1, 1, 2, 2, 3, 3])
    #expect(drawn.training.count == 2500 && drawn.recipe.rate == 0.05 && drawn.recipe.batch == 32)
    #expect(drawn.recipe.iterations == 16 * 79 && drawn.recipe.milestones == [632, 948])
    #expect(drawn.recipe.decay == 0.002)
    let read = try run("compare --depths 8 --data d")
    #expect(read.training.count == 3000 && read.recipe.rate == 0.1 && read.recipe.iterations == 40 * 94)
    #expect(read.recipe.decay == 1e-4)
    let options = try Command.parse(["compare", "--depths", "8", "--zeros", "around", "--shortcut", "C"]).arguments
      .comparedRuns(Images(count: 30), in: "f")[1].architecture.options
    #expect(options.zeros == .around && options.shortcut == .c)
    #expect(try run("compare --depths 8 --limit 70 --rate 0.2 --epochs 3").recipe.iterations == 9)
  }
}

extension Images {
  /// Grey images, all alike.
  fileprivate init(count: Int) {
    let images = ImageDataset(
      height: 1, width: 1, channels: 3, pixels: [UInt8](repeating: 9, count: 3 * count),
      labels: [UInt8](repeating: 1, count: count), classNames: CIFAR10.classNames)
    self.init(training: images, test: images.prefix(4), description: "grey images")
  }
}
