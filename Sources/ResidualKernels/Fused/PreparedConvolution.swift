// PreparedConvolution.swift: a convolution that is ready to run image by image, inside a larger loop.

/// A convolution, or its gradient with respect to the input, of images in a ``PaddedLayout``. The weights are packed or
/// transformed, and the algorithm is chosen: direct, or Winograd's, whose images have no border.
struct PreparedConvolution<Scalar: Element> {
  private enum Method {
    case winograd(WinogradSizes<Scalar>, weights: Storage<Scalar>)
    case direct([Pass])
  }

  /// One sum over the register tiles. A forward convolution is one pass; the gradient with respect to the input is one
  /// for each remainder of the stride.
  private struct Pass {
    var grid: TapGrid
    /// The offset of the first input in the padded image, in scalars, and of the first output in the result, in
    /// vectors.
    var input, output: Int
    var weights: PackedWeights<Scalar>
  }

  /// The layout that the images it reads must have.
  let layout: PaddedLayout
  private let method: Method

  /// The forward convolution.
  init(_ shape: ConvolutionShape, weight: Storage<Scalar>) {
    layout = PaddedLayout(inputOf: shape, Scalar.self)
    if Kernels.usesWinograd(shape, Scalar.self) {
      let sizes = WinogradSizes<Scalar>(shape)
      method = .winograd(sizes, weights: winogradWeights(Winograd4.self, sizes, weight: weight, isTurned: false))
      return
    }
    let weights = PackedWeights(shape, weight)
    let grid = TapGrid(shape, rows: shape.outputHeight, row: layout.row, vectors: weights.panels.vectors)
    method = .direct([Pass(grid: grid.flattened(), input: 0, output: 0, weights: weights)])
  }

  /// The gradient with respect to the input.
  init(inputGradientOf shape: ConvolutionShape, weight: Storage<Scalar>) {
    if Kernels.usesWinograd(shape, Scalar.self) {
      let sizes = WinogradSizes<Scalar>(shape.turned)
      layout = PaddedLayout(
        height: shape.outputHeight, width: shape.outputWidth, channels: shape.outputChannels)
      method = .winograd(sizes, weights: winogradWeights(Winograd4.self, sizes, weight: weight, isTurned: true))
      return
    }
    let phases = InputGradientPhases(shape, weight)
    layout = PaddedLayout(
      height: shape.outputHeight, width: shape.outputWidth, channels: shape.outputChannels, top: phases.top,
      left: phases.left, rows: phases.gridHeight - 1 + phases.reach,
      columns: phases.left + shape.outputWidth + phases.right)
    let row = layout.row
    method = .direct(
      phases.all.map { phase in
        Pass(
          grid: phase.grid(rows: 0..<phases.gridHeight, shape, row: row), input: phase.inputOffset(row: row, shape),
          output: phase.outputOffset(shape), weights: phase.weights)
      })
  }

  /// The scratch memory that a thread needs for `images` images at a time.
  func scratch(images: Int) -> WinogradScratch<Scalar>? {
    guard case .winograd(let sizes, _) = method else { return nil }
    return WinogradScratch(sizes, rows: images * sizes.tileRows)
  }

  /// Reads `images` images in `layout` and writes as many dense ones, whose channels fill whole vectors. Only Winograd's
  /// convolution takes more than one; see ``ImageGroups``.
  func run(
    images: Int, padded: UnsafePointer<Scalar>, into result: UnsafeMutablePointer<Scalar>,
    _ scratch: WinogradScratch<Scalar>?
  ) {
    switch method {
    case .winograd(let sizes, let weights):
      winogradImages(
        Winograd4.self, sizes, rows: 0..<images * sizes.tileRows, input: padded, weights: weights.base, output: result,
        scratch!, PlainEnd<Scalar>())
    case .direct(let passes):
      precondition(images == 1, "\(images) images at once in a direct convolution")
      for pass in passes {
        sumTaps(pass.grid, input: padded + pass.input, pass.weights, output: result.vectors + pass.output)
      }
    }
  }
}

/// The gradient with respect to a convolution's weight, summed over many padded images and padded gradients.
struct PreparedWeightGradient<Scalar: Element> {
  private let shape: ConvolutionShape
  private let isWinograd: Bool
  private let sizes: WinogradSizes<Scalar>
  /// The sums over groups of images.
  let partial: PartialSums<Scalar>
  private let input, gradient: PaddedLayout
  private let rows: Int

  /// - Parameters:
  ///   - groups: The number of groups of images.
  ///   - input: The layout of the inputs: ``PreparedConvolution/layout`` of the forward convolution.
  ///   - gradient: The layout of the gradients: the same of the gradient with respect to the input.
  init(_ shape: ConvolutionShape, groups: Int, input: PaddedLayout, gradient: PaddedLayout) {
    (self.shape, self.input, self.gradient) = (shape, input, gradient)
    isWinograd = Kernels.usesWinograd(shape, Scalar.self)
    sizes = WinogradSizes(shape)
    rows = shape.kernelHeight * shape.kernelWidth * shape.inputChannels
    let vectors = isWinograd ? sizes.gradient.count : rows * shape.outputChannels / Scalar.lanes
    partial = PartialSums(items: groups, vectors: vectors, chunks: vectors > 1 << 12 ? 8 : 16)
  }

  /// The scratch memory that a thread needs for `images` images at a time.
  func scratch(images: Int) -> WinogradScratch<Scalar>? {
    isWinograd ? WinogradScratch(sizes, rows: images * sizes.tileRows) : nil
  }

  /// Sets `sums` to what `images` images contribute to the gradient, or adds it to them; one image unless the method is
  /// Winograd's.
  func run(
    images: Int, padded: UnsafePointer<Scalar>, gradient paddedGradient: UnsafePointer<Scalar>,
    into sums: UnsafeMutablePointer<Scalar>, accumulating: Bool, _ scratch: WinogradScratch<Scalar>?
  ) {
    if isWinograd {
      return winogradGradientImages(
        sizes, rows: 0..<images * sizes.tileRows, input: padded, gradient: paddedGradient, sums: sums,
        accumulating: accumulating, scratch!)
    }
    precondition(images == 1, "\(images) images at once in a direct convolution")
    let vectors = shape.outputChannels / Scalar.lanes
    var grid = TapGrid(shape, rows: shape.outputHeight, row: input.row, vectors: vectors)
    grid.outputRow = gradient.row / Scalar.lanes
    addOuterProducts(
      grid, input: padded, gradient: (paddedGradient + gradient.interior).vectors, vectors: vectors,
      sums: sums.vectors, accumulating: accumulating)
  }

  /// Adds up the sums of all groups.
  func finish(into weightGradient: Storage<Scalar>) {
    if isWinograd {
      finishWinogradGradient(sizes, sums: partial.sums, into: weightGradient.base)
    } else {
      partial.total(into: weightGradient, rows: rows, channels: shape.outputChannels)
    }
  }
}

extension PaddedLayout {
  /// Images of these sizes with a border of the same width on all sides.
  init(height: Int, width: Int, channels: Int, border: Int = 0) {
    self.init(
      height: height, width: width, channels: channels, top: border, left: border, rows: height + 2 * border,
      columns: width + 2 * border)
  }

  /// The layout of the images that a forward convolution reads. Winograd's needs no border.
  init<Scalar: Element>(inputOf shape: ConvolutionShape, _: Scalar.Type) {
    self.init(
      height: shape.height, width: shape.width, channels: shape.inputChannels,
      border: Kernels.usesWinograd(shape, Scalar.self) ? 0 : shape.padding)
  }
}
