import ResidualKernels
import Testing

@testable import ResidualLearning

/// Training on the twenty pictures that come with the project.
@Suite struct RealPicturesTests {
  @Test func `The pictures are the first test images of CIFAR-10`() throws {
    let images = try TestPictures.load()
    #expect(images.labels == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1, 0, 9, 5, 7, 9, 8, 5, 7, 8, 6])
    #expect(images.pixels.reduce(0) { $0 + Int($1) } == 7_387_458)
    #expect(Array(images.image(0).prefix(6)) == [158, 112, 49, 159, 111, 47])
    #expect(Array(images.image(19).prefix(3)) == [55, 38, 46])
  }

  @Test func `One batch of them is learned by heart`() throws {
    let images = try TestPictures.load()
    var recipe = Recipe.scaled(depth: 8, iterations: 60)
    recipe.batch = 20
    recipe.decay = 0
    recipe.augmentation = .none
    var generator = RandomGenerator(seed: 1)
    let network = ResidualNetwork<Float>(.cifar(depth: 8), using: &generator)
    var trainer = Trainer(
      network, recipe: recipe, images: images, normalization: .perPixel(of: images), seed: 1)
    let first = try trainer.step().loss
    var last = first
    while !trainer.isFinished { last = try trainer.step().loss }
    #expect(first > 2 && first < 2.7)
    #expect(last < 0.01)
  }
}
