import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning
import Testing

@testable import resnet

@Suite struct CommandTests {
  @Test func everyOptionOfEveryCommandIsInItsHelpWithItsDefault() {
    for command in Command.all {
      // Line breaks and indents away, so that an entry is one text.
      let help = command.helpText.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
      for option in command.options + command.positionals {
        let entry = [option.name, option.name.hasPrefix("--") ? option.placeholder : "", option.explanation]
        #expect(help.contains(entry.filter { !$0.isEmpty }.joined(separator: " ")), "\(command.name) \(option.name)")
        if let text = option.defaultText { #expect(option.explanation.hasSuffix("(default: \(text))")) }
      }
    }
    #expect(Command.train.helpText.contains("--batch N             images per step (default: 128)"))
    #expect(Command.predict.helpText.contains("usage: resnet predict IMAGE... [options]"))
    #expect(Command.bench.helpText.contains("usage: resnet bench [MODE] [options]"))
  }

  @Test func helpFitsEightyColumnsAndListsEveryCommand() {
    for text in [Command.overview] + Command.all.map(\.helpText) {
      #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 && $0.last != " " }, "\(text)")
    }
    for command in Command.all { #expect(Command.overview.contains("\n  \(command.name) ")) }
  }

  @Test func namesOfCommandsAndOptionsAreUnique() {
    #expect(Set(Command.all.map(\.name)).count == Command.all.count)
    for command in Command.all {
      let names = (command.options + command.positionals).map(\.name)
      #expect(Set(names).count == names.count)
    }
  }

  @Test func aWrongCommandLineHasStatusTwo() {
    #expect(Command.main(["nothing"]) == 2)
    #expect(Command.main(["train", "--batch", "0"]) == 2)
    #expect(Command.main(["help", "nothing"]) == 2)
  }

  @Test func anErrorsKindDecidesTheStatus() {
    func status(_ error: any Error) -> Int32 { Command.status(of: error, command: "train") }
    #expect(status(InputError("no such folder")) == 1)
    #expect(status(CommandLineError("--epochs and --iterations exclude each other")) == 2)
    #expect(status(Divergence(iteration: 3, loss: .nan, place: "parameter stem.conv.weight")) == 1)
    #expect(status(Stopped(signal: 2)) == 130)
    #expect(status(Stopped(signal: 15)) == 143)
  }

  @Test func epochsArePassesOverTheImagesThatAreNotHeldOut() throws {
    func recipe(_ line: String, resuming old: Recipe? = nil) throws -> Recipe {
      try Command.parse(line.split(separator: " ").map(String.init)).arguments
        .recipe(depth: 14, 5000, resuming: old)
    }
    let scaled = try recipe("train")
    #expect(scaled.iterations == 8 * 40 && scaled.milestones == [160, 240] && scaled.batch == 128)
    #expect(try recipe("train --epochs 3 --batch 50").iterations == 3 * 100)
    #expect(try recipe("train --data d").iterations == 40 * 40)
    let paper = try recipe("train --recipe paper")
    #expect(paper == .paper(depth: 14))
    #expect(try recipe("train --recipe paper --epochs 2").iterations == 2 * 36)
    let imageNet = try recipe("train --recipe imagenet --epochs 2")
    #expect(imageNet.iterations == 2 * 18 && imageNet.batch == 256 && imageNet.augmentation.scaled?.size == 224)
    #expect(try recipe("train --recipe imagenet --batch 50").iterations == 600_000)
    #expect(try recipe("train", resuming: imageNet) == imageNet)
    #expect(throws: CommandLineError("--crop goes with --recipe imagenet")) { try recipe("train --crop 32") }
  }

  @Test func thePapersRecipeIsThePapersInEveryCommandThatTrains() throws {
    for command in ["train", "compare"] {
      for depth in [20, 110] {
        let arguments = try Command.parse([command, "--recipe", "paper"]).arguments
        let recipe = try arguments.recipe(depth: depth, 50_000)
        #expect(recipe == .paper(depth: depth) && recipe.trainingCount(of: 50_000) == 45_000)
        #expect(recipe.comparison(depth: depth).hasPrefix("every number of section 4.2;"))
      }
      let smaller = try Command.parse([command, "--recipe", "paper", "--batch", "32"]).arguments
      #expect(
        try smaller.recipe(depth: 20, 50_000).comparison(depth: 20) == "as section 4.2 except: batch 32, not 128")
    }
    #expect(try Command.parse(["compare"]).arguments.recipe(depth: 20, 2500, epochs: 5, rate: 0.05).batch == 32)
  }

  @Test func comparedNetworksAreNamedWithShortcutAndWidth() throws {
    func runs(_ line: String) throws -> [TrainingRun] {
      let arguments = try Command.parse(["compare", "--limit", "20"] + line.split(separator: " ").map(String.init))
        .arguments
      return try arguments.comparedRuns(Images(folder: nil), in: "f")
    }
    let names = try runs("--networks plain20,resnet20:C,resnet18:16,resnet50:B:8 --seeds 2 --seed 5")
    #expect(
      names.map { $0.folder! } == [
        "f/plain20-seed5", "f/resnet20-C-seed5", "f/resnet18-16-seed5", "f/resnet50-B-8-seed5", "f/plain20-seed6",
        "f/resnet20-C-seed6", "f/resnet18-16-seed6", "f/resnet50-B-8-seed6",
      ])
    #expect(names[1].architecture.options.shortcut == .c && names[1].label == "resnet20:C" && names[5].seed == 6)
    #expect(names[2].architecture == .imageNet(depth: 18, classes: 10, width: 16))
    #expect(names[3].architecture == .imageNet(depth: 50, classes: 10, width: 8))
    let drawn = try runs("--depths 8,14 --seeds 1")
    #expect(drawn.map(\.label) == ["plain8:4", "resnet8:4", "plain14:4", "resnet14:4"])
    #expect(drawn.map(\.architecture.stages[2].width) == [16, 16, 16, 16])
    #expect(try runs("--depths 8 --data d").map(\.label) == ["plain8", "resnet8"])
    #expect(throws: InputError.self) { try runs("--networks resnet20,resnet21") }
    #expect(throws: CommandLineError.self) { try runs("--networks resnet20:D") }
    #expect(throws: CommandLineError("--networks has 'resnet8' twice")) { try runs("--networks resnet8,resnet8") }
    #expect(Command.main(["compare", "--networks", "resnet20,resnet21"]) == 1)
    #expect(Command.main(["compare", "--networks", "resnet20", "--depths", "8"]) == 2)
  }

  /// In a process of its own, for it prints.
  @Test func aComparisonGoesOnInItsFolderAndRefusesAnother() async {
    await #expect(processExitsWith: .success) {
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent("resnet-\(UUID().uuidString)").path
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let words = "compare --networks plain8,resnet8:B --limit 20 --batch 10 --iterations 2 --json --output"
      let line = words.split(separator: " ").map(String.init) + [folder]
      #expect(Command.main(line) == 0)
      func text(_ name: String) throws -> String { try String(contentsOfFile: folder + "/" + name, encoding: .utf8) }
      let before = try ["plain8-seed1/log.csv", "resnet8-B-seed1/log.csv", "residual.svg"].map(text)
      #expect(Command.main(line) == 0)
      #expect(try ["plain8-seed1/log.csv", "resnet8-B-seed1/log.csv", "residual.svg"].map(text) == before)
      #expect(Command.main(line + ["--rate", "0.3"]) == 1)
      let lock = try OutputFolderLock(folder: folder + "/resnet8-B-seed1")
      #expect(Command.main(line) == 1)
      lock.release()
      #expect(try text("plain8-seed1/log.csv") == before[0])
    }
  }

  /// In a process of its own, for it prints.
  @Test func oneCommandLineBeginsARunAndGoesOnWithIt() async {
    await #expect(processExitsWith: .success) {
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent("resnet-\(UUID().uuidString)").path
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let words = "train --network resnet8 --limit 20 --batch 10 --iterations 2 --resume --output"
      let line = words.split(separator: " ").map(String.init) + [folder]
      #expect(Command.main(line) == 0)
      let path = folder + "/checkpoint.safetensors"
      let first = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(Command.main(line) == 0)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
      #expect(Command.main(line + ["--rate", "0.3"]) == 1)
      #expect(!FileManager.default.fileExists(atPath: folder + "/earlier.safetensors"))
    }
  }

  /// In a process of its own, for it prints.
  @Test func aRunOfTwoKindsOfBuildSaysSo() async throws {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]
    ) {
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent("resnet-\(UUID().uuidString)").path
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let words = "train --network resnet8 --limit 20 --batch 10 --resume --output"
      let line = words.split(separator: " ").map(String.init) + [folder, "--iterations"]
      #expect(Command.main(line + ["1"]) == 0)
      let path = folder + "/checkpoint.safetensors"
      var file = try SafeTensorsFile(contentsOf: path)
      let (ours, other) = Kernels.fusesMultiplyAdd ? ("fused", "separate") : ("separate", "fused")
      file.metadata["resnet"] = file.metadata["resnet"]!
        .replacing("\"\(ours)\"", with: "\"\(other)\"").replacing("\"iteration\":1,", with: "\"iteration\":0,")
      file.seal()
      try file.write(to: path)
      #expect(Command.main(line + ["1", "--json"]) == 0)
    }
    let (output, errors) = (try #require(result).standardOutputContent, try #require(result).standardErrorContent)
    #expect(String(decoding: output, as: UTF8.self).contains(#""arithmetic": "mixed"}"#))
    let sentence = "builds with fused multiply-adds and builds without have worked on this run"
    #expect(String(decoding: errors, as: UTF8.self).contains(sentence))
  }

  /// In a process of its own, for it prints.
  @Test func section34TrainsAndItsCheckpointHoldsTheRateThatFalls() async {
    await #expect(processExitsWith: .success) {
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent("resnet-\(UUID().uuidString)").path
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let line = "train --network resnet8 --recipe imagenet --crop 16 --limit 20 --batch 6 --epochs 2 --rate 0.02"
      #expect(Command.main(line.split(separator: " ").map(String.init) + ["--output", folder]) == 0)

      let checkpoint = try Checkpoint(contentsOf: folder + "/checkpoint.safetensors")
      let recipe = checkpoint.description.recipe
      #expect(recipe.iterations == 6 && recipe.batch == 6 && recipe.validationShare == 0.1)
      let scaled = try #require(recipe.augmentation.scaled)
      #expect(scaled.size == 16 && scaled.scales == 18...34 && scaled.colors?.eigenvalues.count == 3)
      #expect(checkpoint.description.images.hasPrefix("18 images of 32x32"))
      #expect(checkpoint.meanImageSize.map { [$0.height, $0.width] } == [16, 16])
      // Two epochs are two errors of the held-out images: better than none before, or a beginning of waiting.
      let plateau = try #require(checkpoint.description.state.plateau)
      #expect(plateau.rate == 0.02 && (plateau.best < 1 || plateau.waited == 2))

      // Nothing is left to do, and another size of crops is another run.
      #expect(Command.main(["train", "--resume", "--limit", "20", "--output", folder]) == 0)
      let other = line.replacing("--crop 16", with: "--crop 24") + " --resume --output " + folder
      #expect(Command.main(other.split(separator: " ").map(String.init)) == 1)
    }
  }
}
