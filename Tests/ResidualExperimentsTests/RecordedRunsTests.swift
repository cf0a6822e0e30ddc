import Foundation
import ResidualExperiments
import Testing

@Suite struct RecordedRunsTests {
  @Test func `logs are found in folders and in folders inside them, by name`() throws {
    let folder = NSTemporaryDirectory() + "recorded-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func write(_ path: String, _ text: String) throws {
      let directory = URL(fileURLWithPath: folder + "/" + path).deletingLastPathComponent()
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
      try text.write(toFile: folder + "/" + path, atomically: true, encoding: .utf8)
    }
    let header = "iteration,epoch,rate,training_loss,training_error,test_error\n"
    try write("compare/plain20/log.csv", header + "352,1,0.1,1.6,0.5,0.25\n704,2,0.1,1.2,0.375,0.125\n")
    try write("compare/plain20/responses.csv", "iteration,stem.bn,stages.0.blocks.0.bn1\n352,1,1\n704,0.5,0.25\n")
    try write("a/log.csv", header + "352,1,0.1,1.6,0.5,\n")
    try write("detection/log.csv", "iteration,rpn_loss\n1,0.5\n")
    try write("empty/other.csv", header)

    let runs = RecordedRun.all(in: folder)
    #expect(runs.map(\.name) == ["a", "compare/plain20"])
    #expect(runs[1].epochs.map(\.iteration) == [352, 704])
    #expect(runs[1].epochs.map(\.testError) == [0.25, 0.125])
    #expect(runs.map(\.responses) == [[], [0.5, 0.25]])

    let errors = RecordedRun.errors(runs, title: "Errors").series
    #expect(errors.map(\.name) == ["", "a", "", "compare/plain20"])
    #expect(errors.map { $0.points.map(\.y) } == [[50], [], [50, 37.5], [25, 12.5]])
    #expect(RecordedRun.responses(runs).series.map { $0.points.map(\.y) } == [[0.5, 0.25]])
    #expect(RecordedRun.all(in: folder + "/missing").isEmpty)
  }
}
