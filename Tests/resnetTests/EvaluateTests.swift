import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning
import TestSupport
import Testing

@testable import resnet

@Suite struct EvaluateTests {
  private func arguments(_ line: String) throws -> Arguments {
    try Command.parse(line.split(separator: " ").map(String.init)).arguments
  }

  @Test func cropsAndScalesAreViews() throws {
    #expect(try arguments("evaluate").views == Views())
    let given = try arguments("evaluate --weights a --crops 10 --scales 224,256")
    #expect(given.views == Views(crops: .ten, scales: [224, 256]))
    #expect(given.views.count == 20)
  }

  @Test func drawnTestImagesAreNotThoseToTrainOn() throws {
    let images = try Images.test(folder: nil)
    #expect(images.count == 1000)
    #expect(images.prefix(3) == SyntheticImages.make(count: 3, seed: 2016))
    #expect(images.prefix(3) != SyntheticImages.make(count: 3, seed: Images.synthetic.seed))
  }

  @Test func scoresAreAveragedForSeveralNetworksOrViewsOnly() throws {
    #expect(!(try arguments("evaluate --weights a --crops 1").averagesScores))
    for line in ["--weights a", "--crops 10", "--scales 32"] {
      #expect(try arguments("evaluate --weights a \(line)").averagesScores)
    }
    // Without weights those that come with the package take their place.
    #expect(try arguments("evaluate --crops 10").averagesScores)
  }

  @Test func whatBelongsToOneNetworkIsRefusedForAnEnsemble() {
    #expect(Command.main(["evaluate", "--weights", "a", "--weights", "b", "--logits", "3"]) == 2)
    #expect(Command.main(["evaluate", "--weights", "a", "--crops", "10", "--export", "c"]) == 2)
    #expect(Command.main(["evaluate", "--weights", "a", "--weights", "b"]) == 1)
  }

  @Test func `A folder with the test batch alone is enough`() throws {
    let folder = try TemporaryFolder()
    let record = [3] + (0..<3072).map { UInt8($0 % 251) }
    try AtomicFile.write(Data(record + record), to: folder.path + "/test_batch.bin")
    var generator = RandomGenerator(seed: 1)
    let network = ResidualNetwork<Float>(.cifar(depth: 8, width: 4), using: &generator)
    try PyTorchWeights.file(of: network).write(to: folder.path + "/w")
    let line = ["evaluate", "--weights", folder.path + "/w", "--data", folder.path]
    #expect(Command.main(line) == 0)
    #expect(Command.main(line + ["--crops", "10"]) == 0)
    // A mean image that the weights lack has to come from the training images.
    #expect(Command.main(line + ["--normalization", "per-pixel"]) == 1)
  }
}
