import ResidualKernels
import ResidualLearning
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

  @Test func scoresAreAveragedForSeveralNetworksOrViewsOnly() throws {
    #expect(!(try arguments("evaluate --weights a --crops 1").averagesScores))
    for line in ["--weights a", "--crops 10", "--scales 32"] {
      #expect(try arguments("evaluate --weights a \(line)").averagesScores)
    }
    // Without weights there is nothing to average, and the command asks for them.
    #expect(!(try arguments("evaluate --crops 10").averagesScores))
  }

  @Test func whatBelongsToOneNetworkIsRefusedForAnEnsemble() {
    #expect(Command.main(["evaluate", "--weights", "a", "--weights", "b", "--logits", "3"]) == 2)
    #expect(Command.main(["evaluate", "--weights", "a", "--crops", "10", "--export", "c"]) == 2)
    #expect(Command.main(["evaluate", "--weights", "a", "--weights", "b"]) == 1)
  }
}
