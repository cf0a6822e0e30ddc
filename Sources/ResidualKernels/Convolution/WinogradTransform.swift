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
protocol AxisMap<Scalar> {
  associatedtype Scalar: Element
  /// Reads numbered vectors from `s` and hands numbered vectors to `t`.
  static func apply(_ s: (Int) -> Scalar.Vector, _ t: (Int, Scalar.Vector) -> Void)
}

extension AxisMap {
  @inline(__always) fileprivate static var a: Scalar { Scalar(0.5).squareRoot() }
  @inline(__always) fileprivate static var b: Scalar { Scalar(2).squareRoot() }
}

/// `t = Bᵀ s`. Rows 1 and 2 share `s₄ − b²s₂` and `s₃ − b²s₁`, rows 3 and 4 the same with a².
enum InputSpread<Scalar: Element>: AxisMap {
  @inline(__always)
  static func apply(_ s: (Int) -> Scalar.Vector, _ t: (Int, Scalar.Vector) -> Void) {
    let (s1, s2, s3, s4) = (s(1), s(2), s(3), s(4))
    t(0, (s(0) + s4).plus(s2, times: -2.5))
    let (even1, odd1) = (s4.plus(s2, times: -2), s3.plus(s1, times: -2))
    t(1, even1.plus(odd1, times: a))
    t(2, even1.plus(odd1, times: -a))
    let (even2, odd2) = (s4.plus(s2, times: -0.5), s3.plus(s1, times: -0.5))
    t(3, even2.plus(odd2, times: b))
    t(4, even2.plus(odd2, times: -b))
    t(5, (s1 + s(5)).plus(s3, times: -2.5))
  }
}

/// `t = Aᵀ s`.
enum OutputGather<Scalar: Element>: AxisMap {
  @inline(__always)
  static func apply(_ s: (Int) -> Scalar.Vector, _ t: (Int, Scalar.Vector) -> Void) {
    let (sum1, difference1) = (s(1) + s(2), s(1) - s(2))
    let (sum2, difference2) = (s(3) + s(4), s(3) - s(4))
    t(0, s(0) + sum1 + sum2)
    t(1, (difference1 * a).plus(difference2, times: b))
    t(2, (sum1 * Scalar(0.5)).plus(sum2, times: 2))
    t(3, s(5).plus(difference1, times: a / 2).plus(difference2, times: 2 * b))
  }
}

/// `t = A s`.
enum GradientSpread<Scalar: Element>: AxisMap {
  @inline(__always)
  static func apply(_ s: (Int) -> Scalar.Vector, _ t: (Int, Scalar.Vector) -> Void) {
    let (s0, s1, s2, s3) = (s(0), s(1), s(2), s(3))
    t(0, s0)
    let (even1, odd1) = (s0.plus(s2, times: 0.5), s1.plus(s3, times: 0.5))
    t(1, even1.plus(odd1, times: a))
    t(2, even1.plus(odd1, times: -a))
    let (even2, odd2) = (s0.plus(s2, times: 2), s1.plus(s3, times: 2))
    t(3, even2.plus(odd2, times: b))
    t(4, even2.plus(odd2, times: -b))
    t(5, s3)
  }
}

/// `t = G s`.
enum WeightSpread<Scalar: Element>: AxisMap {
  @inline(__always)
  static func apply(_ s: (Int) -> Scalar.Vector, _ t: (Int, Scalar.Vector) -> Void) {
    let (s0, s1, s2) = (s(0), s(1), s(2))
    t(0, s0)
    let even1 = (s0 * Scalar(-2.0 / 3)).plus(s2, times: Scalar(-1.0 / 3))
    t(1, even1.plus(s1, times: -2 * a / 3))
    t(2, even1.plus(s1, times: 2 * a / 3))
    let even2 = (s0 * Scalar(1.0 / 6)).plus(s2, times: Scalar(1.0 / 3))
    t(3, even2.plus(s1, times: b / 6))
    t(4, even2.plus(s1, times: -b / 6))
    t(5, s2)
  }
}

/// `t = Gᵀ s`.
enum WeightGather<Scalar: Element>: AxisMap {
  @inline(__always)
  static func apply(_ s: (Int) -> Scalar.Vector, _ t: (Int, Scalar.Vector) -> Void) {
    let (sum1, difference1) = (s(1) + s(2), s(1) - s(2))
    let (sum2, difference2) = (s(3) + s(4), s(3) - s(4))
    t(0, s(0).plus(sum1, times: Scalar(-2.0 / 3)).plus(sum2, times: Scalar(1.0 / 6)))
    t(1, (difference1 * (-2 * a / 3)).plus(difference2, times: b / 6))
    t(2, s(5).plus(sum1, times: Scalar(-1.0 / 3)).plus(sum2, times: Scalar(1.0 / 3)))
  }
}

/// The distances in vectors between the places that a map along an axis reads or writes.
struct AxisSteps {
  /// From one number of the axis to the next.
  var axis: Int
  /// From one run of neighbouring vectors to the next, and from one row of runs to the next.
  var run = 0
  var row = 0
}

/// Maps `rows` times `runs` runs of `count` neighbouring vectors each. Where the distances along the axis are constants,
/// they need no registers.
@inline(__always)
func mapAxis<Map: AxisMap>(
  _: Map.Type, rows: Int = 1, runs: Int = 1, count: Int, _ source: UnsafePointer<Map.Scalar>, _ from: AxisSteps,
  into target: UnsafeMutablePointer<Map.Scalar>, _ to: AxisSteps
) {
  for row in 0..<rows {
    var s = source.vectors + row * from.row
    var t = target.vectors + row * to.row
    for _ in 0..<runs {
      for i in 0..<count { Map.apply({ s[i &+ $0 &* from.axis] }, { t[i &+ $0 &* to.axis] = $1 }) }
      s += from.run
      t += to.run
    }
  }
}

// MARK: - All tiles of some images

/// Rows of tiles that are transformed and multiplied together, numbered through all images.
struct TileBlock {
  var rows: Range<Int>
  /// The rows of tiles in an image, the tiles in a row, and the rows and columns of outputs in a tile.
  var rowsOfImage, columns, size: Int

  var count: Int { rows.count * columns }
}

/// `[images, height, width, vectors]`: images that lie end to end in memory.
struct ImageLayout {
  /// The rows, columns and channels of an image, the latter in vectors.
  let height, width, vectors: Int

  /// The number of vectors in a row and in an image.
  var row: Int { width * vectors }
  var image: Int { height * row }
}

/// `[frequencies, rows, vectors]`: a matrix for each frequency, whose rows are tiles or channels.
struct FrequencyLayout {
  /// The number of frequencies: 36, or 16 with F(2x2, 3x3).
  let frequencies: Int
  /// The number of vectors in a row, and the distances in vectors from one row and from one frequency to the next.
  let vectors, row, step: Int

  /// Rows that lie end to end.
  init(_ frequencies: Int = 36, rows: Int, vectors: Int) {
    (self.frequencies, self.vectors, row) = (frequencies, vectors, vectors)
    step = rows * vectors
  }

  /// Rows that are tiles. From each frequency to the next there is one vector more than is used, and so there is from tile
  /// to tile where they have many channels: where a distance is a power of two, its vectors would compete for the same few
  /// places of the cache.
  init(_ frequencies: Int = 36, tiles: Int, vectors: Int) {
    (self.frequencies, self.vectors, row) = (frequencies, vectors, vectors < 8 ? vectors : vectors + 1)
    step = tiles * row + 1
  }

  /// The number of vectors in all frequencies together.
  var count: Int { frequencies * step }
}

/// `[6, rows of tiles, width, vectors]`: a block of tiles between the two halves of a transform; with F(2x2, 3x3) 4
/// instead of 6.
///
/// Along the columns each row of tiles becomes 6 rows of pixels, and pixels that two tiles share are mapped once. Along
/// the rows one of the 6 is mapped at a time: its numbers are multiplied while they are in the first-level cache.
struct HalfLayout {
  /// 6 or 4.
  let lines: Int
  /// The vectors in a pixel, and the distances in vectors from one row and from one of the 6 to the next.
  let vectors, row, step: Int

  /// The layout of as many rows of tiles, or fewer, with `width` pixels each.
  init(_ lines: Int = 6, rows: Int, width: Int, vectors: Int) {
    (self.lines, self.vectors, row) = (lines, vectors, width * vectors)
    step = rows * row + 1
  }

  /// The number of vectors in all 6 together.
  var count: Int { lines * step }

  /// Memory for the transform of images of `pixels` columns, the first of which are column `left` here. What stands for
  /// their border is zero: the other columns, and a row behind all others.
  func scratch<Scalar: Element>(left: Int, pixels: Int, _: Scalar.Type) -> Storage<Scalar> {
    let scratch = Storage<Scalar>(uninitialized: (count + row) * Scalar.lanes)
    for i in 0..<lines {
      // From the end of one row of pixels to the start of the next, the border is one piece.
      var next = i * step
      for start in stride(from: i * step + left * vectors, to: (i + 1) * step - 1, by: row) {
        (scratch.vectors + next).update(repeating: .zero, count: start - next)
        next = start + pixels * vectors
      }
      (scratch.vectors + next).update(repeating: .zero, count: (i + 1) * step - next)
    }
    (scratch.vectors + count).update(repeating: .zero, count: row)
    return scratch
  }
}

/// The rows of an image that a row of tiles reads, numbered from 0. Those above and below the image are all zero.
private struct TileLines<Scalar: Element> {
  private let lines: (Line, Line, Line, Line, Line, Line)
  private typealias Line = UnsafePointer<Scalar.Vector>

  @inline(__always)
  init(_ image: UnsafePointer<Scalar.Vector>, _ layout: ImageLayout, top: Int, zeros: UnsafePointer<Scalar.Vector>) {
    func line(_ y: Int) -> Line { y >= 0 && y < layout.height ? image + y * layout.row : zeros }
    lines = (line(top), line(top + 1), line(top + 2), line(top + 3), line(top + 4), line(top + 5))
  }

  @inline(__always)
  subscript(number: Int) -> UnsafePointer<Scalar.Vector> {
    switch number {
    case 0: lines.0
    case 1: lines.1
    case 2: lines.2
    case 3: lines.3
    case 4: lines.4
    default: lines.5
    }
  }
}

/// The first half of `Bᵀ d B` or `A ∂Y Aᵀ`: along the columns. The tiles of gradients begin at the pixels of the image,
/// those of inputs `padding` before them.
@inline(never)
func spreadColumns<Map: AxisMap>(
  _: Map.Type, _ tiles: TileBlock, _ images: UnsafePointer<Map.Scalar>, _ layout: ImageLayout, padding: Int = 0,
  into half: UnsafeMutablePointer<Map.Scalar>, _ halfLayout: HalfLayout
) {
  var target = half.vectors + padding * layout.vectors
  for row in tiles.rows {
    let (image, y) = (row / tiles.rowsOfImage, row % tiles.rowsOfImage * tiles.size)
    let source = TileLines<Map.Scalar>(
      images.vectors + image * layout.image, layout, top: y - padding, zeros: half.vectors + halfLayout.count)
    let (count, step) = (layout.row, halfLayout.step)
    for i in 0..<count { Map.apply({ source[$0][i] }, { target[i &+ $0 &* step] = $1 }) }
    target += halfLayout.row
  }
}

/// The second half of the same, for number `i` of the 6: along the rows, to the frequencies 6i … 6i + 5 of every tile,
/// the first of which begins at `target`.
@inline(never)
func spreadRows<Map: AxisMap>(
  _ map: Map.Type, _ tiles: TileBlock, _ i: Int, _ half: UnsafePointer<Map.Scalar>, _ halfLayout: HalfLayout,
  into target: UnsafeMutablePointer<Map.Scalar>, _ layout: FrequencyLayout
) {
  @inline(__always)
  func spread(_ vectors: Int) {
    mapAxis(
      map, rows: tiles.rows.count, runs: tiles.columns, count: vectors, half + i * halfLayout.step * Map.Scalar.lanes,
      AxisSteps(axis: vectors, run: tiles.size * vectors, row: halfLayout.row), into: target,
      AxisSteps(axis: layout.step, run: layout.row, row: tiles.columns * layout.row))
  }
  switch layout.vectors {
  case 1: spread(1)
  case 2: spread(2)
  case 4: spread(4)
  default: spread(layout.vectors)
  }
}

/// The first half of `Aᵀ m A`, for the frequencies 6i … 6i + 5: along the rows. `products` holds `layout.vectors`
/// vectors of each pixel, `half` points at the first of them.
@inline(never)
func gatherRows<Map: AxisMap>(
  _ map: Map.Type, _ tiles: TileBlock, _ i: Int, _ products: UnsafePointer<Map.Scalar>, _ layout: FrequencyLayout,
  into half: UnsafeMutablePointer<Map.Scalar>, _ halfLayout: HalfLayout
) {
  @inline(__always)
  func gather(_ vectors: Int, _ count: Int) {
    mapAxis(
      map, runs: tiles.count, count: count, products, AxisSteps(axis: layout.step, run: count),
      into: half + i * halfLayout.step * Map.Scalar.lanes, AxisSteps(axis: vectors, run: tiles.size * vectors))
  }
  switch (halfLayout.vectors, layout.vectors) {
  case (1, 1): gather(1, 1)
  case (2, 2): gather(2, 2)
  case (4, 2): gather(4, 2)
  default: gather(halfLayout.vectors, layout.vectors)
  }
}

/// What becomes of an output on its way to memory.
protocol OutputEnd<Scalar> {
  associatedtype Scalar: Element
  /// What is stored at a place of the output, counted in vectors; `vector` is the number of the vector in its pixel.
  func value(_ sum: Scalar.Vector, at place: Int, vector: Int) -> Scalar.Vector
}

/// The output as it is.
struct PlainEnd<Scalar: Element>: OutputEnd {
  @inline(__always)
  func value(_ sum: Scalar.Vector, at place: Int, vector: Int) -> Scalar.Vector { sum }
}

/// The second half: along the columns, to the rows and columns that the images have, and to their vectors from number
/// `first` on, as many as `half` holds.
@inline(never)
func gatherColumns<Map: AxisMap, End: OutputEnd<Map.Scalar>>(
  _: Map.Type, _ tiles: TileBlock, _ half: UnsafePointer<Map.Scalar>, _ halfLayout: HalfLayout, first: Int = 0,
  into output: UnsafeMutablePointer<Map.Scalar>, _ layout: ImageLayout, _ end: End
) {
  let (output, step, height) = (output.vectors, halfLayout.step, layout.height)
  var source = half.vectors
  for row in tiles.rows {
    let (image, y) = (row / tiles.rowsOfImage, row % tiles.rowsOfImage * tiles.size)
    let start = image * layout.image + y * layout.row + first
    for x in 0..<layout.width {
      for v in 0..<halfLayout.vectors {
        let (from, to) = (x &* halfLayout.vectors &+ v, start &+ x &* layout.vectors &+ v)
        Map.apply({ source[from &+ $0 &* step] }) { i, sum in
          guard y &+ i < height else { return }
          let place = to &+ i &* layout.row
          output[place] = end.value(sum, at: place, vector: first &+ v)
        }
      }
    }
    source += halfLayout.row
  }
}

/// `G g Gᵀ` for some rows of weights, with `lines` rows in G: `weight` points at the first vector, the nine taps are
/// `tap` vectors apart and the rows `row` vectors.
@inline(never)
func spreadWeights<Map: AxisMap>(
  _ map: Map.Type, lines: Int, _ weight: UnsafePointer<Map.Scalar>, tap: Int, row: Int, rows: Int,
  into target: UnsafeMutablePointer<Map.Scalar>, _ layout: FrequencyLayout
) {
  let (count, lanes) = (rows * layout.vectors, Map.Scalar.lanes)
  let half = Storage<Map.Scalar>(uninitialized: lines * 3 * count * lanes)
  for kx in 0..<3 {
    mapAxis(
      map, runs: rows, count: layout.vectors, weight + kx * tap * lanes, AxisSteps(axis: 3 * tap, run: row),
      into: half.base + kx * count * lanes, AxisSteps(axis: 3 * count, run: layout.vectors))
  }
  mapAxis(
    map, rows: lines, count: count, half.base, AxisSteps(axis: count, row: 3 * count), into: target,
    AxisSteps(axis: layout.step, row: lines * layout.step))
  withExtendedLifetime(half) {}
}

/// `Gᵀ m G` for some rows of weights, the way back.
@inline(never)
func gatherWeights<Scalar: Element>(
  _ sums: UnsafePointer<Scalar>, _ layout: FrequencyLayout, rows: Int, into weight: UnsafeMutablePointer<Scalar>,
  tap: Int, row: Int
) {
  let count = rows * layout.vectors
  let half = Storage<Scalar>(uninitialized: 18 * count * Scalar.lanes)
  mapAxis(
    WeightGather<Scalar>.self, rows: 6, count: count, sums, AxisSteps(axis: layout.step, row: 6 * layout.step),
    into: half.base, AxisSteps(axis: count, row: 3 * count))
  for kx in 0..<3 {
    mapAxis(
      WeightGather<Scalar>.self, runs: rows, count: layout.vectors, half.base + kx * count * Scalar.lanes,
      AxisSteps(axis: 3 * count, run: layout.vectors), into: weight + kx * tap * Scalar.lanes,
      AxisSteps(axis: 3 * tap, run: row))
  }
  withExtendedLifetime(half) {}
}
