// Fused.swift: the same blocks, faster.
//
// Kernels     Sources/ResidualKernels/Fused
// Docs        docs/performance.md
// Tests       Tests/ResidualLearningTests/Blocks/FusedTests.swift: same results as the block it wraps

import ResidualKernels

/// A block that computes what `Block` computes, in fewer passes over memory.
///
/// Layer by layer, every normalization and every ReLU reads a tensor from memory and writes another. Here they happen
/// inside the convolutions, image by image, while the image is in the cache: a convolution normalizes and rectifies what
/// it reads, and takes the statistics of what it writes. What lies between a convolution and the next is never stored;
/// backward makes it again from the convolution's output. To learn how a block works, read `Block`; training runs this.
///
/// Where the kernels do not apply (channels that do not fill vectors, the reference kernels) it is `Block`, layer by layer.
public struct Fused<Block: FusibleBlock>: ResidualBlock {
  public typealias Scalar = Block.Scalar
  public typealias Parameters = Block.Parameters

  /// What backward needs.
  public enum Cache: Sendable {
    /// The block's own caches.
    case layered(Block.Cache)
    /// The input, each convolution's output with its statistics, and the block's output.
    case fused(FusedChain<Scalar>.Cache, shortcut: Shortcut<Scalar>.Cache?)
  }

  public static var fuses: Bool { true }
  /// The block, layer by layer.
  public var block: Block

  public init(
    inputChannels: Int, stage: Architecture.Stage, stride: Int, options: Architecture.Options,
    using generator: inout RandomGenerator
  ) {
    block = Block(
      inputChannels: inputChannels, stage: stage, stride: stride, options: options, using: &generator)
  }

  /// The fused form of a block.
  public init(_ block: Block) { self.block = block }

  public var parameters: Parameters {
    get { block.parameters }
    set { block.parameters = newValue }
  }

  public func forward(
    _ input: Tensor<Scalar>, observe: Observer<Scalar>?
  ) -> (output: Tensor<Scalar>, cache: Cache) {
    let chain = FusedChain(units: block.units)
    guard observe == nil && chain.applies(to: input) else {
      let (output, cache) = block.forward(input, observe: observe)
      return (output, .layered(cache))
    }
    let bypass = block.bypass?.forward(input)
    let (output, cache) = chain.forward(input, bypass: bypass?.output)
    return (output, .fused(cache, shortcut: bypass?.cache))
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let chain = FusedChain(units: block.units)
    return chain.applies(to: input) ? chain(input, bypass: block.bypass.map { $0(input) }) : block(input)
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    switch cache {
    case .layered(let cache): return block.backward(outputGradient, cache)
    case .fused(let cache, let shortcutCache):
      var shortcutGradients: Shortcut<Scalar>.Parameters?
      let (inputGradient, units) = FusedChain(units: block.units).backward(outputGradient, cache) { sumGradient in
        guard let shortcut = block.bypass, let shortcutCache else { return nil }
        let (bypassGradient, gradients) = shortcut.backward(sumGradient, shortcutCache)
        shortcutGradients = gradients
        return bypassGradient
      }
      return (inputGradient!, Block.parameters(units, shortcutGradients))
    }
  }

  public mutating func track(_ cache: Cache, rate: Scalar) {
    switch cache {
    case .layered(let cache): block.track(cache, rate: rate)
    case .fused(let cache, let shortcut): block.track(cache.units, shortcut, rate: rate)
    }
  }

  public mutating func visitStatistics(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
    block.visitStatistics(path, body)
  }
}

/// A convolution and its normalization.
public struct ConvolutionUnit<Scalar: Element>: Sendable {
  let conv: Conv2D<Scalar>
  let bn: BatchNorm2D<Scalar>

  /// Their parameters, or the gradients of them.
  public typealias Parameters = (conv: Conv2D<Scalar>.Parameters, bn: BatchNorm2D<Scalar>.Parameters)
}

/// A block that is a chain of convolutions, each normalized and, but for the last, rectified; with or without a shortcut
/// around it; and a ReLU at the end.
public protocol FusibleBlock<Scalar>: ResidualBlock {
  /// The chain.
  var units: [ConvolutionUnit<Scalar>] { get }
  /// The shortcut.
  var bypass: Shortcut<Scalar>? { get }
  /// The block's parameters (or gradients) from those of the chain and the shortcut.
  static func parameters(
    _ units: [ConvolutionUnit<Scalar>.Parameters], _ shortcut: Shortcut<Scalar>.Parameters?
  ) -> Parameters
  /// Moves the running statistics.
  mutating func track(_ units: [BatchNorm2D<Scalar>.Cache], _ shortcut: Shortcut<Scalar>.Cache?, rate: Scalar)
}

/// Convolutions in a row, computed with the fused kernels.
///
///     z₁ = W₁ ∗ x,   zᵢ = Wᵢ ∗ σ(BNᵢ₋₁(zᵢ₋₁)),   y = σ(BNₖ(zₖ) + bypass)
///
/// Only x, the zᵢ and y are kept: one tensor for each convolution, where the layers keep two.
public struct FusedChain<Scalar: Element>: Sendable {
  /// What backward needs.
  public struct Cache: Sendable {
    /// x.
    let input: Tensor<Scalar>
    /// The zᵢ with their statistics.
    let units: [BatchNorm2D<Scalar>.Cache]
    /// y.
    let output: Tensor<Scalar>
  }

  let units: [ConvolutionUnit<Scalar>]

  /// Whether the kernels compute it: all channels but the input's fill whole vectors.
  func applies(to input: Tensor<Scalar>, needsInputGradient: Bool = true) -> Bool {
    Kernels.implementation == .fast
      && (!needsInputGradient || input.imageSizes.channels.isMultiple(of: Scalar.Vector.scalarCount))
      && units.allSatisfy {
        $0.bn.channels.isMultiple(of: Scalar.Vector.scalarCount) && $0.conv.parameters.bias == nil
      }
  }

  func forward(_ input: Tensor<Scalar>, bypass: Tensor<Scalar>?) -> (output: Tensor<Scalar>, cache: Cache) {
    var caches: [BatchNorm2D<Scalar>.Cache] = []
    var x = FusedInput(input.storage)
    var shape = input.shape
    for unit in units {
      let sizes = unit.conv.sizes(ofShape: shape)
      let z = Tensor<Scalar>(uninitialized: unit.conv.outputShape(sizes))
      let batch = BatchNorm2D<Scalar>.Statistics(
        mean: Tensor(uninitialized: [unit.bn.channels]), variance: Tensor(uninitialized: [unit.bn.channels]))
      Kernels.fusedConvolution(
        sizes, input: x, weight: unit.conv.parameters.weight.storage, output: z.storage, mean: batch.mean.storage,
        variance: batch.variance.storage)
      let inverseDeviation = unit.bn.inverseDeviation(of: batch)
      caches.append(BatchNorm2D.Cache(input: z, batch: batch, inverseDeviation: inverseDeviation))
      x = FusedInput(z.storage, rectifying: unit.bn.affine(batch, inverseDeviation: inverseDeviation))
      shape = z.shape
    }
    let output = Tensor<Scalar>(uninitialized: shape)
    precondition(bypass.map { $0.shape == shape } ?? true, "a shortcut of \(bypass!.shape) around \(shape)")
    Kernels.fusedSum(
      caches.last!.input.storage, affine: affine(units.count - 1, caches), bypass: bypass?.storage,
      output: output.storage)
    return (output, Cache(input: input, units: caches, output: output))
  }

  func callAsFunction(_ input: Tensor<Scalar>, bypass: Tensor<Scalar>?) -> Tensor<Scalar> {
    var x = input
    for (i, unit) in units.enumerated() {
      let sizes = unit.conv.sizes(of: x)
      let output = Tensor<Scalar>(uninitialized: unit.conv.outputShape(sizes))
      let affine = unit.bn.affine(unit.bn.running, inverseDeviation: unit.bn.inverseDeviation(of: unit.bn.running))
      let weight = unit.conv.parameters.weight.storage
      let bypass = i == units.count - 1 ? bypass?.storage : nil
      if sizes.batch >= 16 {
        Kernels.fusedInference(
          sizes, input: x.storage, weight: weight, affine: affine, bypass: bypass, output: output.storage)
      } else {
        // Few images are shared out among the threads in parts, which only the convolution alone does.
        Kernels.convolution(sizes, input: x.storage, weight: weight, output: output.storage)
        Kernels.fusedSum(output.storage, affine: affine, bypass: bypass, output: output.storage)
      }
      x = output
    }
    return x
  }

  /// - Parameter bypass: takes the gradient of the sum back through the shortcut, to the gradient of the chain's input.
  func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache, needsInputGradient: Bool = true,
    bypass: (Tensor<Scalar>) -> Tensor<Scalar>?
  ) -> (inputGradient: Tensor<Scalar>?, units: [ConvolutionUnit<Scalar>.Parameters]) {
    precondition(
      outputGradient.shape == cache.output.shape,
      "outputGradient is \(outputGradient.shape), the output was \(cache.output.shape)")
    let last = cache.units.last!
    let sumGradient = Tensor<Scalar>(uninitialized: outputGradient.shape)
    var sums = newSums(units.count - 1)
    Kernels.fusedSumGradient(
      outputGradient.storage, output: cache.output.storage, input: last.input.storage, mean: last.batch.mean.storage,
      into: sumGradient.storage, sum: sums.sum.storage, product: sums.product.storage)
    let bypassGradient = bypass(sumGradient)

    var gradients: [ConvolutionUnit<Scalar>.Parameters] = []
    var normalizedGradient = sumGradient
    for (i, unit) in units.enumerated().reversed() {
      let bnCache = cache.units[i]
      let (scaleGradient, shiftGradient) = (sums.product * bnCache.inverseDeviation, sums.sum)
      let (a, b, d) = unit.bn.inputGradientFactors(
        scaleGradient: scaleGradient, shiftGradient: shiftGradient, bnCache)
      let weightGradient = Tensor<Scalar>(uninitialized: unit.conv.parameters.weight.shape)
      let inputShape = i == 0 ? cache.input.shape : cache.units[i - 1].input.shape
      let inputGradient = i == 0 && !needsInputGradient ? nil : Tensor<Scalar>(uninitialized: inputShape)
      let nextSums = i == 0 ? nil : newSums(i - 1)
      Kernels.fusedConvolutionGradients(
        unit.conv.sizes(ofShape: inputShape),
        gradient: FusedGradient(
          gradient: normalizedGradient.storage, input: bnCache.input.storage, a: a.storage, b: b.storage,
          d: d.storage, mean: bnCache.batch.mean.storage),
        input: i == 0
          ? FusedInput(cache.input.storage)
          : FusedInput(cache.units[i - 1].input.storage, rectifying: affine(i - 1, cache.units)),
        weight: unit.conv.parameters.weight.storage, weightGradient: weightGradient.storage,
        inputGradient: inputGradient?.storage, adding: i == 0 ? bypassGradient?.storage : nil,
        sums: nextSums.map { ($0.sum.storage, $0.product.storage) })
      gradients.append(
        (
          Conv2D<Scalar>.Parameters(weight: weightGradient, bias: nil),
          BatchNorm2D<Scalar>.Parameters(scale: scaleGradient, shift: shiftGradient)
        ))
      if let inputGradient { normalizedGradient = inputGradient }
      if let nextSums { sums = nextSums }
    }
    return (needsInputGradient ? normalizedGradient : nil, gradients.reversed())
  }

  private func affine(_ i: Int, _ caches: [BatchNorm2D<Scalar>.Cache]) -> ChannelAffine<Scalar> {
    units[i].bn.affine(caches[i].batch, inverseDeviation: caches[i].inverseDeviation)
  }

  private func newSums(_ i: Int) -> (sum: Tensor<Scalar>, product: Tensor<Scalar>) {
    (Tensor(uninitialized: [units[i].bn.channels]), Tensor(uninitialized: [units[i].bn.channels]))
  }
}
