import Foundation
import ResidualFiles
import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

/// What a run reports, against a computation in the test: losses and errors of uneven batches, epochs, responses,
/// gradients.
@Suite struct ReportedNumbersTests {
  private static let images = SyntheticImages.make(count: 19, seed: 9, size: 12)
  /// Other images than those that are trained on.
  private static let test = SyntheticImages.make(count: 11, seed: 10, size: 12)

  private func recipe(_ change: (inout Recipe) -> Void = { _ in }) -> Recipe {
    var recipe = Recipe.scaled(depth: 8, iterations: 8)
    (recipe.batch, recipe.rate, recipe.momentum, recipe.decay) = (7, 0.07, 0.83, 0.003)
    change(&recipe)
    return recipe
  }

  /// The mean loss and the number of wrong images, from logits as they stand in the definition, in Double.
  private func lossAndErrors(_ logits: Tensor<Float>, _ labels: [Int]) -> (loss: Double, errors: Int) {
    var (loss, errors) = (0.0, 0)
    for (row, label) in labels.enumerated() {
      let scores = logits.slice(row..<row + 1).elements.map { Double($0) }
      loss += log(scores.reduce(0) { $0 + exp($1) }) - scores[label]
      if scores.firstIndex(of: scores.max()!)! != label { errors += 1 }
    }
    return (loss / Double(labels.count), errors)
  }

  @Test func `A step reports the loss and errors of its batch, before the step`() throws {
    var generator = RandomGenerator(seed: 1)
    let network = ResidualNetwork<Float>(.cifar(depth: 8, width: 4), using: &generator)
    var trainer = Trainer(
      network, recipe: recipe(), images: Self.images, normalization: .perPixel(of: Self.images), seed: 7)
    var (loss, errors, count) = (0.0, 0, 0)
    for iteration in 0..<8 {
      let (input, labels) = trainer.batch(at: iteration)
      #expect(labels.count == [7, 7, 5][iteration % 3])
      let expected = lossAndErrors(trainer.network.forward(input).output, labels)
      let step = try trainer.step()
      #expect(abs(step.loss - expected.loss) < 1e-5 && step.errors == expected.errors && step.count == labels.count)
      #expect(abs(step.rate - [0.07, 0.07, 0.07, 0.07, 0.007, 0.007, 0.0007, 0.0007][iteration]) < 1e-15)
      // The sums of an epoch begin anew with its first step, and weigh each batch by its images.
      if iteration % 3 == 0 { (loss, errors, count) = (0, 0, 0) }
      loss += expected.loss * Double(labels.count)
      errors += expected.errors
      count += labels.count
      #expect(abs(trainer.state.epochLoss - loss) < 1e-4)
      #expect(trainer.state.epochErrors == errors && trainer.state.epochCount == count)
      #expect(trainer.state.iteration == iteration + 1)
    }
  }

  @Test func `An epoch reports the means of its own steps, and errors of all images after it`() throws {
    let images = SyntheticImages.make(count: 22, seed: 9, size: 12)
    var run = try TrainingRun(
      .cifar(depth: 8, width: 4), recipe: recipe { $0.validationShare = 0.15 }, images: images, test: Self.test, seed: 7
    )
    #expect(run.training.count == 19 && run.heldOut.count == 3)
    run.label = "run"
    var steps: [TrainingStep] = []
    var expected: [(loss: Double, error: Double)] = []
    let result = try run.run { event in
      switch event {
      case .step(let step, _): steps.append(step)
      case .epoch(let epoch):
        let count = Double(steps.reduce(0) { $0 + $1.count })
        expected.append(
          (
            steps.reduce(0) { $0 + $1.loss * Double($1.count) } / count,
            Double(steps.reduce(0) { $0 + $1.errors }) / count
          ))
        #expect(steps.count == [3, 3, 2][epoch.number - 1] && epoch.rate == steps.last!.rate)
        steps = []
      default: break
      }
    }
    #expect(result.epochs.map(\.iteration) == [3, 6, 8] && result.epochs.map(\.number) == [1, 2, 3])
    for (epoch, expected) in zip(result.epochs, expected) {
      #expect(abs(epoch.trainingLoss - expected.loss) < 1e-12 && abs(epoch.trainingError - expected.error) < 1e-12)
    }
    #expect(Set(result.epochs.map(\.trainingLoss)).count == 3)
    #expect(result.epochs.allSatisfy { $0.imagesPerSecond > 0 })
    #expect(zip(result.epochs, result.epochs.dropFirst()).allSatisfy { $0.seconds < $1.seconds })
    let last = result.epochs.last!
    for (set, error) in [(Self.test, last.testError), (run.heldOut, last.heldOutError)] {
      let logits = result.network(result.normalization.input(set, 0..<set.count))
      #expect(error == Double(lossAndErrors(logits, set.labels.map { Int($0) }).errors) / Double(set.count))
    }
    // The mean image is that of the images that are trained on.
    let mean = (0..<432).map { i in
      Float((0..<19).reduce(0) { $0 + Int(run.training.pixels[432 * $1 + i]) }) / 19 / 255
    }
    #expect(zip(result.normalization.mean.elements, mean).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test(arguments: [1, 3, 7, 8, 11, 12])
  func `The loss of an evaluation is the mean over images, whatever the batches`(batch: Int) {
    var generator = RandomGenerator(seed: 1)
    var network = ResidualNetwork<Float>(.cifar(depth: 8, width: 4), using: &generator)
    network.classifier.parameters.weight = network.classifier.parameters.weight * 100
    let normalization = PixelNormalization.perPixel(of: Self.images)
    let expected = lossAndErrors(network(normalization.input(Self.test, 0..<11)), Self.test.labels.map { Int($0) })
    var done: [Int] = []
    let evaluation = network.evaluate(Self.test, normalization: normalization, batch: batch) { done.append($0) }
    #expect(abs(evaluation.loss / expected.loss - 1) < 1e-5 && expected.loss > 2.4)
    #expect(evaluation.correct == 11 - expected.errors && evaluation.count == 11)
    #expect(evaluation.error == Double(expected.errors) / 11 && abs(evaluation.accuracy + evaluation.error - 1) < 1e-15)
    #expect(done == stride(from: batch, to: 11, by: batch) + [11])
  }

  @Test(arguments: [3, 4, 11])
  func `A layer's response is its deviation over all images and channels, batch by batch`(batch: Int) {
    var generator = RandomGenerator(seed: 1)
    var network = ResidualNetwork<Float>(.cifar(depth: 8, options: .init(shortcut: .b), width: 4), using: &generator)
    network.parameters.visit("") { name, tensor in
      if name.hasSuffix("shift") { tensor = Tensor(normal: tensor.shape, using: &generator) }
      if name.hasSuffix("scale") { tensor = Tensor(uniform: tensor.shape, from: 0.3, to: 2, using: &generator) }
    }
    let normalization = PixelNormalization.perPixel(of: Self.images)
    let responses = LayerResponses(network, images: Self.test, normalization: normalization, batch: batch)
    var values: [String: [Double]] = [:]
    for start in stride(from: 0, to: 11, by: batch) {
      _ = network.forward(normalization.input(Self.test, start..<min(start + batch, 11))) { name, tensor in
        values[name, default: []] += tensor.elements.map { Double($0) }
      }
    }
    #expect(
      responses.layers.map(\.name) == [
        "stem.bn", "stages.0.blocks.0.bn1", "stages.0.blocks.0.bn2", "stages.1.blocks.0.bn1", "stages.1.blocks.0.bn2",
        "stages.2.blocks.0.bn1", "stages.2.blocks.0.bn2",
      ])
    let deviations = responses.layers.map { layer in
      let all = values[layer.name]!
      let mean = all.reduce(0, +) / Double(all.count)
      return (all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)).squareRoot()
    }
    for (layer, expected) in zip(responses.layers, deviations) { #expect(abs(layer.deviation / expected - 1) < 1e-5) }
    #expect(abs(responses.mean - deviations.reduce(0, +) / 7) < 1e-5)
    #expect(zip(responses.sorted, deviations.sorted(by: >)).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func `The logged gradients are norms over the first 128 images as they are`() throws {
    let images = SyntheticImages.make(count: 131, seed: 3, size: 8)
    var generator = RandomGenerator(seed: 1)
    let network = ResidualNetwork<Float>(.cifar(depth: 8, width: 2), using: &generator)
    let normalization = PixelNormalization.perPixel(of: images)
    let trainer = Trainer(network, recipe: recipe(), images: images, normalization: normalization, seed: 7)
    let signals = SignalStrengths(of: trainer)
    let input = normalization.input(images, 0..<128)
    let (logits, cache) = network.forward(input)
    let loss = SoftmaxCrossEntropy<Float>()
    let (_, lossCache) = loss.forward(logits, labels: images.labels.prefix(128).map { Int($0) })
    let weights = network.gradients(loss.backward(lossCache), cache).named.filter { $0.name.hasSuffix("weight") }
    #expect(signals.gradients.map(\.name) == weights.map(\.name) && weights.count == 8)
    for (signal, (_, tensor)) in zip(signals.gradients, weights) {
      let norm = tensor.elements.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      #expect(abs(signal.norm / norm - 1) < 1e-5 && norm > 0)
    }
    #expect(signals.responses == LayerResponses(network, images: images.prefix(128), normalization: normalization))
  }
}
