import Testing

@testable import ResidualDetection

@Suite struct AveragePrecisionTests {
  /// | k | right | precision | recall |
  /// |---|-------|-----------|--------|
  /// | 1 | yes   | 1/1       | 1/4    |
  /// | 2 | no    | 1/2       | 1/4    |
  /// | 3 | yes   | 2/3       | 2/4    |
  /// | 4 | no    | 2/4       | 2/4    |
  /// | 5 | yes   | 3/5       | 3/4    |
  /// | 6 | no    | 3/6       | 3/4    |
  let curve = PrecisionRecall(isRight: [true, false, true, false, true, false], objects: 4)

  @Test func `A table of six detections of four objects by hand`() {
    // p̂ is 1 up to recall 1/4, 2/3 up to 2/4, 3/5 up to 3/4, and 0 beyond.
    #expect(abs(curve.area - (0.25 + 0.25 * 2 / 3 + 0.25 * 0.6)) < 1e-15)
    // Recalls 0, 0.1, 0.2 · 0.3, 0.4, 0.5 · 0.6, 0.7 · 0.8, 0.9, 1.
    #expect(abs(curve.elevenPoints - (3 + 3 * 2.0 / 3 + 2 * 0.6) / 11) < 1e-15)
    // 26 recalls up to 0.25, 25 up to 0.5, 25 up to 0.75, 25 beyond.
    #expect(abs(curve.points101 - (26 + 25 * 2.0 / 3 + 25 * 0.6) / 101) < 1e-14)
  }

  @Test func `Precision at a recall is the best at that recall or a higher one`() {
    // The second detection is wrong, so p_1 > p_2 < p_3 would dip; p̂ does not.
    #expect(curve.precision(atRecall: 0) == 1 && curve.precision(atRecall: 0.26) == 2.0 / 3)
    #expect(curve.precision(atRecall: 0.75) == 0.6 && curve.precision(atRecall: 0.76) == 0)
    let late = PrecisionRecall(isRight: [false, true, true], objects: 2)
    #expect(late.precision(atRecall: 0.5) == 2.0 / 3 && abs(late.area - 2.0 / 3) < 1e-15)
  }

  @Test func `Perfect detections give one, none give nothing`() {
    let perfect = PrecisionRecall(isRight: [true, true, true], objects: 3)
    #expect(perfect.area == 1 && perfect.elevenPoints == 1 && perfect.points101 == 1)
    let none = PrecisionRecall(isRight: [], objects: 3)
    #expect(none.area == 0 && none.elevenPoints == 0 && none.points101 == 0)
  }

  @Test func `A wrong detection below all others never raises it`() {
    for pattern in 0..<64 {
      let isRight = (0..<6).map { pattern >> $0 & 1 == 1 }
      let before = PrecisionRecall(isRight: isRight, objects: 6)
      let after = PrecisionRecall(isRight: isRight + [false], objects: 6)
      #expect(after.area <= before.area && after.elevenPoints <= before.elevenPoints)
      #expect(after.points101 <= before.points101)
    }
  }
}
