// InferenceConvolution.swift: a convolution whose weights do not change any more.
//
// The normalization behind it is folded into the weights, which are packed, or transformed by Winograd's G, once. Bias,
// shortcut and ReLU are done on the output's way to memory. Every output is one sum in one order, however the work is
// cut: one thread and many give the same bits, and so do all batches.

/// `y = max(affine(x ∗ weight) + other, 0)`, with the affine function of each channel folded into the weights.
///
/// Images are dense, `[N, H, W, C]`. The channels of an output fill whole vectors; those beyond the weights' are zero.
public struct InferenceConvolution: Sendable {
  /// How the sums are computed. At a small batch all weights come from memory, each for a few products: where an image
  /// has few pixels and many channels, a form with fewer weights beats one with fewer products.
  public enum Form: CaseIterable, Sendable {
    /// As the definition says, over register tiles: 9 weights for a 3x3 kernel.
    case direct
    /// Winograd's F(2x2, 3x3): 16 weights.
    case winograd2
    /// Winograd's F(4x4, 3x3): 36 weights.
    case winograd4
  }

  /// The sizes that it was prepared for, with the output's channels as they lie in memory.
  private let shape: ConvolutionShape
  /// The form that was chosen.
  public let form: Form
  private let weights, bias: Storage<Float>
  private let rectifies: Bool

  private typealias Vector = FloatVector

  /// A convolution with these weights and an affine function of each channel behind it.
  ///
  /// - Parameters:
  ///   - shape: the sizes. Batch, height and width only choose the form: other images are convolved as well.
  ///   - weight: `[kH, kW, Cin, Cout]`.
  ///   - affine: what follows each output channel's sum.
  ///   - rectifies: whether a ReLU follows.
  ///   - form: the form, if it is not to be chosen; one of Winograd's for 3x3 kernels at stride 1 only.
  public init(
    _ shape: ConvolutionShape, weight: Storage<Float>, affine: ChannelAffine<Float>,
    rectifies: Bool, form: Form? = nil
  ) {
    precondition(weight.count == shape.weightCount, "\(weight.count) weights for \(shape)")
    precondition(affine.scale.count == shape.outputChannels, "\(affine.scale.count) factors for \(shape)")
    let lanes = Float.lanes
    var filled = shape
    filled.outputChannels = roundUp(shape.outputChannels, to: lanes)
    let form = form ?? filled.fastestForm
    precondition(form == .direct || filled.admitsWinograd(Float.self), "Winograd's kernels do not compute \(shape)")
    (self.shape, self.form, self.rectifies) = (filled, form, rectifies)
    bias = Storage(repeating: 0, count: filled.outputChannels)
    for c in 0..<shape.outputChannels {
      bias.base[c] = affine.shift.base[c] - affine.mean.base[c] * affine.scale.base[c]
    }
    let folded = Storage<Float>(repeating: 0, count: filled.weightCount)
    for row in 0..<shape.weightCount / shape.outputChannels {
      let (w, target) = (weight.base + row * shape.outputChannels, folded.base + row * filled.outputChannels)
      for c in 0..<shape.outputChannels { target[c] = w[c] * affine.scale.base[c] }
    }
    switch form {
    case .direct: weights = PackedWeights(filled, folded).storage
    case .winograd2: weights = Self.transformed(Winograd2<Float>.self, filled, folded)
    case .winograd4: weights = Self.transformed(Winograd4<Float>.self, filled, folded)
    }
  }

  private static func transformed<Form: WinogradForm<Float>>(
    _: Form.Type, _ shape: ConvolutionShape, _ weight: Storage<Float>
  ) -> Storage<Float> {
    winogradWeights(Form.self, WinogradSizes(shape, tile: Form.outputs), weight: weight, isTurned: false)
  }

  /// The sizes of the convolution of these images.
  public func sizes(batch: Int, height: Int, width: Int) -> ConvolutionShape {
    var sizes = shape
    (sizes.batch, sizes.height, sizes.width) = (batch, height, width)
    return sizes
  }

  /// Convolves images of these ``sizes(batch:height:width:)``.
  ///
  /// - Parameters:
  ///   - sizes: of these images.
  ///   - input: `[N, H, W, Cin]`.
  ///   - other: what is added before the ReLU: as large as the output.
  ///   - output: takes `[N, H', W', Cout]`, with the channels filled up to whole vectors.
  public func run(
    _ sizes: ConvolutionShape, input: Storage<Float>, adding other: Storage<Float>?, output: Storage<Float>
  ) {
    precondition(
      sizes == self.sizes(batch: sizes.batch, height: sizes.height, width: sizes.width), "\(sizes) for \(shape)")
    precondition(input.count == sizes.inputCount, "the input has \(input.count) elements, \(sizes)")
    precondition(output.count == sizes.outputCount, "the output has \(output.count) elements, \(sizes)")
    precondition(other?.count ?? output.count == output.count, "a second term of another size than the output")
    switch form {
    case .direct: direct(sizes, input, adding: other, into: output)
    case .winograd2: winograd(Winograd2<Float>.self, sizes, input, adding: other, into: output)
    case .winograd4: winograd(Winograd4<Float>.self, sizes, input, adding: other, into: output)
    }
  }

  /// What becomes of a sum: bias and shortcut are added, and the ReLU is applied.
  private struct End: OutputEnd {
    typealias Scalar = Float
    let bias: UnsafePointer<Vector>
    let other: UnsafePointer<Vector>?
    let rectifies: Bool

    @inline(__always)
    func value(_ sum: Vector, at place: Int, vector: Int) -> Vector {
      var y = sum + bias[vector]
      if let other { y += other[place] }
      return rectifies ? Float.rectified(y) : y
    }
  }

  private func end(adding other: Storage<Float>?) -> End {
    End(bias: bias.vectors, other: other.map { UnsafePointer($0.vectors) }, rectifies: rectifies)
  }

  // MARK: - Direct

  /// Images with a border, image by image; or the inputs of each pixel side by side (*gathered*), for all pixels of all
  /// images. With many output channels the copy costs little, and it leaves few pixels over when they are cut into
  /// tiles, and no power of two between the inputs of two pixels, which would compete for the same places of the cache.
  private func direct(
    _ whole: ConvolutionShape, _ input: Storage<Float>, adding other: Storage<Float>?, into output: Storage<Float>
  ) {
    var shape = whole
    let isGathered = shape.outputChannels >= 128
    if isGathered || shape.kernelHeight == 1 && shape.stride == 1 && shape.padding == 0 {
      (shape.height, shape.width) = (shape.batch * shape.outputHeight * shape.outputWidth, 1)
      (shape.batch, shape.stride, shape.padding, shape.kernelHeight, shape.kernelWidth) = (1, 1, 0, 1, 1)
    }
    let (row, vectors) = (shape.outputWidth, shape.panels.vectors)
    let depth = whole.depth
    let rows = min(shape.outputHeight, max(1, whole.pixelsAtOnce / row))
    let bands = (shape.outputHeight + rows - 1) / rows
    let parts = whole.parts(blocks: shape.batch * bands)
    Parallel.forEachChunk(shape.batch * bands * parts, pays: whole.isLarge) { chunk in
      let (n, y) = (chunk / parts / bands, chunk / parts % bands * rows)
      let count = min(rows, shape.outputHeight - y)
      let panels = Parallel.range(ofChunk: chunk % parts, of: parts, count: shape.panels.count)
      let start = (n * shape.outputHeight + y) * row * vectors
      func multiply(_ grid: TapGrid, _ source: UnsafePointer<Float>) {
        let (target, end) = (output.vectors, end(adding: other))
        for panel in panels.map({ shape.panels[$0] }) {
          sumPanel(
            grid, input: source, panel: weights.vectors + panel.lowerBound * depth, width: panel.count,
            output: target + start + panel.lowerBound)
          for v in panel {
            for i in stride(from: start + v, to: start + count * row * vectors, by: vectors) {
              target[i] = end.value(target[i], at: i, vector: v)
            }
          }
        }
      }
      if isGathered {
        let pixel = depth + Float.lanes
        let gathered = Storage<Float>(uninitialized: count * pixel)
        for i in 0..<count { whole.gather(y + i, from: input.base, into: gathered.base + i * pixel) }
        multiply(TapGrid(width: count, inputPixel: pixel, depth: depth, outputPixel: vectors), gathered.base)
        withExtendedLifetime(gathered) {}
        return
      }
      let band = PaddedBand(
        image: input.base + n * shape.imageCount, height: shape.height, width: shape.width,
        channels: shape.inputChannels, firstRow: y * shape.stride - shape.padding,
        rows: (count - 1) * shape.stride + shape.kernelHeight, left: shape.padding, right: shape.padding)
      multiply(TapGrid(shape, rows: count, row: band.row, vectors: vectors).flattened(), band.start)
      band.release()
    }
  }

  // MARK: - Winograd

  /// Each thread takes some rows of tiles, or some output channels, through all steps.
  private func winograd<Form: WinogradForm<Float>>(
    _: Form.Type, _ shape: ConvolutionShape, _ input: Storage<Float>, adding other: Storage<Float>?,
    into output: Storage<Float>
  ) {
    var sizes = WinogradSizes<Float>(shape, tile: Form.outputs)
    sizes.tilesAtOnce = shape.tilesAtOnce
    let (count, step) = (shape.batch * sizes.tileRows, sizes.rowsAtOnce)
    let blocks = (count + step - 1) / step
    let parts = shape.parts(blocks: blocks)
    Parallel.forEachChunk(blocks * parts, pays: shape.isLarge) { chunk in
      let first = chunk / parts * step
      let rows = first..<min(first + step, count)
      let panels = Parallel.range(ofChunk: chunk % parts, of: parts, count: shape.panels.count)
      let vectors = shape.panels[panels.upperBound - 1].upperBound - shape.panels[panels.lowerBound].lowerBound
      winogradImages(
        Form.self, sizes, rows: rows, panels: panels, input: input.base, weights: weights.base, output: output.base,
        WinogradScratch(sizes, rows: rows.count, vectors: vectors), end(adding: other))
    }
  }
}

extension ConvolutionShape {
  /// The panels of its output channels, which are filled up to whole vectors.
  var panels: Panels { Panels(vectors: outputChannels / Float.lanes) }

  /// The products that an output is the sum of.
  fileprivate var depth: Int { kernelHeight * kernelWidth * inputChannels }

  /// Copies the inputs of an output pixel, numbered through all images, side by side.
  @inline(__always)
  fileprivate func gather(_ number: Int, from input: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
    let (image, pixel) = number.quotientAndRemainder(dividingBy: outputHeight * outputWidth)
    let (top, left) = (pixel / outputWidth * stride - padding, pixel % outputWidth * stride - padding)
    for tap in 0..<kernelHeight * kernelWidth {
      let (y, x) = (top + tap / kernelWidth, left + tap % kernelWidth)
      if y >= 0 && y < height && x >= 0 && x < width {
        (target + tap * inputChannels).update(
          from: input + ((image * height + y) * width + x) * inputChannels, count: inputChannels)
      } else {
        (target + tap * inputChannels).update(repeating: 0, count: inputChannels)
      }
    }
  }

  /// The pixels and the tiles that are worked on at once: the more, the more weights have to be read for them.
  fileprivate var pixelsAtOnce: Int {
    max(kernelHeight == 1 || outputChannels >= 128 ? 64 : 256, depth * outputChannels / 1024)
  }
  fileprivate var tilesAtOnce: Int { max(32, inputChannels * outputChannels / 128) }

  /// The parts that the output channels are cut into, where `blocks` of pixels are too few for the threads.
  fileprivate func parts(blocks: Int) -> Int {
    let threads = isLarge ? Parallel.available : 1
    return blocks >= 2 * threads ? 1 : min(threads, panels.count)
  }

  /// Whether it takes long enough for other threads to wake up.
  fileprivate var isLarge: Bool { multiplyAdds > 1 << 22 }

  /// The form that is expected to be the fastest. The cost is counted in cycles: 1.2 for each product of vectors, and for
  /// each vector of weights 2 from the cache or, where all are more than 1 MB, 20 from memory; the transforms come on
  /// top. The numbers are measured.
  var fastestForm: InferenceConvolution.Form {
    guard Kernels.implementation == .fast, admitsWinograd(Float.self), Kernels.convolutionAlgorithm != .direct else {
      return .direct
    }
    if Kernels.convolutionAlgorithm == .winograd { return .winograd4 }
    let pairs = inputChannels * outputChannels / Float.lanes
    func cycles(products: Int, weights: Int) -> Int {
      products * pairs * 6 / 5 + weights * pairs * (weights * pairs * Float.lanes * 4 > 1 << 20 ? 20 : 2)
    }
    func winograd(_ m: Int, _ n: Int, transforms: Int) -> Int {
      let tiles = batch * ((outputHeight + m - 1) / m) * ((outputWidth + m - 1) / m)
      return cycles(products: n * n * tiles, weights: n * n)
        + tiles * transforms * (inputChannels + outputChannels) / Float.lanes
    }
    let direct = cycles(products: 9 * max(8, batch * outputHeight * outputWidth), weights: 9)
    let (two, four) = (winograd(2, 4, transforms: 30), winograd(4, 6, transforms: 80))
    return direct <= min(two, four) ? .direct : two < four ? .winograd2 : .winograd4
  }
}
