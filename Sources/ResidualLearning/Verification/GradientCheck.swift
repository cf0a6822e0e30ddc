// GradientCheck.swift: gradients of backward passes against finite differences.
//
// Paper       none: the paper takes gradients for granted. Griewank & Walther 2008, §8.1, treats difference quotients
// Tests       Tests/ResidualLearningTests/Verification/GradientCheckTests.swift

import ResidualKernels

/// Compares every element of a gradient with a central difference, in `Double`.
///
///     L    = Σ y u                             y is the output, u a fixed random tensor                    (1)
///     C(h) = (L(x + h) − L(x − h)) / 2h        within O(h²) of ∂L/∂x; g is the gradient under test         (2)
///     e    = |C(h) − g| / max(|C(h)|, |g|)     the maximum over all elements of the tensor of x            (3)
///
/// u is random because a plain sum hides mistakes: the sum of a batch normalization's output is constant, and three of
/// five wrong gradients of it pass.
///
/// The error (3) is relative to the largest element of the tensor, analytic or numeric, and not to each element:
/// rounding adds about the same absolute error to every element of (2), so an error relative to a *small* element would
/// measure rounding, not the gradient. The divisor is at least a hundredth of the largest one of the whole check. That
/// matters for a tensor whose gradient is zero except for rounding, such as that of a bias before a batch
/// normalization.
///
/// Where a ReLU crosses zero, or two pixels of a max-pool change order, between x − h and x + h, there is a kink and
/// (2) is wrong. An element that disagrees is examined again with half the step:
///
///     S(h) = (L(x + h) − 2 L(x) + L(x − h)) / h                                                (4)
///     k    = max(|C(h) − C(h/2)|, |S(h)/2 − S(h/2)|)                                           (5)
///
/// If the slope of L jumps by J at a distance d < h from x, (2) is off by J(1 − d/h)/2, and k is at least a third of
/// that. Where L is smooth, both differences in (5) are O(h²), so k is tiny, whether or not the gradient under test is
/// right. So an element is skipped when k is at least a quarter of the disagreement, which a wrong gradient cannot
/// bring about; otherwise it counts.
///
/// ```swift
/// var generator = RandomGenerator(seed: 1)
/// let layer = Linear<Double>(5, 3, using: &generator)
/// let input = Tensor<Double>(normal: [4, 5], using: &generator)
/// let result = GradientCheck().run("Linear", layer, input: input, using: &generator)
/// print(result.passed, result.worstRelativeError)
/// ```
public struct GradientCheck: Sendable {
  /// The step h.
  public var step: Double
  /// The largest error (3) that passes.
  public var tolerance: Double
  /// The largest fraction of elements that may be skipped at kinks.
  public var skippedLimit: Double

  /// A check with the defaults for smooth layers. Whole networks, which have thousands of kinks, need a smaller step
  /// and a tolerance of 1e-6.
  public init(step: Double = 1e-5, tolerance: Double = 1e-7, skippedLimit: Double = 0.02) {
    precondition(step > 0 && tolerance > 0 && skippedLimit >= 0, "step \(step), tolerance \(tolerance)")
    self.step = step
    self.tolerance = tolerance
    self.skippedLimit = skippedLimit
  }

  /// The result of a check.
  public struct Result: Sendable {
    /// The name of what was checked.
    public let name: String
    /// The number of elements of gradients that were compared.
    public internal(set) var elements = 0
    /// The number of elements that were skipped at kinks.
    public internal(set) var skipped = 0
    /// The largest error (3); infinite where something was not a number.
    public internal(set) var worstRelativeError = 0.0
    /// The element with that error: `conv1.weight[2, 0, 1, 5]`.
    public internal(set) var worstPlace = ""
    /// Why the check failed, in a sentence; nil when it passed.
    public internal(set) var failure: String?

    /// Whether the check passed.
    public var passed: Bool { failure == nil }
  }
}

// MARK: - Layers

extension GradientCheck {
  /// Checks the gradients of a layer with respect to its input and to each of its parameters.
  ///
  /// It also checks that `forward` and `backward` leave the layer and its input unchanged and give the same bits when
  /// they are called again, and that `track` moves each running statistic, half as far with half the rate.
  ///
  /// `outputGradient` is u of (1), with the shape of the output; without it, u is drawn from `generator`. The result
  /// bears `name`.
  public func run<Checked: Layer>(
    _ name: String, _ layer: Checked, input: Tensor<Double>, outputGradient: Tensor<Double>? = nil,
    using generator: inout RandomGenerator
  ) -> Result where Checked.Scalar == Double {
    let parameters = layer.parameters.named
    let before = Snapshot(layer, input)
    let (output, cache) = layer.forward(input)
    let upstream = outputGradient ?? Tensor(normal: output.shape, using: &generator)
    guard upstream.shape == output.shape else {
      return .failed(name, "the output is \(output.shape), the gradient given for it \(upstream.shape)")
    }
    let (inputGradient, gradients) = layer.backward(upstream, cache)
    if let failure = before.difference(from: Snapshot(layer, input))
      ?? unrepeatable(layer, input, upstream) ?? untracked(layer, cache)
    {
      return .failed(name, failure)
    }
    return compare(
      name, at: [("input", input)] + parameters, gradients: [("input", inputGradient)] + gradients.named,
      outputGradient: upstream
    ) { values in
      var layer = layer
      var parameters = layer.parameters
      var next = 1
      parameters.visit("") { _, tensor in
        tensor = values[next]
        next += 1
      }
      layer.parameters = parameters
      return layer.forward(values[0]).output
    }
  }

  /// A sentence that says what is wrong when a second call of `forward` or `backward` gives other bits, else nil.
  private func unrepeatable<Checked: Layer>(
    _ layer: Checked, _ input: Tensor<Double>, _ upstream: Tensor<Double>
  ) -> String? where Checked.Scalar == Double {
    let (output, cache) = layer.forward(input)
    let outputBits = bits(output)
    guard bits(layer.forward(input).output) == outputBits else { return "forward, called twice, gives two outputs" }
    let (first, firstGradients) = layer.backward(upstream, cache)
    let firstBits = [bits(first)] + firstGradients.named.map { bits($0.tensor) }
    let (second, secondGradients) = layer.backward(upstream, cache)
    let secondBits = [bits(second)] + secondGradients.named.map { bits($0.tensor) }
    guard firstBits == secondBits else { return "backward, called twice, gives two gradients" }
    guard bits(output) == outputBits else { return "backward changes the output of forward" }
    return nil
  }

  /// A sentence that says what is wrong when running statistics do not follow the batch, else nil.
  private func untracked<Checked: Layer>(_ layer: Checked, _ cache: Checked.Cache) -> String?
  where Checked.Scalar == Double {
    var (half, whole) = (layer, layer)
    half.track(cache, rate: 0.5)
    whole.track(cache, rate: 1)
    for ((name, start), ((_, middle), (_, end))) in zip(
      layer.statistics, zip(half.statistics, whole.statistics))
    {
      if start == end { return "\(name) does not move towards the batch's" }
      let expected = (start + end) * 0.5
      let difference = middle - expected
      guard difference.largestMagnitude <= 1e-12 * max(1, expected.largestMagnitude) else {
        return "\(name) does not move half as far with half the rate"
      }
    }
    return nil
  }
}

// MARK: - Anything else

extension GradientCheck {
  /// Checks the gradients of a function of named tensors that is not a ``Layer``.
  ///
  /// - Parameters:
  ///   - name: The name of the result.
  ///   - point: The tensors to change, element by element, with their names.
  ///   - outputGradient: u of (1), with the shape of the function's output: a tensor `[1]` for a loss.
  ///   - gradients: The gradients under test: one for each tensor of `point`, in the same order.
  ///   - function: The function, which takes the tensors in that order.
  public func run(
    _ name: String, at point: [(name: String, tensor: Tensor<Double>)], outputGradient: Tensor<Double>,
    gradients: [Tensor<Double>], function: @escaping ([Tensor<Double>]) -> Tensor<Double>
  ) -> Result {
    guard gradients.count == point.count else {
      return .failed(name, "\(gradients.count) gradients for \(point.count) tensors")
    }
    let named = zip(point, gradients).map { (name: $0.name, tensor: $1) }
    return compare(name, at: point, gradients: named, outputGradient: outputGradient, function)
  }

  private func compare(
    _ name: String, at point: [(name: String, tensor: Tensor<Double>)],
    gradients: [(name: String, tensor: Tensor<Double>)], outputGradient: Tensor<Double>,
    _ function: @escaping ([Tensor<Double>]) -> Tensor<Double>
  ) -> Result {
    // Shapes first: with a wrong one, what follows means nothing.
    let (names, others) = (point.map { $0.name }, gradients.map { $0.name })
    guard names == others else {
      let (names, others) = (names.joined(separator: ", "), others.joined(separator: ", "))
      return .failed(name, "gradients of \(others) for the tensors \(names)")
    }
    for ((tensorName, tensor), (_, gradient)) in zip(point, gradients) where tensor.shape != gradient.shape {
      return .failed(name, "\(tensorName) is \(tensor.shape), its gradient \(gradient.shape)")
    }
    let output = function(point.map { $0.tensor })
    guard output.shape == outputGradient.shape else {
      return .failed(name, "the output is \(output.shape), the gradient given for it \(outputGradient.shape)")
    }
    guard output.isFinite && outputGradient.isFinite else { return .failed(name, "the output is not finite") }

    var probe = Probe(
      tensors: point.map { Tensor($0.tensor.shape, $0.tensor.elements) }, output: output, upstream: outputGradient,
      step: step, function: function)
    let differences = point.indices.map { k in
      (0..<point[k].tensor.count).map { probe.centralDifference(k, $0, probe.step) }  // (2)
    }
    return judge(name, gradients, differences, &probe)
  }

  /// Applies equations (3) to (5) to all elements, given the differences (2).
  private func judge(
    _ name: String, _ gradients: [(name: String, tensor: Tensor<Double>)], _ differences: [[Double]],
    _ probe: inout Probe
  ) -> Result {
    let analytic = gradients.map { $0.tensor.elements }
    func largest(_ values: [Double]) -> Double { values.reduce(0) { max($0, abs($1)) } }
    let magnitudes = zip(analytic, differences).map { max(largest($0), largest($1)) }
    let floor = 0.01 * (magnitudes.max() ?? 0)
    var result = Result(name: name)
    for k in analytic.indices {
      let scale = max(magnitudes[k], floor)
      var compared = 0
      for (i, (expected, found)) in zip(differences[k], analytic[k]).enumerated() {
        let error = abs(expected - found)
        if error > tolerance * scale && probe.kink(k, i, expected) >= error / 4 {
          result.skipped += 1
          continue
        }
        compared += 1
        let relative = error == 0 ? 0 : (error / scale).isFinite ? error / scale : .infinity
        if relative > result.worstRelativeError || result.worstPlace.isEmpty {
          result.worstRelativeError = relative
          result.worstPlace = gradients[k].name + "\(gradients[k].tensor.shape.position(i))"
        }
      }
      result.elements += compared
      if compared == 0 { result.failure = "no element of \(gradients[k].name) was compared" }
    }
    if result.elements > 0 && floor == 0 { result.failure = "all gradients are zero, which shows nothing" }
    if Double(result.skipped) > skippedLimit * Double(result.elements + result.skipped) {
      result.failure = "\(result.skipped) of \(result.elements + result.skipped) elements are at kinks"
    }
    if !(result.worstRelativeError <= tolerance) {
      let error = "\(short(result.worstRelativeError)), allowed \(short(tolerance))"
      result.failure = "the gradient with respect to \(result.worstPlace) is off by \(error)"
    }
    return result
  }
}

// MARK: - Parts

/// Changes one element at a time and computes the loss.
private struct Probe {
  var tensors: [Tensor<Double>]
  let output: Tensor<Double>
  let upstream: Tensor<Double>
  let step: Double
  let function: ([Tensor<Double>]) -> Tensor<Double>

  /// The output when element `i` of tensor `k` is `value`.
  private mutating func output(_ k: Int, _ i: Int, _ value: Double) -> Tensor<Double> {
    let old = tensors[k][flat: i]
    tensors[k][flat: i] = value
    defer { tensors[k][flat: i] = old }
    return function(tensors)
  }

  /// Equation (2). Outputs are subtracted before they are summed, so that elements that did not change add no rounding.
  mutating func centralDifference(_ k: Int, _ i: Int, _ h: Double) -> Double {
    let x = tensors[k][flat: i]
    let (right, left) = (x + h, x - h)
    return (output(k, i, right) - output(k, i, left)).dot(upstream) / (right - left)
  }

  /// Equation (4).
  private mutating func secondDifference(_ k: Int, _ i: Int, _ h: Double) -> Double {
    let x = tensors[k][flat: i]
    return ((output(k, i, x + h) - output) - (output - output(k, i, x - h))).dot(upstream) / h
  }

  /// Equation (5).
  mutating func kink(_ k: Int, _ i: Int, _ difference: Double) -> Double {
    max(
      abs(difference - centralDifference(k, i, step / 2)),
      abs(secondDifference(k, i, step) / 2 - secondDifference(k, i, step / 2)))
  }
}

/// The bits of everything that `forward` and `backward` must leave unchanged.
private struct Snapshot {
  let tensors: [(name: String, bits: [UInt64])]

  init<Checked: Layer>(_ layer: Checked, _ input: Tensor<Double>) where Checked.Scalar == Double {
    tensors = ([("the input", input)] + layer.state).map { ($0, bits($1)) }
  }

  func difference(from other: Snapshot) -> String? {
    zip(tensors, other.tensors).first { $0.bits != $1.bits }.map { "forward or backward changes \($0.0.name)" }
  }
}

private func bits(_ tensor: Tensor<Double>) -> [UInt64] { tensor.elements.map { $0.bitPattern } }

extension Shape {
  /// The position of element number `flat` of the row-major order.
  fileprivate func position(_ flat: Int) -> Shape {
    var left = flat
    var position: [Int] = []
    for size in sizes.reversed() {
      position.append(left % size)
      left /= size
    }
    return Shape(position.reversed())
  }
}
