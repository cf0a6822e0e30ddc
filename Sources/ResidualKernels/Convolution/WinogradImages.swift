// WinogradImages.swift: Winograd's convolution of a few images by one thread.
//
// A block of tiles is transformed, multiplied and transformed back before the next, so that everything between stays
// in the second cache. The images have their padding already: whoever prepares them (a copy, or the layer before)
// can leave them in the cache too.

/// The sizes of a 3x3 convolution at stride 1, as Winograd's kernels see an image or a band of its rows.
struct WinogradSizes<Scalar: Element> {
  /// Rows and columns of the output.
  var height, width: Int
  /// Vectors of channels in a pixel of the input and of the output.
  let inputVectors, outputVectors: Int

  init(height: Int, width: Int, inputChannels: Int, outputChannels: Int) {
    self.height = height
    self.width = width
    inputVectors = inputChannels / Scalar.lanes
    outputVectors = outputChannels / Scalar.lanes
  }

  var inputChannels: Int { inputVectors * Scalar.lanes }
  var outputChannels: Int { outputVectors * Scalar.lanes }

  /// Rows of tiles, and tiles in a row. The last of either may reach over the edge.
  var tileRows: Int { (height + 3) / 4 }
  var tileColumns: Int { (width + 3) / 4 }
  /// Rows and columns of the padded input, enough for whole tiles.
  var paddedHeight: Int { 4 * tileRows + 2 }
  var paddedWidth: Int { 4 * tileColumns + 2 }

  /// The transformed weights: panels of `[36, inputChannels, width]`.
  var panels: PanelLayout { PanelLayout(Scalar.self, depth: 36 * inputChannels, channels: outputChannels) }
  /// The transformed gradient of the weights, in vectors: `[36, inputChannels, outputVectors]`.
  var gradientVectors: Int { 36 * inputChannels * outputVectors }

  /// The same sizes for some rows of tiles of an image.
  func band(_ rows: Range<Int>) -> WinogradSizes {
    var band = self
    band.height = min(4 * rows.upperBound, height) - 4 * rows.lowerBound
    return band
  }

  /// Rows of tiles that are transformed and multiplied together: about 32 tiles keep the registers of the
  /// products full, and their numbers at all frequencies still fit in the second cache.
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

/// The memory that Winograd's kernels work in, for one thread.
struct WinogradScratch<Scalar: Element> {
  /// The transformed inputs of a block of tiles.
  let inputs: Storage<Scalar>
  /// Their products with one panel of weights, or the transformed gradients of their outputs.
  let outputs: Storage<Scalar>
  /// A tile between its two transforms, and a tile that reaches over the edge.
  let patch: Storage<Scalar>

  init(tiles: Int, inputVectors: Int, outputVectors: Int) {
    let lanes = Scalar.lanes
    inputs = Storage(uninitialized: FrequencyLayout(tiles: tiles, vectors: inputVectors).count * lanes)
    outputs = Storage(uninitialized: FrequencyLayout(tiles: tiles, vectors: outputVectors).count * lanes)
    patch = Storage(uninitialized: (36 + 16) * lanes)
  }

  /// Enough for the blocks of `images` images at a time, forward and for the gradients.
  init(_ sizes: WinogradSizes<Scalar>, images: Int) {
    self.init(
      tiles: images * sizes.tileRowsAtOnce(images: images) * sizes.tileColumns, inputVectors: sizes.inputVectors,
      outputVectors: sizes.outputVectors)
  }
}

/// The convolution of `images` padded images with transformed weights.
///
/// - Parameters:
///   - input: Images of `paddedHeight` x `paddedWidth` pixels, `inputPixels` says how far apart.
///   - weights: What ``winogradWeights(_:weight:isTurned:into:)`` makes.
///   - output: Images of `height` x `width` pixels.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func winogradImages<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, images: Int, input: UnsafePointer<Scalar>, _ inputPixels: PixelLayout,
  weights: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>, _ outputPixels: PixelLayout,
  _ scratch: WinogradScratch<Scalar>
) {
  let panels = sizes.panels
  sizes.forEachBlock(images: images) { tiles in
    let inputs = FrequencyLayout(tiles: tiles.count, vectors: sizes.inputVectors)
    spreadInput(tiles, input, inputPixels, into: scratch.inputs.base, inputs, patch: scratch.patch.base)
    panels.forEachPanel { vector, width in
      let products = FrequencyLayout(tiles: tiles.count, vectors: width)
      multiplyFrequencies(
        tiles: tiles.count, scratch.inputs.base, inputs,
        weights + panels.start(ofPanel: vector) * Scalar.lanes, depth: sizes.inputChannels,
        into: scratch.outputs.base, products, accumulating: false)
      gatherOutput(
        tiles, scratch.outputs.base, products, into: output + vector * Scalar.lanes, outputPixels,
        height: sizes.height, width: sizes.width, patch: scratch.patch.base)
    }
  }
}

/// `products[f] = inputs[f] · weights[f]` at every frequency f, for one panel of `depth` rows of weights.
func multiplyFrequencies<Scalar: Element>(
  tiles: Int, _ inputs: UnsafePointer<Scalar>, _ inputLayout: FrequencyLayout, _ weights: UnsafePointer<Scalar>,
  depth: Int, into products: UnsafeMutablePointer<Scalar>, _ productLayout: FrequencyLayout, accumulating: Bool
) {
  let width = productLayout.vectors
  let grid = TapGrid(
    height: 1, width: tiles, inputRow: 0, inputPixel: inputLayout.vectors * Scalar.lanes, taps: 1, tapStep: 0,
    depth: depth, outputRow: 0, outputPixel: width)
  for f in 0..<36 {
    sumPanel(
      grid, input: inputs + f * inputLayout.step * Scalar.lanes, panel: weights.vectors + f * depth * width,
      width: width, output: products.vectors + f * productLayout.step, accumulating: accumulating)
  }
}

/// Adds the gradient of the weights, as it is at the 36 frequencies, of `images` images to `sums`.
///
/// - Parameters:
///   - input: Images as ``winogradImages(_:images:input:_:weights:output:_:_:)`` takes them.
///   - gradient: The gradients of the outputs: images of whole tiles, zero where there is no output.
///   - sums: `[36, inputChannels, outputChannels]`, for ``finishWinogradGradient(_:sums:into:)``.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func winogradGradientImages<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, images: Int, input: UnsafePointer<Scalar>, _ inputPixels: PixelLayout,
  gradient: UnsafePointer<Scalar>, _ gradientPixels: PixelLayout, sums: UnsafeMutablePointer<Scalar>,
  _ scratch: WinogradScratch<Scalar>
) {
  sizes.forEachBlock(images: images) { tiles in
    let inputs = FrequencyLayout(tiles: tiles.count, vectors: sizes.inputVectors)
    let outputs = FrequencyLayout(tiles: tiles.count, vectors: sizes.outputVectors)
    spreadInput(tiles, input, inputPixels, into: scratch.inputs.base, inputs, patch: scratch.patch.base)
    spreadGradient(tiles, gradient, gradientPixels, into: scratch.outputs.base, outputs, patch: scratch.patch.base)
    addFrequencies(
      tiles: tiles.count, scratch.inputs.base, inputs, depth: sizes.inputChannels, scratch.outputs.base, outputs,
      vectors: sizes.outputVectors, into: sums)
  }
}

/// `sums[f] += inputs[f]ᵀ · gradients[f]` at every frequency f, for `depth` input channels and `vectors` vectors of
/// output channels.
func addFrequencies<Scalar: Element>(
  tiles: Int, _ inputs: UnsafePointer<Scalar>, _ inputLayout: FrequencyLayout, depth: Int,
  _ gradients: UnsafePointer<Scalar>, _ gradientLayout: FrequencyLayout, vectors: Int,
  into sums: UnsafeMutablePointer<Scalar>
) {
  let grid = TapGrid(
    height: 1, width: tiles, inputRow: 0, inputPixel: inputLayout.vectors * Scalar.lanes, taps: 1, tapStep: 0,
    depth: depth, outputRow: 0, outputPixel: 0)
  for f in 0..<36 {
    addOuterProducts(
      grid, input: inputs + f * inputLayout.step * Scalar.lanes, gradient: gradients.vectors + f * gradientLayout.step,
      GradientGrid(row: 0, pixel: gradientLayout.vectors), vectors: vectors,
      sums: sums.vectors + f * depth * vectors)
  }
}

// MARK: - Weights

/// The transformed weights of a convolution, in the layout of `sizes.panels`.
///
/// With `isTurned` they are those of the gradient of the input: `weight` is `[3, 3, outputChannels, inputChannels]`
/// in the channels of `sizes`, and is read with its taps in reverse order and its channels swapped.
func winogradWeights<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, weight: UnsafePointer<Scalar>, isTurned: Bool,
  into weights: UnsafeMutablePointer<Scalar>
) {
  let panels = sizes.panels
  // Blocks of input channels that are worth a thread's while.
  let blocks = max(1, sizes.inputChannels / 64)
  let count = (panels.vectors + panelVectors - 1) / panelVectors
  let isSmall = sizes.inputChannels * sizes.outputVectors <= 256
  let transform = { (chunk: Int) in
    let vector = chunk / blocks * panelVectors
    let width = min(panelVectors, panels.vectors - vector)
    let inputs = Parallel.range(ofChunk: chunk % blocks, of: blocks, count: sizes.inputChannels)
    winogradPanel(
      sizes, weight: weight, isTurned: isTurned, inputs: inputs, vector: vector, width: width,
      into: weights + (panels.start(ofPanel: vector) + inputs.lowerBound * width) * Scalar.lanes,
      frequency: sizes.inputChannels * width)
  }
  if isSmall { (0..<count * blocks).forEach(transform) } else { Parallel.forEachChunk(count * blocks, transform) }
}

/// The transformed weights of some input channels and the `width` vectors of output channels from `vector` on; its
/// frequencies lie `frequency` vectors apart.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func winogradPanel<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, weight: UnsafePointer<Scalar>, isTurned: Bool, inputs: Range<Int>, vector: Int,
  width: Int, into panel: UnsafeMutablePointer<Scalar>, frequency: Int
) {
  let patch = Storage<Scalar>(uninitialized: 36 * Scalar.lanes)
  let first = vector * Scalar.lanes
  if isTurned {
    let turned = Storage<Scalar>(uninitialized: 9 * inputs.count * width * Scalar.lanes)
    for tap in 0..<9 {
      let source = weight + ((8 - tap) * sizes.outputChannels + first) * sizes.inputChannels + inputs.lowerBound
      transpose(
        source, rows: width * Scalar.lanes, columns: inputs.count, step: sizes.inputChannels,
        into: turned.base + tap * turned.count / 9)
    }
    spreadWeights(
      turned.base, tap: inputs.count * width, row: width, rows: inputs.count, width: width, into: panel,
      frequency: frequency, patch: patch.base)
  } else {
    spreadWeights(
      weight + inputs.lowerBound * sizes.outputChannels + first, tap: sizes.inputChannels * sizes.outputVectors,
      row: sizes.outputVectors, rows: inputs.count, width: width, into: panel, frequency: frequency, patch: patch.base)
  }
}

/// `target[column, row] = source[row, column]`, a few columns at a time, whose lines stay in the first cache.
private func transpose<Scalar: Element>(
  _ source: UnsafePointer<Scalar>, rows: Int, columns: Int, step: Int, into target: UnsafeMutablePointer<Scalar>
) {
  for start in stride(from: 0, to: columns, by: Scalar.lanes) {
    for row in 0..<rows {
      for column in start..<min(start + Scalar.lanes, columns) {
        target[column * rows + row] = source[row * step + column]
      }
    }
  }
}

/// The gradient of the weights `[3, 3, inputChannels, outputChannels]` from its partial sums at the 36 frequencies,
/// which are added in order. The first of them does not survive.
func finishWinogradGradient<Scalar: Element>(
  _ sizes: WinogradSizes<Scalar>, sums: [Storage<Scalar>], into weightGradient: UnsafeMutablePointer<Scalar>
) {
  let parts = sizes.inputChannels / Scalar.lanes
  Parallel.forEachChunk(parts) { part in
    let inputs = Parallel.range(ofChunk: part, of: parts, count: sizes.inputChannels)
    for f in 0..<36 {
      let start = (f * sizes.inputChannels + inputs.lowerBound) * sizes.outputVectors
      for others in sums.dropFirst() {
        for i in start..<start + inputs.count * sizes.outputVectors { sums[0].vectors[i] += others.vectors[i] }
      }
    }
    let patch = Storage<Scalar>(uninitialized: 36 * Scalar.lanes)
    gatherWeights(
      sums[0].base + inputs.lowerBound * sizes.outputChannels, frequency: sizes.inputChannels * sizes.outputVectors,
      rows: inputs.count, width: sizes.outputVectors,
      into: weightGradient + inputs.lowerBound * sizes.outputChannels,
      tap: sizes.inputChannels * sizes.outputVectors, row: sizes.outputVectors, patch: patch.base)
  }
}
