// PaddedImages.swift: a few images with a border of zeros, in the cache of the thread that works on them, and what
// fills them: tensors, normalizations, gradients.

/// The layout of images in scratch memory with a border of zeros around each.
struct PaddedLayout {
  /// The rows, columns and channels of an image without its border.
  var height, width, channels: Int
  /// The rows of border above an image and the columns to its left.
  var top, left: Int
  /// The rows and columns with the border on all sides.
  var rows, columns: Int
  var hasNoBorder: Bool { rows == height && columns == width }

  /// The distance in scalars from one row to the next.
  var row: Int { columns * channels }
  /// The distance in scalars from one image to the next.
  var image: Int { rows * row }
  /// The distance in scalars from the start of the memory to pixel (0, 0) of the first image.
  var interior: Int { top * row + left * channels }

  /// Memory for `images` images with a border of zeros. Whoever fills it writes only inside the border.
  func scratch<Scalar: Element>(_ images: Int, _: Scalar.Type) -> Storage<Scalar> {
    let scratch = Storage<Scalar>(uninitialized: images * image)
    for start in stride(from: 0, to: images * image, by: image) {
      // From the end of one row of pixels to the start of the next, the border is one piece.
      var next = start
      for y in 0..<height {
        let pixels = start + interior + y * row
        (scratch.base + next).update(repeating: 0, count: pixels - next)
        next = pixels + width * channels
      }
      (scratch.base + next).update(repeating: 0, count: start + image - next)
    }
    return scratch
  }

  /// Calls `body` with the index of each vector in the dense image and in the padded one. The innermost loop runs along
  /// a row for one vector of channels, so that the channels' constants stay in registers.
  @inline(__always)
  func forEachVector<Scalar: Element, Constants>(
    image index: Int, _: Scalar.Type, constants: (_ vector: Int) -> Constants,
    _ body: (_ dense: Int, _ padded: Int, _ constants: Constants) -> Void
  ) {
    let vectors = channels / Scalar.lanes
    let start = (index * image + interior) / Scalar.lanes
    for y in 0..<height {
      for q in 0..<vectors {
        let constants = constants(q)
        var dense = y * width * vectors + q
        var padded = start + y * columns * vectors + q
        for _ in 0..<width {
          body(dense, padded, constants)
          dense += vectors
          padded += vectors
        }
      }
    }
  }
}

/// What batch normalization does to each channel: `y = (x − mean) · scale + shift`.
public struct ChannelAffine<Scalar: Element>: Sendable {
  let mean, scale, shift: Storage<Scalar>

  /// A function with one mean, scale and shift for each channel.
  public init(mean: Storage<Scalar>, scale: Storage<Scalar>, shift: Storage<Scalar>) {
    precondition(mean.count == scale.count && scale.count == shift.count, "as many means as scales and shifts")
    (self.mean, self.scale, self.shift) = (mean, scale, shift)
  }

  typealias Constants = (mean: Scalar.Vector, scale: Scalar.Vector, shift: Scalar.Vector)

  @inline(__always)
  func constants(_ vector: Int) -> Constants { (mean.vectors[vector], scale.vectors[vector], shift.vectors[vector]) }

  @inline(__always)
  static func apply(_ constants: Constants, _ x: Scalar.Vector) -> Scalar.Vector {
    var y = constants.shift
    y.multiplyAdd(x - constants.mean, constants.scale)
    return y
  }
}

/// The input of a fused convolution: a tensor, or the ReLU of a tensor's normalization, which is then never stored.
public struct FusedInput<Scalar: Element>: Sendable {
  let storage: Storage<Scalar>
  let affine: ChannelAffine<Scalar>?

  /// The tensor `x` itself, or `max(affine(x), 0)`.
  public init(_ x: Storage<Scalar>, rectifying affine: ChannelAffine<Scalar>? = nil) {
    storage = x
    self.affine = affine
  }

  /// Some images in this layout: those of the tensor where they lie like that, or copies in scratch memory.
  @inline(__always)
  func images(_ range: Range<Int>, layout: PaddedLayout, scratch: Storage<Scalar>) -> UnsafePointer<Scalar> {
    if affine == nil && layout.hasNoBorder { return UnsafePointer(storage.base + range.lowerBound * layout.image) }
    for (index, n) in range.enumerated() { fill(n, layout: layout, into: scratch.base, image: index) }
    return UnsafePointer(scratch.base)
  }

  /// Writes image n into padded scratch memory.
  @inline(__always)
  private func fill(_ n: Int, layout: PaddedLayout, into scratch: UnsafeMutablePointer<Scalar>, image index: Int) {
    let source = storage.base + n * layout.height * layout.width * layout.channels
    guard let affine else {
      let (start, row) = (scratch + index * layout.image + layout.interior, layout.width * layout.channels)
      for y in 0..<layout.height { (start + y * layout.row).update(from: source + y * row, count: row) }
      return
    }
    let (x, target) = (source.vectors, scratch.vectors)
    layout.forEachVector(image: index, Scalar.self) {
      affine.constants($0)
    } _: { dense, padded, constants in
      target[padded] = Scalar.rectified(ChannelAffine<Scalar>.apply(constants, x[dense]))
    }
  }
}

/// The gradient that a fused convolution reads: `a · g + b · (x − mean) + d`, the gradient of the loss with respect to
/// the input x of a batch normalization, made from the gradient g with respect to its output. It is never stored.
public struct FusedGradient<Scalar: Element>: Sendable {
  let gradient, input, a, b, d, mean: Storage<Scalar>

  /// A gradient made of g, x, and one a, b, d and mean for each channel.
  public init(
    gradient: Storage<Scalar>, input: Storage<Scalar>, a: Storage<Scalar>, b: Storage<Scalar>, d: Storage<Scalar>,
    mean: Storage<Scalar>
  ) {
    precondition(gradient.count == input.count, "a gradient of \(gradient.count) for \(input.count) elements")
    (self.gradient, self.input, self.a, self.b, self.d, self.mean) = (gradient, input, a, b, d, mean)
  }

  /// Writes image n into padded scratch memory.
  @inline(__always)
  func fill(_ n: Int, layout: PaddedLayout, into scratch: UnsafeMutablePointer<Scalar>, image index: Int) {
    let start = n * layout.height * layout.width * layout.channels
    let (g, x, target) = ((gradient.base + start).vectors, (input.base + start).vectors, scratch.vectors)
    layout.forEachVector(image: index, Scalar.self) { q in
      (a.vectors[q], b.vectors[q], d.vectors[q], mean.vectors[q])
    } _: { dense, padded, constants in
      var y = constants.2
      y.multiplyAdd(g[dense], constants.0)
      y.multiplyAdd(x[dense] - constants.3, constants.1)
      target[padded] = y
    }
  }
}
