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
  /// The rows and columns of outputs in a tile: 4, or 2 with F(2x2, 3x3).
  let tile: Int
  /// The tiles that are transformed and multiplied together: about 32 keep the registers of the products full, and their
  /// numbers at all frequencies still fit in the second-level cache.
  var tilesAtOnce = 32

  init(_ shape: ConvolutionShape, tile: Int = 4) {
    input = ImageLayout(
      height: shape.height, width: shape.width, vectors: shape.inputChannels / Scalar.lanes)
    output = ImageLayout(
      height: shape.outputHeight, width: shape.outputWidth, vectors: shape.outputChannels / Scalar.lanes)
    (padding, self.tile) = (shape.padding, tile)
  }

  var inputChannels: Int { input.vectors * Scalar.lanes }
  var outputChannels: Int { output.vectors * Scalar.lanes }

  /// The rows of tiles of an image, and the tiles in a row. The last of either may reach over the edge.
  var tileRows: Int { (output.height + tile - 1) / tile }
  var tileColumns: Int { (output.width + tile - 1) / tile }
  /// The inputs that a tile reads along an axis, and the number of frequencies.
  var lines: Int { tile + 2 }
  var frequencies: Int { lines * lines }
  /// The rows of tiles that are transformed and multiplied together.
  var rowsAtOnce: Int { max(1, tilesAtOnce / tileColumns) }

  /// The panels of output channels, and the transformed weights of one.
  var panel: FrequencyLayout { FrequencyLayout(frequencies, rows: inputChannels, vectors: panelVectors) }
  var panels: Panels { Panels(vectors: output.vectors) }
  /// The layout of the transformed gradient with respect to the weight.
  var gradient: FrequencyLayout { FrequencyLayout(rows: inputChannels, vectors: output.vectors) }

  /// The layouts of inputs, and of outputs or their gradients, between the halves of their transforms.
  func inputHalf(rows: Int) -> HalfLayout {
    HalfLayout(lines, rows: rows, width: tile * tileColumns + 2, vectors: input.vectors)
  }
  func outputHalf(rows: Int, vectors: Int) -> HalfLayout {
    HalfLayout(lines, rows: rows, width: tile * tileColumns, vectors: vectors)
  }

  func block(_ rows: Range<Int>) -> TileBlock {
    TileBlock(rows: rows, rowsOfImage: tileRows, columns: tileColumns, size: tile)
  }

  /// Cuts some rows of tiles into blocks.
  @inline(__always)
  func forEachBlock(_ rows: Range<Int>, _ body: (TileBlock) -> Void) {
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: rowsAtOnce) {
      body(block(row..<min(row + rowsAtOnce, rows.upperBound)))
    }
  }
}

/// The memory that Winograd's kernels work in, for one thread: what is between the halves of the transforms, and one row
/// of frequencies at a time.
struct WinogradScratch<Scalar: Element> {
  let inputLayout, outputLayout: HalfLayout
  let inputHalf, outputHalf: Storage<Scalar>
  /// The transformed inputs of a block of tiles.
  let inputs: Storage<Scalar>
  /// Their products with one panel of weights, or the transformed gradients of their outputs.
  let outputs: Storage<Scalar>

  /// Memory for `rows` rows of tiles, forward and for the gradients; for `vectors` vectors of output channels where
  /// there are not all.
  init(_ sizes: WinogradSizes<Scalar>, rows: Int, vectors: Int? = nil) {
    let (rows, vectors, lanes) = (min(rows, sizes.rowsAtOnce), vectors ?? sizes.output.vectors, Scalar.lanes)
    inputLayout = sizes.inputHalf(rows: rows)
    outputLayout = sizes.outputHalf(rows: rows, vectors: vectors)
    inputHalf = inputLayout.scratch(left: sizes.padding, pixels: sizes.input.width, Scalar.self)
    outputHalf = outputLayout.scratch(left: 0, pixels: sizes.output.width, Scalar.self)
    let (lines, tiles) = (sizes.lines, rows * sizes.tileColumns)
    inputs = Storage(uninitialized: FrequencyLayout(lines, tiles: tiles, vectors: sizes.input.vectors).count * lanes)
    outputs = Storage(uninitialized: FrequencyLayout(lines, tiles: tiles, vectors: vectors).count * lanes)
  }
}

/// The convolution of images with transformed weights: some rows of tiles, numbered through all images, and some panels of
/// output channels.
///
/// - Parameters:
///   - input: The first of the images.
///   - weights: What ``winogradWeights(_:_:weight:isTurned:)`` makes.
///   - output: The first of the images that are written.
@inline(__always)
func winogradImages<Form: WinogradForm, End: OutputEnd<Form.Scalar>>(
  _: Form.Type, _ sizes: WinogradSizes<Form.Scalar>, rows: Range<Int>, panels: Range<Int>? = nil,
  input: UnsafePointer<Form.Scalar>, weights: UnsafePointer<Form.Scalar>, output: UnsafeMutablePointer<Form.Scalar>,
  _ scratch: WinogradScratch<Form.Scalar>, _ end: End
) {
  let (lines, lanes) = (sizes.lines, Form.Scalar.lanes)
  let (inputHalf, outputHalf) = (scratch.inputLayout, scratch.outputLayout)
  let panels = panels ?? 0..<sizes.panels.count
  let first = sizes.panels[panels.lowerBound].lowerBound
  sizes.forEachBlock(rows) { tiles in
    let inputs = FrequencyLayout(lines, tiles: tiles.count, vectors: sizes.input.vectors)
    spreadColumns(
      Form.Input.self, tiles, input, sizes.input, padding: sizes.padding, into: scratch.inputHalf.base, inputHalf)
    for i in 0..<lines {
      spreadRows(Form.Input.self, tiles, i, scratch.inputHalf.base, inputHalf, into: scratch.inputs.base, inputs)
      for panel in panels {
        let vectors = sizes.panels[panel]
        let products = FrequencyLayout(lines, tiles: tiles.count, vectors: vectors.count)
        let weightLayout = FrequencyLayout(lines, rows: sizes.inputChannels, vectors: vectors.count)
        let grid = TapGrid(
          height: lines, width: tiles.count, inputRow: inputs.step * lanes, inputPixel: inputs.row * lanes,
          depth: sizes.inputChannels, outputRow: products.step, outputPixel: products.row, weightRow: weightLayout.step)
        sumPanel(
          grid, input: scratch.inputs.base,
          panel: (weights + (panel * sizes.panel.count + i * weightLayout.count) * lanes).vectors, width: vectors.count,
          output: scratch.outputs.vectors)
        gatherRows(
          Form.Output.self, tiles, i, scratch.outputs.base, products,
          into: scratch.outputHalf.base + (vectors.lowerBound - first) * lanes, outputHalf)
      }
    }
    gatherColumns(
      Form.Output.self, tiles, scratch.outputHalf.base, outputHalf, first: first, into: output, sizes.output, end)
  }
}

/// What some rows of tiles, numbered through all images, contribute to the gradient with respect to the weight, at the 36
/// frequencies.
///
/// - Parameters:
///   - input: The first of the images.
///   - gradient: The gradient with respect to the first of their outputs.
///   - sums: In the layout of `sizes.gradient`, for ``finishWinogradGradient(_:sums:into:)``.
///   - accumulating: Whether they are added to what `sums` holds.
func winogradGradientImages<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, rows: Range<Int>, input: UnsafePointer<Scalar>, gradient: UnsafePointer<Scalar>,
  sums: UnsafeMutablePointer<Scalar>, accumulating: Bool, _ scratch: WinogradScratch<Scalar>
) {
  let (inputHalf, outputHalf) = (scratch.inputLayout, scratch.outputLayout)
  sizes.forEachBlock(rows) { tiles in
    let inputs = FrequencyLayout(6, tiles: tiles.count, vectors: sizes.input.vectors)
    let outputs = FrequencyLayout(6, tiles: tiles.count, vectors: sizes.output.vectors)
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
      let grid = TapGrid(
        width: tiles.count, inputPixel: inputs.row * Scalar.lanes, depth: sizes.inputChannels, outputPixel: outputs.row)
      for j in 0..<6 {
        addOuterProducts(
          grid, input: scratch.inputs.base + j * inputs.step * Scalar.lanes,
          gradient: scratch.outputs.vectors + j * outputs.step, vectors: sizes.output.vectors,
          sums: sums.vectors + (6 * i + j) * sizes.gradient.step,
          accumulating: accumulating || tiles.rows.lowerBound > rows.lowerBound)
      }
    }
  }
}

// MARK: - Weights

/// The transformed weights of a convolution, panel by panel.
///
/// With `isTurned` they are those of the gradient with respect to the input: `weight` is `[3, 3, outputChannels,
/// inputChannels]` in the channels of `sizes`, and is read with its taps in reverse order and its channels swapped.
func winogradWeights<Form: WinogradForm>(
  _: Form.Type, _ sizes: WinogradSizes<Form.Scalar>, weight: Storage<Form.Scalar>, isTurned: Bool
) -> Storage<Form.Scalar> {
  let (lanes, inputs) = (Form.Scalar.lanes, sizes.inputChannels)
  let panelCount = sizes.panel.count * lanes
  let weights = Storage<Form.Scalar>(uninitialized: sizes.panels.count * panelCount)
  Parallel.forEachChunk(sizes.panels.count, pays: inputs * sizes.output.vectors > 256) { panel in
    let outputs = sizes.panels[panel]
    let first = outputs.lowerBound * lanes
    let layout = FrequencyLayout(sizes.frequencies, rows: inputs, vectors: outputs.count)
    let target = weights.base + panel * panelCount
    if isTurned {
      let tap = inputs * outputs.count
      let turned = Storage<Form.Scalar>(uninitialized: 9 * tap * lanes)
      for k in 0..<9 {
        transpose(
          weight.base + ((8 - k) * sizes.outputChannels + first) * inputs, rows: outputs.count * lanes, columns: inputs,
          into: turned.base + k * tap * lanes)
      }
      spreadWeights(
        Form.Weight.self, lines: sizes.lines, turned.base, tap: tap, row: outputs.count, rows: inputs, into: target,
        layout)
      withExtendedLifetime(turned) {}
    } else {
      spreadWeights(
        Form.Weight.self, lines: sizes.lines, weight.base + first, tap: inputs * sizes.output.vectors,
        row: sizes.output.vectors, rows: inputs, into: target, layout)
    }
  }
  return weights
}

/// `target[column, row] = source[row, column]`: reads whole lines, and writes within a block that stays in the
/// first-level cache.
private func transpose<Scalar: Element>(
  _ source: UnsafePointer<Scalar>, rows: Int, columns: Int, into target: UnsafeMutablePointer<Scalar>
) {
  for row in 0..<rows {
    for column in 0..<columns { target[column * rows + row] = source[row * columns + column] }
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
