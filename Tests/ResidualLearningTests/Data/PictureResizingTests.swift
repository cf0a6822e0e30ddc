import Testing

@testable import ResidualLearning

@Suite struct PictureResizingTests {
  @Test func `Of a wide picture the middle is taken, of a high one too`() {
    let wide = Picture(height: 2, width: 6, grey: [1, 2, 10, 20, 3, 4, 5, 6, 30, 40, 7, 8])
    #expect(wide.resized(height: 2, width: 2) == Picture(height: 2, width: 2, grey: [10, 20, 30, 40]))
    let high = Picture(height: 4, width: 2, grey: [1, 2, 10, 20, 30, 40, 3, 4])
    #expect(high.resized(height: 2, width: 2) == Picture(height: 2, width: 2, grey: [10, 20, 30, 40]))
    #expect(high.resized(height: 1, width: 1).pixels == [25, 25, 25])
  }

  @Test func `A line of pixels becomes a picture`() {
    let line = Picture(height: 1, width: 1000, grey: [UInt8](repeating: 9, count: 1000))
    let picture = line.resized(height: 4, width: 2)
    #expect(picture.width == 2 && picture.height == 4 && picture.pixels == [UInt8](repeating: 9, count: 24))
  }

  @Test func `The shorter side gets the length asked for, the longer one keeps the aspect ratio`() {
    let picture = Picture(height: 6, width: 10, pixels: Array(repeating: 7, count: 180))
    let small = picture.resized(shorterSide: 4)
    #expect(small.height == 4 && small.width == 7)  // 6.67
    #expect(small.pixels == Array(repeating: 7, count: 84))
    let tall = Picture(height: 10, width: 6, pixels: picture.pixels).resized(shorterSide: 9)
    #expect(tall.height == 15 && tall.width == 9)
    #expect(picture.resized(shorterSide: 6) == picture)
  }
}
