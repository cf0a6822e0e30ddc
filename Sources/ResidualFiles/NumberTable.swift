// NumberTable.swift: CSV files of numbers that grow row by row.
//
// Tests       Tests/ResidualLearningTests/Training/TrainingLogTests.swift

import Foundation

/// A table of numbers in a CSV file. Its first column is the iteration, which grows from row to row.
package struct NumberTable: Equatable, Sendable {
  package private(set) var columns: [String] = []
  package private(set) var rows: [[Double?]] = []

  package init() {}

  /// The table in a file, as far as iteration `last`: a file that is not there, or a row that cannot be read, ends it.
  package init(contentsOf path: String, upTo last: Int) {
    var lines = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")[...]
    guard let header = lines.popFirst() else { return }
    columns = header.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    for line in lines {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      let row = cells.map { Double($0) }
      guard cells.count == columns.count, zip(cells, row).allSatisfy({ $0.isEmpty == ($1 == nil) }),
        let iteration = row[0], iteration <= Double(last), iteration > (rows.last?[0] ?? -1)
      else { return }
      rows.append(row)
    }
  }

  /// Adds a row. A table with other columns is dropped first.
  package mutating func append(_ row: [(column: String, value: Double?)]) {
    let columns = row.map(\.column)
    if self.columns != columns { (self.columns, rows) = (columns, []) }
    rows.append(row.map(\.value))
  }

  /// The cells of a row under their columns, without the empty ones.
  package func cells(_ row: Int) -> [String: Double] {
    Dictionary(zip(columns, rows[row]).compactMap { column, cell in cell.map { (column, $0) } }) { first, _ in first }
  }

  /// Writes the table, if it has a row, in the place of an older one.
  package func write(to path: String) throws {
    if rows.isEmpty { return }
    let lines = [columns.joined(separator: ",")] + rows.map { $0.map(Self.text).joined(separator: ",") }
    try AtomicFile.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: path)
  }

  /// As few digits as read back as the same number.
  private static func text(_ cell: Double?) -> String {
    guard let cell else { return "" }
    return Int(exactly: cell).map { "\($0)" } ?? "\(cell)"
  }
}
