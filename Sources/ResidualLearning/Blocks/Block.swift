// Block.swift: the building block of the paper, residual or plain.
//
// Paper       He et al. 2015 §3.1, §3.2, Fig. 2; Fig. 5; §3.3 for plain nets; Table 1; §4.2
// Derivation  docs/derivations/residual-block.md
// Fast form   Block+Fused.swift: the same equations in fewer passes over memory
// Tests       Tests/ResidualLearningTests/Blocks/BlockTests.swift

import ResidualKernels

/// Two or three convolutions, F(x, {Wᵢ}), and a shortcut h around them. They learn the residual F(x) = H(x) − h(x)
/// rather than the mapping H(x) itself. A block without a shortcut is one of the paper's plain nets.
///
///     forward    aᵢ = σ(BNᵢ(Wᵢ ∗ aᵢ₋₁)),  a₀ = x,  F(x) = BNₖ(Wₖ ∗ aₖ₋₁)     (1)
///                sum = F(x) + h(x)                                           (2)
///                y = σ(sum)                                                  (3)
///
///     backward   dsum = dy where y > 0, else 0                               (4)
///                dF = dsum,  dh = dsum              a sum hands its gradient to both terms        (5)
///                dx = (∂F/∂x)ᵀ dF + (∂h/∂x)ᵀ dh     x is used twice, so two gradients add up      (6)
///
/// With the identity h(x) = x the second term of (6) is dsum itself: however small the first one is, the gradient
/// reaches x wherever y > 0. Written out, (1) is F(x) = BN₂(W₂ ∗ σ(BN₁(W₁ ∗ x))) for Fig. 2; Fig. 5 right has k = 3.
///
/// | symbol      | in code                             | shape                                                |
/// |:------------|:------------------------------------|:-----------------------------------------------------|
/// | x, y        | `input`, `output`                   | `[N, H, W, Cin]`, `[N, ⌈H/s⌉, ⌈W/s⌉, Cout]`          |
/// | s           | `stride` of the convolutions        | a number; their product is the block's               |
/// | Wᵢ, BNᵢ     | `units[i - 1]`                      | see ``ConvBN``                                       |
/// | Wᵢ ∗ aᵢ₋₁   | `convolved[i - 1]`                  | `[N, ⌈H/s⌉, ⌈W/s⌉, C]`, s of the convolutions so far |
/// | BNᵢ(…)      | `normalized[i - 1]`; the last is F  | as Wᵢ ∗ aᵢ₋₁                                         |
/// | aᵢ          | `activated[i]`                      | as Wᵢ ∗ aᵢ₋₁; a₀ is x                                |
/// | h           | `shortcut`, h(x) in `shortcutPass`  | as y; see ``Shortcut``                               |
/// | dsum, …     | `sumGradient`, …, in arrays as well | as the tensor                                        |
public struct Block<Scalar: Element>: Layer {
  /// The learned parameters.
  public struct Parameters: ParameterSet {
    /// Wᵢ, γᵢ and βᵢ of each unit.
    public var units: [ConvBN<Scalar>.Parameters]
    /// W_s, γ and β if the shortcut is a projection; nil for a plain block.
    public var shortcut: Shortcut<Scalar>.Parameters?

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      for i in units.indices {
        units[i].conv.visit(path + numbered("conv", i, of: units.count) + ".", body)
        units[i].bn.visit(path + numbered("bn", i, of: units.count) + ".", body)
      }
      shortcut?.visit(path + "shortcut.", body)
    }
  }

  /// What backward needs: one tensor for each convolution. The aᵢ are computed again from the Wᵢ ∗ aᵢ₋₁, since keeping
  /// them would double the memory. The fused form has the same cache.
  public struct Cache: Sendable {
    /// The input x.
    public let input: Tensor<Scalar>
    /// The Wᵢ ∗ aᵢ₋₁, each with its statistics.
    public let units: [BatchNorm2D<Scalar>.Cache]
    /// The output y.
    public let output: Tensor<Scalar>
    /// What the shortcut needs, if there is one.
    public let shortcut: Shortcut<Scalar>.Cache?
  }

  /// The layers of F.
  public var units: [ConvBN<Scalar>]
  /// The shortcut h; nil for a plain block.
  public var shortcut: Shortcut<Scalar>?
  /// Whether the fused kernels compute the block where they apply. The results are the same.
  public let isFused: Bool
  let relu = ReLU<Scalar>()

  /// A block with random weights.
  public init(_ description: Architecture.Block, fused: Bool = true, using generator: inout RandomGenerator) {
    let options = description.options
    units = description.convolutions.map {
      ConvBN(
        $0.inputChannels, $0.outputChannels, kernel: $0.kernel, stride: $0.stride, fan: options.fan, using: &generator)
    }
    if description.hasShortcut {
      shortcut = Shortcut(
        options.shortcut, description.inputChannels, description.outputChannels, stride: description.stride,
        zeros: options.zeros, fan: options.fan, using: &generator)
    }
    isFused = fused
  }

  public var parameters: Parameters {
    get { Parameters(units: units.map { $0.parameters }, shortcut: shortcut?.parameters) }
    set {
      for i in units.indices { units[i].parameters = newValue.units[i] }
      if let parameters = newValue.shortcut { shortcut?.parameters = parameters }
    }
  }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    forward(input, observe: nil)
  }

  /// The training pass, which shows every tensor on its way to `observe`, if there is one.
  public func forward(
    _ input: Tensor<Scalar>, observe: Observer<Scalar>?
  ) -> (output: Tensor<Scalar>, cache: Cache) {
    if observe == nil, let fused = fusedForward(input) { return fused }
    var (convolved, normalized, activated) = ([Tensor<Scalar>](), [Tensor<Scalar>](), [input])
    var unitCaches: [BatchNorm2D<Scalar>.Cache] = []
    for (i, unit) in units.enumerated() {
      convolved.append(unit.conv(activated[i]))
      observe?(numbered("conv", i, of: units.count), convolved[i])
      let (output, cache) = unit.bn.forward(convolved[i])
      observe?(numbered("bn", i, of: units.count), output)
      normalized.append(output)
      unitCaches.append(cache)
      if i < units.count - 1 { activated.append(relu(output)) }
    }
    let residual = normalized[units.count - 1]  // (1)

    let shortcutPass = shortcut?.forward(input)
    if let shortcutPass { observe?("shortcut", shortcutPass.output) }
    let sum = shortcutPass.map { residual + $0.output } ?? residual  // (2)
    let output = relu(sum)  // (3)
    observe?("output", output)
    return (output, Cache(input: input, units: unitCaches, output: output, shortcut: shortcutPass?.cache))
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    if let output = fusedInference(input) { return output }
    let residual = units.dropFirst().reduce(units[0](input)) { normalized, unit in unit(relu(normalized)) }
    return relu(shortcut.map { residual + $0(input) } ?? residual)
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    if let fused = fusedBackward(outputGradient, cache) { return (fused.inputGradient!, fused.gradients) }
    let activated = [cache.input] + zip(units, cache.units).dropLast().map { relu($0.bn.output($1)) }
    let (sumGradient, _) = relu.backward(outputGradient, ReLU.Cache(output: cache.output))  // (4)

    // (5): the residual branch, last layer first.
    var normalizedGradient = [Tensor<Scalar>](repeating: Tensor(zeros: [0]), count: units.count)
    var (convolvedGradient, activatedGradient) = (normalizedGradient, normalizedGradient)
    var unitGradients = units.map { $0.parameters }
    normalizedGradient[units.count - 1] = sumGradient
    for (i, unit) in units.enumerated().reversed() {
      (convolvedGradient[i], unitGradients[i].bn) = unit.bn.backward(normalizedGradient[i], cache.units[i])
      (activatedGradient[i], unitGradients[i].conv) = unit.conv.backward(
        convolvedGradient[i], Conv2D.Cache(input: activated[i]))
      guard i > 0 else { break }
      (normalizedGradient[i - 1], _) = relu.backward(activatedGradient[i], ReLU.Cache(output: activated[i]))
    }
    let residualGradient = activatedGradient[0]

    // (5): the shortcut gets the same gradient.
    let shortcutPass = shortcut?.backward(sumGradient, cache.shortcut!)
    let inputGradient = shortcutPass.map { residualGradient + $0.inputGradient } ?? residualGradient  // (6)
    return (inputGradient, Parameters(units: unitGradients, shortcut: shortcutPass?.gradients))
  }

  public mutating func track(_ cache: Cache, rate: Scalar) {
    for i in units.indices { units[i].bn.track(cache.units[i], rate: rate) }
    if let cache = cache.shortcut { shortcut?.track(cache, rate: rate) }
  }

  public mutating func visitStatistics(_ path: String, _ body: (String, inout BatchNorm2D<Scalar>.Statistics) -> Void) {
    for i in units.indices {
      units[i].bn.visitStatistics(path + numbered("bn", i, of: units.count) + ".", body)
    }
    shortcut?.visitStatistics(path + "shortcut.", body)
  }
}

/// `conv1` for the first convolution of several; `conv` for the only one, which the stem has.
func numbered(_ layer: String, _ i: Int, of count: Int) -> String { count == 1 ? layer : "\(layer)\(i + 1)" }

/// A name and a tensor, as ``Block/forward(_:observe:)`` reports them.
public typealias Observer<Scalar: Element> = (_ name: String, _ tensor: Tensor<Scalar>) -> Void

/// An observer that puts `prefix` before every name.
func prefixed<Scalar>(_ prefix: String, _ observe: Observer<Scalar>?) -> Observer<Scalar>? {
  observe.map { observe in { name, tensor in observe(prefix + name, tensor) } }
}
