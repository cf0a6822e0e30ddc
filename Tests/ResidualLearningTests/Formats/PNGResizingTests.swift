import Testing

@testable import ResidualLearning

@Suite struct PNGResizingTests {
  @Test func `Of a wide picture the middle is taken, of a high one too`() {
    let wide = PNGImage(width: 6, height: 2, grey: [1, 2, 10, 20, 3, 4, 5, 6, 30, 40, 7, 8])
    #expect(wide.resized(height: 2, width: 2) == PNGImage(width: 2, height: 2, grey: [10, 20, 30, 40]))
    let high = PNGImage(width: 2, height: 4, grey: [1, 2, 10, 20, 30, 40, 3, 4])
    #expect(high.resized(height: 2, width: 2) == PNGImage(width: 2, height: 2, grey: [10, 20, 30, 40]))
    #expect(high.resized(height: 1, width: 1).pixels == [25, 25, 25])
  }

  @Test func `A line of pixels becomes a picture`() {
    let line = PNGImage(width: 1000, height: 1, grey: [UInt8](repeating: 9, count: 1000))
    let picture = line.resized(height: 4, width: 2)
    #expect(picture.width == 2 && picture.height == 4 && picture.pixels == [UInt8](repeating: 9, count: 24))
  }
}
