import Testing

@testable import ResidualDetection

@Suite struct BoxTests {
  let a = Box(left: 0, top: 0, right: 4, bottom: 2)

  @Test func `Intersection over union of boxes drawn on squared paper`() {
    // 4x2 and 4x2, shifted by 2 and 1: they share 2x1 of 8 + 8 - 2.
    #expect(a.iou(Box(left: 2, top: 1, right: 6, bottom: 3)) == 2.0 / 14)
    // One inside the other: 1 of 8.
    #expect(a.iou(Box(left: 1, top: 0, right: 2, bottom: 1)) == 1.0 / 8)
    #expect(a.iou(a) == 1)
  }

  @Test func `Boxes that only touch share nothing`() {
    // With widths of right − left + 1 these two would share a column and have an IoU of 3/27.
    #expect(a.iou(Box(left: 4, top: 0, right: 8, bottom: 2)) == 0)
    #expect(a.width == 4 && a.height == 2 && a.area == 8)
  }

  @Test func `Empty boxes have an intersection over union of zero, also with themselves`() {
    let line = Box(left: 1, top: 1, right: 1, bottom: 5)
    #expect(line.iou(line) == 0 && a.iou(line) == 0)
    #expect(Box(left: 3, top: 0, right: 1, bottom: 2).area == 0)
  }

  @Test func `The order of two boxes does not matter`() {
    let b = Box(left: -1, top: 0.5, right: 3.25, bottom: 7)
    #expect(a.iou(b) == b.iou(a))
  }

  @Test func `The box of whole cells, by hand`() {
    let box = Box(left: 3, top: 12, right: 21, bottom: 29)
    #expect(box.aligned(stride: 8) == Box(left: 0, top: 16, right: 24, bottom: 32))  // 12/8 = 1.5 rounds to 2
    // Both sides round to 8: the one cell around 8.
    #expect(
      Box(left: 6, top: 0, right: 9, bottom: 40).aligned(stride: 8) == Box(left: 4, top: 0, right: 12, bottom: 40))
  }

  @Test func `Clipping, mirroring and scaling`() {
    let box = Box(left: -2, top: 1, right: 5, bottom: 12)
    #expect(box.clipped(width: 4, height: 10) == Box(left: 0, top: 1, right: 4, bottom: 10))
    #expect(!box.isInside(width: 4, height: 10) && a.isInside(width: 4, height: 2))
    #expect(a.mirrored(width: 10) == Box(left: 6, top: 0, right: 10, bottom: 2))
    #expect(a.mirrored(width: 10).mirrored(width: 10) == a)
    #expect(a.scaled(2, 0.5) == Box(left: 0, top: 0, right: 8, bottom: 1))
  }
}
