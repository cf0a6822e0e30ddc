import Testing

@testable import ResidualKernels

@Suite struct ResizeTests {
  /// `[5, 7, 3]`, byte i being 37 i modulo 256.
  let pixels = (0..<105).map { UInt8($0 * 37 % 256) }

  func resized(_ height: Int, _ width: Int) -> [UInt8] {
    Kernels.resize(pixels, height: 5, width: 7, channels: 3, toHeight: height, width: width)
  }

  /// Pillow rounds between its two passes: a difference of 1 is its own.
  func worst(_ a: [UInt8], _ b: [UInt8]) -> Int { zip(a, b).map { abs(Int($0) - Int($1)) }.max()! }

  @Test func `A smaller image is Pillow's`() {
    let expected: [UInt8] = [
      62, 87, 124, 163, 67, 104, 132, 169, 73, 112, 149, 174, 76, 101, 138, 177, 81, 118, 146, 183, 87, 126, 163, 188,
      83, 115, 152, 115, 95, 132, 160, 121, 101, 140, 170, 126,
    ]
    #expect(worst(resized(3, 4), expected) <= 1)
  }

  @Test func `An image smaller in one axis and larger in the other is Pillow's`() {
    let expected: [UInt8] = [
      9, 46, 83, 37, 74, 111, 92, 129, 166, 148, 121, 158, 203, 48, 85, 195, 40, 77, 122, 95, 132, 114, 151, 124, 169,
      206, 51, 161, 198, 43, 88, 125, 98, 80, 117, 154, 135, 172, 209, 163, 200, 237, 27, 64, 101, 55, 92, 129, 110,
      147, 184, 146, 139, 176, 161, 66, 103, 152, 58, 95, 120, 113, 150, 132, 149, 142, 187, 164, 69, 179, 155, 61, 106,
      123, 116, 98, 135, 152, 153, 190, 167, 181, 218, 174,
    ]
    #expect(worst(resized(2, 14), expected) <= 1)
  }

  @Test func `A larger image is Pillow's`() {
    let expected: [UInt8] = [
      0, 37, 74, 74, 111, 148, 160, 84, 121, 190, 28, 65, 77, 114, 151, 163, 200, 38, 107, 144, 68, 80, 117, 154, 154,
      191, 228,
    ]
    #expect(worst(Array(resized(8, 9).prefix(27)), expected) <= 1)
  }

  @Test func `The same size is the same image`() {
    #expect(resized(5, 7) == pixels)
  }

  @Test func `One pixel is the weighted mean and one pixel fills an image`() {
    let mean = Kernels.resize([0, 100, 200], height: 1, width: 3, channels: 1, toHeight: 1, width: 1)
    #expect(mean == [100])
    #expect(Kernels.resize([7], height: 1, width: 1, channels: 1, toHeight: 2, width: 3) == [7, 7, 7, 7, 7, 7])
  }
}
