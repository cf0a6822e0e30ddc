import Testing

@testable import ResidualLearning

@Suite struct LabelledImagesTests {
  @Test func `The shorter side gets the length asked for, the longer one keeps the aspect ratio`() {
    let picture = Picture(height: 6, width: 10, pixels: Array(repeating: 7, count: 180))
    let small = picture.resized(shorterSide: 4)
    #expect(small.height == 4 && small.width == 7)  // 6.67
    #expect(small.pixels == Array(repeating: 7, count: 84))
    let tall = Picture(height: 10, width: 6, pixels: picture.pixels).resized(shorterSide: 9)
    #expect(tall.height == 15 && tall.width == 9)
    #expect(picture.resized(shorterSide: 6) == picture)
  }

  @Test func `A mean image over central squares leaves the ends of the longer side out`() {
    // Two columns of 255 in the middle of each picture, 0 or 100 beside them.
    func picture(_ sides: UInt8) -> Picture {
      let row: [UInt8] = [sides, 255, 255, sides].flatMap { (level: UInt8) -> [UInt8] in [level, level, level] }
      return Picture(height: 2, width: 4, pixels: row + row)
    }
    let images = VariableImages(pictures: [picture(0), picture(100)], labels: [0, 1], classNames: ["a", "b"])
    let normalization = Normalization.perPixel(of: images, size: 2)
    #expect(normalization.mean == Tensor([2, 2, 3], repeating: 1))
    #expect(images.count == 2 && images.picture(1) == picture(100))
  }

  @Test func `Images of one size are pictures too`() {
    let images = SyntheticImages.make(count: 3, seed: 1, size: 8)
    #expect(images.picture(2).pixels == Array(images.image(2)))
    #expect(images.picture(2).shorterSide == 8)
    let (a, b) = (Normalization.perPixel(of: images, size: 8), Normalization.perPixel(of: images))
    #expect(a == b)
  }
}
