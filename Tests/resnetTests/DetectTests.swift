import Foundation
import ResidualDetection
import ResidualFiles
import ResidualLearning
import TestSupport
import Testing

@testable import resnet

/// `resnet detect` on three drawn scenes in COCO's format and an untrained classifier. In processes of their own, for the
/// commands print.
@Suite struct DetectTests {
  /// Writes train.json, test.json, the pictures, and trunk.safetensors.
  static func prepare(_ folder: String) throws {
    let scenes = SyntheticScenes.make(count: 3, seed: 1, size: 64)
    var (images, annotations) = ([String](), [String]())
    for (i, scene) in scenes.scenes.enumerated() {
      try scene.picture.write(to: "\(folder)/\(i).png")
      images.append("{\"id\": \(i), \"file_name\": \"\(i).png\", \"width\": 64, \"height\": 64}")
      for object in scene.objects {
        let box = object.box
        annotations.append(
          "{\"image_id\": \(i), \"category_id\": \(object.label + 1), "
            + "\"bbox\": [\(box.left), \(box.top), \(box.width), \(box.height)]}")
      }
    }
    let categories = scenes.classNames.enumerated().map { "{\"id\": \($0 + 1), \"name\": \"\($1)\"}" }
    func list(_ entries: [String]) -> String { "[" + entries.joined(separator: ", ") + "]" }
    let json =
      "{\"images\": \(list(images)), \"annotations\": \(list(annotations)), "
      + "\"categories\": \(list(categories))}"
    for name in ["train", "test"] {
      try json.write(toFile: "\(folder)/\(name).json", atomically: true, encoding: .utf8)
    }

    let figures = SyntheticImages.make(count: 10, seed: 1)
    var generator = RandomGenerator(seed: 1)
    let trainer = Trainer(
      ResidualNetwork<Float>(.scenes(depth: 10, classes: 10), using: &generator), recipe: .trunk(depth: 10),
      images: figures, normalization: .perPixel(of: figures), seed: 1)
    try Checkpoint(trainer, fingerprint: figures.fingerprint).write(to: folder + "/trunk.safetensors")
  }

  /// The command line of a run of `iterations` steps.
  static func line(_ folder: String, output: String, iterations: Int) -> [String] {
    let words =
      "detect train --batch 2 --iterations \(iterations) --resume --data \(folder) --output \(folder)/\(output)"
    return words.split(separator: " ").map(String.init) + ["--trunk", folder + "/trunk.safetensors"]
  }

  @Test func aRunThatASignalStoppedGoesOnByTheSameLineAndEndsWithTheSameBits() async {
    await #expect(processExitsWith: .success) {
      let temporary = try TemporaryFolder()
      let folder = temporary.path
      try Self.prepare(folder)
      #expect(Command.main(Self.line(folder, output: "whole", iterations: 6)) == 0)
      // SIGTERM to the process as soon as the command catches it: it stops after a step, of which there are more.
      Thread.detachNewThread {
        while Signals.isInstalled == false { usleep(1000) }
        kill(getpid(), SIGTERM)
      }
      #expect(Command.main(Self.line(folder, output: "stopped", iterations: 6)) == 128 + SIGTERM)
      let path = folder + "/stopped/checkpoint.safetensors"
      let done = try DetectionCheckpoint(contentsOf: path).description
      #expect(done.iteration < 6 && done.recipe.rate == 0.02)
      // Another rate is another run; without one the old run's rate holds.
      #expect(Command.main(Self.line(folder, output: "stopped", iterations: 6) + ["--rate", "0.3"]) == 1)
      #expect(Command.main(Self.line(folder, output: "stopped", iterations: 6)) == 0)
      for name in ["checkpoint.safetensors", "log.csv"] {
        let files = ["whole", "stopped"].map { FileManager.default.contents(atPath: "\(folder)/\($0)/\(name)") }
        #expect(files[0] != nil && files[0] == files[1], "\(name)")
      }
      withExtendedLifetime(temporary) {}
    }
  }

  @Test func aDetectorIsEvaluatedAndDrawsWhatItFinds() async {
    await #expect(processExitsWith: .success) {
      let temporary = try TemporaryFolder()
      let folder = temporary.path
      try Self.prepare(folder)
      #expect(Command.main(Self.line(folder, output: "run", iterations: 1) + ["--context"]) == 0)
      let weights = ["--weights", folder + "/run/checkpoint.safetensors"]
      #expect(Command.main(["detect", "evaluate", "--data", folder, "--limit", "1", "--refine"] + weights) == 0)
      #expect(Command.main(["detect", "predict", folder + "/0.png", "--output", folder + "/seen"] + weights) == 0)
      let drawn = try Picture(contentsOf: folder + "/seen/0.png")
      #expect(drawn.width == 64 * 7 && drawn.height == 64 * 7)  // 480/64 = 7.5
      // What is wrong is said, with status 1.
      #expect(Command.main(["detect", "evaluate", "--data", folder + "/seen"] + weights) == 1)
      #expect(Command.main(["detect", "evaluate", "--weights", folder + "/trunk.safetensors"]) == 1)
      #expect(Command.main(["detect", "train", "--network", "resnet11", "--output", folder + "/x"]) == 1)
      #expect(Command.main(["detect", "evaluate"]) == 2)
      withExtendedLifetime(temporary) {}
    }
  }
}
