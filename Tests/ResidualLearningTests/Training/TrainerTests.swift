import Foundation
import ResidualKernels
import Testing

@testable import ResidualLearning

@Suite struct TrainerTests {
  typealias Network = ResidualNetwork<Float>

  private func network(_ options: Architecture.Options = .init(), width: Int = 8) -> Network {
    var generator = RandomGenerator(seed: 1)
    return Network(.cifar(depth: 8, options: options, width: width), using: &generator)
  }

  private func trainer(
    _ network: Network? = nil, images: ImageDataset = SyntheticImages.make(count: 20, seed: 3, size: 16),
    iterations: Int = 10, batch: Int = 10, change: (inout Recipe) -> Void = { _ in }
  ) -> Trainer<Network> {
    var recipe = Recipe.scaled(depth: 8, iterations: iterations)
    recipe.batch = batch
    change(&recipe)
    return Trainer(
      network ?? self.network(), recipe: recipe, images: images, normalization: .perPixel(of: images), seed: 7)
  }

  @Test func `The loss at the start is near ln 10`() throws {
    var trainer = trainer(batch: 20)
    #expect(abs(try trainer.step().loss - log(10)) < 0.03)
  }

  @Test func `Twenty images are learned by heart`() throws {
    var trainer = trainer(iterations: 1000, batch: 20) {
      $0.augmentation = .none
      $0.decay = 0
    }
    var loss = Double.infinity
    while loss >= 0.01 && trainer.state.iteration < 200 { loss = try trainer.step().loss }
    #expect(loss < 0.01)
    #expect(trainer.state.iteration > 3)
  }

  @Test func `One seed gives one run, bit for bit, with one thread and with two`() throws {
    func weights(threads: Int, seed: UInt64 = 7) throws -> [Float] {
      let before = Parallel.threads
      Parallel.threads = threads
      defer { Parallel.threads = before }
      var trainer = trainer(iterations: 4)
      if seed != 7 {
        trainer = Trainer(
          trainer.network, recipe: trainer.recipe, images: trainer.images, normalization: trainer.normalization,
          seed: seed)
      }
      for _ in 0..<4 { _ = try trainer.step() }
      return trainer.network.state.flatMap { $0.tensor.elements }
    }
    let first = try weights(threads: 1)
    #expect(try weights(threads: 1).map(\.bitPattern) == first.map(\.bitPattern))
    #expect(try weights(threads: 2).map(\.bitPattern) == first.map(\.bitPattern))
    #expect(try weights(threads: 1, seed: 8) != first)
  }

  @Test func `One step changes every parameter and every running statistic`() throws {
    var trainer = trainer(network(.init(shortcut: .b)))
    let before = trainer.network.state
    _ = try trainer.step()
    let after = trainer.network.state
    #expect(before.count == 1 + 2 + 3 * 6 + 2 * 3 + 2 + 2 * (1 + 6 + 2))
    for ((name, old), (_, new)) in zip(before, after) { #expect(old != new, "\(name)") }
  }

  @Test func `Training images vary from epoch to epoch, test images never`() throws {
    let images = SyntheticImages.make(count: 8, seed: 4, size: 16)
    var trainer = trainer(images: images, batch: 8)
    let (first, firstLabels) = trainer.batch(at: 0)
    let (second, _) = trainer.batch(at: 1)
    #expect(first.shape == [8, 16, 16, 3])
    #expect(firstLabels.sorted() == images.labels.map { Int($0) }.sorted())
    #expect(first != second)
    #expect(trainer.batch(at: 0).input == first)

    let network = trainer.network
    let whole = trainer.normalization.input(images, 0..<8)
    let (loss, _) = SoftmaxCrossEntropy<Float>().forward(network(whole), labels: images.labels.map { Int($0) })
    let evaluation = network.evaluate(images, normalization: trainer.normalization)
    #expect(evaluation.loss == Double(loss))
    #expect(network.evaluate(images, normalization: trainer.normalization) == evaluation)
  }

  @Test func `In inference the output of an image depends on it alone`() throws {
    var trainer = trainer()
    for _ in 0..<3 { _ = try trainer.step() }
    let images = trainer.normalization.input(trainer.images, 0..<4)
    let alone = trainer.network(images.slice(1..<2)).elements
    let among = trainer.network(images).slice(1..<2).elements
    let other = trainer.network(images * 3 + 1).slice(1..<2).elements
    #expect(zip(alone, among).allSatisfy { abs($0 - $1) < 1e-5 })
    var mixed = images * -2
    for i in 0..<768 { mixed[flat: 768 + i] = images[flat: 768 + i] }
    #expect(trainer.network(mixed).slice(1..<2).elements == among)
    #expect(other != among)
    // In the training pass it depends on the whole batch.
    #expect(trainer.network.forward(mixed).output.slice(1..<2) != trainer.network.forward(images).output.slice(1..<2))
  }

  @Test func `A loss that is no number stops training, with the iteration and the place`() throws {
    func place(_ change: (inout Network) -> Void) -> String {
      var network = network()
      change(&network)
      var trainer = trainer(network)
      do { _ = try trainer.step() } catch { return "\(error)" }
      return "no error"
    }
    let parameter = place { $0.stages[1][0].units[1].conv.parameters.weight[flat: 5] = .nan }
    #expect(
      parameter.contains("at iteration 0, and the first bad value is in the parameter stages.1.blocks.0.conv2.weight"))
    let layer = place {
      $0.stages[2][0].units[0].conv.parameters.weight = $0.stages[2][0].units[0].conv.parameters.weight * 1e38
    }
    #expect(layer.contains("is in the output of stages.2.blocks.0.conv1"))

    var diverging = trainer(iterations: 200) { $0.rate = 1e12 }
    let error = #expect(throws: Divergence.self) { for _ in 0..<200 { _ = try diverging.step() } }
    #expect(error?.iteration == diverging.state.iteration && diverging.state.iteration > 0)
  }

  @Test func `The warm-up ends when the training error falls below its limit, and the rate then follows the schedule`()
    throws
  {
    var trainer = trainer(iterations: 400, batch: 20) {
      $0.augmentation = .none
      $0.warmUp = .init(rate: 0.01, untilError: 0.8)
      $0.milestones = [2, 300]
    }
    var rates: [Double] = []
    while trainer.state.isWarmingUp && trainer.state.iteration < 200 { rates.append(try trainer.step().rate) }
    #expect(rates.count >= 10 && rates.count < 200)
    #expect(rates.allSatisfy { $0 == 0.01 })
    #expect(trainer.state.recentErrors.isEmpty)
    // Iteration 2 was a milestone: counted from the start of training, the rate is 0.1 divided by 10 once.
    #expect(abs(try trainer.step().rate - 0.01) < 1e-15)
    #expect(trainer.recipe.rate(at: 1) == 0.1)
  }

  @Test func `The last batch of an epoch is what is left, and each image comes once`() {
    let images = SyntheticImages.make(count: 20, seed: 3, size: 16)
    var trainer = trainer(images: images, batch: 8) { $0.augmentation = .none }
    #expect(trainer.iterationsPerEpoch == 3)
    var seen: [[Float]] = []
    for i in 0..<3 {
      let (input, _) = trainer.batch(at: i)
      #expect(input.shape[0] == [8, 8, 4][i])
      seen += (0..<input.shape[0]).map { input.slice($0..<$0 + 1).elements }
    }
    let expected = (0..<20).map { trainer.normalization.input(images, $0..<$0 + 1).elements }
    #expect(Set(seen) == Set(expected) && seen.count == 20)
  }
}
