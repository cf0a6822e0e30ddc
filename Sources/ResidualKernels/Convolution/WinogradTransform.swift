// WinogradTransform.swift: the small matrices of Winograd's convolution F(4x4, 3x3).
//
// Source      Lavin, Gray 2015: Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308, §4
//
// A tile of 4x4 outputs of a 3x3 convolution reads 6x6 inputs d and 3x3 weights g:
//
//     Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
//
// ⊙ multiplies 36 pairs of numbers, where the definition multiplies 16 · 9 = 144. Summed over input channels, for many
// tiles and output channels, each of the 36 places (*frequencies*) is a product of matrices. Read backwards, the
// same equation gives the gradient with respect to the weights from the gradient with respect to the outputs:
//
//     ∂g = Gᵀ [ (Bᵀ d B) ⊙ (A ∂Y Aᵀ) ] G
//
// Along one axis the outputs are the coefficients of a product of polynomials, found from its values at the points
// 0, a, −a, b, −b and ∞:
//
//          1    0   −s    0   1  0                1        0       0
//          0 −ab²  −b²    a   1  0               −2/3  −2a/3    −1/3               1  1   1   1   1  0
//     Bᵀ = 0  ab²  −b²   −a   1  0          G =  −2/3   2a/3    −1/3          Aᵀ = 0  a  −a   b  −b  0
//          0 −a²b  −a²    b   1  0                1/6    b/6     1/3               0  a²  a²  b²  b² 0
//          0  a²b  −a²   −b   1  0                1/6   −b/6     1/3               0  a³ −a³  b³ −b³ 1
//          0    1    0   −s   0  1                0        0       1
//
// with a = √½, b = √2, s = a² + b² = 5/2. Lavin and Gray take a = 1, b = 2. Where b = 1/a, large and small powers
// balance: in Float the largest error is a quarter of theirs, for the same number of operations.

extension SIMD where Scalar: Element {
  /// `self + x · factor`
  @inline(__always)
  func plus(_ x: Self, times factor: Scalar) -> Self {
    var sum = self
    sum.multiplyAdd(x, Self(repeating: factor))
    return sum
  }
}

/// A map along one axis.
private protocol AxisMap<Scalar> {
  associatedtype Scalar: Element
  /// The counts of numbers that it reads and writes.
  static var sourceCount: Int { get }
  static var targetCount: Int { get }
  /// Reads vectors that lie `from` apart and writes vectors `to` apart.
  static func apply(_ s: UnsafePointer<Scalar.Vector>, from: Int, _ t: UnsafeMutablePointer<Scalar.Vector>, to: Int)
}

extension AxisMap {
  @inline(__always) fileprivate static var a: Scalar { Scalar(0.5).squareRoot() }
  @inline(__always) fileprivate static var b: Scalar { Scalar(2).squareRoot() }
}

/// `t = Bᵀ s`. Rows 1 and 2 share `s₄ − b²s₂` and `s₃ − b²s₁`, rows 3 and 4 the same with a².
private enum InputSpread<Scalar: Element>: AxisMap {
  @inline(__always) static var sourceCount: Int { 6 }
  @inline(__always) static var targetCount: Int { 6 }
  @inline(__always)
  static func apply(_ s: UnsafePointer<Scalar.Vector>, from: Int, _ t: UnsafeMutablePointer<Scalar.Vector>, to: Int) {
    let (s1, s2, s3, s4) = (s[from], s[2 * from], s[3 * from], s[4 * from])
    t[0] = (s[0] + s4).plus(s2, times: -2.5)
    let even1 = s4.plus(s2, times: -2)
    let odd1 = s3.plus(s1, times: -2)
    t[to] = even1.plus(odd1, times: a)
    t[2 * to] = even1.plus(odd1, times: -a)
    let even2 = s4.plus(s2, times: -0.5)
    let odd2 = s3.plus(s1, times: -0.5)
    t[3 * to] = even2.plus(odd2, times: b)
    t[4 * to] = even2.plus(odd2, times: -b)
    t[5 * to] = (s1 + s[5 * from]).plus(s3, times: -2.5)
  }
}

/// `t = Aᵀ s`.
private enum OutputGather<Scalar: Element>: AxisMap {
  @inline(__always) static var sourceCount: Int { 6 }
  @inline(__always) static var targetCount: Int { 4 }
  @inline(__always)
  static func apply(_ s: UnsafePointer<Scalar.Vector>, from: Int, _ t: UnsafeMutablePointer<Scalar.Vector>, to: Int) {
    let (sum1, difference1) = (s[from] + s[2 * from], s[from] - s[2 * from])
    let (sum2, difference2) = (s[3 * from] + s[4 * from], s[3 * from] - s[4 * from])
    t[0] = s[0] + sum1 + sum2
    t[to] = (difference1 * a).plus(difference2, times: b)
    t[2 * to] = (sum1 * Scalar(0.5)).plus(sum2, times: 2)
    t[3 * to] = s[5 * from].plus(difference1, times: a / 2).plus(difference2, times: 2 * b)
  }
}

/// `t = A s`.
private enum GradientSpread<Scalar: Element>: AxisMap {
  @inline(__always) static var sourceCount: Int { 4 }
  @inline(__always) static var targetCount: Int { 6 }
  @inline(__always)
  static func apply(_ s: UnsafePointer<Scalar.Vector>, from: Int, _ t: UnsafeMutablePointer<Scalar.Vector>, to: Int) {
    let (s0, s1, s2, s3) = (s[0], s[from], s[2 * from], s[3 * from])
    t[0] = s0
    let even1 = s0.plus(s2, times: 0.5)
    let odd1 = s1.plus(s3, times: 0.5)
    t[to] = even1.plus(odd1, times: a)
    t[2 * to] = even1.plus(odd1, times: -a)
    let even2 = s0.plus(s2, times: 2)
    let odd2 = s1.plus(s3, times: 2)
    t[3 * to] = even2.plus(odd2, times: b)
    t[4 * to] = even2.plus(odd2, times: -b)
    t[5 * to] = s3
  }
}

/// `t = G s`.
private enum WeightSpread<Scalar: Element>: AxisMap {
  @inline(__always) static var sourceCount: Int { 3 }
  @inline(__always) static var targetCount: Int { 6 }
  @inline(__always)
  static func apply(_ s: UnsafePointer<Scalar.Vector>, from: Int, _ t: UnsafeMutablePointer<Scalar.Vector>, to: Int) {
    let (s0, s1, s2) = (s[0], s[from], s[2 * from])
    t[0] = s0
    let even1 = (s0 * Scalar(-2.0 / 3)).plus(s2, times: Scalar(-1.0 / 3))
    t[to] = even1.plus(s1, times: -2 * a / 3)
    t[2 * to] = even1.plus(s1, times: 2 * a / 3)
    let even2 = (s0 * Scalar(1.0 / 6)).plus(s2, times: Scalar(1.0 / 3))
    t[3 * to] = even2.plus(s1, times: b / 6)
    t[4 * to] = even2.plus(s1, times: -b / 6)
    t[5 * to] = s2
  }
}

/// `t = Gᵀ s`.
private enum WeightGather<Scalar: Element>: AxisMap {
  @inline(__always) static var sourceCount: Int { 6 }
  @inline(__always) static var targetCount: Int { 3 }
  @inline(__always)
  static func apply(_ s: UnsafePointer<Scalar.Vector>, from: Int, _ t: UnsafeMutablePointer<Scalar.Vector>, to: Int) {
    let (sum1, difference1) = (s[from] + s[2 * from], s[from] - s[2 * from])
    let (sum2, difference2) = (s[3 * from] + s[4 * from], s[3 * from] - s[4 * from])
    t[0] = s[0].plus(sum1, times: Scalar(-2.0 / 3)).plus(sum2, times: Scalar(1.0 / 6))
    t[to] = (difference1 * (-2 * a / 3)).plus(difference2, times: b / 6)
    t[2 * to] = s[5 * from].plus(sum1, times: Scalar(-1.0 / 3)).plus(sum2, times: Scalar(1.0 / 3))
  }
}

/// A square of vectors: its first one, and the distances between its rows and between its columns.
struct VectorSquare<Pointer> {
  var start: Pointer
  var row, column: Int
}

/// Applies a map to the columns of a square and then to its rows. `patch` holds what is between, up to 6x6 vectors.
@inline(__always)
private func onBothAxes<Map: AxisMap>(
  _: Map.Type, _ source: VectorSquare<UnsafePointer<Map.Scalar.Vector>>,
  _ target: VectorSquare<UnsafeMutablePointer<Map.Scalar.Vector>>, patch: Storage<Map.Scalar>
) {
  for j in 0..<Map.sourceCount {
    Map.apply(source.start + j * source.column, from: source.row, patch.vectors + j, to: 6)
  }
  for i in 0..<Map.targetCount {
    Map.apply(patch.vectors + i * 6, from: 1, target.start + i * target.row, to: target.column)
  }
}

// MARK: - All tiles of some images

/// Rows of tiles of a few images: the tiles that are transformed and multiplied together.
struct TileBlock {
  /// The number of images, and in each of them the rows of tiles and the number of tiles in a row.
  var images: Int
  var rows: Range<Int>
  var columns: Int

  var count: Int { images * rows.count * columns }

  /// Calls `body` for each tile, in order, with its image and its first output pixel.
  @inline(__always)
  func forEachTile(_ body: (_ tile: Int, _ image: Int, _ y: Int, _ x: Int) -> Void) {
    var tile = 0
    for image in 0..<images {
      for row in rows {
        for column in 0..<columns {
          body(tile, image, 4 * row, 4 * column)
          tile += 1
        }
      }
    }
  }
}

/// The number of vectors in a pixel, and the distances in vectors from one row and from one image to the next.
struct PixelLayout {
  var vectors, row, image: Int

  @inline(__always)
  func offset(image n: Int, _ y: Int, _ x: Int) -> Int { n * image + y * row + x * vectors }
}

/// `[36, rows, vectors]`: a matrix for each frequency, whose rows are tiles or channels.
struct FrequencyLayout {
  /// The number of vectors in a row, and the distance in vectors from one frequency to the next.
  let vectors, step: Int

  /// One vector more than is used from each frequency to the next: where the distance is a power of two, all 36
  /// vectors of a tile would compete for the same few places of the cache.
  init(rows: Int, vectors: Int) {
    self.vectors = vectors
    step = rows * vectors + 1
  }

  /// The number of vectors in all frequencies together.
  var count: Int { 36 * step }
}

/// `Bᵀ d B` of every tile: a tile's first input is the pixel with the same place as its first output, so the images
/// have their padding already and 4 · rows + 2 rows, 4 · columns + 2 columns.
@inline(never)
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func spreadInput<Scalar: Element>(
  _ tiles: TileBlock, _ input: UnsafePointer<Scalar>, _ pixels: PixelLayout,
  into target: UnsafeMutablePointer<Scalar>, _ layout: FrequencyLayout
) {
  let patch = Storage<Scalar>(uninitialized: 36 * Scalar.lanes)
  tiles.forEachTile { tile, image, y, x in
    for vector in 0..<pixels.vectors {
      onBothAxes(
        InputSpread<Scalar>.self,
        VectorSquare(
          start: input.vectors + pixels.offset(image: image, y, x) + vector, row: pixels.row, column: pixels.vectors),
        VectorSquare(
          start: target.vectors + tile * layout.vectors + vector, row: 6 * layout.step, column: layout.step),
        patch: patch)
    }
  }
}

/// `A ∂Y Aᵀ` of every tile: the images have 4 · rows rows and 4 · columns columns, zero where there is no output.
@inline(never)
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func spreadGradient<Scalar: Element>(
  _ tiles: TileBlock, _ gradient: UnsafePointer<Scalar>, _ pixels: PixelLayout,
  into target: UnsafeMutablePointer<Scalar>, _ layout: FrequencyLayout
) {
  let patch = Storage<Scalar>(uninitialized: 36 * Scalar.lanes)
  tiles.forEachTile { tile, image, y, x in
    for vector in 0..<pixels.vectors {
      onBothAxes(
        GradientSpread<Scalar>.self,
        VectorSquare(
          start: gradient.vectors + pixels.offset(image: image, y, x) + vector, row: pixels.row,
          column: pixels.vectors),
        VectorSquare(
          start: target.vectors + tile * layout.vectors + vector, row: 6 * layout.step, column: layout.step),
        patch: patch)
    }
  }
}

/// `Aᵀ m A` of every tile, written to the `height` x `width` pixels that the images have; `products` holds
/// `layout.vectors` vectors of each pixel, `output` points at the first of them.
@inline(never)
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func gatherOutput<Scalar: Element>(
  _ tiles: TileBlock, _ products: UnsafePointer<Scalar>, _ layout: FrequencyLayout,
  into output: UnsafeMutablePointer<Scalar>, _ pixels: PixelLayout, height: Int, width: Int
) {
  let patch = Storage<Scalar>(uninitialized: 36 * Scalar.lanes)
  let edge = Storage<Scalar>(uninitialized: 16 * Scalar.lanes)
  tiles.forEachTile { tile, image, y, x in
    let isWhole = y + 4 <= height && x + 4 <= width
    for vector in 0..<layout.vectors {
      let target = output.vectors + pixels.offset(image: image, y, x) + vector
      onBothAxes(
        OutputGather<Scalar>.self,
        VectorSquare(
          start: products.vectors + tile * layout.vectors + vector, row: 6 * layout.step, column: layout.step),
        isWhole
          ? VectorSquare(start: target, row: pixels.row, column: pixels.vectors)
          : VectorSquare(start: edge.vectors, row: 4, column: 1),
        patch: patch)
      guard !isWhole else { continue }
      for i in 0..<min(4, height - y) {
        for j in 0..<min(4, width - x) { target[i * pixels.row + j * pixels.vectors] = edge.vectors[4 * i + j] }
      }
    }
  }
}

/// `G g Gᵀ` for some rows of weights: `weight` points at the first vector, the nine taps are `tap` vectors apart and
/// the rows `row` vectors.
@inline(never)
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func spreadWeights<Scalar: Element>(
  _ weight: UnsafePointer<Scalar>, tap: Int, row: Int, rows: Int, into target: UnsafeMutablePointer<Scalar>,
  _ layout: FrequencyLayout
) {
  let patch = Storage<Scalar>(uninitialized: 36 * Scalar.lanes)
  for i in 0..<rows {
    for vector in 0..<layout.vectors {
      onBothAxes(
        WeightSpread<Scalar>.self,
        VectorSquare(start: weight.vectors + i * row + vector, row: 3 * tap, column: tap),
        VectorSquare(
          start: target.vectors + i * layout.vectors + vector, row: 6 * layout.step, column: layout.step),
        patch: patch)
    }
  }
}

/// `Gᵀ m G` for some rows of weights, the way back.
@inline(never)
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func gatherWeights<Scalar: Element>(
  _ sums: UnsafePointer<Scalar>, _ layout: FrequencyLayout, rows: Int, into weight: UnsafeMutablePointer<Scalar>,
  tap: Int, row: Int
) {
  let patch = Storage<Scalar>(uninitialized: 36 * Scalar.lanes)
  for i in 0..<rows {
    for vector in 0..<layout.vectors {
      onBothAxes(
        WeightGather<Scalar>.self,
        VectorSquare(start: sums.vectors + i * layout.vectors + vector, row: 6 * layout.step, column: layout.step),
        VectorSquare(start: weight.vectors + i * row + vector, row: 3 * tap, column: tap), patch: patch)
    }
  }
}
