// Recipe.swift: how a network is trained, as a value.
//
// Paper       He et al. 2015 §4.2, §3.4
// Tests       Tests/ResidualLearningTests/Training/RecipeTests.swift

/// Everything that a training run depends on besides the network, the images and the seed.
///
/// A field is declared here, with the value of §4.2, and described in the table of Recipe+Fields.swift.
public struct Recipe: Equatable, Sendable {
  /// A low rate at the start. A network of 110 layers starts to converge only after several epochs with the full rate,
  /// which is slightly too large for it, and then reaches a similar accuracy (§4.2, footnote 5).
  public struct WarmUp: Equatable, Codable, Sendable {
    /// The low rate.
    public var rate: Double
    /// The warm-up ends when the share of training images classified wrong is below this.
    public var untilError: Double
  }

  /// The number of images per step.
  public var batch = 128
  /// The number of steps.
  public var iterations = 64000
  /// The learning rate before the first milestone.
  public var rate = 0.1
  /// Iterations at which the rate is divided by 10.
  public var milestones = [32000, 48000]
  /// A rate that falls when the error plateaus (§3.4), in place of the milestones.
  public var plateau: PlateauSchedule?
  /// The low rate at the start, if there is one.
  public var warmUp: WarmUp?
  /// SGD's momentum.
  public var momentum = 0.9
  /// Whether SGD's velocity holds the learning rate, as the authors' does.
  public var velocityForm = VelocityForm.withRate
  /// Weight decay.
  public var decay = 1e-4
  /// The parameters that decay.
  public var decayed = DecayedParameters.all
  /// How the training images are varied.
  public var augmentation = Augmentation.paper
  /// The share of the training images that is held out for validation: 5k of 50k in the paper.
  public var validationShare = 0.1
  /// How far running statistics move towards those of a batch.
  public var statisticsRate = 0.1
  /// Whether, after the last step, the statistics are computed again over all training images.
  public var recomputesStatistics = false

  /// §4.2 for fewer than 110 layers; see ``paper(depth:)``.
  public init() {}

  /// §4.2: 64k iterations of 128 images, rate 0.1, divided by 10 at 32k and 48k.
  ///
  /// The paper says that this schedule "is determined on a 45k/5k train/val split", and also that "we present
  /// experiments trained on the training set and evaluated on the test set". Whether its final networks saw 45,000
  /// images or 50,000 is open. This recipe holds 5,000 out; `validationShare = 0` trains on all of them.
  ///
  /// - Parameter depth: the depth of the network. From 110 layers on, the rate is 0.01 until the training error is
  ///   below 80 %.
  public static func paper(depth: Int) -> Recipe {
    var recipe = Recipe()
    if depth >= 110 { recipe.warmUp = WarmUp(rate: 0.01, untilError: 0.8) }
    return recipe
  }

  /// §4.2 in fewer iterations: the milestones stay at half and three quarters of the way; nothing is held out; the
  /// velocity does not hold the rate, since the jump of the loss where the rate falls would last for a good part of a
  /// short run.
  public static func scaled(depth: Int, iterations: Int) -> Recipe {
    var recipe = paper(depth: depth)
    recipe.scale(to: iterations)
    recipe.validationShare = 0
    recipe.velocityForm = .withoutRate
    return recipe
  }

  /// Sets the number of iterations, and the milestones to half and three quarters of it.
  public mutating func scale(to iterations: Int) {
    self.iterations = iterations
    milestones = [iterations / 2, iterations * 3 / 4]
  }

  /// §3.4: up to 60e4 iterations of 256 images, rate 0.1, divided by 10 when the error plateaus; scale, crop, flip and
  /// colour augmentation.
  ///
  /// - Parameters:
  ///   - colors: the principal colours of the training images.
  ///   - crop: height and width of the crops: 224 in the paper.
  public static func imageNet(colors: PrincipalColors?, crop: Int = 224) -> Recipe {
    var recipe = Recipe()
    (recipe.batch, recipe.iterations, recipe.validationShare) = (256, 600_000, 0)
    (recipe.milestones, recipe.plateau) = ([], PlateauSchedule(rate: recipe.rate))
    recipe.augmentation = .imageNet(colors: colors, size: crop)
    return recipe
  }

  /// The learning rate of a step.
  ///
  /// - Parameters:
  ///   - iteration: the step's number, from 0.
  ///   - isWarmingUp: whether the warm-up, if there is one, goes on. Its rate holds until it ends; the milestones are
  ///     counted from the start of training either way.
  ///   - plateau: the plateau schedule as it stands, if the recipe has one.
  public func rate(at iteration: Int, isWarmingUp: Bool = false, plateau: PlateauSchedule? = nil) -> Double {
    if isWarmingUp, let warmUp { return warmUp.rate }
    if let plateau = plateau ?? self.plateau { return plateau.rate }
    return milestones.reduce(rate) { iteration >= $1 ? $0 / 10 : $0 }
  }

  /// How many of `count` images are for training; the others are held out.
  public func trainingCount(of count: Int) -> Int {
    precondition((0..<1).contains(validationShare), "a share of \(validationShare)")
    return count - Int((Double(count) * validationShare).rounded())
  }

  /// The number of steps in one pass over `count` images; the last batch holds what is left.
  public func iterationsPerEpoch(_ count: Int) -> Int { (count + batch - 1) / batch }
}
