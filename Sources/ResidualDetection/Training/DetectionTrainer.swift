// DetectionTrainer.swift: the training loop of a detector.
//
// Paper       He et al. 2015 §4.3, appendix A; Ren et al. 2015 (Faster R-CNN), §3.2
// Tests       Tests/ResidualDetectionTests/Training/DetectionTrainerTests.swift

import ResidualKernels
import ResidualLearning

/// Trains a detector on scenes, step by step.
///
/// Everything random is a function of the seed and of the number of the step: epoch e goes through the scenes in an
/// order drawn from `fork(2e)`, step i draws its flips and samples from `fork(2i + 1)`. So a run that is continued from
/// a checkpoint goes on as if it had never stopped, bit for bit.
public struct DetectionTrainer: Sendable {
  /// What one step did.
  public struct Step: Sendable {
    /// The losses of the batch, before the step.
    public let losses: DetectionLosses
    /// The learning rate.
    public let rate: Double
    /// Scenes of the batch.
    public let count: Int
  }

  /// The detector as it is now.
  public private(set) var detector: Detector<Float>
  /// The optimiser with its velocities.
  public private(set) var optimizer: SGD<Detector<Float>.Parameters>
  /// Steps done.
  public private(set) var iteration: Int
  /// How it is trained.
  public let recipe: DetectionRecipe
  /// The scenes.
  public let scenes: SceneDataset
  /// What is subtracted from their pictures.
  public let normalization: DetectionNormalization
  /// The seed of all random numbers except the detector's weights.
  public let seed: UInt64
  private var epochOrder: (epoch: Int, scenes: [Int])?

  /// A trainer that begins, or one that goes on after `iteration` steps with the velocity of that moment.
  public init(
    _ detector: Detector<Float>, recipe: DetectionRecipe, scenes: SceneDataset, normalization: DetectionNormalization,
    seed: UInt64, iteration: Int = 0, velocity: Detector<Float>.Parameters? = nil
  ) {
    precondition(scenes.count > 0, "no scenes to train on")
    self.detector = detector
    self.recipe = recipe
    self.scenes = scenes
    self.normalization = normalization
    self.seed = seed
    self.iteration = iteration
    optimizer = SGD(
      detector.parameters, momentum: recipe.momentum, decay: recipe.decay, form: .withoutRate)
    if let velocity { optimizer.velocity = velocity }
  }

  /// Steps of one pass over the scenes.
  public var iterationsPerEpoch: Int { recipe.iterationsPerEpoch(scenes.count) }

  /// Whether all of the recipe's steps are done.
  public var isFinished: Bool { iteration >= recipe.iterations }

  /// One step.
  ///
  /// - Throws: `Divergence` when the loss is not a number, before anything is changed.
  public mutating func step() throws -> Step {
    var generator = RandomGenerator(seed: seed).fork(2 * UInt64(iteration) + 1)
    let batch = batch(using: &generator)
    let objects = batch.map(\.objects)
    let sizes = batch.map { PictureSize(height: $0.picture.height, width: $0.picture.width) }
    let plan = detector.plan
    let (losses, cache) = detector.forward(normalization(batch.map(\.picture)), sizes: sizes) {
      plan.sample(objects: objects, proposals: $0, anchors: $1, sizes: sizes, using: &generator)
    }
    guard losses.total.isFinite else {
      let bad = detector.parameters.named.first { !$0.tensor.isFinite }
      throw Divergence(
        iteration: iteration, loss: Float(losses.total), place: bad.map { "parameter \($0.name)" } ?? "loss")
    }
    let gradients = detector.backward(cache)
    let rate = recipe.rate(at: iteration)
    var parameters = detector.parameters
    optimizer.step(&parameters, gradients: gradients, rate: rate)
    detector.parameters = parameters
    iteration += 1
    return Step(losses: losses, rate: rate, count: batch.count)
  }

  /// The scenes of the next step: a part of the epoch's order, some of them mirrored.
  private mutating func batch(using generator: inout RandomGenerator) -> [Scene] {
    let (epoch, position) = iteration.quotientAndRemainder(dividingBy: iterationsPerEpoch)
    if epochOrder?.epoch != epoch {
      var order = RandomGenerator(seed: seed).fork(2 * UInt64(epoch))
      epochOrder = (epoch, order.permutation(scenes.count))
    }
    let start = position * recipe.batch
    return epochOrder!.scenes[start..<min(start + recipe.batch, scenes.count)].map { i in
      recipe.flips && generator.below(2) == 1 ? scenes.scenes[i].mirrored : scenes.scenes[i]
    }
  }
}

extension Detector where Scalar == Float {
  /// Looks for the objects of scenes and judges what it finds.
  ///
  /// - Parameters:
  ///   - scenes: the pictures and their objects.
  ///   - normalization: what makes the detector's input of a picture, as in its training.
  ///   - settings: which boxes are reported.
  ///   - batch: pictures that go through the network at once; neighbours of one size only.
  ///   - progress: told how many scenes are done.
  public func evaluate(
    _ scenes: [Scene], normalization: DetectionNormalization, settings: PredictionSettings = PredictionSettings(),
    batch: Int = 8, progress: (Int) -> Void = { _ in }
  ) -> DetectionEvaluation {
    var found: [[Detection]] = []
    while found.count < scenes.count {
      let first = scenes[found.count].picture
      let pictures = scenes[found.count...].prefix(batch).map(\.picture).prefix {
        $0.height == first.height && $0.width == first.width
      }
      found += detections(in: Array(pictures), normalization: normalization, settings: settings)
      progress(found.count)
    }
    return DetectionEvaluation(objects: scenes.map(\.objects), detections: found)
  }
}
