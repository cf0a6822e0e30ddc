import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning
import TestSupport
import Testing

@testable import resnet

/// `resnet evaluate`, `predict` and `responses` on weights: what every option does to the numbers.
@Suite struct GoldenCommandWeightsTests {
  /// The lines of the commands, and whether an option changes the numbers of the one that the row names.
  static let evaluate: [(name: String, change: String, from: String?, isSame: Bool)] = [
    ("base", "", nil, false),
    ("thread", "--threads 1", "base", true),
    ("all logits", "--logits 99", "base", false),
    ("other weights", "--weights w/b/checkpoint.safetensors", "base", false),
    ("network", "--network resnet8", "base", true),
    ("zeros and stride of a checkpoint", "--zeros around --stride-in 1x1", "base", true),
    ("normalization", "--normalization cifar", "base", false),
    ("ImageNet's normalization", "--normalization imagenet", "base", false),
    ("limit", "--limit 7", "base", false),
    ("data", "--data other", "base", false),
    ("batch", "--batch 3", "base", false),
    ("direct", "--convolution direct", "base", false),
    ("plain loops", "--kernels reference --limit 2", "base", false),
    ("ten crops", "--crops 10 --logits -", "base", false),
    ("ten crops of a larger image", "--crops 10 --scales 40 --logits -", "ten crops", false),
    ("scales", "--scales 32,40 --logits -", "base", false),
    ("scales, batch", "--scales 32,40 --logits - --batch 4", "base", false),
    ("export", "--export w/a.pt", "base", true),
    ("lean", "--lean w/a.lean", "base", true),
    ("only to predict", "--weights w/a.lean", "base", false),
    ("exported", "--weights w/a.pt --normalization per-pixel", nil, false),
    ("zeros of a file that does not say", "--weights w/silent --normalization per-pixel", "exported", false),
    ("zeros", "--weights w/silent --normalization per-pixel --zeros after", "exported", true),
    ("plain", "--weights w/silent --normalization per-pixel --network plain8", "exported", false),
    ("bottleneck", "--weights w/50.pt", nil, false),
    ("stride of a file that does not say", "--weights w/silent50", "bottleneck", false),
    ("stride", "--weights w/silent50 --stride-in 1x1", "bottleneck", true),
    ("no JSON", "--json -", nil, false),
  ]
  static let base = OptionWords("--weights w/a/checkpoint.safetensors --data data --logits 3 --json")

  /// Two trained networks in `w`, and a bottleneck network as PyTorch's file.
  static func makeWeights(_ lab: CommandLab) throws {
    for (folder, seed) in [("w/a", 7), ("w/b", 6)] {
      let line = GoldenCommandTrainTests.base.changed(by: "--iterations 4 --seed \(seed) --output \(folder)").line
      #expect(try lab.run("train \(line)").status == 0)
    }
    var generator = RandomGenerator(seed: 3)
    var network = ResidualNetwork<Float>(.imageNet(depth: 50, classes: 10, width: 4), using: &generator)
    network.track(network.forward(Tensor(normal: [4, 32, 32, 3], using: &generator)).cache, rate: 1)
    try PyTorchWeights.file(of: network).write(to: "w/50.pt")
    let trained = ResidualNetwork<Float>(.cifar(depth: 8), using: &generator)
    let files = [
      ("w/silent", try PyTorchWeights.file(of: Checkpoint(contentsOf: "w/a/checkpoint.safetensors").loaded(trained))),
      ("w/silent50", try PyTorchWeights.file(of: network)),
    ]
    for (path, file) in files {
      var file = file
      file.metadata = [:]  // as a file of another program, which does not say where zeros and strides are
      try file.write(to: path)
    }
    for (name, height, width) in [("square", 32, 32), ("wide", 20, 44), ("high", 50, 31)] {
      try SyntheticImages.make(count: 1, seed: UInt64(width), size: 64).picture(0)
        .resized(height: height, width: width).write(to: name + ".png")
    }
  }

  @Test func `Evaluation of weights: every option changes what it should`() async {
    await #expect(processExitsWith: .success) {
      let lab = try CommandLab()
      try GoldenCommandWeightsTests.makeWeights(lab)
      let golden = try GoldenFile("evaluate")
      var found: [String: String] = [:]
      for row in GoldenCommandWeightsTests.evaluate {
        let line = "evaluate " + GoldenCommandWeightsTests.base.changed(by: row.change).line
        let result = try lab.run(line)
        #expect(result.status == 0, "\(row.name)")
        if let from = row.from { #expect((result.json == found[from]) == row.isSame, "\(row.name)") }
        found[row.name] = result.json
        golden.append(row.name, line + "\n" + result.text)
      }
      let two = "--weights w/a/checkpoint.safetensors --weights w/b/checkpoint.safetensors --data data --json"
      for line in [
        two, "\(two) --limit 5 --scales 32,36 --crops 10 --batch 13", "\(two) --export e",
        "\(two) --lean e", "--weights w/a.pt --data data --lean e",
        "--weights w/a/checkpoint.safetensors --data data --network resnet20",
        "--weights w/a/checkpoint.safetensors --data nowhere",
      ] {
        golden.append(line, try lab.run("evaluate \(line)").text)
      }
      // The same classes in another order are others.
      var other = try SafeTensorsFile(contentsOf: "w/a/checkpoint.safetensors")
      other.metadata["resnet"] = other.metadata["resnet"]!
        .replacing("\"airplane\",\"automobile\"", with: "\"automobile\",\"airplane\"")
      other.seal()
      try other.write(to: "w/other")
      golden.append("other classes", try lab.run("evaluate --weights w/other --data data").text)
      for file in ["w/a.pt", "w/a.pt.mean.npy", "w/a.lean"] {
        golden.append(file, try GoldenCommandTrainTests.sum(file))
      }
      try golden.finish()

      // The numbers by hand: a batch is as good as another, and the loss is the mean over the images.
      let numbers = try [128, 3].map { batch in
        try GoldenCommandWeightsTests.evaluation(
          lab.run("evaluate \(GoldenCommandWeightsTests.base.changed(by: "--logits 11 --batch \(batch)").line)"))
      }
      #expect(numbers[0].correct == numbers[1].correct && abs(numbers[0].loss / numbers[1].loss - 1) < 1e-5)
      let labels = try CIFAR10.test(directory: "data").labels.map { Int($0) }
      for result in numbers {
        let right = zip(result.logits, labels).filter { row, label in row[label] == row.max()! }.count
        let losses = zip(result.logits, labels).map { row, label in
          log(row.reduce(0) { $0 + exp($1) }) - row[label]
        }
        #expect(result.correct == right && result.total == 11 && result.accuracy == Double(right) / 11)
        #expect(abs(losses.reduce(0, +) / 11 / result.loss - 1) < 1e-5)
      }
    }
  }

  struct EvaluationNumbers: Decodable {
    let correct, total: Int
    let accuracy, loss: Double
    let logits: [[Double]]
  }

  static func evaluation(_ result: CommandResult) throws -> EvaluationNumbers {
    try JSONDecoder().decode(EvaluationNumbers.self, from: Data(result.json.utf8))
  }

  @Test func `Prediction on weights: every option changes what it should`() async {
    await #expect(processExitsWith: .success) {
      let lab = try CommandLab()
      try GoldenCommandWeightsTests.makeWeights(lab)
      let golden = try GoldenFile("predict")
      let base = OptionWords("--weights w/a/checkpoint.safetensors --json")
      for change in [
        "", "--threads 1", "--weights w/b/checkpoint.safetensors", "--normalization imagenet", "--convolution direct",
        "--kernels reference", "--network resnet8", "--network resnet20", "--weights w/50.pt",
        "--weights w/silent50 --stride-in 1x1", "--json -", "--weights w/silent --zeros after",
        "--weights w/silent --zeros around",
      ] {
        let line = "predict square.png wide.png high.png " + base.changed(by: change).line
        golden.append(change, line + "\n" + (try lab.run(line).text))
      }
      golden.append("no picture", try lab.run("predict nothing.png \(base.line)").text)
      try golden.finish()
    }
  }

  @Test func `Responses of weights and of networks trained for it: every option changes what it should`() async {
    await #expect(processExitsWith: .success) {
      let lab = try CommandLab()
      try GoldenCommandWeightsTests.makeWeights(lab)
      let golden = try GoldenFile("responses")
      let base = OptionWords("--weights w/a/checkpoint.safetensors --data data --output r --json")
      for change in [
        "", "--threads 1", "--weights w/b/checkpoint.safetensors", "--normalization cifar", "--limit 7", "--batch 4",
        "--data other", "--convolution direct", "--kernels reference --limit 2", "--network resnet8",
        "--network plain8",
        "--weights w/50.pt", "--weights w/silent50 --stride-in 1x1", "--json -", "--weights w/silent --zeros after",
        "--weights w/silent --zeros around", "--depths 9",
        "--weights - --depths 8 --data other --seed 3 --threads 1",
        "--weights - --depths 8 --data other --seed 4 --threads 1",
      ] {
        let line = "responses " + base.changed(by: change).line
        let text = try lab.run(line).text
        let figures = try ["", "-sorted"].map { try GoldenCommandTrainTests.figure("r/responses\($0).svg") }
        golden.append(change, ([line, text] + figures).joined(separator: "\n"))
      }
      try golden.finish()
    }
  }

  @Test func `The tables name every option`() {
    let weights = ["--network A --zeros around --stride-in 1x1 --threads 1 --kernels fast --convolution auto"]
    expectAllOptions(of: .evaluate, in: Self.evaluate.map(\.change) + [Self.base.line])
    expectAllOptions(of: .predict, in: weights + ["--weights F --normalization cifar --json"])
    expectAllOptions(
      of: .responses,
      in: weights + [
        "--weights F --depths 8 --normalization cifar --data D --limit 7 --output r --batch 4 --seed 3 --json"
      ])
  }
}
