// main.swift: the golden runs and the gradient checks, in a program without an operating system.
//
// It is compiled together with the gradient checks of ResidualExperiments and the golden numbers of the tests.

import ResidualKernels
import ResidualLearning

@main struct GoldenProgram {
  /// Prints a line for every comparison, and at the end how many there were and how many of them failed.
  static func main() {
    print("arithmetic: \(Kernels.fusesMultiplyAdd ? "fused" : "separate")")
    var (count, failures) = (0, 0)
    func compare(_ name: String, _ found: String, _ expected: String) {
      count += 1
      if found != expected { failures += 1 }
      print(found == expected ? "same bits  \(name)" : "OTHER BITS \(name): \(found), not \(expected)")
    }
    for golden in GoldenRun.all {
      let found = (try? golden.train())?.description ?? "no network"
      compare(golden.description, found, golden.expected.description)
    }
    for golden in GoldenTraining.all {
      let found = (try? golden.train()).map { hexadecimal($0) } ?? "divergence"
      compare(golden.description, found, hexadecimal(golden.expected))
    }
    for (name, checks, expected) in [
      ("gradient checks of layers", StandardCheck.layers, GoldenChecks.layers),
      ("gradient checks of blocks", StandardCheck.blocks, GoldenChecks.blocks),
    ] {
      let results = checks.map { $0.run(seed: 1) }
      for result in results where !result.passed { print(result.tableRow) }
      compare(name, hexadecimal(checksum(results.map { $0.worstRelativeError.bitPattern })), hexadecimal(expected))
    }
    print("\(count) compared, \(failures) with other bits")
  }

  private static func hexadecimal(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
}
