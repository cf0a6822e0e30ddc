// Block+Fused.swift: the block in fewer passes over memory. Training runs this.
//
// Equations   (1) to (6) are those of Block.swift; BN (1) to BN (8) those of Layers/BatchNorm2D.swift
// Kernels     Sources/ResidualKernels/Fused
// Docs        docs/performance.md
// Tests       Tests/ResidualLearningTests/Blocks/FusedTests.swift: the same results as layer by layer

import ResidualKernels

/// Layer by layer, every normalization and every ReLU reads a tensor from memory and writes another. In training they
/// happen here inside the convolutions, image by image, while the image is in the cache: a convolution normalizes and
/// rectifies what it reads, and takes the statistics of what it writes. The aᵢ of (1) are never stored.
extension Block {
  /// Whether the kernels apply: the channels of all outputs fill whole vectors, and no convolution has a bias.
  private var fuses: Bool {
    isFused && Kernels.implementation == .fast
      && units.allSatisfy {
        $0.bn.channels.isMultiple(of: Scalar.Vector.scalarCount) && $0.conv.parameters.bias == nil
      }
  }

  /// The training pass; nil where the kernels do not apply.
  func fusedForward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache)? {
    guard fuses else { return nil }
    var unitCaches: [BatchNorm2D<Scalar>.Cache] = []
    for (i, unit) in units.enumerated() {
      let (source, shape) = activated(i, input, unitCaches)
      let sizes = unit.conv.sizes(ofShape: shape)
      let convolved = Tensor<Scalar>(uninitialized: unit.conv.outputShape(sizes))
      let batch = BatchNorm2D<Scalar>.Statistics(
        mean: Tensor(uninitialized: [unit.bn.channels]), variance: Tensor(uninitialized: [unit.bn.channels]))
      Kernels.fusedConvolution(
        sizes, input: source, weight: unit.conv.parameters.weight.storage, output: convolved.storage,
        mean: batch.mean.storage, variance: batch.variance.storage)  // Wᵢ ∗ aᵢ₋₁ of (1), with BN (1), (2)
      let inverseDeviation = unit.bn.inverseDeviation(of: batch)  // BN (3)
      unitCaches.append(BatchNorm2D.Cache(input: convolved, batch: batch, inverseDeviation: inverseDeviation))
    }
    let (last, shortcutPass) = (unitCaches[units.count - 1], shortcut?.forward(input))
    let output = Tensor<Scalar>(uninitialized: last.input.shape)
    if let h = shortcutPass?.output { precondition(h.shape == output.shape, "h is \(h.shape), F \(output.shape)") }
    Kernels.normalizeAddRectify(
      last.input.storage, affine: affine(units.count - 1, last), adding: shortcutPass?.output.storage,
      output: output.storage)  // BN (4), (5), which ends (1); (2); (3)
    return (output, Cache(input: input, units: unitCaches, output: output, shortcut: shortcutPass?.cache))
  }

  /// Inference; nil where the kernels do not apply.
  func fusedInference(_ input: Tensor<Scalar>) -> Tensor<Scalar>? {
    guard fuses else { return nil }
    let shortcutOutput = shortcut?(input)
    return units.enumerated().reduce(input) { x, next in
      let (i, unit) = next
      let sizes = unit.conv.sizes(of: x)
      let output = Tensor<Scalar>(uninitialized: unit.conv.outputShape(sizes))
      let affine = unit.bn.affine(unit.bn.running, inverseDeviation: unit.bn.inverseDeviation(of: unit.bn.running))
      Kernels.convolution(
        sizes, input: x.storage, weight: unit.conv.parameters.weight.storage, output: output.storage)
      Kernels.normalizeAddRectify(
        output.storage, affine: affine, adding: i == units.count - 1 ? shortcutOutput?.storage : nil,
        output: output.storage)  // (1) to (3)
      return output
    }
  }

  /// The gradients; nil where the kernels do not apply. They compute a gradient with respect to the input only if its
  /// channels fill whole vectors, too.
  func fusedBackward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache, needsInputGradient: Bool = true
  ) -> (inputGradient: Tensor<Scalar>?, gradients: Parameters)? {
    let inputFits = cache.input.imageSizes.channels.isMultiple(of: Scalar.Vector.scalarCount)
    guard fuses && (inputFits || !needsInputGradient) else { return nil }
    precondition(outputGradient.shape == cache.output.shape, "dy is \(outputGradient.shape), y \(cache.output.shape)")
    var unitGradients: [ConvBN<Scalar>.Parameters] = []
    let last = cache.units[units.count - 1]
    let sumGradient = Tensor<Scalar>(uninitialized: outputGradient.shape)
    // For the normalization whose output's gradient is g: Σ g, and Σ g (x − μ).
    var sums = Sums(units[units.count - 1])
    Kernels.normalizeAddRectifyGradient(
      outputGradient.storage, output: cache.output.storage, input: last.input.storage, mean: last.batch.mean.storage,
      into: sumGradient.storage, sum: sums.gradient.storage, product: sums.product.storage)  // (4), with the sums of dF
    let zeros: ZeroPadding? = if case .zeroPadded(let zeros) = shortcut { zeros } else { nil }
    let shortcutPass = zeros == nil ? shortcut?.backward(sumGradient, cache.shortcut!) : nil  // (5): dh = dsum

    var gradient: Tensor<Scalar>? = sumGradient  // (5): dF = dsum; then the residual branch, last layer first
    for (i, unit) in units.enumerated().reversed() {
      let unitCache = cache.units[i]
      let shiftGradient = sums.gradient  // BN (6)
      let scaleGradient = sums.product * unitCache.inverseDeviation  // BN (7)
      let (a, b, d) = unit.bn.inputGradientFactors(
        scaleGradient: scaleGradient, shiftGradient: shiftGradient, unitCache)
      let convolvedGradient = FusedGradient(
        gradient: gradient!.storage, input: unitCache.input.storage, a: a.storage, b: b.storage,
        d: d.storage, mean: unitCache.batch.mean.storage)  // BN (8), made as the convolution's backward reads it
      let (source, shape) = activated(i, cache.input, cache.units)
      let weightGradient = Tensor<Scalar>(uninitialized: unit.conv.parameters.weight.shape)
      gradient = i == 0 && !needsInputGradient ? nil : Tensor(uninitialized: shape)
      let nextSums = i == 0 ? nil : Sums(units[i - 1])
      // The gradient with respect to aᵢ₋₁ is masked and summed for the normalization before it; that of x is (6).
      Kernels.fusedConvolutionGradients(
        unit.conv.sizes(ofShape: shape), gradient: convolvedGradient, input: source,
        weight: unit.conv.parameters.weight.storage, weightGradient: weightGradient.storage,
        inputGradient: gradient?.storage, adding: i == 0 ? shortcutPass?.inputGradient.storage : nil,
        sums: nextSums.map { ($0.gradient.storage, $0.product.storage) })
      unitGradients.insert(
        ConvBN.Parameters(
          conv: .init(weight: weightGradient, bias: nil), bn: .init(scale: scaleGradient, shift: shiftGradient)), at: 0)
      sums = nextSums ?? sums
    }
    if let zeros, let gradient { zeros.addBackward(sumGradient, to: gradient) }  // option A's part of (6), in place
    return (gradient, Parameters(units: unitGradients, shortcut: shortcutPass?.gradients))
  }

  /// What unit i reads, and its shape: x, or aᵢ₋₁ made by BN (4), (5) and σ as it is read.
  private func activated(
    _ i: Int, _ input: Tensor<Scalar>, _ unitCaches: [BatchNorm2D<Scalar>.Cache]
  ) -> (FusedInput<Scalar>, Shape) {
    guard i > 0 else { return (FusedInput(input.storage), input.shape) }
    let convolved = unitCaches[i - 1].input
    return (FusedInput(convolved.storage, rectifying: affine(i - 1, unitCaches[i - 1])), convolved.shape)
  }

  private func affine(_ i: Int, _ cache: BatchNorm2D<Scalar>.Cache) -> ChannelAffine<Scalar> {
    units[i].bn.affine(cache.batch, inverseDeviation: cache.inverseDeviation)
  }

  private struct Sums {
    let gradient, product: Tensor<Scalar>

    init(_ unit: ConvBN<Scalar>) {
      (gradient, product) = (Tensor(uninitialized: [unit.bn.channels]), Tensor(uninitialized: [unit.bn.channels]))
    }
  }
}
