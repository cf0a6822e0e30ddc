import Foundation
import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

/// What a recipe says reaches the steps: optimizer, rate, warm-up, order and views, one by one.
@Suite struct TrainerWiringTests {
  typealias Network = ResidualNetwork<Float>

  private static let images = SyntheticImages.make(count: 13, seed: 3, size: 10)

  private func trainer(
    _ images: ImageDataset = images, state: TrainingState? = nil, velocity: Network.Parameters? = nil,
    _ change: (inout Recipe) -> Void
  ) -> Trainer<Network> {
    var generator = RandomGenerator(seed: 1)
    var recipe = Recipe()
    (recipe.batch, recipe.iterations, recipe.milestones, recipe.validationShare) = (5, 1000, [2], 0)
    change(&recipe)
    return Trainer(
      Network(.cifar(depth: 8, options: .init(shortcut: .b), width: 2), using: &generator), recipe: recipe,
      images: images, normalization: .perPixel(of: images), seed: 7, state: state, velocity: velocity)
  }

  /// The rule of §3.4 in Double, for one tensor: where the rate stands, which tensors decay.
  private struct Rule {
    let momentum, decay: Double
    let holdsRate, decaysAll: Bool

    func step(_ w: inout [Double], _ v: inout [Double], _ g: [Float], rank: Int, rate: Double) {
      let decay = decaysAll || rank > 1 ? decay : 0
      for i in w.indices {
        let slope = Double(g[i]) + decay * w[i]
        v[i] = momentum * v[i] + (holdsRate ? rate * slope : slope)
        w[i] -= holdsRate ? v[i] : rate * v[i]
      }
    }
  }

  @Test(arguments: [VelocityForm.withRate, .withoutRate], [DecayedParameters.all, .weights])
  func `Four steps are the recipe's rule, for every tensor, also where the rate falls`(
    form: VelocityForm, decayed: DecayedParameters
  ) throws {
    var trainer = trainer {
      ($0.momentum, $0.decay, $0.rate, $0.velocityForm, $0.decayed) = (0.71, 0.013, 0.23, form, decayed)
    }
    let rule = Rule(momentum: 0.71, decay: 0.013, holdsRate: form == .withRate, decaysAll: decayed == .all)
    var values = trainer.network.parameters.named.map { $0.tensor.elements.map { Double($0) } }
    var velocities = values.map { $0.map { _ in 0.0 } }
    let shapes = trainer.network.parameters.named.map(\.tensor.shape)
    for iteration in 0..<4 {
      let (input, labels) = trainer.batch(at: iteration)
      let (logits, cache) = trainer.network.forward(input)
      let loss = SoftmaxCrossEntropy<Float>()
      let gradients = trainer.network.gradients(loss.backward(loss.forward(logits, labels: labels).cache), cache).named
      for k in values.indices {
        rule.step(
          &values[k], &velocities[k], gradients[k].tensor.elements, rank: shapes[k].rank,
          rate: iteration < 2 ? 0.23 : 0.023)
      }
      _ = try trainer.step()
      for (found, expected) in [
        (trainer.network.parameters.named, values), (trainer.optimizer.velocity.named, velocities),
      ] {
        for ((name, tensor), expected) in zip(found, expected) {
          let largest = expected.reduce(1e-3) { max($0, abs($1)) }
          #expect(
            zip(tensor.elements, expected).allSatisfy { abs(Double($0) - $1) < 2e-5 * largest },
            "\(name) after step \(iteration)")
        }
      }
    }
  }

  @Test func `The warm-up's errors are shares of each step's images, also of a smaller last batch`() throws {
    var trainer = trainer { $0.warmUp = .init(rate: 0.01, untilError: 0) }
    let steps = try (0..<3).map { _ in try trainer.step() }
    #expect(steps.map(\.count) == [5, 5, 3] && steps[2].errors > 0)
    #expect(trainer.state.recentErrors == steps.map { Double($0.errors) / Double($0.count) })
  }

  @Test func `A trainer that goes on has the velocity and state that it is given`() throws {
    var first = trainer { $0.momentum = 0.71 }
    for _ in 0..<3 { _ = try first.step() }
    var second = trainer(state: first.state, velocity: first.optimizer.velocity) { $0.momentum = 0.71 }
    second.network = first.network
    for _ in 0..<2 {
      let steps = (try first.step(), try second.step())
      #expect(steps.0.loss == steps.1.loss && steps.0.rate == steps.1.rate)
    }
    for (a, b) in zip(first.network.state, second.network.state) { #expect(a.tensor == b.tensor, "\(a.name)") }
    #expect(first.state == second.state)
  }

  @Test(arguments: [0.05, 0.3]) func `Running statistics move by the recipe's rate`(rate: Double) throws {
    var trainer = trainer { $0.statisticsRate = rate }
    let (input, _) = trainer.batch(at: 0)
    var expected = trainer.network
    expected.track(expected.forward(input).cache, rate: Float(rate))
    _ = try trainer.step()
    for (found, expected) in zip(trainer.network.statistics, expected.statistics) {
      #expect(found.tensor == expected.tensor, "\(found.name)")
    }
  }

  // MARK: - Order and views

  /// What cannot be seen in pixels that a crop has cut: which images a batch has. Every image is of one colour.
  private static let plain = ImageDataset(
    height: 6, width: 9, channels: 3, pixels: (0..<13).flatMap { [UInt8](repeating: UInt8(17 * $0 + 20), count: 162) },
    labels: [UInt8](repeating: 0, count: 13), classNames: CIFAR10.classNames)

  private func orders(_ trainer: inout Trainer<Network>, epochs: Int) -> [[Float]] {
    (0..<epochs).map { epoch in
      (0..<3).flatMap { step -> [Float] in
        let input = trainer.batch(at: 3 * epoch + step).input
        // The middle pixel is inside of every crop of an image that is padded by 2.
        return (0..<input.shape[0]).map { input[$0, 3, 4, 0] }
      }
    }
  }

  @Test func `Each epoch has an order of its own, with and without crops`() {
    for augmentation in [Augmentation.none, Augmentation(padding: 2, flips: true)] {
      var trainer = trainer(Self.plain) { $0.augmentation = augmentation }
      let orders = orders(&trainer, epochs: 40)
      #expect(Set(orders).count == 40)
      for order in orders { #expect(Set(order).count == 13) }
      // Any image may come first: of 13 about 0.3 never do in 40 epochs.
      #expect(Set(orders.map { $0[0] }).count >= 10 && Set(orders.map { $0[12] }).count >= 10)
      var other = Trainer(
        trainer.network, recipe: trainer.recipe, images: Self.plain, normalization: trainer.normalization, seed: 8)
      #expect(self.orders(&other, epochs: 3) != Array(orders.prefix(3)))
      // Out of turn an epoch is the same, as after a stop.
      #expect(self.orders(&trainer, epochs: 2) == Array(orders.prefix(2)))
    }
  }

  @Test func `Each step has crops and flips of its own, though the order cannot vary`() {
    // One image, whose every pixel has another value: a crop shows where it is from.
    let one = ImageDataset(
      height: 5, width: 8, channels: 3, pixels: (0..<120).map { UInt8($0 + 1) }, labels: [4],
      classNames: CIFAR10.classNames)
    var generator = RandomGenerator(seed: 1)
    var recipe = Recipe()
    (recipe.batch, recipe.augmentation) = (1, Augmentation(padding: 1, flips: true))
    var trainer = Trainer(
      Network(.cifar(depth: 8, width: 2), using: &generator), recipe: recipe, images: one,
      normalization: .perPixel(mean: Tensor(zeros: [5, 8, 3])), seed: 7)
    let views = (0..<300).map { trainer.batch(at: $0).input.elements.map { Int(($0 * 255).rounded()) } }
    // All 9 places, mirrored and not, each about 17 times.
    let counts = Dictionary(grouping: views) { $0 }.mapValues(\.count)
    #expect(counts.count == 18 && counts.values.allSatisfy { (4...40).contains($0) })
    #expect(views[0] == trainer.batch(at: 0).input.elements.map { Int(($0 * 255).rounded()) })
    var expected: Set<[Int]> = []
    for top in -1...1 {
      for left in -1...1 {
        for flips in [false, true] {
          var view: [Int] = []
          for y in 0..<5 {
            for x in 0..<8 {
              let (row, column) = (top + y, left + (flips ? 7 - x : x))
              let isInside = (0..<5).contains(row) && (0..<8).contains(column)
              view += (0..<3).map { isInside ? (row * 8 + column) * 3 + $0 + 1 : 0 }
            }
          }
          expected.insert(view)
        }
      }
    }
    #expect(Set(views) == expected)
  }

  // MARK: - Warm-up

  private func warming(_ errors: [Double], until limit: Double) throws -> (trainer: Trainer<Network>, error: Double) {
    var state = TrainingState(isWarmingUp: true)
    (state.iteration, state.recentErrors) = (201, errors)
    var trainer = trainer(state: state) {
      $0.warmUp = .init(rate: 0.017, untilError: limit)
      $0.milestones = [500]
    }
    let step = try trainer.step()
    #expect(step.rate == 0.017 && step.count == 5)
    return (trainer, Double(step.errors) / Double(step.count))
  }

  @Test func `The warm-up looks at the last 100 steps, none before them`() throws {
    let error = try warming([], until: 0).error
    // The oldest of 100 goes: with it the mean would be (1 + 99 · 0.5 + error) / 101.
    let errors = [1.0] + [Double](repeating: 0.5, count: 99)
    let (last, all) = ((99 * 0.5 + error) / 100, (1 + 99 * 0.5 + error) / 101)
    #expect(abs(last - all) > 1e-4)
    let limits =
      last < all ? (below: last - 1e-4, above: (last + all) / 2) : (below: (last + all) / 2, above: last + 1e-4)
    let ended = try warming(errors, until: limits.above).trainer
    #expect(!ended.state.isWarmingUp && ended.state.recentErrors.isEmpty)
    var going = try warming(errors, until: limits.below).trainer
    #expect(going.state.isWarmingUp && going.state.recentErrors == Array(errors.dropFirst()) + [error])
    #expect(try going.step().rate == 0.017 && going.state.recentErrors.count == 100)
    var after = ended
    #expect(try after.step().rate == 0.1 && !after.state.isWarmingUp && after.state.recentErrors.isEmpty)
  }

  @Test func `Nine steps are too few to end the warm-up, ten are enough`() throws {
    var trainer = try warming([Double](repeating: 0, count: 8), until: 2).trainer
    #expect(trainer.state.isWarmingUp && trainer.state.recentErrors.count == 9)
    #expect(try trainer.step().rate == 0.017)
    #expect(!trainer.state.isWarmingUp && trainer.state.recentErrors.isEmpty)
    // The mean must be below the limit, not at it.
    let (same, error) = try warming([Double](repeating: 1, count: 9), until: (9 + warming([], until: 0).error) / 10)
    #expect(same.state.isWarmingUp && error < 1 || error == 1)
  }
}
