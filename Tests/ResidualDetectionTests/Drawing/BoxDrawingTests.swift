import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct BoxDrawingTests {
  let black = Picture(height: 20, width: 40, pixels: [UInt8](repeating: 0, count: 2400))

  /// The drawing as text: a mark where a pixel is not black.
  func marks(_ drawing: BoxDrawing) -> [String] {
    (0..<drawing.height).map { y in
      (0..<drawing.width).map {
        drawing.picture.pixels[(y * drawing.width + $0) * 3..<(y * drawing.width + $0 + 1) * 3].contains { $0 > 0 }
          ? "#" : "."
      }.joined()
    }
  }

  @Test func `A frame covers the pixels of the box's border`() {
    var drawing = BoxDrawing(black, factor: 1)
    drawing.draw(Box(left: 2, top: 1, right: 6, bottom: 4), color: 0)
    #expect(
      marks(drawing).prefix(5).map { String($0.prefix(8)) } == [
        "........", "..####..", "..#..#..", "..####..", "........",
      ])
  }

  @Test func `Words stand above the box, black on its colour`() {
    var drawing = BoxDrawing(black, factor: 1)
    drawing.draw(Box(left: 0, top: 8, right: 12, bottom: 12), color: 0, words: "x")
    #expect(
      marks(drawing)[1..<8].map { String($0.prefix(6)) } == [
        "#####.", "#.#.#.", "#.#.#.", "##.##.", "#.#.#.", "#.#.#.", "#####.",
      ])
  }

  @Test func `A picture is enlarged pixel by pixel`() {
    let drawing = BoxDrawing(Picture(height: 1, width: 2, pixels: [1, 2, 3, 4, 5, 6]), factor: 2)
    #expect(drawing.picture.pixels == [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
  }

  @Test func `Nothing is drawn outside`() {
    var drawing = BoxDrawing(black, factor: 3)
    drawing.draw(
      Box(left: -5, top: -9, right: 500, bottom: 900), color: 3, words: "ünknown letters, 100%, too long for it")
    drawing.draw(
      [Detection(box: Box(left: 39, top: 19, right: 40, bottom: 20), label: 1, score: 1)], classNames: ["a", "b"])
    #expect(drawing.picture.pixels.count == 120 * 60 * 3)
  }
}
