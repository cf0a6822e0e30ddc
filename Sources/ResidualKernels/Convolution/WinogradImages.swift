// WinogradImages.swift: Winograd's convolution of a few images by one thread.
//
// A block of tiles is transformed, multiplied and transformed back before the next one, so that all intermediate values
// stay in the second-level cache. The images are read where they lie: a tensor, or the scratch memory in which the layer
// before has left them.

/// The sizes of a 3x3 convolution at stride 1, as Winograd's kernels see it.
struct WinogradSizes<Scalar: Element> {
  /// The images that it reads and writes.
  let input, output: ImageLayout
  let padding: Int

  init(_ shape: ConvolutionShape) {
    input = ImageLayout(
      height: shape.height, width: shape.width, vectors: shape.inputChannels / Scalar.lanes)
    output = ImageLayout(
      height: shape.outputHeight, width: shape.outputWidth, vectors: shape.outputChannels / Scalar.lanes)
    padding = shape.padding
  }

  var inputChannels: Int { input.vectors * Scalar.lanes }
  var outputChannels: Int { output.vectors * Scalar.lanes }

  /// The rows of tiles, and the tiles in a row. The last of either may reach over the edge.
  var tileRows: Int { (output.height + 3) / 4 }
  var tileColumns: Int { (output.width + 3) / 4 }

  /// The panels of output channels, and the transformed weights of one.
  var panel: FrequencyLayout { FrequencyLayout(rows: inputChannels, vectors: panelVectors) }
  var panels: Panels { Panels(vectors: output.vectors) }
  /// The layout of the transformed gradient with respect to the weight.
  var gradient: FrequencyLayout { FrequencyLayout(rows: inputChannels, vectors: output.vectors) }

  /// The layouts of inputs, and of outputs or their gradients, between the halves of their transforms.
  func inputHalf(rows: Int) -> HalfLayout {
    HalfLayout(rows: rows, width: 4 * tileColumns + 2, vectors: input.vectors)
  }
  func outputHalf(rows: Int) -> HalfLayout {
    HalfLayout(rows: rows, width: 4 * tileColumns, vectors: output.vectors)
  }

  /// The rows of tiles that are transformed and multiplied together: about 32 tiles keep the registers of the products
  /// full, and their numbers at all frequencies still fit in the second-level cache.
  func tileRowsAtOnce(images: Int) -> Int { max(1, min(tileRows, 32 / (images * tileColumns))) }

  /// Cuts some rows of tiles of `images` images into blocks.
  @inline(__always)
  func forEachBlock(images: Int, _ rows: Range<Int>, _ body: (TileBlock) -> Void) {
    let step = tileRowsAtOnce(images: images)
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: step) {
      body(TileBlock(images: images, rows: row..<min(row + step, rows.upperBound), columns: tileColumns))
    }
  }
}

/// The memory that Winograd's kernels work in, for one thread: what is between the halves of the transforms, and six
/// frequencies at a time.
struct WinogradScratch<Scalar: Element> {
  let inputLayout, outputLayout: HalfLayout
  let inputHalf, outputHalf: Storage<Scalar>
  /// The transformed inputs of a block of tiles.
  let inputs: Storage<Scalar>
  /// Their products with one panel of weights, or the transformed gradients of their outputs.
  let outputs: Storage<Scalar>

  /// Memory for the blocks of `images` images at a time, forward and for the gradients.
  init(_ sizes: WinogradSizes<Scalar>, images: Int) {
    let rows = images * sizes.tileRowsAtOnce(images: images)
    inputLayout = sizes.inputHalf(rows: rows)
    outputLayout = sizes.outputHalf(rows: rows)
    inputHalf = inputLayout.scratch(left: sizes.padding, pixels: sizes.input.width, Scalar.self)
    outputHalf = outputLayout.scratch(left: 0, pixels: sizes.output.width, Scalar.self)
    let tiles = rows * sizes.tileColumns
    let (inputs, outputs) = (sizes.input.vectors, sizes.output.vectors)
    self.inputs = Storage(uninitialized: 6 * FrequencyLayout(rows: tiles, vectors: inputs).step * Scalar.lanes)
    self.outputs = Storage(uninitialized: 6 * FrequencyLayout(rows: tiles, vectors: outputs).step * Scalar.lanes)
  }
}

/// The convolution of `images` images with transformed weights, for some rows of tiles.
///
/// - Parameters:
///   - input: The first of the images.
///   - weights: What ``winogradWeights(_:weight:isTurned:)`` makes.
///   - output: The first of the images that are written.
func winogradImages<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, images: Int, rows: Range<Int>, input: UnsafePointer<Scalar>,
  weights: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>, _ scratch: WinogradScratch<Scalar>
) {
  let (inputHalf, outputHalf) = (scratch.inputLayout, scratch.outputLayout)
  sizes.forEachBlock(images: images, rows) { tiles in
    let inputs = FrequencyLayout(rows: tiles.count, vectors: sizes.input.vectors)
    spreadColumns(
      InputSpread<Scalar>.self, tiles, input, sizes.input, padding: sizes.padding, into: scratch.inputHalf.base,
      inputHalf)
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
    gatherColumns(tiles, scratch.outputHalf.base, outputHalf, into: output, sizes.output)
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

/// What some rows of tiles of `images` images contribute to the gradient with respect to the weight, at the 36
/// frequencies.
///
/// - Parameters:
///   - input: The first of the images.
///   - gradient: The gradient with respect to the first of their outputs.
///   - sums: In the layout of `sizes.gradient`, for ``finishWinogradGradient(_:sums:into:)``.
///   - accumulating: Whether they are added to what `sums` holds.
func winogradGradientImages<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, images: Int, rows: Range<Int>, input: UnsafePointer<Scalar>,
  gradient: UnsafePointer<Scalar>, sums: UnsafeMutablePointer<Scalar>, accumulating: Bool,
  _ scratch: WinogradScratch<Scalar>
) {
  let (inputHalf, outputHalf) = (scratch.inputLayout, scratch.outputLayout)
  sizes.forEachBlock(images: images, rows) { tiles in
    let inputs = FrequencyLayout(rows: tiles.count, vectors: sizes.input.vectors)
    let outputs = FrequencyLayout(rows: tiles.count, vectors: sizes.output.vectors)
    spreadColumns(
      InputSpread<Scalar>.self, tiles, input, sizes.input, padding: sizes.padding, into: scratch.inputHalf.base,
      inputHalf)
    spreadColumns(
      GradientSpread<Scalar>.self, tiles, gradient, sizes.output, into: scratch.outputHalf.base, outputHalf)
    for i in 0..<6 {
      spreadRows(
        InputSpread<Scalar>.self, tiles, i, scratch.inputHalf.base, inputHalf, into: scratch.inputs.base, inputs)
      spreadRows(
        GradientSpread<Scalar>.self, tiles, i, scratch.outputHalf.base, outputHalf, into: scratch.outputs.base, outputs)
      addFrequencies(
        6, tiles: tiles.count, scratch.inputs.base, inputs, depth: sizes.inputChannels, scratch.outputs.base, outputs,
        into: sums + 6 * i * sizes.gradient.step * Scalar.lanes, sizes.gradient,
        accumulating: accumulating || tiles.rows.lowerBound > rows.lowerBound)
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
  Parallel.forEachChunk(sizes.panels.count, pays: sizes.inputChannels * sizes.output.vectors > 256) { panel in
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
      weight + inputs.lowerBound * sizes.outputChannels + first, tap: sizes.inputChannels * sizes.output.vectors,
      row: sizes.output.vectors, rows: inputs.count, into: panel, layout)
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
  let parts = sizes.input.vectors
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
      into: weightGradient + start * Scalar.lanes, tap: sizes.inputChannels * sizes.output.vectors,
      row: sizes.output.vectors)
  }
}
