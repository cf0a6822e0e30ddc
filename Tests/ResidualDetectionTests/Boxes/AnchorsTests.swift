import Testing

@testable import ResidualDetection

@Suite struct AnchorsTests {
  @Test func `Anchors by hand`() {
    let anchors = Anchors(stride: 8, scales: [16, 32], ratios: [0.25, 1])
    let boxes = anchors.boxes(rows: 2, columns: 3)
    #expect(anchors.perCell == 4 && boxes.count == 24)
    // The first cell's middle is (4, 4). Ratio 1/4: twice as wide as 16, half as high.
    #expect(boxes[0] == Box(left: -12, top: 0, right: 20, bottom: 8))
    #expect(boxes[1] == Box(left: -4, top: -4, right: 12, bottom: 12))
    #expect(boxes[3] == Box(left: -12, top: -12, right: 20, bottom: 20))
    // Row 1, column 2: the middle is (20, 12).
    #expect(boxes[(1 * 3 + 2) * 4 + 1] == Box(left: 12, top: 4, right: 28, bottom: 20))
  }

  @Test func `Every anchor of a scale has the same area`() {
    for (i, box) in Anchors(stride: 8, scales: [16, 24, 36]).boxes(rows: 1, columns: 1).enumerated() {
      let side = [16.0, 24, 36][i / 3]
      #expect(abs(box.area - side * side) < 1e-10)
      #expect(abs(box.height / box.width - [0.5, 1, 2][i % 3]) < 1e-12)
    }
  }
}
