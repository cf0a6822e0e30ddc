// Direct.swift: convolution as sums over register tiles, image by image.
//
// Each image (or band of rows, when the batch is small) is copied once into a scratch image with a border of zeros,
// which stays in the second-level cache while all its outputs are computed. The loops then have no tests for the border
// and no special pixels.

extension Kernels {
  /// Convolution by register tiles, with the contract of ``convolution(_:input:weight:output:)``.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func directConvolution<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, weight: Storage<Scalar>, output: Storage<Scalar>
  ) {
    shape.check(input: input, weight: weight, output: output)
    let weights = PackedWeights(shape, weight)
    let bands = shape.bands(rows: shape.outputHeight)
    Parallel.forEachChunk(shape.batch * bands) { chunk in
      let rows = Parallel.range(ofChunk: chunk % bands, of: bands, count: shape.outputHeight)
      let band = PaddedBand(
        image: input.base + chunk / bands * shape.imageCount, height: shape.height, width: shape.width,
        channels: shape.inputChannels, firstRow: rows.lowerBound * shape.stride - shape.padding,
        rows: (rows.count - 1) * shape.stride + shape.kernelHeight, left: shape.padding, right: shape.padding)
      let target = ChannelRows(
        output.base + (chunk / bands * shape.outputHeight + rows.lowerBound) * shape.outputWidth
          * shape.outputChannels,
        pixels: rows.count * shape.outputWidth, channels: shape.outputChannels)
      sumTaps(
        TapGrid(shape, rows: rows.count, row: band.row, vectors: weights.panels.vectors).flattened(), input: band.start,
        weights, output: target.start.vectors)
      target.finish()
      band.release()
    }
  }

  /// The gradient with respect to the input by register tiles, with the contract of
  /// ``convolutionInputGradient(_:outputGradient:weight:inputGradient:)``.
  ///
  /// With s the stride, input pixel i·s + r meets the weights k ≡ r + p (mod s) only, and meets them in output pixels
  /// i + (r + p − k)/s. So for each of the s·s pairs of remainders (one for stride 1) it is a convolution, at stride 1,
  /// of the gradient with respect to the output with those weights in reverse order and with their channels swapped.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func directConvolutionInputGradient<Scalar: Element>(
    _ shape: ConvolutionShape, outputGradient: Storage<Scalar>, weight: Storage<Scalar>,
    inputGradient: Storage<Scalar>
  ) {
    shape.check(input: inputGradient, weight: weight, output: outputGradient)
    let s = shape.stride
    let phases = InputGradientPhases(shape, weight)
    let bands = shape.bands(rows: phases.gridHeight)
    Parallel.forEachChunk(shape.batch * bands) { chunk in
      let n = chunk / bands
      let rows = Parallel.range(ofChunk: chunk % bands, of: bands, count: phases.gridHeight)
      let band = PaddedBand(
        image: outputGradient.base + n * shape.outputImageCount, height: shape.outputHeight, width: shape.outputWidth,
        channels: shape.outputChannels, firstRow: rows.lowerBound - phases.top,
        rows: rows.count - 1 + phases.reach, left: phases.left, right: phases.right)
      let firstRow = rows.lowerBound * s
      let target = ChannelRows(
        inputGradient.base + (n * shape.height + firstRow) * shape.width * shape.inputChannels,
        pixels: (min(rows.upperBound * s, shape.height) - firstRow) * shape.width, channels: shape.inputChannels)
      for phase in phases.all {
        sumTaps(
          phase.grid(rows: rows, shape, row: band.row), input: band.start + phase.inputOffset(row: band.row, shape),
          phase.weights, output: target.start.vectors + phase.outputOffset(shape))
      }
      target.finish()
      band.release()
    }
  }

  /// The gradient with respect to the weight by register tiles, with the contract of
  /// ``convolutionWeightGradient(_:input:outputGradient:weightGradient:)``.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func directConvolutionWeightGradient<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, outputGradient: Storage<Scalar>,
    weightGradient: Storage<Scalar>
  ) {
    shape.check(input: input, weight: weightGradient, output: outputGradient)
    let vectors = roundUp(shape.outputChannels, to: Scalar.lanes) / Scalar.lanes
    let bands = shape.bands(rows: shape.outputHeight)
    let rows = shape.kernelHeight * shape.kernelWidth * shape.inputChannels
    let partial = PartialSums<Scalar>(
      items: shape.batch * bands, vectors: rows * vectors, chunks: rows * vectors > 1 << 17 ? 4 : 16)
    partial.forEachItem(state: {}) { item, sums, accumulating, _ in
      let rows = Parallel.range(ofChunk: item % bands, of: bands, count: shape.outputHeight)
      let band = PaddedBand(
        image: input.base + item / bands * shape.imageCount, height: shape.height, width: shape.width,
        channels: shape.inputChannels, firstRow: rows.lowerBound * shape.stride - shape.padding,
        rows: (rows.count - 1) * shape.stride + shape.kernelHeight, left: shape.padding, right: shape.padding)
      let gradient = ChannelRows(
        outputGradient.base + (item / bands * shape.outputHeight + rows.lowerBound) * shape.outputWidth
          * shape.outputChannels,
        pixels: rows.count * shape.outputWidth, channels: shape.outputChannels)
      gradient.load()
      addOuterProducts(
        TapGrid(shape, rows: rows.count, row: band.row, vectors: vectors), input: band.start,
        gradient: gradient.start.vectors, vectors: vectors, sums: sums.vectors, accumulating: accumulating)
      gradient.release()
      band.release()
    }
    partial.total(into: weightGradient, rows: rows, channels: shape.outputChannels)
  }
}

extension PackedWeights {
  /// The weights of a forward convolution.
  init(_ shape: ConvolutionShape, _ weight: Storage<Scalar>) {
    let channels = shape.outputChannels
    self.init(weight, depth: shape.weightCount / channels, channels: channels, step: 1) { $0 * channels }
  }
}

/// The gradient with respect to a convolution's input as convolutions of the gradient with respect to its output: one
/// for each pair of remainders that the rows and columns of the input leave when they are divided by the stride.
struct InputGradientPhases<Scalar: Element> {
  /// Along one axis, the input pixels i·s + r and the weights they meet.
  struct Axis {
    /// r.
    let remainder: Int
    /// Positions in the kernel, in the order of the output pixels that they belong to (so from last to first).
    let kernelPositions: [Int]
    /// The last output pixel that input pixel i·s + r meets is i + offset.
    let offset: Int

    init(remainder: Int, stride: Int, padding: Int, kernel: Int) {
      self.remainder = remainder
      kernelPositions = Swift.stride(from: (remainder + padding) % stride, to: kernel, by: stride).reversed()
      offset = (remainder + padding) / stride
    }

    var taps: Int { kernelPositions.count }
    /// The first output pixel that it meets is i − margin.
    var margin: Int { taps - 1 - offset }
  }

  /// One pair of remainders.
  struct Phase {
    let y, x: Axis
    /// The rows and pixels of the border that this phase does not need, because the border fits the phase that needs
    /// most.
    let spareRows, sparePixels: Int
    /// The weights that it meets: rows are taps, in reverse order, and output channels; columns are input channels.
    let weights: PackedWeights<Scalar>

    /// The grid of input pixels i·s + r for the i in `rows`, `row` scalars being a row of the padded gradient.
    func grid(rows: Range<Int>, _ shape: ConvolutionShape, row: Int) -> TapGrid {
      let s = shape.stride
      let present = min(rows.upperBound * s, shape.height) - rows.lowerBound * s
      return TapGrid(
        height: (present - y.remainder + s - 1) / s, width: (shape.width - x.remainder + s - 1) / s, inputRow: row,
        inputPixel: shape.outputChannels, taps: y.taps, tapStep: row, depth: x.taps * shape.outputChannels,
        outputRow: s * shape.width * weights.panels.vectors, outputPixel: s * weights.panels.vectors
      ).flattened()
    }

    /// The number of scalars to skip in the padded gradient.
    func inputOffset(row: Int, _ shape: ConvolutionShape) -> Int {
      spareRows * row + sparePixels * shape.outputChannels
    }

    /// The number of vectors to skip in the gradient with respect to the input.
    func outputOffset(_ shape: ConvolutionShape) -> Int {
      (y.remainder * shape.width + x.remainder) * weights.panels.vectors
    }
  }

  /// The phases.
  let all: [Phase]
  /// The number of values of i along the rows.
  let gridHeight: Int
  /// The border above, to the left and to the right of the gradient with respect to the output.
  let top, left, right: Int
  /// The number of rows that the first i meets, counted from the top of the border.
  let reach: Int

  init(_ shape: ConvolutionShape, _ weight: Storage<Scalar>) {
    let s = shape.stride
    let rows = (0..<min(s, shape.height)).map {
      Axis(remainder: $0, stride: s, padding: shape.padding, kernel: shape.kernelHeight)
    }
    let columns = (0..<min(s, shape.width)).map {
      Axis(remainder: $0, stride: s, padding: shape.padding, kernel: shape.kernelWidth)
    }
    let (top, left) = (max(0, rows.map { $0.margin }.max()!), max(0, columns.map { $0.margin }.max()!))
    gridHeight = (shape.height + s - 1) / s
    self.top = top
    self.left = left
    right = max(0, columns.map { $0.offset }.max()! + (shape.width + s - 1) / s - shape.outputWidth)
    reach = rows.map { $0.offset }.max()! + top + 1
    all = rows.flatMap { y in
      columns.map { x in
        let taps = y.kernelPositions.flatMap { ky in x.kernelPositions.map { ky * shape.kernelWidth + $0 } }
        let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
        let weights = PackedWeights(weight, depth: taps.count * outputs, channels: inputs, step: outputs) {
          taps[$0 / outputs] * inputs * outputs + $0 % outputs
        }
        return Phase(y: y, x: x, spareRows: top - y.margin, sparePixels: left - x.margin, weights: weights)
      }
    }
  }
}

extension ConvolutionShape {
  /// The number of parts into which the rows of an image are cut, so that a small batch is work for many threads.
  func bands(rows: Int) -> Int { batch == 0 ? 1 : max(1, min(rows / 4, 16 / batch)) }
}

/// Some rows of an image with a border of zeros around them, or the image itself where no border is needed.
struct PaddedBand<Scalar: Element> {
  /// The first scalar of the first row, its border included.
  let start: UnsafePointer<Scalar>
  /// The distance in scalars from one row to the next.
  let row: Int
  private let scratch: Storage<Scalar>?

  /// `rows` rows from `firstRow` on, which may lie outside the image, with `left` and `right` pixels at the sides.
  @inline(__always)
  init(
    image: UnsafePointer<Scalar>, height: Int, width: Int, channels: Int, firstRow: Int, rows: Int, left: Int,
    right: Int
  ) {
    if left == 0 && right == 0 && firstRow >= 0 && firstRow + rows <= height {
      start = image + firstRow * width * channels
      row = width * channels
      scratch = nil
      return
    }
    row = (left + width + right) * channels
    let storage = Storage<Scalar>(uninitialized: rows * row)
    var target = storage.base
    for y in firstRow..<firstRow + rows {
      if y < 0 || y >= height {
        target.update(repeating: 0, count: row)
      } else {
        target.update(repeating: 0, count: left * channels)
        (target + left * channels).update(from: image + y * width * channels, count: width * channels)
        (target + (left + width) * channels).update(repeating: 0, count: right * channels)
      }
      target += row
    }
    start = UnsafePointer(storage.base)
    scratch = storage
  }

  /// Keeps the memory alive until the kernels are done with it.
  @inline(__always) func release() { withExtendedLifetime(scratch) {} }
}

/// Pixels whose channels fill whole vectors: the memory of the tensor where they do anyway, else a scratch copy.
struct ChannelRows<Scalar: Element> {
  /// The first pixel that the kernels read or write.
  let start: UnsafeMutablePointer<Scalar>
  private let tensor: UnsafeMutablePointer<Scalar>
  private let pixels, channels, filledChannels: Int
  private let scratch: Storage<Scalar>?

  @inline(__always)
  init(_ tensor: UnsafeMutablePointer<Scalar>, pixels: Int, channels: Int) {
    self.tensor = tensor
    self.pixels = pixels
    self.channels = channels
    filledChannels = roundUp(channels, to: Scalar.lanes)
    scratch = filledChannels == channels ? nil : Storage(uninitialized: pixels * filledChannels)
    start = scratch?.base ?? tensor
  }

  /// Copies the pixels of the tensor, and sets the channels that only fill vectors to zero.
  @inline(__always)
  func load() {
    guard scratch != nil else { return }
    for pixel in 0..<pixels {
      (start + pixel * filledChannels).update(from: tensor + pixel * channels, count: channels)
      (start + pixel * filledChannels + channels).update(repeating: 0, count: filledChannels - channels)
    }
  }

  /// Copies the pixels that the kernels wrote to the tensor.
  @inline(__always)
  func finish() {
    guard scratch != nil else { return }
    for pixel in 0..<pixels {
      (tensor + pixel * channels).update(from: start + pixel * filledChannels, count: channels)
    }
    release()
  }

  /// Keeps the memory alive until the kernels are done with it.
  @inline(__always) func release() { withExtendedLifetime(scratch) {} }
}

/// Sums over many items: one sum for each of a fixed number of chunks, and their total in the order of the chunks.
struct PartialSums<Scalar: Element> {
  let sums: [Storage<Scalar>]
  private let items: Int

  /// Sums of `vectors` vectors each. Many chunks keep many threads busy; few chunks cost less to add up.
  init(items: Int, vectors: Int, chunks: Int) {
    self.items = items
    sums = (0..<max(1, min(items, chunks))).map { _ in Storage(uninitialized: vectors * Scalar.lanes) }
  }

  /// Calls `body` for each item with the sums of its chunk, which the first item sets and the others add to, and with
  /// something that each chunk makes once, such as scratch memory.
  @inline(__always)
  func forEachItem<State>(
    state: () -> State,
    _ body: (_ item: Int, _ sums: UnsafeMutablePointer<Scalar>, _ accumulating: Bool, _ state: State) -> Void
  ) {
    if items == 0 { sums[0].base.update(repeating: 0, count: sums[0].count) }
    Parallel.forEachChunk(sums.count) { chunk in
      let state = state()
      let items = Parallel.range(ofChunk: chunk, of: sums.count, count: items)
      for item in items { body(item, sums[chunk].base, item > items.lowerBound, state) }
    }
  }

  /// Writes the sum over all chunks, `rows` rows of whole vectors, without the channels that only fill vectors.
  @inline(__always)
  func total(into target: Storage<Scalar>, rows: Int, channels: Int) {
    let width = roundUp(channels, to: Scalar.lanes)
    Parallel.forEachChunk(min(16, rows)) { part in
      for row in Parallel.range(ofChunk: part, of: min(16, rows), count: rows) {
        let source = row * width
        for c in 0..<channels {
          var total = sums[0].base[source + c]
          for chunk in 1..<sums.count { total += sums[chunk].base[source + c] }
          target.base[row * channels + c] = total
        }
      }
    }
  }
}
