// WinogradImages.swift: Winograd's convolution of a few images by one thread.
//
// A block of tiles is transformed, multiplied and transformed back before the next one, so that all intermediate values
// stay in the second-level cache. The images are padded already: whoever prepares them (a copy, or the layer before)
// can leave them in the cache too.

/// The sizes of a 3x3 convolution at stride 1, as Winograd's kernels see an image or a band of its rows.
struct WinogradSizes<Scalar: Element> {
  /// The rows and columns of the output.
  var height, width: Int
  /// The number of vectors of channels in a pixel of the input and of the output.
  let inputVectors, outputVectors: Int

  init(height: Int, width: Int, inputChannels: Int, outputChannels: Int) {
    (self.height, self.width) = (height, width)
    (inputVectors, outputVectors) = (inputChannels / Scalar.lanes, outputChannels / Scalar.lanes)
  }

  var inputChannels: Int { inputVectors * Scalar.lanes }
  var outputChannels: Int { outputVectors * Scalar.lanes }

  /// The rows of tiles, and the tiles in a row. The last of either may reach over the edge.
  var tileRows: Int { (height + 3) / 4 }
  var tileColumns: Int { (width + 3) / 4 }
  /// The rows and columns of the padded input, enough for whole tiles.
  var paddedHeight: Int { 4 * tileRows + 2 }
  var paddedWidth: Int { 4 * tileColumns + 2 }

  /// The panels of output channels, and the transformed weights of one.
  var panel: FrequencyLayout { FrequencyLayout(rows: inputChannels, vectors: panelVectors) }
  var panels: Panels { Panels(vectors: outputVectors) }
  /// The layout of the output's pixels, and that of the transformed gradient with respect to the weight.
  var outputPixels: PixelLayout {
    PixelLayout(vectors: outputVectors, row: width * outputVectors, image: height * width * outputVectors)
  }
  var gradient: FrequencyLayout { FrequencyLayout(rows: inputChannels, vectors: outputVectors) }

  /// The layouts of inputs, and of outputs or their gradients, between the halves of their transforms.
  func inputHalf(_ tiles: TileBlock) -> HalfLayout { HalfLayout(tiles, width: paddedWidth, vectors: inputVectors) }
  func outputHalf(_ tiles: TileBlock) -> HalfLayout {
    HalfLayout(tiles, width: 4 * tileColumns, vectors: outputVectors)
  }

  /// The same sizes for some rows of tiles of an image.
  func band(_ rows: Range<Int>) -> WinogradSizes {
    var band = self
    band.height = min(4 * rows.upperBound, height) - 4 * rows.lowerBound
    return band
  }

  /// The rows of tiles that are transformed and multiplied together: about 32 tiles keep the registers of the products
  /// full, and their numbers at all frequencies still fit in the second-level cache.
  func tileRowsAtOnce(images: Int) -> Int { max(1, min(tileRows, 32 / (images * tileColumns))) }

  /// Cuts the tiles of `images` images into blocks.
  @inline(__always)
  func forEachBlock(images: Int, _ body: (TileBlock) -> Void) {
    let step = tileRowsAtOnce(images: images)
    for row in stride(from: 0, to: tileRows, by: step) {
      body(TileBlock(images: images, rows: row..<min(row + step, tileRows), columns: tileColumns))
    }
  }
}

/// The memory that Winograd's kernels work in, for one thread: what is between the halves of the transforms, and six
/// frequencies at a time.
struct WinogradScratch<Scalar: Element> {
  let inputHalf, outputHalf: Storage<Scalar>
  /// The transformed inputs of a block of tiles.
  let inputs: Storage<Scalar>
  /// Their products with one panel of weights, or the transformed gradients of their outputs.
  let outputs: Storage<Scalar>

  /// Memory for the blocks of `images` images at a time, forward and for the gradients.
  init(_ sizes: WinogradSizes<Scalar>, images: Int) {
    let tiles = TileBlock(
      images: images, rows: 0..<sizes.tileRowsAtOnce(images: images), columns: sizes.tileColumns)
    let (inputs, outputs) = (sizes.inputVectors, sizes.outputVectors)
    let lanes = Scalar.lanes
    inputHalf = Storage(uninitialized: sizes.inputHalf(tiles).count * lanes)
    outputHalf = Storage(uninitialized: sizes.outputHalf(tiles).count * lanes)
    self.inputs = Storage(uninitialized: 6 * FrequencyLayout(rows: tiles.count, vectors: inputs).step * lanes)
    self.outputs = Storage(uninitialized: 6 * FrequencyLayout(rows: tiles.count, vectors: outputs).step * lanes)
  }
}

/// The convolution of `images` padded images with transformed weights.
///
/// - Parameters:
///   - input: Images of `paddedHeight` x `paddedWidth` pixels; `inputPixels` is their layout.
///   - weights: What ``winogradWeights(_:weight:isTurned:)`` makes.
///   - output: Images of `height` x `width` pixels.
func winogradImages<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, images: Int, input: UnsafePointer<Scalar>, _ inputPixels: PixelLayout,
  weights: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>, _ outputPixels: PixelLayout,
  _ scratch: WinogradScratch<Scalar>
) {
  sizes.forEachBlock(images: images) { tiles in
    let inputs = FrequencyLayout(rows: tiles.count, vectors: sizes.inputVectors)
    let (inputHalf, outputHalf) = (sizes.inputHalf(tiles), sizes.outputHalf(tiles))
    spreadColumns(InputSpread<Scalar>.self, tiles, input, inputPixels, into: scratch.inputHalf.base, inputHalf)
    for i in 0..<6 {
      spreadRows(
        InputSpread<Scalar>.self, tiles, i, scratch.inputHalf.base, inputHalf, into: scratch.inputs.base, inputs)
      for panel in 0..<sizes.panels.count {
        let vectors = sizes.panels[panel]
        let products = FrequencyLayout(rows: tiles.count, vectors: vectors.count)
        let weightLayout = FrequencyLayout(rows: sizes.inputChannels, vectors: vectors.count)
        multiplyFrequencies(
          6, tiles: tiles.count, scratch.inputs.base, inputs, depth: sizes.inputChannels,
          weights + (panel * sizes.panel.count + 6 * i * weightLayout.step) * Scalar.lanes, weightLayout,
          into: scratch.outputs.base, products, accumulating: false)
        gatherRows(
          tiles, i, scratch.outputs.base, products,
          into: scratch.outputHalf.base + vectors.lowerBound * Scalar.lanes, outputHalf)
      }
    }
    gatherColumns(
      tiles, scratch.outputHalf.base, outputHalf, into: output, outputPixels, height: sizes.height, width: sizes.width)
  }
}

/// `products[f] = inputs[f] · weights[f]` at `count` frequencies f, for `depth` input channels and a panel of weights.
func multiplyFrequencies<Scalar: Element>(
  _ count: Int, tiles: Int, _ inputs: UnsafePointer<Scalar>, _ inputLayout: FrequencyLayout, depth: Int,
  _ weights: UnsafePointer<Scalar>, _ weightLayout: FrequencyLayout,
  into products: UnsafeMutablePointer<Scalar>, _ productLayout: FrequencyLayout, accumulating: Bool
) {
  let grid = TapGrid(
    height: count, width: tiles, inputRow: inputLayout.step * Scalar.lanes,
    inputPixel: inputLayout.vectors * Scalar.lanes, depth: depth, outputRow: productLayout.step,
    outputPixel: productLayout.vectors, weightRow: weightLayout.step)
  sumPanel(
    grid, input: inputs, panel: weights.vectors, width: weightLayout.vectors, output: products.vectors,
    accumulating: accumulating)
}

/// What `images` images contribute to the gradient with respect to the weight, at the 36 frequencies.
///
/// - Parameters:
///   - input: Images as ``winogradImages(_:images:input:_:weights:output:_:_:)`` takes them.
///   - gradient: The gradient with respect to the output: images of whole tiles, zero where there is no output.
///   - sums: In the layout of `sizes.gradient`, for ``finishWinogradGradient(_:sums:into:)``.
///   - accumulating: Whether they are added to what `sums` holds.
func winogradGradientImages<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, images: Int, input: UnsafePointer<Scalar>, _ inputPixels: PixelLayout,
  gradient: UnsafePointer<Scalar>, _ gradientPixels: PixelLayout, sums: UnsafeMutablePointer<Scalar>,
  accumulating: Bool, _ scratch: WinogradScratch<Scalar>
) {
  sizes.forEachBlock(images: images) { tiles in
    let inputs = FrequencyLayout(rows: tiles.count, vectors: sizes.inputVectors)
    let outputs = FrequencyLayout(rows: tiles.count, vectors: sizes.outputVectors)
    let (inputHalf, outputHalf) = (sizes.inputHalf(tiles), sizes.outputHalf(tiles))
    spreadColumns(InputSpread<Scalar>.self, tiles, input, inputPixels, into: scratch.inputHalf.base, inputHalf)
    spreadColumns(
      GradientSpread<Scalar>.self, tiles, gradient, gradientPixels, into: scratch.outputHalf.base, outputHalf)
    for i in 0..<6 {
      spreadRows(
        InputSpread<Scalar>.self, tiles, i, scratch.inputHalf.base, inputHalf, into: scratch.inputs.base, inputs)
      spreadRows(
        GradientSpread<Scalar>.self, tiles, i, scratch.outputHalf.base, outputHalf, into: scratch.outputs.base, outputs)
      addFrequencies(
        6, tiles: tiles.count, scratch.inputs.base, inputs, depth: sizes.inputChannels, scratch.outputs.base, outputs,
        into: sums + 6 * i * sizes.gradient.step * Scalar.lanes, sizes.gradient,
        accumulating: accumulating || tiles.rows.lowerBound > 0)
    }
  }
}

/// `sums[f] = inputs[f]ᵀ · gradients[f]` at `count` frequencies f, for `depth` input channels and as many vectors of
/// output channels as the sums have.
func addFrequencies<Scalar: Element>(
  _ count: Int, tiles: Int, _ inputs: UnsafePointer<Scalar>, _ inputLayout: FrequencyLayout, depth: Int,
  _ gradients: UnsafePointer<Scalar>, _ gradientLayout: FrequencyLayout, into sums: UnsafeMutablePointer<Scalar>,
  _ sumLayout: FrequencyLayout, accumulating: Bool
) {
  let grid = TapGrid(
    width: tiles, inputPixel: inputLayout.vectors * Scalar.lanes, depth: depth, outputPixel: gradientLayout.vectors)
  for f in 0..<count {
    addOuterProducts(
      grid, input: inputs + f * inputLayout.step * Scalar.lanes, gradient: gradients.vectors + f * gradientLayout.step,
      vectors: sumLayout.vectors, sums: sums.vectors + f * sumLayout.step, accumulating: accumulating)
  }
}

// MARK: - Weights

/// The transformed weights of a convolution, panel by panel.
///
/// With `isTurned` they are those of the gradient with respect to the input: `weight` is `[3, 3, outputChannels,
/// inputChannels]` in the channels of `sizes`, and is read with its taps in reverse order and its channels swapped.
func winogradWeights<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, weight: Storage<Scalar>, isTurned: Bool
) -> Storage<Scalar> {
  let panelCount = sizes.panel.count * Scalar.lanes
  let weights = Storage<Scalar>(uninitialized: sizes.panels.count * panelCount)
  Parallel.forEachChunk(sizes.panels.count, pays: sizes.inputChannels * sizes.outputVectors > 256) { panel in
    winogradPanel(
      sizes, weight: weight.base, isTurned: isTurned, inputs: 0..<sizes.inputChannels, outputs: sizes.panels[panel],
      into: weights.base + panel * panelCount)
  }
  return weights
}

/// The transformed weights of some input channels and some vectors of output channels, `[36, inputs, outputs]`.
func winogradPanel<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, weight: UnsafePointer<Scalar>, isTurned: Bool, inputs: Range<Int>,
  outputs: Range<Int>, into panel: UnsafeMutablePointer<Scalar>
) {
  let layout = FrequencyLayout(rows: inputs.count, vectors: outputs.count)
  let first = outputs.lowerBound * Scalar.lanes
  if isTurned {
    let tap = inputs.count * outputs.count
    let turned = Storage<Scalar>(uninitialized: 9 * tap * Scalar.lanes)
    for k in 0..<9 {
      transpose(
        weight + ((8 - k) * sizes.outputChannels + first) * sizes.inputChannels + inputs.lowerBound,
        rows: outputs.count * Scalar.lanes, columns: inputs.count, step: sizes.inputChannels,
        into: turned.base + k * tap * Scalar.lanes)
    }
    spreadWeights(turned.base, tap: tap, row: outputs.count, rows: inputs.count, into: panel, layout)
    withExtendedLifetime(turned) {}
  } else {
    spreadWeights(
      weight + inputs.lowerBound * sizes.outputChannels + first, tap: sizes.inputChannels * sizes.outputVectors,
      row: sizes.outputVectors, rows: inputs.count, into: panel, layout)
  }
}

/// `target[column, row] = source[row, column]`: reads whole lines, and writes within a block that stays in the
/// first-level cache.
private func transpose<Scalar: Element>(
  _ source: UnsafePointer<Scalar>, rows: Int, columns: Int, step: Int, into target: UnsafeMutablePointer<Scalar>
) {
  for row in 0..<rows {
    for column in 0..<columns { target[column * rows + row] = source[row * step + column] }
  }
}

/// Computes the gradient with respect to the weight `[3, 3, inputChannels, outputChannels]` from its partial sums at
/// the 36 frequencies, which are added in order. The first of the sums is overwritten.
func finishWinogradGradient<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, sums: [Storage<Scalar>], into weightGradient: UnsafeMutablePointer<Scalar>
) {
  let layout = sizes.gradient
  let parts = sizes.inputVectors
  let total = sums[0].vectors
  Parallel.forEachChunk(parts) { part in
    let inputs = Parallel.range(ofChunk: part, of: parts, count: sizes.inputChannels)
    let start = inputs.lowerBound * layout.vectors
    for other in sums.dropFirst().map({ $0.vectors }) {
      for f in 0..<36 {
        for i in f * layout.step + start..<f * layout.step + start + inputs.count * layout.vectors {
          total[i] += other[i]
        }
      }
    }
    gatherWeights(
      sums[0].base + start * Scalar.lanes, layout, rows: inputs.count,
      into: weightGradient + start * Scalar.lanes, tap: sizes.inputChannels * sizes.outputVectors,
      row: sizes.outputVectors)
  }
}
