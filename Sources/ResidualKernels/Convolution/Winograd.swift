// Winograd.swift: convolution with 36 multiplications where the definition has 144.
//
// The weights are transformed once, and each thread takes a few images through all steps, or a band of an image's rows
// where there are few images.

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
    let (sizes, tiles) = (convolution.sizes, shape.batch * shape.tilesOfImage)
    // The sums are large: each chunk of tiles has to be worth adding them up.
    let partial = PartialSums<Scalar>(
      items: convolution.groups, vectors: sizes.gradient.count, chunks: max(4, min(tiles / 64, 16)))
    partial.forEachItem(state: {}) { group, sums, accumulating, _ in
      let rows = convolution.rows(ofGroup: group)
      winogradGradientImages(
        sizes, rows: rows, input: input.base, gradient: outputGradient.base, sums: sums, accumulating: accumulating,
        WinogradScratch(sizes, rows: rows.count))
    }
    finishWinogradGradient(sizes, sums: partial.sums, into: weightGradient.base)
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

  /// The number of groups of images, or of bands.
  var groups: Int { (shape.batch + images - 1) / images * bands }

  /// The rows of tiles of a group or a band, numbered through all images.
  func rows(ofGroup group: Int) -> Range<Int> {
    let first = group / bands * images * sizes.tileRows
    let rows = Parallel.range(ofChunk: group % bands, of: bands, count: images * sizes.tileRows)
    return first + rows.lowerBound..<min(first + rows.upperBound, shape.batch * sizes.tileRows)
  }

  func forward(input: Storage<Scalar>, weight: Storage<Scalar>, isTurned: Bool, output: Storage<Scalar>) {
    let weights = winogradWeights(Winograd4.self, sizes, weight: weight, isTurned: isTurned)
    Parallel.forEachChunk(groups) { group in
      let rows = rows(ofGroup: group)
      winogradImages(
        Winograd4.self, sizes, rows: rows, input: input.base, weights: weights.base, output: output.base,
        WinogradScratch(sizes, rows: rows.count), PlainEnd<Scalar>())
    }
  }
}
