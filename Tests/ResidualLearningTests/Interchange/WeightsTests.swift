import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct WeightsTests {
  let images = SyntheticImages.make(count: 8, seed: 2)

  @Test func `A checkpoint knows its normalization and its classes`() throws {
    let folder = try TemporaryFolder()
    var generator = RandomGenerator(seed: 1)
    var recipe = Recipe.scaled(depth: 8, iterations: 2)
    recipe.batch = 8
    let network = ResidualNetwork<Float>(.cifar(depth: 8, width: 4), using: &generator)
    var trainer = Trainer(network, recipe: recipe, images: images, normalization: .perPixel(of: images), seed: 1)
    _ = try trainer.step()
    try Checkpoint(trainer, fingerprint: images.fingerprint).write(to: folder.path + "/c")

    let weights = try Weights(contentsOf: folder.path + "/c")
    #expect(weights.summary == "checkpoint of resnet8 after 1 of 2 iterations")
    #expect(weights.classNames == images.classNames && weights.imageSize == (32, 32))
    let own = try weights.normalization(nil, height: 32, width: 32, training: nil)
    #expect(own == trainer.normalization && weights.saysNormalization)
    #expect(try weights.normalization(.cifar, height: 32, width: 32, training: nil).kind == .cifar)
    let evaluation = weights.network.evaluate(images, normalization: own)
    #expect(evaluation == trainer.network.evaluate(images, normalization: own))
  }

  @Test func `Weights from PyTorch take ImageNet's normalization unless another is asked for`() throws {
    let folder = try TemporaryFolder()
    var generator = RandomGenerator(seed: 1)
    let network = ResidualNetwork<Float>(.cifar(depth: 8, width: 4), using: &generator)
    try PyTorchWeights.file(of: network).write(to: folder.path + "/w")

    let weights = try Weights(contentsOf: folder.path + "/w")
    #expect(weights.classNames == nil && !weights.saysNormalization)
    let usual = try weights.normalization(nil, height: 2, width: 2, training: nil)
    #expect(usual.kind == .imageNet && usual.mean[1, 1, 2] == 0.406 && usual.factor[0] == 1 / 0.229)
    let mean = try weights.normalization(.perPixel, height: 32, width: 32, training: images)
    #expect(mean == .perPixel(of: images))
    #expect(
      throws: InputError("\(folder.path)/w has no mean image, so its images cannot be normalized per pixel")
    ) { try weights.normalization(.perPixel, height: 32, width: 32, training: nil) }
  }
}
