import ResidualKernels
import Testing

@testable import ResidualLearning

@Suite struct AugmentationTests {
  @Test func `Crops of padded images begin at each of 81 places equally often, half of them flipped`() {
    var generator = RandomGenerator(seed: 1)
    let images = SyntheticImages.make(count: 4, seed: 1, size: 2)
    let crops = Augmentation.paper.views(of: images, Array(repeating: 0, count: 81_000), using: &generator)
    var counts: [Int: Int] = [:]
    for crop in crops { counts[(crop.top + 4) * 9 + crop.left + 4, default: 0] += 1 }
    #expect(counts.count == 81)
    #expect(counts.values.allSatisfy { abs($0 - 1000) < 160 })
    #expect(abs(crops.count { $0.isFlipped } - 40_500) < 600)
    #expect(Augmentation.none.views(of: images, [3, 1], using: &generator) == [images.view(3), images.view(1)])
  }

  @Test func `Section 3.4 draws scales, places, flips and colours over their whole ranges`() {
    let images = ImageDataset(
      height: 12, width: 18, channels: 3, pixels: (0..<648).map { UInt8($0 % 256) }, labels: [0], classNames: ["a"])
    let colors = PrincipalColors(of: images)
    let augmentation = Augmentation(
      padding: 0, flips: true, scaled: .init(size: 7, scales: 8...15, colors: colors))
    var generator = RandomGenerator(seed: 2)
    let views = augmentation.views(of: images, Array(repeating: 0, count: 2000), using: &generator)
    #expect(Set(views.map { min($0.height, $0.width) }) == Set(8...15))
    #expect(views.allSatisfy { $0.width == ($0.height * 3 + 1) / 2 })
    #expect(views.allSatisfy { (0...$0.height - 7).contains($0.top) && (0...$0.width - 7).contains($0.left) })
    let largest = views.filter { $0.height == 15 }
    #expect(Set(largest.map(\.top)) == Set(0...8) && Set(largest.map(\.left)) == Set(0...16))
    #expect(abs(views.count { $0.isFlipped } - 1000) < 100)
    #expect(views.allSatisfy { $0.shift.contains { $0 != 0 } })
    let unflipped = Augmentation(padding: 0, flips: false, scaled: augmentation.scaled)
    let others = unflipped.views(of: images, Array(repeating: 0, count: 50), using: &generator)
    #expect(others.allSatisfy { !$0.isFlipped })
  }

  @Test func `A view is the resized picture's window, shifted in colour and mirrored`() {
    let picture = Picture(height: 3, width: 4, pixels: (0..<36).map { UInt8($0 * 5) })
    let mean = Tensor<Float>([2, 2, 3], (0..<12).map { Float($0) / 100 })
    let view = PictureView(
      pixels: picture.pixels, height: 3, width: 4, top: 1, left: 2, isFlipped: true, shift: [0.1, 0, -0.1])
    let output = PixelNormalization.perPixel(mean: mean).input([view])
    #expect(output.shape == [1, 2, 2, 3])
    for y in 0..<2 {
      for x in 0..<2 {
        for (c, shift) in [Float(0.1), 0, -0.1].enumerated() {
          let byte = picture.pixels[((1 + y) * 4 + 3 - x) * 3 + c]
          #expect(abs(output[0, y, x, c] - (Float(byte) / 255 + shift - mean[y, x, c])) < 1e-6)
        }
      }
    }
  }

  @Test func `The paper's ranges shrink with the size of the crop`() {
    #expect(Augmentation.imageNet(colors: nil).scaled == .init(size: 224, scales: 256...480))
    #expect(Augmentation.imageNet(colors: nil, size: 28).scaled == .init(size: 28, scales: 32...60))
  }

  @Test func `The recipe of section 3.4 has the paper's values`() {
    let recipe = Recipe.imageNet(colors: nil)
    #expect(recipe.batch == 256 && recipe.iterations == 600_000)
    #expect(recipe.rate(at: 0) == 0.1 && recipe.rate(at: 599_999) == 0.1)
    #expect(recipe.momentum == 0.9 && recipe.decay == 1e-4)
    #expect(recipe.plateau != nil && recipe.warmUp == nil)
  }

  @Test func `Training on crops of resized pictures lowers the loss`() throws {
    let pixels = (0..<16).flatMap { (i: Int) -> [UInt8] in
      let level = i / 8 * 160 + 30
      return (0..<20 * 28 * 3).map { UInt8(level + $0 % 60) }
    }
    let images = ImageDataset(
      height: 20, width: 28, channels: 3, pixels: pixels, labels: (0..<16).map { UInt8($0 / 8) },
      classNames: ["dark", "light"])
    var recipe = Recipe.imageNet(colors: PrincipalColors(of: images), crop: 12)
    recipe.batch = 16
    var generator = RandomGenerator(seed: 1)
    let network = ResidualNetwork<Float>(.cifar(depth: 8, classes: 2, width: 4), using: &generator)
    var trainer = Trainer(
      network, recipe: recipe, images: images, normalization: .perPixel(of: images, size: 12), seed: 1)
    let first = try trainer.step().loss
    for _ in 0..<30 { _ = try trainer.step() }
    #expect(abs(first - 0.6931) < 0.05)
    #expect(try trainer.step().loss < 0.1)
  }
}
