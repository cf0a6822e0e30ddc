// Trainer.swift: the steps of training; TrainingRun.swift has the loop around them.
//
// Paper       He et al. 2015 §4.2, §3.4
// Tests       Tests/ResidualLearningTests/Training/TrainerTests.swift

import ResidualKernels

/// Where training stands; with the tensors, all that a checkpoint needs.
public struct TrainingState: Equatable, Codable, Sendable {
  /// The number of steps that are done.
  public var iteration = 0
  /// Whether the recipe's warm-up is still going on.
  public var isWarmingUp: Bool
  /// The share of wrong images in each of the last steps, at most 100, while warming up.
  public var recentErrors: [Double] = []
  /// The sums of loss, errors and images over the epoch so far.
  public var epochLoss = 0.0, epochErrors = 0, epochCount = 0
  /// The recipe's plateau schedule as it stands.
  public var plateau: PlateauSchedule?
  /// How products were added up; nil where a version of the package that did not store it began the run.
  public var arithmetic: Kernels.Arithmetic? = .ofThisBuild
}

/// What one step did.
public struct TrainingStep: Sendable {
  /// The mean loss of the batch, before the step.
  public let loss: Double
  /// The number of images of the batch that were classified wrong, before the step.
  public let errors: Int
  /// The number of images of the batch.
  public let count: Int
  /// The learning rate.
  public let rate: Double
}

/// Trains a network on a set of images, step by step.
///
/// Everything random is a function of the seed and of where training stands: epoch e goes through the images in an
/// order drawn from `fork(e)`, step i draws its crops from `fork(i)`. So a run that is continued from a checkpoint goes
/// on as if it had never stopped, bit for bit.
public struct Trainer<Network: ImageClassifier>: Sendable where Network.Scalar == Float {
  /// The network as it is now.
  public internal(set) var network: Network
  /// The optimizer with its velocities.
  public private(set) var optimizer: SGD<Network.Parameters>
  /// Where training stands.
  public private(set) var state: TrainingState
  /// How the network is trained.
  public let recipe: Recipe
  /// The training images.
  public let images: ImageDataset
  /// How pixels become the network's input.
  public let normalization: PixelNormalization
  /// The seed of all random numbers except the network's weights.
  public let seed: UInt64
  private var epochOrder: (epoch: Int, images: [Int])?
  private let loss = SoftmaxCrossEntropy<Float>()

  /// A trainer that begins, or one that goes on from `state` with the velocity of that moment.
  public init(
    _ network: Network, recipe: Recipe, images: ImageDataset, normalization: PixelNormalization, seed: UInt64,
    state: TrainingState? = nil, velocity: Network.Parameters? = nil
  ) {
    precondition(images.count > 0, "no images to train on")
    self.network = network
    self.recipe = recipe
    self.images = images
    self.normalization = normalization
    self.seed = seed
    self.state = state ?? TrainingState(isWarmingUp: recipe.warmUp != nil, plateau: recipe.plateau)
    optimizer = SGD(
      network.parameters, momentum: recipe.momentum, decay: recipe.decay,
      decayed: recipe.decayed, form: recipe.velocityForm)
    if let velocity { optimizer.velocity = velocity }
    if !isFinished { self.state.arithmetic = .ofRun(self.state.arithmetic) }
  }

  /// The number of steps in one pass over the images.
  public var iterationsPerEpoch: Int { recipe.iterationsPerEpoch(images.count) }

  /// Whether all of the recipe's steps are done.
  public var isFinished: Bool { state.iteration >= recipe.iterations }

  /// One step: a batch forward, its gradients back, the parameters moved.
  ///
  /// - Throws: ``Divergence`` when the loss is not a number, before anything is changed.
  public mutating func step() throws(Divergence) -> TrainingStep {
    let (input, labels) = batch(at: state.iteration)
    let (logits, cache) = network.forward(input)
    let (lossValue, lossCache) = loss.forward(logits, labels: labels)
    guard lossValue.isFinite else { throw divergence(input, loss: lossValue) }

    let gradients = network.gradients(loss.backward(lossCache), cache)
    let rate = recipe.rate(at: state.iteration, isWarmingUp: state.isWarmingUp, plateau: state.plateau)
    var parameters = network.parameters
    optimizer.step(&parameters, gradients: gradients, rate: rate)
    network.parameters = parameters
    network.track(cache, rate: Float(recipe.statisticsRate))

    let errors = zip(logits.argmax, labels).count { $0 != $1 }
    let step = TrainingStep(loss: Double(lossValue), errors: errors, count: labels.count, rate: rate)
    advance(by: step)
    return step
  }

  /// The images and labels of step number `iteration`: a part of the epoch's order, in random views.
  public mutating func batch(at iteration: Int) -> (input: Tensor<Float>, labels: [Int]) {
    let (epoch, position) = iteration.quotientAndRemainder(dividingBy: iterationsPerEpoch)
    if epochOrder?.epoch != epoch {
      var generator = RandomGenerator(seed: seed).fork(2 * UInt64(epoch))
      epochOrder = (epoch, generator.permutation(images.count))
    }
    let start = position * recipe.batch
    let numbers = Array(epochOrder!.images[start..<min(start + recipe.batch, images.count)])
    var generator = RandomGenerator(seed: seed).fork(2 * UInt64(iteration) + 1)
    let views = recipe.augmentation.views(of: images, numbers, using: &generator)
    return (normalization.input(views), numbers.map { Int(images.labels[$0]) })
  }

  /// Tells the recipe's plateau schedule, if it has one, the error of the validation images, 0 to 1.
  public mutating func report(validationError: Double) { state.plateau?.record(error: validationError) }

  private mutating func advance(by step: TrainingStep) {
    if state.iteration % iterationsPerEpoch == 0 {
      (state.epochLoss, state.epochErrors, state.epochCount) = (0, 0, 0)
    }
    state.iteration += 1
    state.epochLoss += step.loss * Double(step.count)
    state.epochErrors += step.errors
    state.epochCount += step.count
    guard state.isWarmingUp, let warmUp = recipe.warmUp else { return }
    // The training error is taken over the last 100 steps, once there are ten: one batch alone may be lucky.
    state.recentErrors = (state.recentErrors + [Double(step.errors) / Double(step.count)]).suffix(100)
    let error = state.recentErrors.reduce(0, +) / Double(state.recentErrors.count)
    if state.recentErrors.count >= 10 && error < warmUp.untilError {
      state.isWarmingUp = false
      state.recentErrors = []
    }
  }

  /// Looks for the first tensor with a bad value: in the parameters, or else on the way through the network. There a
  /// value is also bad if its square, and so the variance of its channel, is infinite.
  private func divergence(_ input: Tensor<Float>, loss: Float) -> Divergence {
    func isBad(_ tensor: Tensor<Float>) -> Bool {
      !tensor.isFinite || tensor.largestMagnitude > Float.greatestFiniteMagnitude.squareRoot()
    }
    var place = network.parameters.named.first { !$0.tensor.isFinite }.map { "parameter \($0.name)" }
    if place == nil {
      _ = network.forward(input) { name, tensor in
        if place == nil && isBad(tensor) { place = "output of \(name)" }
      }
    }
    return Divergence(iteration: state.iteration, loss: loss, place: place ?? "loss")
  }
}

/// Training stopped because the loss was not a number any more.
public struct Divergence: Error, CustomStringConvertible, Sendable {
  /// The step, from 0.
  public let iteration: Int
  /// NaN or infinity.
  public let loss: Float
  /// The first tensor with a bad value: a parameter, or the output of a layer.
  public let place: String

  /// A divergence at this step, which began in this place.
  public init(iteration: Int, loss: Float, place: String) {
    (self.iteration, self.loss, self.place) = (iteration, loss, place)
  }

  public var description: String {
    "the loss is \(loss.isNaN ? "not a number" : "infinite") at iteration \(iteration), and the first bad value is in the \(place): "
      + "a lower --rate may help"
  }
}
