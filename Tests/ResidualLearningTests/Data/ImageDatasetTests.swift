import ResidualKernels
import Testing

@testable import ResidualLearning

@Suite struct ImageDatasetTests {
  /// Three images of 1 x 2 pixels with two channels.
  let dataset = ImageDataset(
    height: 1, width: 2, channels: 2, pixels: Array(0..<12), labels: [1, 0, 1], classNames: ["cat", "dog"])

  @Test func `Images lie one after another`() {
    #expect(dataset.count == 3)
    #expect(dataset.imageSize == 4)
    #expect(Array(dataset.image(0)) == [0, 1, 2, 3])
    #expect(Array(dataset.image(2)) == [8, 9, 10, 11])
  }

  @Test func `A prefix holds the first images, or all`() {
    #expect(dataset.prefix(2).pixels == Array(0..<8))
    #expect(dataset.prefix(2).labels == [1, 0])
    #expect(dataset.prefix(0).count == 0)
    #expect(dataset.prefix(9) == dataset)
  }

  @Test func `A subset holds the chosen images in the chosen order`() {
    let subset = dataset.subset([2, 0, 2])
    #expect(subset.pixels == [8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11])
    #expect(subset.labels == [1, 1, 1])
    #expect(subset.classNames == ["cat", "dog"])
    #expect(subset.height == 1 && subset.width == 2 && subset.channels == 2)
    #expect(dataset.subset([]).count == 0)
  }

  @Test func `An image is a picture, and a view of it a window on its bytes`() {
    let images = SyntheticImages.make(count: 3, seed: 1, size: 8)
    #expect(images.picture(2).pixels == Array(images.image(2)))
    #expect(images.picture(2).height == 8 && images.picture(2).shorterSide == 8)
    let view = images.view(2, top: -1, left: 3, isFlipped: true)
    #expect(view.first == 384 && view.pixels == images.pixels && (view.height, view.width) == (8, 8))
    #expect((view.top, view.left) == (-1, 3) && view.isFlipped && view.shift.isEmpty)
  }

  @Test func `A split has every image once, the share that the recipe holds out apart`() {
    let images = SyntheticImages.make(count: 40, seed: 1, size: 4)
    let (training, heldOut) = images.split(for: .paper(depth: 20), seed: 45)
    #expect(training.count == 36 && heldOut.count == 4)
    let all = [training, heldOut].flatMap { part in (0..<part.count).map { Array(part.image($0)) } }
    #expect(Set(all) == Set((0..<40).map { Array(images.image($0)) }))
  }
}
