import Foundation
import ResidualFiles
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct TrainingLogTests {
  private func table(_ text: String, upTo last: Int = 100) throws -> NumberTable {
    let folder = try TemporaryFolder()
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/t"))
    return NumberTable(contentsOf: folder.path + "/t", upTo: last)
  }

  @Test func `A table reads back as the same numbers, and empty cells stay empty`() throws {
    let folder = try TemporaryFolder()
    var table = NumberTable()
    table.append([("iteration", 4), ("a", 0.1), ("b", nil)])
    table.append([("iteration", 8), ("a", 1.0 / 3), ("b", -2e-300)])
    try table.write(to: folder.path + "/t")
    #expect(
      try String(contentsOfFile: folder.path + "/t", encoding: .utf8)
        == "iteration,a,b\n4,0.1,\n8,0.3333333333333333,-2e-300\n")
    #expect(NumberTable(contentsOf: folder.path + "/t", upTo: 8) == table)
    #expect(table.cells(0) == ["iteration": 4, "a": 0.1])
  }

  @Test func `Rows after the iteration that is asked for are dropped, and all from the first that cannot be read`()
    throws
  {
    let text = "iteration,a\n4,1\n8,2\n12,3\n"
    #expect(try table(text, upTo: 11).rows == [[4, 1], [8, 2]])
    #expect(try table(text, upTo: 3).rows == [])
    for bad in ["8,2,3", "8", "x,2", "8,y", "4,2", ",2", "3,2"] {
      #expect(try table("iteration,a\n4,1\n\(bad)\n12,3\n").rows == [[4, 1]], "\(bad)")
    }
    #expect(NumberTable(contentsOf: "/nowhere", upTo: 1) == NumberTable())
    #expect(try table("") == NumberTable())
  }

  @Test func `A row with other columns begins the table anew`() throws {
    var table = try table("iteration,a\n4,1\n")
    table.append([("iteration", 8), ("b", 2)])
    #expect(table.columns == ["iteration", "b"] && table.rows == [[8, 2]])
  }

  @Test func `A log has the epochs that it was given, as far as a run has come`() throws {
    let folder = try TemporaryFolder()
    var log = TrainingLog(folder: folder.path, upTo: 0)
    #expect(log.epochs.isEmpty)
    let epochs = (1...3).map { i in
      Epoch(
        iteration: 10 * i, number: i, rate: 0.1, trainingLoss: 2.3 / Double(i), trainingError: 0.5,
        heldOutError: i == 2 ? nil : 0.25, testError: 0.125, imagesPerSecond: 1234.5, seconds: 7 * Double(i))
    }
    for epoch in epochs { log.append(epoch) }
    try log.write(to: folder.path)
    #expect(TrainingLog(folder: folder.path, upTo: 30).epochs == epochs)
    #expect(TrainingLog(folder: folder.path, upTo: 29).epochs == Array(epochs.prefix(2)))
    #expect(TrainingLog(folder: folder.path, upTo: 0).epochs.isEmpty)
    #expect(
      try String(contentsOfFile: folder.path + "/log.csv", encoding: .utf8).hasPrefix(
        "iteration,epoch,rate,training_loss,training_error,held_out_error,test_error,images_per_second,seconds\n"
          + "10,1,0.1,2.3,0.5,0.25,0.125,1234.5,7\n20,2,0.1,1.15,0.5,,0.125,1234.5,14\n"))
  }
}
