import Foundation
import Testing

@testable import ResidualFiles

@Suite struct HTMLPageTests {
  @Test func `Words are kept as they are, whatever they contain`() {
    var page = HTMLPage(title: "a < b")
    page.heading("R&D")
    page.paragraph("\"x\" > y")
    page.code("resnet train --output '<>'")
    page.table(["k", "v"], [["<td>", "1"]])
    let html = page.html
    #expect(html.contains("<title>a &lt; b</title>") && html.contains("<h1>a &lt; b</h1>"))
    #expect(html.contains("<h2>R&amp;D</h2>\n<p>&quot;x&quot; &gt; y</p>"))
    #expect(html.contains("<pre><code>resnet train --output '&lt;&gt;'</code></pre>"))
    #expect(html.contains("<tr><td>&lt;td&gt;</td><td>1</td></tr>"))
  }

  @Test func `A page needs no other file`() {
    var page = HTMLPage(title: "t")
    page.pictures([(Picture(height: 1, width: 1, grey: [7]), "grey")])
    page.plots([LinePlot(title: "p", xLabel: "x", yLabel: "y", series: [.init("a", [(0, 1), (1, 2)], color: 0)])])
    let html = page.html
    #expect(!html.contains("<script") && !html.contains("href=") && !html.contains("@import"))
    #expect(html.components(separatedBy: "http").count == 2)  // the namespace of SVG
    let start = html.range(of: "data:image/png;base64,")!.upperBound
    let base64 = html[start...].prefix { $0 != "\"" }
    let picture = try? Picture(decoding: Data(base64Encoded: String(base64))!)
    #expect(picture?.pixels == [7, 7, 7])
    #expect(html.contains("aria-label=\"p: y over x. a goes from 1 at 0 to 2 at 1.\""))
  }

  @Test func `A cell's colour is its share of the row`() {
    var page = HTMLPage(title: "t")
    page.table(corner: "c", columns: ["a", "b"], rows: [("r", [3, 1]), ("s", [0, 0])])
    #expect(page.html.contains("<td style=\"--share:0.750\">3</td><td style=\"--share:0.250\">1</td>"))
    #expect(page.html.contains("<td style=\"--share:0.000\">0</td><td style=\"--share:0.000\">0</td>"))
  }
}
