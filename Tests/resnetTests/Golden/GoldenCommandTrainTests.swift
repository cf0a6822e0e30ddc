import Foundation
import ResidualFiles
import ResidualLearning
import TestSupport
import Testing

@testable import resnet

/// `resnet train` on a few images: runs that differ in one option, their bits, logs and printed lines.
@Suite struct GoldenCommandTrainTests {
  static let base = OptionWords(
    "--network resnet8 --data data --limit 19 --batch 7 --iterations 7 --rate 0.07 --momentum 0.83 --decay 0.003 --seed 7 "
      + "--json")

  static let table = [
    Variation("base", "", .none),
    Variation("network", "--network plain8", .all),
    Variation("shortcut B", "--shortcut B", .all),
    Variation("shortcut C", "--shortcut C", .all, from: "shortcut B"),
    Variation("zeros", "--zeros around", .all),
    Variation("stride in, where there is no bottleneck", "--stride-in 3x3", .none),
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
    Variation("direct", "--convolution direct", .rounding),
    Variation("one thread", "--threads 1", .none),
    Variation("three threads", "--threads 3", .none),
    Variation("no JSON", "--json -", .none),
    Variation("paper", "--recipe paper", .all),
    Variation("paper, gradients", "--recipe paper --log-gradients", .none, from: "paper"),
    Variation("section 3.4", "--recipe imagenet --crop 16", .all),
    Variation("crop", "--recipe imagenet --crop 24", .all, from: "section 3.4"),
    Variation(
      "section 3.4, statistics", "--recipe imagenet --crop 16 --bn-statistics recomputed", .statistics,
      from: "section 3.4"),
    Variation("two images", "--data other --limit 2 --batch 2 --iterations 2", .all),
    Variation(
      "plain loops", "--data other --limit 2 --batch 2 --iterations 2 --kernels reference", .rounding,
      from: "two images"),
  ]

  /// A finished run: its checkpoint and its log without speed and time.
  struct Finished {
    let sums: CheckpointSums
    let log: String

    init(_ folder: String) throws {
      sums = try CheckpointSums(folder)
      log = try String(contentsOfFile: folder + "/log.csv", encoding: .utf8).split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).prefix(7).joined(separator: ",")
      }.joined(separator: "\n")
    }

    var losses: [Double] {
      log.split(separator: "\n").dropFirst().map { Double($0.split(separator: ",")[3]) ?? .nan }
    }

    /// Expects what an option may change and what it must not.
    func expect(_ effect: Effect, since old: Finished, _ name: String) {
      let same = [
        sums.parameters == old.sums.parameters, sums.statistics == old.sums.statistics,
        sums.velocity == old.sums.velocity, log == old.log,
      ]
      switch effect {
      case .none: #expect(same == [true, true, true, true], "\(name)")
      case .all: #expect(same == [false, false, false, false], "\(name)")
      case .statistics: #expect(same.prefix(3) == [true, false, true], "\(name)")
      case .rounding:
        #expect(same.prefix(3) == [false, false, false], "\(name)")
        #expect(losses.count == old.losses.count && !losses.isEmpty)
        for (a, b) in zip(losses, old.losses) { #expect(abs(a / b - 1) < 1e-3, "\(name)") }
      }
    }
  }

  @Test func `Every option changes what it should and nothing else`() async {
    await #expect(processExitsWith: .success) {
      let lab = try CommandLab()
      let golden = try GoldenFile("train")
      var finished: [String: Finished] = [:]
      for row in GoldenCommandTrainTests.table {
        let folder = "runs/" + row.name.replacing(" ", with: "-").replacing(",", with: "")
        let line = "train " + GoldenCommandTrainTests.base.changed(by: row.change + " --output \(folder)").line
        let result = try lab.run(line)
        let run = try Finished(folder)
        if let old = finished[row.from] { run.expect(row.effect, since: old, row.name) }
        finished[row.name] = run
        var text = [line, result.text, run.sums.text, run.log].joined(separator: "\n")
        for table in ["gradients.csv", "responses.csv"]
        where FileManager.default.fileExists(atPath: "\(folder)/\(table)") {
          text += "\n\(table) \(try GoldenCommandTrainTests.sum("\(folder)/\(table)"))"
        }
        golden.append(row.name, text)
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/gradients.csv") || row.change.contains("gradients"))
      }
      // Nothing but the network, so that the defaults show, and the folder that is named after it.
      for line in ["train --network resnet8 --limit 9 --iterations 2 --data data", "train --network resnet8 --resume"] {
        let result = try lab.run(line + (line.contains("--data") ? "" : " --limit 9 --data data"))
        let run = try Finished("runs/resnet8")
        golden.append(line, [result.text, run.sums.text, run.log].joined(separator: "\n"))
      }
      try golden.finish()
    }
  }

  /// A checksum of a file's bytes.
  static func sum(_ path: String) throws -> String {
    var sum = Checksum64()
    sum.add(try Data(contentsOf: URL(fileURLWithPath: path)))
    return sum.hexadecimal
  }

  @Test func `The table names every option`() {
    expectAllOptions(of: .train, in: Self.table.map(\.change) + [Self.base.line, "--output O --resume"])
  }

  @Test func `A stopped run goes on to the same bits, and what differs from it is refused`() async {
    await #expect(processExitsWith: .success) {
      let lab = try CommandLab()
      let golden = try GoldenFile("resume")
      let base = GoldenCommandTrainTests.base
      #expect(try lab.run("train \(base.line) --log-gradients --output whole").status == 0)
      let whole = try Finished("whole")
      // Stopped after four steps, one of them in the second epoch: as a signal would.
      let arguments = try Command.parse("train \(base.line)".split(separator: " ").map(String.init)).arguments
      let images = try Images(folder: "data")
      let used = images.training.prefix(19)
      for folder in ["same", "short", "other"] {
        var run = try arguments.run(
          .named("resnet8"), arguments.recipe(depth: 8, 19), used, test: images.test, folder: folder)
        run.logsGradients = true
        var steps = 0
        let result = try run.run {
          if case .step = $0 { steps += 1 }
        } shouldStop: {
          steps == 4
        }
        #expect(result.state.iteration == 4 && !result.isFinished)
      }
      for line in [
        "\(base.line) --log-gradients --output same", "--data data --limit 19 --log-gradients --output short",
      ] {
        golden.append(line, try lab.run("train \(line) --resume").text)
      }
      for folder in ["same", "short"] {
        let run = try Finished(folder)
        run.expect(.none, since: whole, folder)
        #expect(run.sums.description == whole.sums.description)
        for table in ["gradients.csv", "responses.csv"] {
          #expect(
            try GoldenCommandTrainTests.sum("\(folder)/\(table)") == GoldenCommandTrainTests.sum("whole/\(table)"))
        }
      }
      for line in [
        "--seed 6", "--rate 0.06", "--momentum 0.8", "--decay 0.1", "--batch 6", "--iterations 9", "--epochs 1",
        "--network plain8", "--shortcut B", "--zeros around", "--stride-in 3x3", "--recipe scaled", "--recipe paper",
        "--bn-statistics recomputed", "--limit 18", "--data other", "--crop 32", "--iterations 1 --epochs 1",
      ] {
        let words = OptionWords("--data data --limit 19 --output other").changed(by: line).line
        golden.append(line, try lab.run("train \(words) --resume").text)
      }
      let lock = try OutputFolderLock(folder: "other")
      #expect(try lab.run("train --data data --limit 19 --output other --resume").status == 1)
      lock.release()
      #expect(try CheckpointSums("other").description.state.iteration == 4)
      #expect(
        try lab.run("train --data data --limit 19 --output other --resume --blocks fused --threads 1").status == 0)
      try Finished("other").expect(.none, since: whole, "other")
      // Without --resume the run begins anew, and the old one keeps a second name.
      #expect(try lab.run("train \(base.line) --seed 8 --output other").status == 2)
      #expect(try lab.run("train \(base.changed(by: "--seed 8").line) --output other").status == 0)
      #expect(FileManager.default.fileExists(atPath: "other/earlier.safetensors"))
      try Finished("other").expect(.all, since: whole, "another seed")
      golden.append("diverges", try lab.run("train \(base.changed(by: "--rate 1000 --iterations 40").line)").text)
      try golden.finish()
    }
  }
}
