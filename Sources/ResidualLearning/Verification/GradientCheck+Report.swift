// GradientCheck+Report.swift: the results of gradient checks as a table.

import ResidualFiles

extension GradientCheck.Result {
  /// The result of a check that could not begin.
  static func failed(_ name: String, _ reason: String) -> Self {
    var result = Self(name: name)
    (result.worstRelativeError, result.failure) = (.infinity, reason)
    return result
  }

  /// One line of the table; under it, when the check failed, the reason.
  public var tableRow: String {
    let row = GradientCheck.row(name, "\(elements)", "\(skipped)", short(worstRelativeError), worstPlace)
    return row + (failure.map { "\n  FAILED: \($0)" } ?? "")
  }
}

extension GradientCheck {
  /// The first line of the table.
  public static let tableHeader = row("what", "elements", "skipped", "worst error", "where")

  /// A table with a row for each result: its name, the elements that were compared and that were skipped at kinks, the
  /// worst relative error, and where that was.
  public static func table(_ results: [Result]) -> String {
    ([tableHeader] + results.map { $0.tableRow }).joined(separator: "\n")
  }

  fileprivate static func row(_ name: String, _ elements: String, _ skipped: String, _ error: String, _ place: String)
    -> String
  {
    func spaces(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) }
    let numbers = [(elements, 9), (skipped, 9), (error, 13)].map { spaces($0, $1) + $0 }
    return name + spaces(name, 68) + numbers.joined() + "  " + place
  }
}

/// An error with two digits: `3.1e-10`.
func short(_ error: Double) -> String { error == 0 ? "0" : error.scientific(decimals: 1) }
