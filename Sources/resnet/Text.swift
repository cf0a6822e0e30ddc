import Foundation

/// A number of seconds for people: "4.2 s", "42 s", "1 m 12 s", "3 h 05 m", "2 d 03 h".
func duration(_ seconds: Double) -> String {
  guard seconds >= 0, seconds < 1e12 else { return "?" }
  if seconds < 9.95 { return fixed(seconds, 1) + " s" }
  func two(_ value: Int) -> String { (value < 10 ? "0" : "") + "\(value)" }
  let whole = Int(seconds.rounded())
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) m \(two(whole % 60)) s" }
  let minutes = Int((seconds / 60).rounded())
  if minutes < 24 * 60 { return "\(minutes / 60) h \(two(minutes % 60)) m" }
  let hours = Int((seconds / 3600).rounded())
  return "\(hours / 24) d \(two(hours % 24)) h"
}

/// A count with thousands separators: "1,234,567".
func grouped(_ count: Int) -> String {
  var groups = ""
  for (place, digit) in "\(count.magnitude)".reversed().enumerated() {
    if place > 0 && place % 3 == 0 { groups = "," + groups }
    groups = String(digit) + groups
  }
  return (count < 0 ? "-" : "") + groups
}

/// A number with a fixed number of decimals.
func fixed(_ value: Double, _ decimals: Int) -> String {
  String(format: "%.\(decimals)f", value)
}

/// The shortest text that reads back as the same number; whole numbers have no ".0".
func brief(_ value: Double) -> String {
  let text = "\(value)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// A word of a command line as a shell takes it: in quotation marks if it has other characters than the plain ones.
func shellQuoted(_ word: String) -> String {
  let isPlain = !word.isEmpty && word.utf8.allSatisfy { $0 > 127 || isPlainInShell($0) }
  return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
}

private func isPlainInShell(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"):
    true
  default: "-_./,:=+@%".utf8.contains(byte)
  }
}

/// `text` followed by spaces, up to `width` columns.
func padded(_ text: String, to width: Int) -> String {
  text + String(repeating: " ", count: max(width - text.count, 0))
}

/// Rows of cells under headings, every column as wide as its widest cell.
struct Table {
  enum Column {
    case left(String)
    case right(String)
  }

  private let columns: [Column]
  /// A row without cells is a rule.
  private var rows: [[String]] = []

  init(_ columns: Column...) {
    self.columns = columns
    rows = [columns.map(\.heading)]
    rule()
  }

  /// Adds a row, one cell a column.
  mutating func row(_ cells: String...) { row(cells) }

  mutating func row(_ cells: [String]) {
    precondition(cells.count == columns.count, "a row of \(cells.count) cells in a table of \(columns.count) columns")
    rows.append(cells)
  }

  /// Adds a line across, before totals.
  mutating func rule() { rows.append([]) }

  /// The lines of the table, without spaces at their ends.
  var text: String {
    let cells = rows.filter { !$0.isEmpty }
    let widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      if row.isEmpty { return widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ") }
      let aligned = columns.indices.map { column in
        let cell = row[column]
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return columns[column].isRight ? space + cell : cell + space
      }
      let line = aligned.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
    return lines.joined(separator: "\n")
  }
}

extension Table.Column {
  fileprivate var heading: String {
    switch self {
    case .left(let heading), .right(let heading): heading
    }
  }

  fileprivate var isRight: Bool {
    if case .right = self { true } else { false }
  }
}

/// A share as per cent: "12.34 %".
func percent(_ share: Double) -> String { fixed(100 * share, 2) + " %" }
