import Testing

@testable import resnet

@Suite struct TextTests {
  @Test(arguments: [
    (0.04, "0.0 s"), (4.24, "4.2 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 m 00 s"), (69, "1 m 09 s"),
    (70, "1 m 10 s"), (72, "1 m 12 s"),
    (3599.7, "1 h 00 m"), (11_100, "3 h 05 m"), (86_399, "1 d 00 h"), (183_600, "2 d 03 h"), (-1, "?"),
    (.infinity, "?"), (.nan, "?"),
  ])
  func durationsNameTheirTwoLargestUnits(seconds: Double, text: String) {
    #expect(duration(seconds) == text)
  }

  @Test func countsHaveThousandsSeparators() {
    #expect([0, 999, 1000, 1_234_567, -1000].map(grouped) == ["0", "999", "1,000", "1,234,567", "-1,000"])
    #expect(grouped(.min) == "-9,223,372,036,854,775,808")
  }

  @Test func columnsAreAlignedToTheirWidestCell() {
    var table = Table(.left("layer"), .right("parameters"), .left("note"))
    table.row("conv1", "432", "")
    table.row("fully connected", "650", "last")
    table.rule()
    table.row("", "1,082", "")
    #expect(
      table.text == """
        layer            parameters  note
        ---------------  ----------  ----
        conv1                   432
        fully connected         650  last
        ---------------  ----------  ----
                              1,082
        """)
  }
}
