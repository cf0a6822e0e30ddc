import ResidualExperiments
import ResidualLearning

extension Command {
  static let checkGradients = Command(
    name: "check-gradients",
    summary: "checks every gradient against finite differences",
    description:
      "Checks the gradients of every layer, of every block with every shortcut, and of small whole networks against "
      + "finite differences in Double, and lists the worst errors. The exit status is 1 when a check fails.",
    options: [.seed, .threads, .kernels, .convolution, .json]
  ) { arguments in
    try runChecks(StandardCheck.all, arguments)
  }

  /// Runs these checks and prints their table.
  ///
  /// - Throws: `InputError` when one fails.
  static func runChecks(_ checks: [StandardCheck], _ arguments: Arguments) throws {
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    output.line(GradientCheck.tableHeader)
    let results = checks.map { check in
      let result = check.run(seed: UInt64(arguments[.seed]))
      output.line(result.tableRow)
      return result
    }
    let failed = results.filter { !$0.passed }.count
    let worst = results.map(\.worstRelativeError).max() ?? .infinity
    let elements = results.reduce(0) { $0 + $1.elements }
    let skipped = results.reduce(0) { $0 + $1.skipped }
    output.line("\(results.count) checks, \(failed) failed, \(grouped(elements)) elements, \(skipped) skipped at kinks")
    output.json([
      "checks": .int(results.count), "failed": .int(failed), "elements": .int(elements), "skipped": .int(skipped),
      "worstRelativeError": .double(worst),
    ])
    guard failed == 0 else { throw InputError("\(failed) of \(results.count) gradient checks failed") }
  }
}
