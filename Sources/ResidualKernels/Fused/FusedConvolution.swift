// FusedConvolution.swift: convolutions that also do the passes before and after them, while the image is in the cache.
//
// Layer by layer, batch normalization and ReLU each read a tensor from memory and write one. Here an image is
// normalized and rectified while it is copied into its padded scratch memory, which the convolution needs anyway, and
// the sums that the next normalization needs are computed from the output before it leaves the cache. The results are
// the same up to rounding; FusedReference.swift has the passes one by one.

extension Kernels {
  /// `output = input ∗ weight`, and the mean and biased variance of each channel of the output.
  ///
  /// The number of output channels is a multiple of the vector's lanes, and so is that of the input channels where the
  /// input is normalized and rectified.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func fusedConvolution<Scalar: Element>(
    _ shape: ConvolutionShape, input: FusedInput<Scalar>, weight: Storage<Scalar>, output: Storage<Scalar>,
    mean: Storage<Scalar>, variance: Storage<Scalar>
  ) {
    shape.check(input: input.storage, weight: weight, output: output)
    if implementation == .reference {
      return referenceFusedConvolution(
        shape, input: input, weight: weight, output: output, mean: mean, variance: variance)
    }
    let convolution = PreparedConvolution(shape, weight: weight)
    let groups = ImageGroups(shape, Scalar.self)
    let partial = PartialStatistics<Scalar>(groups: groups.count, channels: shape.outputChannels)
    let layout = convolution.layout
    Parallel.forEachChunk(groups.chunks) { chunk in
      let padded = layout.scratch(groups.images, Scalar.self)
      let scratch = convolution.scratch(images: groups.images)
      for group in groups.range(ofChunk: chunk) {
        let images = groups.range(ofGroup: group)
        let target = output.base + images.lowerBound * shape.outputImageCount
        convolution.run(
          images: images.count, padded: input.images(images, layout: layout, scratch: padded), into: target, scratch)
        partial.storeStatistics(
          of: target, pixels: images.count * shape.outputHeight * shape.outputWidth, group: group)
      }
    }
    partial.merge(mean: mean, variance: variance)
  }

  /// The gradients of the loss with respect to the weight and the input of a convolution that a normalization follows.
  ///
  /// What follows the gradient with respect to the input is done on the way. Where `input` is the ReLU of a
  /// normalization, the gradient goes back through the ReLU, and the sums that the normalization's backward pass needs
  /// are taken; where `input` is a tensor, `other` is added.
  ///
  /// - Parameters:
  ///   - shape: The sizes of the convolution.
  ///   - gradient: The gradient with respect to the convolution's output, made from that of the normalization behind
  ///     it.
  ///   - input: What the forward convolution read.
  ///   - weight: The weights of the convolution.
  ///   - weightGradient: The gradient with respect to them.
  ///   - inputGradient: The gradient with respect to the normalization's output, or with respect to the tensor; nil
  ///     where nobody needs it. The number of its channels is a multiple of the vector's lanes.
  ///   - other: Another gradient with respect to the input, which is added; only without a ReLU.
  ///   - sums: `Σ g` and `Σ g · (x − mean)` for each channel, g being the resulting `inputGradient` and x the input of
  ///     the normalization; only with a ReLU.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func fusedConvolutionGradients<Scalar: Element>(
    _ shape: ConvolutionShape, gradient: FusedGradient<Scalar>, input: FusedInput<Scalar>, weight: Storage<Scalar>,
    weightGradient: Storage<Scalar>, inputGradient: Storage<Scalar>?, adding other: Storage<Scalar>? = nil,
    sums: (sum: Storage<Scalar>, product: Storage<Scalar>)? = nil
  ) {
    shape.check(input: inputGradient ?? input.storage, weight: weightGradient, output: gradient.input)
    if implementation == .reference {
      return referenceFusedConvolutionGradients(
        shape, gradient: gradient, input: input, weight: weight, weightGradient: weightGradient,
        inputGradient: inputGradient, adding: other, sums: sums)
    }
    let backward = PreparedConvolution(inputGradientOf: shape, weight: weight)
    let inputLayout = PaddedLayout(inputOf: shape, Scalar.self)
    let gradientLayout = backward.layout
    let groups = ImageGroups(shape, Scalar.self)
    let partial = PartialStatistics<Scalar>(groups: groups.count, channels: shape.inputChannels)
    let weights = PreparedWeightGradient<Scalar>(
      shape, groups: groups.count, input: inputLayout, gradient: gradientLayout)
    weights.partial.forEachItem {
      (
        inputLayout.scratch(groups.images, Scalar.self), gradientLayout.scratch(groups.images, Scalar.self),
        backward.scratch(images: groups.images), weights.scratch(images: groups.images)
      )
    } _: { group, weightSums, accumulating, state in
      let (paddedInput, paddedGradient, backwardScratch, weightScratch) = state
      let images = groups.range(ofGroup: group)
      for (j, n) in images.enumerated() {
        gradient.fill(n, layout: gradientLayout, into: paddedGradient.base, image: j)
      }
      let inputs = input.images(images, layout: inputLayout, scratch: paddedInput)
      weights.run(
        images: images.count, padded: inputs, gradient: paddedGradient.base, into: weightSums,
        accumulating: accumulating, weightScratch)
      guard let inputGradient else { return }
      let start = images.lowerBound * shape.imageCount
      backward.run(
        images: images.count, padded: paddedGradient.base, into: inputGradient.base + start, backwardScratch)
      if let affine = input.affine {
        partial.clear(group: group)
        for (j, n) in images.enumerated() {
          partial.maskAndSum(
            inputGradient.base + n * shape.imageCount, where: inputs, inputLayout, image: j,
            input: input.storage.base + n * shape.imageCount, mean: affine.mean.base, group: group)
        }
      } else if let other {
        let (target, added) = ((inputGradient.base + start).vectors, (other.base + start).vectors)
        for i in 0..<images.count * shape.imageCount / Scalar.lanes { target[i] += added[i] }
      }
    }
    weights.finish(into: weightGradient)
    if let sums { partial.sum(sums.sum, sums.product) }
  }

  /// `output = max(affine(input) + other, 0)`: normalization, addition and ReLU, the end of a residual block; without
  /// `other`, normalization and ReLU.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func normalizeAddRectify<Scalar: Element>(
    _ input: Storage<Scalar>, affine: ChannelAffine<Scalar>, adding other: Storage<Scalar>?, output: Storage<Scalar>
  ) {
    let vectors = affine.mean.count / Scalar.lanes
    precondition(input.count == output.count && other?.count ?? input.count == input.count, "sizes that differ")
    if implementation == .reference {
      return referenceNormalizeAddRectify(input, affine: affine, adding: other, output: output)
    }
    let pixels = input.count / affine.mean.count
    let chunks = max(1, input.count / 16384)
    let (x, y) = (input.vectors, output.vectors)
    Parallel.forEachChunk(chunks) { chunk in
      let range = Parallel.range(ofChunk: chunk, of: chunks, count: pixels)
      for q in 0..<vectors {
        let constants = affine.constants(q)
        if let other = other?.vectors {
          for i in stride(from: range.lowerBound * vectors + q, to: range.upperBound * vectors, by: vectors) {
            y[i] = Scalar.rectified(ChannelAffine<Scalar>.apply(constants, x[i]) + other[i])
          }
        } else {
          for i in stride(from: range.lowerBound * vectors + q, to: range.upperBound * vectors, by: vectors) {
            y[i] = Scalar.rectified(ChannelAffine<Scalar>.apply(constants, x[i]))
          }
        }
      }
    }
  }

  /// The gradient g of the loss with respect to either term of the sum in
  /// ``normalizeAddRectify(_:affine:adding:output:)``: `g = gradient` where `output > 0`, else 0; and for each channel
  /// `Σ g` and `Σ g · (input − mean)`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func normalizeAddRectifyGradient<Scalar: Element>(
    _ gradient: Storage<Scalar>, output: Storage<Scalar>, input: Storage<Scalar>, mean: Storage<Scalar>,
    into result: Storage<Scalar>, sum: Storage<Scalar>, product: Storage<Scalar>
  ) {
    precondition(gradient.count == output.count && output.count == input.count, "sizes that differ")
    precondition(result.count == gradient.count, "\(result.count) elements for a gradient of \(gradient.count)")
    if implementation == .reference {
      return referenceNormalizeAddRectifyGradient(
        gradient, output: output, input: input, mean: mean, into: result, sum: sum, product: product)
    }
    let vectors = mean.count / Scalar.lanes
    let pixels = input.count / mean.count
    let chunks = max(1, input.count / 16384)
    let partial = PartialStatistics<Scalar>(groups: chunks, channels: mean.count)
    let (dy, y, x, g) = (gradient.vectors, output.vectors, input.vectors, result.vectors)
    Parallel.forEachChunk(chunks) { chunk in
      let range = Parallel.range(ofChunk: chunk, of: chunks, count: pixels)
      let (sums, products) = partial.places(ofGroup: chunk)
      for q in 0..<vectors {
        let mean = mean.vectors[q]
        var sum = CompensatedSum<Scalar>()
        var product = CompensatedSum<Scalar>()
        for run in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
          var sumOfRun = Scalar.Vector.zero
          var productOfRun = Scalar.Vector.zero
          for pixel in run..<min(run + 8, range.upperBound) {
            let i = pixel * vectors + q
            let value = Scalar.masked(dy[i], wherePositive: y[i])
            g[i] = value
            sumOfRun += value
            productOfRun.multiplyAdd(value, x[i] - mean)
          }
          sum.add(sumOfRun)
          product.add(productOfRun)
        }
        sums.vectors[q] = sum.value
        products.vectors[q] = product.value
      }
    }
    partial.sum(sum, product)
  }
}

/// A batch cut into groups of images that a thread works on at once, and the groups cut into chunks.
struct ImageGroups {
  /// The number of images in a group; the last group may have fewer.
  let images: Int
  private let batch: Int

  /// Only Winograd's convolution takes more than one image at a time.
  init<Scalar: Element>(_ shape: ConvolutionShape, _: Scalar.Type) {
    batch = shape.batch
    images = Kernels.usesWinograd(shape, Scalar.self) ? shape.imagesAtOnce : 1
  }

  var count: Int { (batch + images - 1) / images }
  var chunks: Int { min(count, 32) }

  func range(ofChunk chunk: Int) -> Range<Int> { Parallel.range(ofChunk: chunk, of: chunks, count: count) }
  func range(ofGroup group: Int) -> Range<Int> { group * images..<min((group + 1) * images, batch) }
}

/// Two sums for each group of images and each channel, and the sums of these over the groups.
struct PartialStatistics<Scalar: Element> {
  private let groups, channels: Int
  private let values: Storage<Scalar>
  /// The number of pixels of each group, where the two sums are a mean and squared distances from it.
  let counts: Storage<Scalar>

  init(groups: Int, channels: Int) {
    self.groups = groups
    self.channels = roundUp(channels, to: Scalar.lanes)
    values = Storage(uninitialized: groups * 2 * self.channels)
    counts = Storage(repeating: 0, count: groups)
  }

  /// The addresses of the two sums of a group.
  @inline(__always)
  func places(ofGroup group: Int) -> (UnsafeMutablePointer<Scalar>, UnsafeMutablePointer<Scalar>) {
    let first = values.base + 2 * group * channels
    return (first, first + channels)
  }

  func clear(group: Int) { places(ofGroup: group).0.update(repeating: 0, count: 2 * channels) }

  /// Stores the mean of some pixels and the sum of their squared distances from it, computed in one pass.
  ///
  /// Both are computed about the first pixel k: the differences are no larger than the values spread, so
  /// `Σ (x − k)² − (Σ (x − k))² / n` does not cancel as `Σ x² − (Σ x)² / n` would.
  @inline(__always)
  func storeStatistics(of values: UnsafePointer<Scalar>, pixels: Int, group: Int) {
    let (means, squares) = places(ofGroup: group)
    let width = channels / Scalar.lanes
    let share = 1 / Scalar(pixels)
    for q in 0..<width {
      let x = values.vectors + q
      let origin = x[0]
      var sums = CompensatedSum<Scalar>()
      var distances = CompensatedSum<Scalar>()
      for run in stride(from: 0, to: pixels, by: 8) {
        var sumOfRun = Scalar.Vector.zero
        var distancesOfRun = Scalar.Vector.zero
        for i in run..<min(run + 8, pixels) {
          let d = x[i * width] - origin
          sumOfRun += d
          distancesOfRun.multiplyAdd(d, d)
        }
        sums.add(sumOfRun)
        distances.add(distancesOfRun)
      }
      let sum = sums.value
      means.vectors[q] = origin + sum * share
      squares.vectors[q] = distances.value - sum * sum * share
    }
    counts.base[group] = Scalar(pixels)
  }

  /// Takes the gradient of one dense image back through a ReLU, whose output is the padded image: sets it to zero where
  /// that is not positive. Adds `Σ g` and `Σ g · (input − mean)` to the group's sums.
  @inline(__always)
  func maskAndSum(
    _ gradient: UnsafeMutablePointer<Scalar>, where padded: UnsafePointer<Scalar>, _ layout: PaddedLayout,
    image index: Int, input: UnsafePointer<Scalar>, mean: UnsafePointer<Scalar>, group: Int
  ) {
    let (sums, products) = places(ofGroup: group)
    let (g, positive, x) = (gradient.vectors, padded.vectors, input.vectors)
    let vectors = layout.channels / Scalar.lanes
    let start = (index * layout.image + layout.interior) / Scalar.lanes
    for q in 0..<vectors {
      let mean = mean.vectors[q]
      var sum = CompensatedSum<Scalar>(sums.vectors[q])
      var product = CompensatedSum<Scalar>(products.vectors[q])
      for y in 0..<layout.height {
        var sumOfRow = Scalar.Vector.zero
        var productOfRow = Scalar.Vector.zero
        var i = y * layout.width * vectors + q
        var j = start + y * layout.columns * vectors + q
        for _ in 0..<layout.width {
          let value = Scalar.masked(g[i], wherePositive: positive[j])
          g[i] = value
          sumOfRow += value
          productOfRow.multiplyAdd(value, x[i] - mean)
          i += vectors
          j += vectors
        }
        sum.add(sumOfRow)
        product.add(productOfRow)
      }
      sums.vectors[q] = sum.value
      products.vectors[q] = product.value
    }
  }

  /// The mean and the biased variance of all groups together, merged in `Double` (Chan, Golub & LeVeque 1979).
  func merge(mean: Storage<Scalar>, variance: Storage<Scalar>) {
    for c in 0..<mean.count {
      var count = 0.0
      var merged = 0.0
      var squares = 0.0
      for group in 0..<groups {
        let (means, distances) = places(ofGroup: group)
        let n = Double(counts.base[group])
        let delta = Double(means[c]) - merged
        squares += Double(distances[c]) + delta * delta * count * n / (count + n)
        merged += delta * n / (count + n)
        count += n
      }
      mean.base[c] = Scalar(merged)
      variance.base[c] = Scalar(max(squares, 0) / count)
    }
  }

  /// Both sums over all groups, in `Double`; the second times the channel's `factor`.
  func sum(_ first: Storage<Scalar>, _ second: Storage<Scalar>, times factor: Storage<Scalar>? = nil) {
    for c in 0..<first.count {
      var totals = (0.0, 0.0)
      for group in 0..<groups {
        let (a, b) = places(ofGroup: group)
        totals.0 += Double(a[c])
        totals.1 += Double(b[c])
      }
      first.base[c] = Scalar(totals.0)
      second.base[c] = Scalar(totals.1 * Double(factor?.base[c] ?? 1))
    }
  }
}
