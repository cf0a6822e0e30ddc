// Winograd.swift: convolution with 36 multiplications where the definition has 144.
//
// There are two orders of the work. With many tiles and small weights, the weights are transformed once, and each
// thread takes a few images through all steps (*by images*). With few tiles and large weights, the transformed weights
// would go out to memory and come back, four times the size of the weights; so all tiles are transformed once instead,
// and each thread takes a panel of output channels through all steps (*by channels*).

extension Kernels {
  /// Convolution by Winograd's F(4x4, 3x3), with the contract of ``convolution(_:input:weight:output:)``, for the
  /// shapes that ``ConvolutionShape/admitsWinograd(_:)`` admits.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func winogradConvolution<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, weight: Storage<Scalar>, output: Storage<Scalar>
  ) {
    shape.check(input: input, weight: weight, output: output)
    let convolution = WinogradConvolution<Scalar>(shape)
    convolution.forward(input: input, weight: weight, isTurned: false, output: output)
  }

  /// The gradient with respect to the input by Winograd's F(4x4, 3x3), with the contract of
  /// ``convolutionInputGradient(_:outputGradient:weight:inputGradient:)``.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func winogradConvolutionInputGradient<Scalar: Element>(
    _ shape: ConvolutionShape, outputGradient: Storage<Scalar>, weight: Storage<Scalar>,
    inputGradient: Storage<Scalar>
  ) {
    shape.check(input: inputGradient, weight: weight, output: outputGradient)
    let convolution = WinogradConvolution<Scalar>(shape.turned)
    convolution.forward(input: outputGradient, weight: weight, isTurned: true, output: inputGradient)
  }

  /// The gradient with respect to the weight by Winograd's F(4x4, 3x3), with the contract of
  /// ``convolutionWeightGradient(_:input:outputGradient:weightGradient:)``.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func winogradConvolutionWeightGradient<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, outputGradient: Storage<Scalar>,
    weightGradient: Storage<Scalar>
  ) {
    shape.check(input: input, weight: weightGradient, output: outputGradient)
    let convolution = WinogradConvolution<Scalar>(shape)
    if convolution.goesByChannels {
      convolution.weightGradientByChannels(
        input: input, outputGradient: outputGradient, weightGradient: weightGradient)
    } else {
      convolution.weightGradientByImages(
        input: input, outputGradient: outputGradient, weightGradient: weightGradient)
    }
  }
}

extension ConvolutionShape {
  /// Whether Winograd's kernels compute this convolution: 3x3, stride 1, padding 0 to 2, channels that fill whole
  /// vectors on both sides.
  public func admitsWinograd<Scalar: Element>(_: Scalar.Type) -> Bool {
    kernelHeight == 3 && kernelWidth == 3 && stride == 1 && (0...2).contains(padding)
      && inputChannels.isMultiple(of: Scalar.lanes) && outputChannels.isMultiple(of: Scalar.lanes)
  }

  /// The tiles of 4x4 pixels in an image of the output.
  var tilesOfImage: Int { ((outputHeight + 3) / 4) * ((outputWidth + 3) / 4) }

  /// The images that go through Winograd's steps together. The products are fastest with about 32 tiles, so small images
  /// form groups.
  var imagesAtOnce: Int { max(1, min(32 / tilesOfImage, batch / 4)) }

  /// Whether Winograd's kernels are expected to be faster: few and small images do not repay the transforms.
  ///
  /// The cost is counted in multiply-adds of vectors: for a tile, 36 products and the transforms of its vectors (about
  /// 300 each); for the weights, their transform (about 100 a vector); for the definition, 9 products a pixel. Both
  /// numbers are measured.
  func favorsWinograd<Scalar: Element>(_: Scalar.Type) -> Bool {
    guard admitsWinograd(Scalar.self) else { return false }
    let tiles = batch * tilesOfImage
    let weights = inputChannels * outputChannels / Scalar.lanes
    let transforms = 300 * (inputChannels + outputChannels) / Scalar.lanes
    return tiles * (36 * weights + transforms) + 100 * weights < 9 * batch * outputHeight * outputWidth * weights
  }
}

/// A convolution cut into groups of images, or into bands of an image's rows where the batch is small.
private struct WinogradConvolution<Scalar: Element> {
  let shape: ConvolutionShape
  let sizes: WinogradSizes<Scalar>
  /// The number of images in a group, and of bands in an image; one of them is 1.
  private let images, bands: Int

  init(_ shape: ConvolutionShape) {
    precondition(shape.admitsWinograd(Scalar.self), "Winograd's kernels do not compute \(shape)")
    self.shape = shape
    sizes = WinogradSizes(shape)
    images = shape.imagesAtOnce
    bands = images > 1 ? 1 : max(1, min(sizes.tileRows, 16 / max(1, shape.batch), max(2, shape.tilesOfImage / 24)))
  }

  /// Whether a thread takes a panel of output channels rather than a few images: where there are panels enough, and the
  /// transformed weights are larger than about half the transformed images.
  var goesByChannels: Bool {
    shape.outputChannels >= 128 && tiles > 0 && tiles < 2 * shape.outputChannels
  }

  /// The number of tiles in all images together.
  var tiles: Int { shape.batch * shape.tilesOfImage }

  /// The number of groups of images, or of bands.
  var groups: Int { (shape.batch + images - 1) / images * bands }

  /// The rows of tiles of a group or a band, numbered through all images.
  func rows(ofGroup group: Int) -> Range<Int> {
    let first = group / bands * images * sizes.tileRows
    let rows = Parallel.range(ofChunk: group % bands, of: bands, count: images * sizes.tileRows)
    return first + rows.lowerBound..<min(first + rows.upperBound, shape.batch * sizes.tileRows)
  }

  // MARK: - Forward

  func forward(input: Storage<Scalar>, weight: Storage<Scalar>, isTurned: Bool, output: Storage<Scalar>) {
    if goesByChannels {
      forwardByChannels(input: input, weight: weight, isTurned: isTurned, output: output)
    } else {
      forwardByImages(input: input, weight: weight, isTurned: isTurned, output: output)
    }
  }

  func forwardByImages(input: Storage<Scalar>, weight: Storage<Scalar>, isTurned: Bool, output: Storage<Scalar>) {
    let weights = winogradWeights(Winograd4.self, sizes, weight: weight, isTurned: isTurned)
    Parallel.forEachChunk(groups) { group in
      let rows = rows(ofGroup: group)
      winogradImages(
        Winograd4.self, sizes, rows: rows, input: input.base, weights: weights.base, output: output.base,
        WinogradScratch(sizes, rows: rows.count), PlainEnd<Scalar>())
    }
  }

  func forwardByChannels(input: Storage<Scalar>, weight: Storage<Scalar>, isTurned: Bool, output: Storage<Scalar>) {
    let all = sizes.block(0..<shape.batch * sizes.tileRows)
    let inputs = FrequencyLayout(tiles: all.count, vectors: sizes.input.vectors)
    let spread = spreadInputs(input, inputs)
    Parallel.forEachChunk(sizes.panels.count) { panel in
      let vectors = sizes.panels[panel]
      let products = FrequencyLayout(tiles: all.count, vectors: vectors.count)
      let multiplied = Storage<Scalar>(uninitialized: products.count * Scalar.lanes)
      // The panel's weights a few input channels at a time, which stay in the L2 cache.
      let weights = Storage<Scalar>(
        uninitialized: FrequencyLayout(rows: Self.channelsAtOnce, vectors: vectors.count).count * Scalar.lanes)
      for channels in channelBlocks {
        winogradPanel(
          Winograd4.self, sizes, weight: weight.base, isTurned: isTurned, inputs: channels, outputs: vectors,
          into: weights.base)
        multiplyFrequencies(
          tiles: all.count, spread.base + channels.lowerBound, inputs, depth: channels.count, weights.base,
          FrequencyLayout(rows: channels.count, vectors: vectors.count), into: multiplied.base, products,
          accumulating: channels.lowerBound > 0)
      }
      let halfLayout = sizes.outputHalf(rows: all.rows.count, vectors: vectors.count)
      let half = Storage<Scalar>(uninitialized: halfLayout.count * Scalar.lanes)
      for i in 0..<6 {
        gatherRows(
          OutputGather.self, all, i, multiplied.base + 6 * i * products.step * Scalar.lanes, products, into: half.base,
          halfLayout)
      }
      gatherColumns(
        OutputGather.self, all, half.base, halfLayout, first: vectors.lowerBound, into: output.base, sizes.output,
        PlainEnd<Scalar>())
      withExtendedLifetime((weights, multiplied, half)) {}
    }
  }

  /// The number of input channels that go through the steps together.
  static var channelsAtOnce: Int { 64 }

  var channelBlocks: [Range<Int>] {
    stride(from: 0, to: sizes.inputChannels, by: Self.channelsAtOnce).map {
      $0..<min($0 + Self.channelsAtOnce, sizes.inputChannels)
    }
  }

  /// All inputs or all gradients of outputs, transformed.
  func transformed<Map: AxisMap>(
    _ map: Map.Type, _ tensor: Storage<Scalar>, _ images: ImageLayout, padding: Int, width: Int,
    _ layout: FrequencyLayout
  ) -> Storage<Scalar> where Map.Scalar == Scalar {
    let spread = Storage<Scalar>(uninitialized: layout.count * Scalar.lanes)
    Parallel.forEachChunk(groups) { group in
      let tiles = sizes.block(rows(ofGroup: group))
      let halfLayout = HalfLayout(rows: tiles.rows.count, width: width, vectors: images.vectors)
      let half = halfLayout.scratch(left: padding, pixels: images.width, Scalar.self)
      spreadColumns(map, tiles, tensor.base, images, padding: padding, into: half.base, halfLayout)
      for i in 0..<6 {
        let place = 6 * i * layout.step + tiles.rows.lowerBound * tiles.columns * layout.row
        spreadRows(map, tiles, i, half.base, halfLayout, into: spread.base + place * Scalar.lanes, layout)
      }
      withExtendedLifetime(half) {}
    }
    return spread
  }

  func spreadInputs(_ input: Storage<Scalar>, _ layout: FrequencyLayout) -> Storage<Scalar> {
    transformed(
      InputSpread<Scalar>.self, input, sizes.input, padding: sizes.padding, width: 4 * sizes.tileColumns + 2, layout)
  }

  // MARK: - The gradient with respect to the weight

  func weightGradientByImages(
    input: Storage<Scalar>, outputGradient: Storage<Scalar>, weightGradient: Storage<Scalar>
  ) {
    // The sums are large: each chunk of tiles has to be worth adding them up.
    let partial = PartialSums<Scalar>(items: groups, vectors: sizes.gradient.count, chunks: max(4, min(tiles / 64, 16)))
    partial.forEachItem(state: {}) { item, sums, accumulating, _ in
      let rows = rows(ofGroup: item)
      winogradGradientImages(
        sizes, rows: rows, input: input.base, gradient: outputGradient.base, sums: sums, accumulating: accumulating,
        WinogradScratch(sizes, rows: rows.count))
    }
    finishWinogradGradient(sizes, sums: partial.sums, into: weightGradient.base)
  }

  func weightGradientByChannels(
    input: Storage<Scalar>, outputGradient: Storage<Scalar>, weightGradient: Storage<Scalar>
  ) {
    let inputs = FrequencyLayout(tiles: tiles, vectors: sizes.input.vectors)
    let outputs = FrequencyLayout(tiles: tiles, vectors: sizes.output.vectors)
    let spread = spreadInputs(input, inputs)
    let gradients = transformed(
      GradientSpread<Scalar>.self, outputGradient, sizes.output, padding: 0, width: 4 * sizes.tileColumns, outputs)
    let blocks = channelBlocks
    Parallel.forEachChunk(sizes.panels.count * blocks.count) { chunk in
      let vectors = sizes.panels[chunk % sizes.panels.count]
      let channels = blocks[chunk / sizes.panels.count]
      let layout = FrequencyLayout(rows: channels.count, vectors: vectors.count)
      let sums = Storage<Scalar>(uninitialized: layout.count * Scalar.lanes)
      addFrequencies(
        tiles: tiles, spread.base + channels.lowerBound, inputs, depth: channels.count,
        gradients.base + vectors.lowerBound * Scalar.lanes, outputs, into: sums.base, layout,
        accumulating: false)
      gatherWeights(
        sums.base, layout, rows: channels.count,
        into: weightGradient.base + channels.lowerBound * shape.outputChannels + vectors.lowerBound * Scalar.lanes,
        tap: shape.inputChannels * sizes.output.vectors, row: sizes.output.vectors)
      withExtendedLifetime(sums) {}
    }
  }
}
