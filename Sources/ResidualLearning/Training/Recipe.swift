// Recipe.swift: how a network is trained, as a value.
//
// Paper       He et al. 2015 §4.2, §3.4
// Tests       Tests/ResidualLearningTests/Training/RecipeTests.swift

/// Everything that a training run depends on besides the network, the images and the seed.
public struct Recipe: Equatable, Codable, Sendable {
  /// A low rate at the start, for networks so deep that they do not begin to learn with the full one (110 layers,
  /// §4.2).
  public struct WarmUp: Equatable, Codable, Sendable {
    /// The low rate.
    public var rate: Double
    /// The warm-up ends when the share of training images classified wrong is below this.
    public var untilError: Double
  }

  /// Images per step.
  public var batch: Int
  /// Steps in all.
  public var iterations: Int
  /// The learning rate before the first milestone.
  public var rate: Double
  /// Iterations at which the rate is divided by 10.
  public var milestones: [Int]
  /// A rate that falls when the error plateaus (§3.4), in place of the milestones.
  public var plateau: PlateauSchedule?
  /// The low rate at the start, if there is one.
  public var warmUp: WarmUp?
  /// SGD's momentum.
  public var momentum: Double
  /// Whether SGD's velocity holds the learning rate, as the authors' does; see ``SGD/Velocity``.
  public var velocityHoldsRate = true
  /// Weight decay.
  public var decay: Double
  /// Whether only the weights decay, and not γ, β and biases.
  public var decaysWeightsOnly: Bool
  /// How the training images are varied.
  public var augmentation: Augmentation
  /// The share of the training images that is held out to choose by: 5k of 50k in the paper.
  public var validationShare: Double
  /// How far running statistics move to those of a batch.
  public var statisticsRate: Double
  /// Whether, after the last step, the statistics are computed again over all training images.
  public var recomputesStatistics = false

  /// §4.2 to the letter: 64k iterations of 128 images, rate 0.1, divided by 10 at 32k and 48k; trained on nine tenths
  /// of the training images, the rest held out for validation.
  ///
  /// - Parameter depth: of the network. From 110 layers on the rate is 0.01 until the training error is below 80 %.
  public static func paper(depth: Int) -> Recipe {
    Recipe(
      batch: 128, iterations: 64000, rate: 0.1, milestones: [32000, 48000],
      warmUp: depth >= 110 ? WarmUp(rate: 0.01, untilError: 0.8) : nil, momentum: 0.9, decay: 1e-4,
      decaysWeightsOnly: false, augmentation: .paper, validationShare: 0.1, statisticsRate: 0.1)
  }

  /// §4.2 in fewer iterations: the milestones stay at half and three quarters of the way; nothing is held out; the velocity
  /// does not hold the rate, since the jump of the loss where the rate falls would last for a good part of a short run.
  public static func scaled(depth: Int, iterations: Int) -> Recipe {
    var recipe = paper(depth: depth)
    recipe.scale(to: iterations)
    recipe.validationShare = 0
    recipe.velocityHoldsRate = false
    return recipe
  }

  /// Takes so many iterations, with milestones at half and three quarters of the way.
  public mutating func scale(to iterations: Int) {
    self.iterations = iterations
    milestones = [iterations / 2, iterations * 3 / 4]
  }

  /// §3.4 to the letter: up to 60e4 iterations of 256 images, rate 0.1, divided by 10 when the error plateaus; scale,
  /// crop, flip and colour augmentation.
  ///
  /// - Parameters:
  ///   - colors: the principal colours of the training images.
  ///   - crop: height and width of the crops: 224 in the paper.
  public static func imageNet(colors: PrincipalColors?, crop: Int = 224) -> Recipe {
    Recipe(
      batch: 256, iterations: 600_000, rate: 0.1, milestones: [], plateau: PlateauSchedule(rate: 0.1), momentum: 0.9,
      decay: 1e-4, decaysWeightsOnly: false, augmentation: .imageNet(colors: colors, size: crop), validationShare: 0,
      statisticsRate: 0.1)
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

  /// Where this recipe differs from the paper's for a network of this depth, in words; empty when it is the paper's to the
  /// letter. With random scales the paper's is that of §3.4, else that of §4.2.
  public func differences(fromPaperOfDepth depth: Int) -> [String] {
    let paper = augmentation.scaled.map { .imageNet(colors: $0.colors) } ?? Recipe.paper(depth: depth)
    var differences: [String] = []
    func compare<Value: Equatable>(_ what: String, _ path: KeyPath<Recipe, Value>) {
      if self[keyPath: path] != paper[keyPath: path] {
        differences.append("\(what) \(self[keyPath: path]), not \(paper[keyPath: path])")
      }
    }
    compare("batch", \.batch)
    compare("iterations", \.iterations)
    compare("rate", \.rate)
    compare("milestones", \.milestones)
    compare("momentum", \.momentum)
    compare("weight decay", \.decay)
    compare("held-out share", \.validationShare)
    if (plateau == nil) != (paper.plateau == nil) {
      differences.append("the rate falls \(plateau == nil ? "at milestones" : "when the error plateaus")")
    }
    if warmUp != paper.warmUp { differences.append(warmUp == nil ? "no warm-up" : "a warm-up of its own") }
    if let scaled = augmentation.scaled, let crop = paper.augmentation.scaled?.size, scaled.size != crop {
      differences.append("crops of \(scaled.size)x\(scaled.size), not \(crop)x\(crop)")
    } else if augmentation != paper.augmentation {
      differences.append("another augmentation")
    }
    if velocityHoldsRate != paper.velocityHoldsRate { differences.append("the velocity without the rate") }
    if decaysWeightsOnly { differences.append("only weights decay") }
    return differences
  }

  /// How many of `count` images are trained on; the others are held out.
  public func trainingCount(of count: Int) -> Int {
    precondition((0..<1).contains(validationShare), "a share of \(validationShare)")
    return count - Int((Double(count) * validationShare).rounded())
  }

  /// The steps that one pass over `count` images takes, the last batch being what is left.
  public func iterationsPerEpoch(_ count: Int) -> Int { (count + batch - 1) / batch }
}
