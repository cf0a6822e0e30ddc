import Foundation
import ResidualKernels
import ResidualLearning
import TestSupport
import Testing

@testable import ResidualWalk

@Suite struct StopTests {
  @Test func `Every layer has a stop forward and one backward, the blocks their additions, and SGD one`() {
    let stops = Walks.small.stops
    #expect(stops.count == 31 + 30 + 3 + 1)
    #expect(stops.filter(\.isAddition).map(\.name) == (0..<3).reversed().map { "stages.\($0).blocks.0.input" })
    #expect(Walks.plain.stops.filter(\.isAddition).isEmpty)
    #expect(stops[31].name == "loss" && stops[31].phase == .backward && stops.last?.phase == .step)
  }

  @Test(arguments: Walks.all)
  func `Every equation stands in a source with its number, every stop has lines that are marked`(walk: Walk) throws {
    let files = ["Layers", "Blocks", "Training"].map { repository.appending(path: "Sources/ResidualLearning/\($0)") }
    let sources = try files.flatMap {
      try FileManager.default.contentsOfDirectory(at: $0, includingPropertiesForKeys: nil)
    }.map { try String(contentsOf: $0, encoding: .utf8) }
    let lines = sources.flatMap { $0.split(separator: "\n") }.filter { $0.contains("///") }
    for stop in walk.stops {
      for equation in stop.equations {
        #expect(
          lines.contains { $0.contains(equation.text) && (equation.number.isEmpty || $0.contains(equation.number)) },
          "\(stop.name): \(equation.text) \(equation.number)")
        let page = try String(contentsOf: repository.appending(path: equation.page), encoding: .utf8)
        #expect(
          page.contains(equation.number.isEmpty ? equation.text : equation.number),
          "\(equation.page) has no \(equation.number)")
      }
      #expect(stop.code.isEmpty == (stop.phase == .forward && stop.node == 0))
      for place in stop.code { #expect(!place.marked.isEmpty, "\(stop.name): \(place.snippet.key)") }
      #expect(stop.sentence.hasSuffix(".") && !walk.rows(of: stop).isEmpty)
    }
  }

  @Test func `A backward stop shows what its layer hands back`() throws {
    let walk = Walks.small
    let stop = try #require(walk.stops.first { $0.phase == .backward && $0.name == "stages.0.blocks.0.conv1" })
    let rows = walk.rows(of: stop)
    #expect(rows.map(\.name) == ["stem.output", "stages.0.blocks.0.conv1.weight"])
    #expect(rows[0].gradient == walk.gradients.contributions[walk.graph.blocks[1].input][0].gradient)
    let step = walk.rows(of: walk.stops.last!)
    #expect(step.count == walk.parameters.count && step[0].gradient == walk.velocities[0])
  }
}
