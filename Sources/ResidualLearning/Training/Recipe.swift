// Recipe.swift: how a network is trained, as a value.
//
// Paper       He et al. 2015 §4.2, §3.4
// Tests       Tests/ResidualLearningTests/Training/RecipeTests.swift

/// Everything that a training run depends on besides the network, the images and the seed.
///
/// A field is declared here, with the value of §4.2, and described in the table below. How a recipe
/// is printed, compared with the paper's and with that of a resumed run, stored in a checkpoint and checked follows
/// from that table.
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

extension Recipe {
  /// Every field of a recipe, in the order in which they are printed.
  static let fields: [Field] = [
    Field(\.batch, key: "batch", name: "batch", isSound: { (1...65536).contains($0) }),
    Field(\.iterations, key: "iterations", name: "iterations", isSound: { (0...(1 << 40)).contains($0) }),
    Field(\.rate, key: "rate", name: "rate", isSound: \.isNotNegative),
    Field(
      \.milestones, key: "milestones", name: "divided by 10 at",
      text: { $0.isEmpty ? nil : $0.map { "\($0)" }.joined(separator: " and ") }),
    Field(
      \.plateau, key: "plateau", name: "divided by 10 after",
      text: { $0.map { "\($0.patience) evaluations without progress of \($0.threshold)" } },
      isSound: { $0?.isSound ?? true }),
    Field(
      \.warmUp, key: "warmUp", name: "warm-up",
      text: { $0.map { "with \($0.rate) until the training error is below \($0.untilError)" } },
      isSound: { $0.map { $0.rate.isNotNegative && $0.untilError.isNotNegative } ?? true }),
    Field(\.momentum, key: "momentum", name: "momentum", isSound: \.isNotNegative),
    Field(
      \.velocityForm.holdsRate, key: "velocityHoldsRate", name: "velocity",
      text: { $0 ? "with the rate" : "without the rate" }),
    Field(\.decay, key: "decay", name: "weight decay", isSound: \.isNotNegative),
    Field(
      \.decayed.isWeights, key: "decaysWeightsOnly", name: "decay of",
      text: { $0 ? "weights only" : "all parameters" }),
    Field(\.augmentation, key: "augmentation", name: "augmentation", text: \.words, isSound: \.isSound),
    Field(\.validationShare, key: "validationShare", name: "held-out share", isSound: { (0..<1).contains($0) }),
    Field(\.statisticsRate, key: "statisticsRate", name: "rate of the statistics", isSound: \.isNotNegative),
    Field(
      \.recomputesStatistics, key: "recomputesStatistics", name: "statistics at the end",
      text: { $0 ? "recomputed" : "running" }),
  ]

  /// The recipe in one line.
  public var summary: String {
    Self.fields.compactMap { field in field.text(self).map { "\(field.name) \($0)" } }.joined(separator: "; ")
  }

  /// Where this recipe differs from the paper's for a network of this depth, in words; empty where it does not.
  ///
  /// What the paper leaves open is compared with ``paper(depth:)``. The paper's recipe is that of §3.4 if this one has
  /// random scales, else that of §4.2.
  public func differences(fromPaperOfDepth depth: Int) -> [String] {
    let paper = augmentation.scaled.map { .imageNet(colors: $0.colors) } ?? Recipe.paper(depth: depth)
    return differences(from: paper) { field, here, there in "\(field) \(here), not \(there)" }
  }

  /// What has changed since `old`, in words; empty when the recipes are equal.
  func changes(since old: Recipe) -> [String] {
    differences(from: old) { field, now, before in "\(field) was \(before) and is now \(now)" }
  }

  private func differences(from other: Recipe, _ words: (String, String, String) -> String) -> [String] {
    Self.fields.filter { !$0.isEqual(self, other) }.map { field in
      let (here, there) = (field.text(self) ?? "none", field.text(other) ?? "none")
      return here == there ? "\(field.name) has other details" : words(field.name, here, there)
    }
  }

  /// Whether a trainer can follow it.
  var isSound: Bool { Self.fields.allSatisfy { $0.isSound(self) } }
}

// MARK: - In a checkpoint

extension Recipe: Codable {
  /// A field that is missing has the value of §4.2: the checkpoint was written before the field existed.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Field.Key.self)
    for field in Self.fields { try field.decode(&self, container) }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Field.Key.self)
    for field in Self.fields { try field.encode(self, &container) }
  }

  /// The description of one field: where it is stored, how it is printed, which values it may have.
  struct Field: Sendable {
    /// The name of a field in a checkpoint.
    struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    let key: Key
    /// The name of the field in sentences.
    let name: String
    /// The value in words; nil where there is none.
    let text: @Sendable (Recipe) -> String?
    let isSound: @Sendable (Recipe) -> Bool
    fileprivate let isEqual: @Sendable (Recipe, Recipe) -> Bool
    fileprivate let encode: @Sendable (Recipe, inout KeyedEncodingContainer<Key>) throws -> Void
    fileprivate let decode: @Sendable (inout Recipe, KeyedDecodingContainer<Key>) throws -> Void

    init<Value: Equatable & Codable & Sendable>(
      _ path: WritableKeyPath<Recipe, Value> & Sendable, key name: String, name words: String,
      text: @escaping @Sendable (Value) -> String? = { "\($0)" },
      isSound: @escaping @Sendable (Value) -> Bool = { _ in true }
    ) {
      let key = Key(stringValue: name)
      (self.key, self.name) = (key, words)
      self.text = { text($0[keyPath: path]) }
      self.isSound = { isSound($0[keyPath: path]) }
      isEqual = { $0[keyPath: path] == $1[keyPath: path] }
      encode = { try $1.encode($0[keyPath: path], forKey: key) }
      decode = { if $1.contains(key) { $0[keyPath: path] = try $1.decode(Value.self, forKey: key) } }
    }
  }
}

/// A checkpoint stores the two forms as a Boolean.
extension VelocityForm {
  fileprivate var holdsRate: Bool {
    get { self == .withRate }
    set { self = newValue ? .withRate : .withoutRate }
  }
}

extension DecayedParameters {
  fileprivate var isWeights: Bool {
    get { self == .weights }
    set { self = newValue ? .weights : .all }
  }
}

extension Double {
  /// Whether the number is finite and at least 0.
  fileprivate var isNotNegative: Bool { isFinite && self >= 0 }
}

extension Augmentation {
  fileprivate var words: String? {
    if let scaled {
      return
        "crops of \(scaled.size)x\(scaled.size) out of images with a shorter side of \(scaled.scales.lowerBound) to "
        + "\(scaled.scales.upperBound)" + (flips ? ", flips" : "") + (scaled.colors == nil ? "" : ", colours")
    }
    let parts = (padding > 0 ? ["crops of images padded by \(padding)"] : []) + (flips ? ["flips"] : [])
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}
