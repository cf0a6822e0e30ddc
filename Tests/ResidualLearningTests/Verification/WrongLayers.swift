import ResidualKernels

@testable import ResidualLearning

/// What backward was given and what it is about to return.
struct BackwardPass<Base: Layer> where Base.Scalar == Double {
  let layer: Base
  let outputGradient: Tensor<Double>
  let cache: Base.Cache
  var inputGradient: Tensor<Double>
  var gradients: Base.Parameters
}

/// A layer with a mistake put in by hand: backward returns what `mistake` leaves of the gradients.
struct Wrong<Base: Layer>: Layer where Base.Scalar == Double {
  typealias Mistake = @Sendable (_ pass: inout BackwardPass<Base>) -> Void

  var base: Base
  let mistake: Mistake

  init(_ base: Base, _ mistake: @escaping Mistake) {
    self.base = base
    self.mistake = mistake
  }

  var parameters: Base.Parameters {
    get { base.parameters }
    set { base.parameters = newValue }
  }

  func forward(_ input: Tensor<Double>) -> (output: Tensor<Double>, cache: Base.Cache) { base.forward(input) }

  func callAsFunction(_ input: Tensor<Double>) -> Tensor<Double> { base(input) }

  func backward(
    _ outputGradient: Tensor<Double>, _ cache: Base.Cache
  ) -> (inputGradient: Tensor<Double>, gradients: Base.Parameters) {
    let (inputGradient, gradients) = base.backward(outputGradient, cache)
    var pass = BackwardPass(
      layer: base, outputGradient: outputGradient, cache: cache, inputGradient: inputGradient, gradients: gradients)
    mistake(&pass)
    return (pass.inputGradient, pass.gradients)
  }

  mutating func track(_ cache: Base.Cache, rate: Double) { base.track(cache, rate: rate) }

  mutating func visitStatistics(_ path: String, _ body: (String, inout BatchNorm2D<Double>.Statistics) -> Void) {
    base.visitStatistics(path, body)
  }
}

/// A layer that does something else on the way forward or when it tracks.
struct Odd<Base: Layer>: Layer where Base.Scalar == Double {
  var base: Base
  var onForward: @Sendable (Base, Tensor<Double>, Tensor<Double>) -> Tensor<Double> = { $2 }
  var onTrack: @Sendable (inout Base, Base.Cache, Double) -> Void = { $0.track($1, rate: $2) }

  var parameters: Base.Parameters {
    get { base.parameters }
    set { base.parameters = newValue }
  }

  func forward(_ input: Tensor<Double>) -> (output: Tensor<Double>, cache: Base.Cache) {
    let (output, cache) = base.forward(input)
    return (onForward(base, input, output), cache)
  }

  func callAsFunction(_ input: Tensor<Double>) -> Tensor<Double> { base(input) }

  func backward(
    _ outputGradient: Tensor<Double>, _ cache: Base.Cache
  ) -> (inputGradient: Tensor<Double>, gradients: Base.Parameters) { base.backward(outputGradient, cache) }

  mutating func track(_ cache: Base.Cache, rate: Double) { onTrack(&base, cache, rate) }

  mutating func visitStatistics(_ path: String, _ body: (String, inout BatchNorm2D<Double>.Statistics) -> Void) {
    base.visitStatistics(path, body)
  }
}

extension BackwardPass where Base == BatchNorm2D<Double> {
  /// What equation (8) of batch normalization takes away for the mean: γ r dβ/m.
  var meanTerm: Tensor<Double> { term { _ in 1 } }

  /// What it takes away for the variance: γ r x̂ dγ/m.
  var varianceTerm: Tensor<Double> { term { $0 } }

  /// γ r f Σ dy f / m, with f a function of x̂.
  private func term(_ f: (Double) -> Double) -> Tensor<Double> {
    let (x, channels) = (cache.input, layer.channels)
    var result = Tensor<Double>(zeros: x.shape)
    for c in 0..<channels {
      let r = cache.inverseDeviation[c]
      let pixels = Array(stride(from: c, to: x.count, by: channels))
      let factors = pixels.map { f((x[flat: $0] - cache.batch.mean[c]) * r) }
      let sum = zip(pixels, factors).reduce(0) { $0 + outputGradient[flat: $1.0] * $1.1 }
      for (pixel, factor) in zip(pixels, factors) {
        result[flat: pixel] = layer.parameters.scale[c] * r * factor * sum / Double(pixels.count)
      }
    }
    return result
  }
}

extension BackwardPass where Base == Block<Double> {
  /// The gradient of the sum: what the ReLU behind it lets through.
  var sumGradient: Tensor<Double> { ReLU().backward(outputGradient, .init(output: cache.output)).inputGradient }

  /// What the shortcut adds to the input's gradient.
  var shortcutGradient: Tensor<Double> { shortcutGradient(of: sumGradient) }

  func shortcutGradient(of gradient: Tensor<Double>) -> Tensor<Double> {
    layer.shortcut!.backward(gradient, cache.shortcut!).inputGradient
  }

  /// The cache of a forward pass whose last ReLU let everything through.
  var unmaskedCache: Block<Double>.Cache {
    Block.Cache(
      input: cache.input, units: cache.units, output: Tensor(cache.output.shape, repeating: 1),
      shortcut: cache.shortcut)
  }
}
