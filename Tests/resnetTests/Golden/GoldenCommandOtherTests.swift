import Foundation
import ResidualExperiments
import ResidualFiles
import ResidualKernels
import ResidualLearning
import TestSupport
import Testing

@testable import resnet

/// The commands that neither train nor read weights.
@Suite struct GoldenCommandOtherTests {
  @Test func `Summaries, help and wrong command lines`() async {
    await #expect(processExitsWith: .success) {
      let lab = try CommandLab()
      let golden = try GoldenFile("summary", isExact: true)
      for line in [
        "summary resnet20", "summary resnet20 --json", "summary resnet20 --shortcut C --json", "summary plain20 --json",
        "summary resnet50 --json", "summary resnet50 --stride-in 3x3 --json", "summary resnet34", "summary vgg16",
        "summary resnet18 --shortcut A", "summary --all", "summary --all --json", "summary", "summary resnet21",
        "summary --all --shortcut B", "summary --all resnet20", "nothing",
        "train --batch 0", "help nothing",
      ] {
        let text = try lab.run(line).text
        // The long lists as their first lines and a checksum: SummaryTests has their numbers.
        let lines = text.split(separator: "\n")
        let shown = lines.prefix(12) + ["\(lines.count) lines, \(GoldenFile.checksum(text))"]
        golden.append(line, shown.joined(separator: "\n"))
      }
      try golden.finish()
      for (line, text) in [
        ("help", Command.overview), ("help compare", Command.compare.helpText),
        ("train --help", Command.train.helpText),
        ("bench -h", Command.bench.helpText), ("-h", Command.overview),
      ] {
        let result = try lab.run(line)
        #expect(result.status == 0 && result.json == text + "\n" && result.errors.isEmpty, "\(line)")
      }
    }
  }

  /// A right gradient and one that is twice too large.
  private static func check(_ name: String, factor: Double) -> StandardCheck {
    StandardCheck(name: name) { name, generator in
      let x = Tensor<Double>(normal: [5], using: &generator)
      return GradientCheck().run(name, at: [("x", x)], outputGradient: Tensor([1]), gradients: [x * (2 * factor)]) {
        Tensor([$0[0].dot($0[0])])
      }
    }
  }

  @Test func `A gradient check that fails is an error`() async {
    await #expect(processExitsWith: .success) {
      let lab = try CommandLab()
      func arguments(seed: Int) throws -> Arguments {
        try Command.parse(["check-gradients", "--seed", "\(seed)", "--json"]).arguments
      }
      let (right, wrong) = (
        GoldenCommandOtherTests.check("right", factor: 1), GoldenCommandOtherTests.check("wrong", factor: 2)
      )
      for seed in [4, 5] {
        for checks in [[right], [wrong], [right, wrong, right], [wrong, right]] {
          var error: InputError?
          let result = try lab.captured {
            do { try Command.runChecks(checks, arguments(seed: seed)) } catch let found as InputError { error = found }
            return 0
          }
          let expected = checks.map { $0.run(seed: UInt64(seed)) }
          let found = try JSONDecoder().decode(Checks.self, from: Data(result.json.utf8))
          let failed = checks.count == 1 && checks[0].name == "right" ? 0 : 1
          #expect(error?.message == (failed == 0 ? nil : "1 of \(checks.count) gradient checks failed"))
          #expect(found.checks == checks.count && found.failed == failed && found.skipped == 0)
          #expect(found.elements == 5 * checks.count)
          #expect(found.worstRelativeError == expected.map(\.worstRelativeError).max())
        }
      }
      #expect(wrong.run(seed: 4).worstRelativeError != wrong.run(seed: 5).worstRelativeError)
      #expect(Command.status(of: InputError("1 of 2 gradient checks failed"), command: "check-gradients") == 1)
    }
  }

  @Test func `Measurements by hand`() {
    var total = Measurement(seconds: [0, 0, 0, 0], operations: 0)
    total.add(Measurement(seconds: [4, 1, 3, 2], operations: 6e9), times: 1)
    #expect(total.median == 3 && total.best == 1 && total.gigaflops == 2)
    total.add(Measurement(seconds: [0.5, 0.5, 1, 2], operations: 3e9), times: 4)
    #expect(total.seconds == [6, 3, 7, 10] && total.operations == 18e9)
    #expect(total.median == 7 && total.best == 3 && abs(total.gigaflops - 18.0 / 7) < 1e-12)
    #expect(throws: Never.self) { try Measurement.check(error: 9e-5, of: "forward") }
    for error in [1e-4, .infinity, .nan] {
      let found = #expect(throws: InputError.self) { try Measurement.check(error: error, of: "forward of this") }
      #expect(found?.message == "the forward of this differs from its reference by \(brief(error))")
    }
  }

  struct Checks: Decodable {
    let checks, failed, elements, skipped: Int
    let worstRelativeError: Double
  }

  struct Bench: Decodable {
    let network, mode: String
    let batch, threads, peakMemoryBytes: Int
    let imagesPerSecondMedian, imagesPerSecondBest, peakGFLOPS, effectiveGFLOPS: Double
  }

  @Test func `Benchmarks say what they measured, and their numbers fit together`() async {
    await #expect(processExitsWith: .success) {
      let lab = try CommandLab()
      let base = OptionWords("--network resnet8 --batch 3 --repeats 3 --threads 2 --json")
      var medianIsSlower = false
      for (mode, change) in [
        ("train", ""), ("train", "--threads 1 --blocks layered --convolution direct"), ("infer", "--network plain8"),
        ("kernels", "--batch 2 --repeats 2 --shortcut B"), ("infer", "--kernels reference --batch 1 --repeats 1"),
      ] {
        let words = base.changed(by: change).line
        let result = try lab.run("bench \(mode) \(words)")
        #expect(result.status == 0, "\(result.text)")
        let arguments = try Command.parse(["bench", mode] + words.split(separator: " ").map(String.init)).arguments
        let bench = try JSONDecoder().decode(Bench.self, from: Data(result.json.utf8))
        #expect(bench.network == arguments[.network] && bench.mode == mode && bench.batch == arguments[.batch])
        #expect(bench.threads == (change.contains("--threads 1") ? 1 : 2) && Parallel.threads == bench.threads)
        #expect(bench.imagesPerSecondBest >= bench.imagesPerSecondMedian && bench.imagesPerSecondMedian > 0)
        medianIsSlower = medianIsSlower || bench.imagesPerSecondBest > bench.imagesPerSecondMedian
        #expect(bench.peakGFLOPS > 0.1 && bench.peakMemoryBytes > 1 << 20)
        // A forward pass is two operations a multiply-add; gradients of inputs and weights cost one more each.
        let summary = Summary(try .named(arguments[.network], shortcut: arguments[.shortcut]))
        let forward = 2 * Double(mode == "kernels" ? summary.convolutionMultiplyAdds : summary.multiplyAdds)
        let operations = forward * (mode == "infer" ? 1 : 3) * bench.imagesPerSecondMedian / 1e9
        #expect(abs(bench.effectiveGFLOPS / operations - 1) < 1e-9, "\(mode)")
        let lines = result.errors.split(separator: "\n").map(String.init)
        #expect(
          lines[0].hasPrefix("\(bench.network), batch \(bench.batch), \(bench.threads) threads; the machine's peak is ")
        )
        try GoldenCommandOtherTests.checkTables(mode, lines, bench, summary)
      }
      #expect(medianIsSlower)
      #expect(try lab.run("bench --network nothing").status == 1)
    }
  }

  private static func checkTables(_ mode: String, _ lines: [String], _ bench: Bench, _ summary: Summary) throws {
    switch mode {
    case "train":
      let rows = lines.dropFirst(3).prefix(4).map { $0.split(separator: " ") }
      #expect(lines[3...6].map { String($0.prefix(8)) } == ["forward ", "backward", "optimize", "running "])
      let shares = rows.compactMap { Double($0[$0.count - 2]) }
      #expect(shares.count == 4 && abs(shares.reduce(0, +) - 100) < 0.03)
      // The time of forward and backward, and its two bounds.
      #expect(try rows.prefix(2).allSatisfy { try $0[1...3].allSatisfy { try #require(Double($0)) > 0 } })
    case "kernels":
      let rows = lines.dropFirst(3).dropLast()
      let shapes = summary.convolutions(batch: bench.batch)
      #expect(rows.count == 3 * shapes.count)
      for (i, row) in rows.enumerated() {
        let (shape, count) = shapes[i / 3]
        #expect(row.contains(["forward", "input gradient", "weight gradient"][i % 3]))
        #expect(row.hasPrefix("\(shape.height)x\(shape.width)x\(shape.inputChannels) to \(shape.outputChannels), "))
        #expect(row.contains("stride \(shape.stride)") && row.contains(" \(count)  "))
        #expect(row.contains("Winograd") == Kernels.usesWinograd(shape, Float.self))
      }
    default: #expect(lines.count == 2)
    }
  }

  @Test func `The tables name every option`() {
    expectAllOptions(
      of: .bench,
      in: [
        "--network N --shortcut B --batch 3 --repeats 3 --threads 2 --json --kernels fast --convolution auto --blocks fused"
      ])
    expectAllOptions(of: .summary, in: ["--all --shortcut B --stride-in 1x1 --json"])
    expectAllOptions(of: .checkGradients, in: ["--seed 1 --threads 1 --kernels fast --convolution auto --json"])
  }
}
