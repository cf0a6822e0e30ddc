// Recipe+Fields.swift: how a recipe is printed, compared, checked and stored in a checkpoint, field by field.
//
// Tests       Tests/ResidualLearningTests/Training/RecipeTests.swift

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
