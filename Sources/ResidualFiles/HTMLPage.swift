// HTMLPage.swift: a page that opens from disk, without a network, a script or another file.
//
// Tests       Tests/ResidualFilesTests/HTMLPageTests.swift

import Foundation

/// Headings, paragraphs, tables, plots and pictures in one HTML file, light or dark as its reader prefers.
public struct HTMLPage: Sendable {
  /// The title of the page.
  public let title: String
  private var parts: [String] = []

  /// A page with its title and nothing else.
  public init(title: String) { self.title = title }

  /// The text of the file.
  public var html: String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escaped(title))</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <main>
    <h1>\(escaped(title))</h1>
    \(parts.joined(separator: "\n"))
    </main>
    </body>
    </html>

    """
  }

  /// Writes the page. What was at `path` stays until the new file is complete on disk.
  ///
  /// - Throws: `InputError` when it cannot be written.
  public func write(to path: String) throws { try AtomicFile.write(Data(html.utf8), to: path) }

  private static let style = """
    :root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0; --mark: #0072b2 }
    @media (prefers-color-scheme: dark) {
      :root { --paper: #0d1117; --ink: #e6edf3; --faint: #9aa4b0; --line: #3d444d; --mark: #58b4ec }
    }
    body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
    main { max-width: 60rem; margin: 0 auto; padding: 1rem }
    h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem }
    p { max-width: 45rem }
    pre, .wide { overflow-x: auto }
    pre { padding: .75rem; border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums }
    th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top }
    th:first-child, td:first-child { text-align: left }
    .words td, .words th { text-align: left }
    .shares td, .shares th { padding: .25rem .4rem; text-align: center }
    .shares td { background: color-mix(in srgb, var(--mark) calc(var(--share) * 55%), transparent) }
    .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(21rem, 100%), 1fr)); gap: 1rem }
    .plots svg { width: 100%; height: auto; border: 1px solid var(--line); border-radius: 8px }
    .pictures { display: flex; flex-wrap: wrap; gap: .75rem; padding: 0; list-style: none }
    .pictures li { width: 8.5rem; font-size: .85rem; line-height: 1.3; color: var(--faint) }
    img { image-rendering: pixelated; width: 96px; height: auto; display: block; margin-bottom: .25rem }
    """

  // MARK: - Parts

  /// A heading of the second level.
  public mutating func heading(_ words: String) { parts.append("<h2>\(escaped(words))</h2>") }

  /// A paragraph.
  public mutating func paragraph(_ words: String) { parts.append("<p>\(escaped(words))</p>") }

  /// Words that are kept as they are, such as a command.
  public mutating func code(_ words: String) { parts.append("<pre><code>\(escaped(words))</code></pre>") }

  /// Rows of cells under headings: numbers, to the right of the first column, or words.
  public mutating func table(_ columns: [String], _ rows: [[String]], ofWords: Bool = false) {
    let body = rows.map { row in "<tr>\(row.map { "<td>\(escaped($0))</td>" }.joined())</tr>" }
    parts.append(Self.table(columns, body, class: ofWords ? " class=\"words\"" : ""))
  }

  /// A table of counts, row by row, each cell the darker the larger its share of its row.
  public mutating func table(corner: String, columns: [String], rows: [(name: String, counts: [Int])]) {
    let body = rows.map { row in
      let sum = Double(max(1, row.counts.reduce(0, +)))
      let cells = row.counts.map { count in
        "<td style=\"--share:\(String(format: "%.3f", Double(count) / sum))\">\(count)</td>"
      }
      return "<tr><th scope=\"row\">\(escaped(row.name))</th>\(cells.joined())</tr>"
    }
    parts.append(Self.table([corner] + columns, body, class: " class=\"shares\""))
  }

  private static func table(_ columns: [String], _ body: [String], class name: String) -> String {
    let head = columns.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined()
    return "<div class=\"wide\"><table\(name)>\n<thead><tr>\(head)</tr></thead>\n<tbody>\n"
      + body.joined(separator: "\n") + "\n</tbody></table></div>"
  }

  /// Plots side by side, one below the other on a phone.
  public mutating func plots(_ plots: [LinePlot]) {
    parts.append("<div class=\"plots\">\n\(plots.map(\.svg).joined())</div>")
  }

  /// Small pictures with words below each.
  public mutating func pictures(_ pictures: [(picture: Picture, words: String)]) {
    let items = pictures.map { picture, words in
      let data = picture.encoded().base64EncodedString()
      return "<li><img alt=\"\(escaped(words))\" src=\"data:image/png;base64,\(data)\">\(escaped(words))</li>"
    }
    parts.append("<ul class=\"pictures\">\n\(items.joined(separator: "\n"))\n</ul>")
  }
}
