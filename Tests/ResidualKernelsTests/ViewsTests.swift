import Testing

@testable import ResidualKernels

@Suite struct ViewsTests {
  /// Two pictures `[2, 2, 1]`, one behind the other.
  private let pixels: [UInt8] = [0, 0, 0, 0, 51, 102, 153, 204]

  private func load(_ view: PictureView, width: Int, mean: [Double]) -> [Double] {
    let output = Storage<Double>(uninitialized: 2 * width)
    Kernels.loadViews([view], height: 2, width: width, mean: Storage(mean), factor: Storage([10]), output: output)
    return output.array(0..<output.count).map { ($0 * 1000).rounded() / 1000 }
  }

  @Test func `Under a picture of the window's size the mean moves with the picture`() {
    let mean = [0.1, 0.2, 0.3, 0.4]
    let whole = PictureView(pixels: pixels, first: 4, height: 2, width: 2)
    #expect(load(whole, width: 2, mean: mean) == [1, 2, 3, 4])
    let flipped = PictureView(pixels: pixels, first: 4, height: 2, width: 2, isFlipped: true)
    #expect(load(flipped, width: 2, mean: mean) == [2, 1, 4, 3])
    let shifted = PictureView(pixels: pixels, first: 4, height: 2, width: 2, top: 1, left: -1)
    #expect(load(shifted, width: 2, mean: mean) == [0, 3, 0, 0])
  }

  @Test func `On a picture of another size the mean stays with the window, and colours are shifted`() {
    let view = PictureView(
      pixels: pixels, first: 4, height: 2, width: 2, left: 1, isFlipped: false, shift: [0.05])
    #expect(load(view, width: 1, mean: [0.1, 0.3]) == [3.5, 5.5])
  }
}
