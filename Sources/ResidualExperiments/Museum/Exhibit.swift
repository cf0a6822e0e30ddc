// Exhibit.swift: a mistake, where it happened, and the checks that do or do not see it.
//
// Docs        docs/bug-museum.md
// Tests       Tests/ResidualExperimentsTests/Museum/MuseumTests.swift

import ResidualKernels
import ResidualLearning

/// A mistake that people make in a hand-written backward pass or training loop.
///
/// It can be switched on: ``verdicts(isWrong:)`` runs the same checks on the right code and on the wrong code.
public struct Exhibit: Sendable {
  /// What is known about a mistake besides its code.
  public struct Label: Sendable {
    /// A short name: `batch-norm-no-mean-term`.
    public let name: String
    /// What the wrong code does, in a sentence.
    public let mistake: String
    /// What one notices, if anything.
    public let symptom: String
    /// Where it happened: a link in Markdown; nil for a common mistake that no single place stands for.
    public let seen: String?

    /// A label.
    public init(_ name: String, _ mistake: String, symptom: String, seen: String? = nil) {
      (self.name, self.mistake, self.symptom, self.seen) = (name, mistake, symptom, seen)
    }
  }

  /// A way to look for mistakes.
  public enum Check: Equatable, Sendable {
    /// `GradientCheck`: every element, with a random gradient of the output.
    case finiteDifference
    /// The same with an output gradient of ones: the loss is the plain sum of the outputs. Many programs check so.
    case plainSum
    /// Something that must hold, in a sentence.
    case law(String)
  }

  /// The part of the program that the mistake is in: `Convolution`, `Training`, …
  public let room: String
  /// What is known about it.
  public let label: Label
  private let checks: [(check: Check, passes: @Sendable (_ isWrong: Bool) -> Bool)]

  /// Whether each check passes the code: the right code, or with `isWrong` the wrong one.
  public func verdicts(isWrong: Bool) -> [(check: Check, passes: Bool)] {
    checks.map { ($0.check, $0.passes(isWrong)) }
  }

  /// A mistake in something that is not a layer's backward pass, and the law that it breaks.
  init(_ room: String, _ label: Label, law: String, holds: @escaping @Sendable (_ isWrong: Bool) -> Bool) {
    (self.room, self.label) = (room, label)
    checks = [(.law(law), holds)]
  }

  /// A mistake in a backward pass, on a layer and an input of this shape that can show it.
  init<Base: Layer>(
    _ room: String, _ mistake: BackwardMistake<Base>, on layer: Base, _ shape: Shape
  ) where Base.Scalar == Double {
    (self.room, label) = (room, mistake.label)
    func check(_ upstream: @escaping @Sendable (Shape) -> Tensor<Double>?) -> @Sendable (Bool) -> Bool {
      { isWrong in
        var generator = RandomGenerator(seed: 11)
        let right = withRandomParameters(layer, using: &generator)
        let input = Tensor<Double>(normal: shape, using: &generator)
        let given = upstream(right.forward(input).output.shape)
        let check = GradientCheck(step: 1e-6, tolerance: 1e-6)
        return isWrong
          ? check.run("wrong", Mistaken(right, mistake), input: input, outputGradient: given, using: &generator).passed
          : check.run("right", right, input: input, outputGradient: given, using: &generator).passed
      }
    }
    checks = [(.finiteDifference, check { _ in nil }), (.plainSum, check { Tensor($0, repeating: 1) })]
  }
}

/// What a backward pass was given and what it is about to return.
public struct BackwardPass<Base: Layer>: Sendable where Base.Scalar == Double {
  /// The layer.
  public let layer: Base
  /// What forward was given.
  public let input: Tensor<Double>
  /// The gradient of the loss with respect to the layer's output.
  public let outputGradient: Tensor<Double>
  /// What forward kept.
  public let cache: Base.Cache
  /// The gradient of the loss with respect to the input, right until a mistake changes it.
  public var inputGradient: Tensor<Double>
  /// The gradients of the loss with respect to the parameters, right until a mistake changes them.
  public var gradients: Base.Parameters
}

/// A mistake in the backward pass of a kind of layer.
public struct BackwardMistake<Base: Layer>: Sendable where Base.Scalar == Double {
  /// What is known about it.
  public let label: Exhibit.Label
  private let change: @Sendable (inout BackwardPass<Base>) -> Void

  init(_ label: Exhibit.Label, _ change: @escaping @Sendable (inout BackwardPass<Base>) -> Void) {
    (self.label, self.change) = (label, change)
  }

  /// The gradients that a layer with this mistake returns.
  public func backward(
    _ layer: Base, input: Tensor<Double>, _ outputGradient: Tensor<Double>, _ cache: Base.Cache
  ) -> (inputGradient: Tensor<Double>, gradients: Base.Parameters) {
    let (inputGradient, gradients) = layer.backward(outputGradient, cache)
    var pass = BackwardPass(
      layer: layer, input: input, outputGradient: outputGradient, cache: cache, inputGradient: inputGradient,
      gradients: gradients)
    change(&pass)
    return (pass.inputGradient, pass.gradients)
  }
}

/// A layer whose backward pass has a mistake.
struct Mistaken<Base: Layer>: Layer where Base.Scalar == Double {
  struct Cache: Sendable {
    let input: Tensor<Double>
    let base: Base.Cache
  }

  var base: Base
  let mistake: BackwardMistake<Base>

  init(_ base: Base, _ mistake: BackwardMistake<Base>) { (self.base, self.mistake) = (base, mistake) }

  var parameters: Base.Parameters {
    get { base.parameters }
    set { base.parameters = newValue }
  }

  func forward(_ input: Tensor<Double>) -> (output: Tensor<Double>, cache: Cache) {
    let (output, cache) = base.forward(input)
    return (output, Cache(input: input, base: cache))
  }

  func callAsFunction(_ input: Tensor<Double>) -> Tensor<Double> { base(input) }

  func backward(
    _ outputGradient: Tensor<Double>, _ cache: Cache
  ) -> (inputGradient: Tensor<Double>, gradients: Base.Parameters) {
    mistake.backward(base, input: cache.input, outputGradient, cache.base)
  }

  mutating func track(_ cache: Cache, rate: Double) { base.track(cache.base, rate: rate) }

  mutating func visitStatistics(_ path: String, _ body: (String, inout BatchNorm2D<Double>.Statistics) -> Void) {
    base.visitStatistics(path, body)
  }
}
