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
// same equation gives the gradient of the weights from the gradient of the outputs:
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
  fileprivate func plus(_ x: Self, times factor: Scalar) -> Self {
    var sum = self
    sum.multiplyAdd(x, Self(repeating: factor))
    return sum
  }
}

/// The maps along one axis: each reads vectors `from` apart and writes vectors `to` apart.
enum WinogradAxis<Scalar: Element> {
  typealias Source = UnsafePointer<Scalar.Vector>
  typealias Target = UnsafeMutablePointer<Scalar.Vector>

  @inline(__always) private static var a: Scalar { Scalar(0.5).squareRoot() }
  @inline(__always) private static var b: Scalar { Scalar(2).squareRoot() }

  /// `t = Bᵀ d`, 6 numbers from 6. Rows 1 and 2 share `d₄ − b²d₂` and `d₃ − b²d₁`, rows 3 and 4 the same with a².
  @inline(__always)
  static func spreadInput(_ d: Source, from: Int, _ t: Target, to: Int) {
    let (d1, d2, d3, d4) = (d[from], d[2 * from], d[3 * from], d[4 * from])
    t[0] = (d[0] + d4).plus(d2, times: -2.5)
    let even1 = d4.plus(d2, times: -2)
    let odd1 = d3.plus(d1, times: -2)
    t[to] = even1.plus(odd1, times: a)
    t[2 * to] = even1.plus(odd1, times: -a)
    let even2 = d4.plus(d2, times: -0.5)
    let odd2 = d3.plus(d1, times: -0.5)
    t[3 * to] = even2.plus(odd2, times: b)
    t[4 * to] = even2.plus(odd2, times: -b)
    t[5 * to] = (d1 + d[5 * from]).plus(d3, times: -2.5)
  }

  /// `t = G g`, 6 numbers from 3.
  @inline(__always)
  static func spreadWeights(_ g: Source, from: Int, _ t: Target, to: Int) {
    let (g0, g1, g2) = (g[0], g[from], g[2 * from])
    t[0] = g0
    let even1 = (g0 * Scalar(-2.0 / 3)).plus(g2, times: Scalar(-1.0 / 3))
    t[to] = even1.plus(g1, times: -2 * a / 3)
    t[2 * to] = even1.plus(g1, times: 2 * a / 3)
    let even2 = (g0 * Scalar(1.0 / 6)).plus(g2, times: Scalar(1.0 / 3))
    t[3 * to] = even2.plus(g1, times: b / 6)
    t[4 * to] = even2.plus(g1, times: -b / 6)
    t[5 * to] = g2
  }

  /// `t = Gᵀ m`, 3 numbers from 6.
  @inline(__always)
  static func gatherWeights(_ m: Source, from: Int, _ t: Target, to: Int) {
    let (sum1, difference1) = (m[from] + m[2 * from], m[from] - m[2 * from])
    let (sum2, difference2) = (m[3 * from] + m[4 * from], m[3 * from] - m[4 * from])
    t[0] = m[0].plus(sum1, times: Scalar(-2.0 / 3)).plus(sum2, times: Scalar(1.0 / 6))
    t[to] = (difference1 * (-2 * a / 3)).plus(difference2, times: b / 6)
    t[2 * to] = m[5 * from].plus(sum1, times: Scalar(-1.0 / 3)).plus(sum2, times: Scalar(1.0 / 3))
  }

  /// `t = Aᵀ m`, 4 numbers from 6.
  @inline(__always)
  static func gatherOutput(_ m: Source, from: Int, _ t: Target, to: Int) {
    let (sum1, difference1) = (m[from] + m[2 * from], m[from] - m[2 * from])
    let (sum2, difference2) = (m[3 * from] + m[4 * from], m[3 * from] - m[4 * from])
    t[0] = m[0] + sum1 + sum2
    t[to] = (difference1 * a).plus(difference2, times: b)
    t[2 * to] = (sum1 * Scalar(0.5)).plus(sum2, times: 2)
    t[3 * to] = m[5 * from].plus(difference1, times: a / 2).plus(difference2, times: 2 * b)
  }

  /// `t = A y`, 6 numbers from 4.
  @inline(__always)
  static func spreadGradient(_ y: Source, from: Int, _ t: Target, to: Int) {
    let (y0, y1, y2, y3) = (y[0], y[from], y[2 * from], y[3 * from])
    t[0] = y0
    let even1 = y0.plus(y2, times: 0.5)
    let odd1 = y1.plus(y3, times: 0.5)
    t[to] = even1.plus(odd1, times: a)
    t[2 * to] = even1.plus(odd1, times: -a)
    let even2 = y0.plus(y2, times: 2)
    let odd2 = y1.plus(y3, times: 2)
    t[3 * to] = even2.plus(odd2, times: b)
    t[4 * to] = even2.plus(odd2, times: -b)
    t[5 * to] = y3
  }
}

/// A square of vectors: where it starts, and how far apart its rows and columns are.
struct VectorSquare<Pointer> {
  var start: Pointer
  var row, column: Int
}

/// Applies a map of one axis, which makes `to` numbers from `from`, to the columns of a square and then to its rows.
///
/// `patch` holds the 6x6 vectors between the two.
@inline(__always)
private func onBothAxes<Vector>(
  _ source: VectorSquare<UnsafePointer<Vector>>, _ target: VectorSquare<UnsafeMutablePointer<Vector>>,
  from: Int, to: Int, patch: UnsafeMutablePointer<Vector>,
  _ map: (UnsafePointer<Vector>, Int, UnsafeMutablePointer<Vector>, Int) -> Void
) {
  for j in 0..<from { map(source.start + j * source.column, source.row, patch + j, 6) }
  for i in 0..<to { map(patch + i * 6, 1, target.start + i * target.row, target.column) }
}

// MARK: - All tiles of some images

/// Rows of tiles of a few images: the tiles that are transformed and multiplied together.
struct TileBlock {
  /// Images, and in each of them the rows of tiles and the tiles in a row.
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

/// Vectors in a pixel, and from a row and an image to the next.
struct PixelLayout {
  var vectors, row, image: Int

  @inline(__always)
  func offset(image n: Int, _ y: Int, _ x: Int) -> Int { n * image + y * row + x * vectors }
}

/// `[36, tiles, vectors]`: the tiles' numbers at each frequency.
struct FrequencyLayout {
  var vectors, step: Int

  /// One vector more than is used from each frequency to the next: where the distance is a power of two, all 36
  /// vectors of a tile would compete for the same few places of the cache.
  init(tiles: Int, vectors: Int) {
    self.vectors = vectors
    step = tiles * vectors + 1
  }

  /// Vectors in all frequencies together.
  var count: Int { 36 * step }
}

/// `Bᵀ d B` of every tile: a tile's first input is the pixel with the same place as its first output, so the images
/// have their padding already and 4 · rows + 2 rows, 4 · columns + 2 columns.
@inline(never)
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func spreadInput<Scalar: Element>(
  _ tiles: TileBlock, _ input: UnsafePointer<Scalar>, _ pixels: PixelLayout,
  into target: UnsafeMutablePointer<Scalar>, _ layout: FrequencyLayout, patch: UnsafeMutablePointer<Scalar>
) {
  tiles.forEachTile { tile, image, y, x in
    for vector in 0..<pixels.vectors {
      onBothAxes(
        VectorSquare(
          start: input.vectors + pixels.offset(image: image, y, x) + vector, row: pixels.row, column: pixels.vectors),
        VectorSquare(
          start: target.vectors + tile * layout.vectors + vector, row: 6 * layout.step, column: layout.step),
        from: 6, to: 6, patch: patch.vectors
      ) { WinogradAxis<Scalar>.spreadInput($0, from: $1, $2, to: $3) }
    }
  }
}

/// `A ∂Y Aᵀ` of every tile: the images have 4 · rows rows and 4 · columns columns, zero where there is no output.
@inline(never)
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func spreadGradient<Scalar: Element>(
  _ tiles: TileBlock, _ gradient: UnsafePointer<Scalar>, _ pixels: PixelLayout,
  into target: UnsafeMutablePointer<Scalar>, _ layout: FrequencyLayout, patch: UnsafeMutablePointer<Scalar>
) {
  tiles.forEachTile { tile, image, y, x in
    for vector in 0..<pixels.vectors {
      onBothAxes(
        VectorSquare(
          start: gradient.vectors + pixels.offset(image: image, y, x) + vector, row: pixels.row,
          column: pixels.vectors),
        VectorSquare(
          start: target.vectors + tile * layout.vectors + vector, row: 6 * layout.step, column: layout.step),
        from: 4, to: 6, patch: patch.vectors
      ) { WinogradAxis<Scalar>.spreadGradient($0, from: $1, $2, to: $3) }
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
  into output: UnsafeMutablePointer<Scalar>, _ pixels: PixelLayout, height: Int, width: Int,
  patch: UnsafeMutablePointer<Scalar>
) {
  let edge = patch.vectors + 36
  tiles.forEachTile { tile, image, y, x in
    let isWhole = y + 4 <= height && x + 4 <= width
    for vector in 0..<layout.vectors {
      let target = output.vectors + pixels.offset(image: image, y, x) + vector
      onBothAxes(
        VectorSquare(
          start: products.vectors + tile * layout.vectors + vector, row: 6 * layout.step, column: layout.step),
        isWhole
          ? VectorSquare(start: target, row: pixels.row, column: pixels.vectors)
          : VectorSquare(start: edge, row: 4, column: 1),
        from: 6, to: 4, patch: patch.vectors
      ) { WinogradAxis<Scalar>.gatherOutput($0, from: $1, $2, to: $3) }
      guard !isWhole else { continue }
      for i in 0..<min(4, height - y) {
        for j in 0..<min(4, width - x) { target[i * pixels.row + j * pixels.vectors] = edge[4 * i + j] }
      }
    }
  }
}

/// `G g Gᵀ` for `rows` rows of `width` vectors of weights.
///
/// - Parameters:
///   - weight: The first vector; the nine taps are `tap` vectors apart, the rows `row` vectors.
///   - target: The first frequency's first row of `width` vectors; the frequencies are `frequency` vectors apart.
@inline(never)
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func spreadWeights<Scalar: Element>(
  _ weight: UnsafePointer<Scalar>, tap: Int, row: Int, rows: Int, width: Int,
  into target: UnsafeMutablePointer<Scalar>, frequency: Int, patch: UnsafeMutablePointer<Scalar>
) {
  for i in 0..<rows {
    for vector in 0..<width {
      onBothAxes(
        VectorSquare(start: weight.vectors + i * row + vector, row: 3 * tap, column: tap),
        VectorSquare(start: target.vectors + i * width + vector, row: 6 * frequency, column: frequency),
        from: 3, to: 6, patch: patch.vectors
      ) { WinogradAxis<Scalar>.spreadWeights($0, from: $1, $2, to: $3) }
    }
  }
}

/// `Gᵀ m G`, the way back of ``spreadWeights(_:tap:row:rows:width:into:frequency:patch:)``.
@inline(never)
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func gatherWeights<Scalar: Element>(
  _ sums: UnsafePointer<Scalar>, frequency: Int, rows: Int, width: Int,
  into weight: UnsafeMutablePointer<Scalar>, tap: Int, row: Int, patch: UnsafeMutablePointer<Scalar>
) {
  for i in 0..<rows {
    for vector in 0..<width {
      onBothAxes(
        VectorSquare(start: sums.vectors + i * width + vector, row: 6 * frequency, column: frequency),
        VectorSquare(start: weight.vectors + i * row + vector, row: 3 * tap, column: tap),
        from: 6, to: 3, patch: patch.vectors
      ) { WinogradAxis<Scalar>.gatherWeights($0, from: $1, $2, to: $3) }
    }
  }
}
