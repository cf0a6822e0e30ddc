// RegisterTile.swift: blocks of sums that stay in registers.
//
// A product of matrices is fast when each number that is loaded is used many times. A tile of 8 pixels by 2
// vectors of output channels keeps 16 vectors of sums in registers; one step loads 2 vectors of weights and
// 8 pixels and does 16 multiply-adds. The compiler keeps the sums in registers only when they are plain stored
// properties, not elements of an array, so a tile is composed from types: two tiles beside each other are a tile.

/// A row of a tile: one or two vectors of output channels of a pixel.
protocol TileRow {
  associatedtype Scalar: Element
  static var vectors: Int { get }
  init()
  init(load address: UnsafePointer<Scalar.Vector>)
  func store(_ address: UnsafeMutablePointer<Scalar.Vector>)
  mutating func multiplyAdd(_ x: Scalar.Vector, _ weights: Self)
}

/// One vector of output channels.
struct OneVector<Scalar: Element>: TileRow {
  var sums: Scalar.Vector
  @inline(__always) static var vectors: Int { 1 }
  @inline(__always) init() { sums = .zero }
  @inline(__always) init(load address: UnsafePointer<Scalar.Vector>) { sums = address[0] }
  @inline(__always) func store(_ address: UnsafeMutablePointer<Scalar.Vector>) { address[0] = sums }
  @inline(__always) mutating func multiplyAdd(_ x: Scalar.Vector, _ weights: Self) {
    sums.multiplyAdd(x, weights.sums)
  }
}

/// Two vectors of output channels.
struct TwoVectors<Scalar: Element>: TileRow {
  var low: Scalar.Vector
  var high: Scalar.Vector
  @inline(__always) static var vectors: Int { 2 }
  @inline(__always) init() {
    low = .zero
    high = .zero
  }
  @inline(__always) init(load address: UnsafePointer<Scalar.Vector>) {
    low = address[0]
    high = address[1]
  }
  @inline(__always) func store(_ address: UnsafeMutablePointer<Scalar.Vector>) {
    address[0] = low
    address[1] = high
  }
  @inline(__always) mutating func multiplyAdd(_ x: Scalar.Vector, _ weights: Self) {
    low.multiplyAdd(x, weights.low)
    high.multiplyAdd(x, weights.high)
  }
}

/// Sums for `count` scalars (pixels, or weights of one tap) times one row of output channels each.
protocol RegisterTile<Scalar> {
  associatedtype Scalar: Element
  associatedtype Row: TileRow where Row.Scalar == Scalar
  static var count: Int { get }
  init()
  /// Rows that lie `step` vectors apart.
  init(load address: UnsafePointer<Scalar.Vector>, step: Int)
  func store(_ address: UnsafeMutablePointer<Scalar.Vector>, step: Int)
  /// Adds to row i the product of the scalar at `x + i · step` and `weights`.
  mutating func multiplyAdd(_ x: UnsafePointer<Scalar>, step: Int, _ weights: Row)
}

/// A tile of one row.
struct Single<Row: TileRow>: RegisterTile {
  typealias Scalar = Row.Scalar
  var row: Row
  @inline(__always) static var count: Int { 1 }
  @inline(__always) init() { row = Row() }
  @inline(__always) init(load address: UnsafePointer<Scalar.Vector>, step: Int) { row = Row(load: address) }
  @inline(__always) func store(_ address: UnsafeMutablePointer<Scalar.Vector>, step: Int) { row.store(address) }
  @inline(__always) mutating func multiplyAdd(_ x: UnsafePointer<Scalar>, step: Int, _ weights: Row) {
    row.multiplyAdd(Scalar.Vector(repeating: x[0]), weights)
  }
}

/// Two tiles, one after the other.
struct Twice<Tile: RegisterTile>: RegisterTile {
  typealias Scalar = Tile.Scalar
  typealias Row = Tile.Row
  var first: Tile
  var second: Tile
  @inline(__always) static var count: Int { 2 * Tile.count }
  @inline(__always) init() {
    first = Tile()
    second = Tile()
  }
  @inline(__always) init(load address: UnsafePointer<Scalar.Vector>, step: Int) {
    first = Tile(load: address, step: step)
    second = Tile(load: address + Tile.count * step, step: step)
  }
  @inline(__always) func store(_ address: UnsafeMutablePointer<Scalar.Vector>, step: Int) {
    first.store(address, step: step)
    second.store(address + Tile.count * step, step: step)
  }
  @inline(__always) mutating func multiplyAdd(_ x: UnsafePointer<Scalar>, step: Int, _ weights: Row) {
    first.multiplyAdd(x, step: step, weights)
    second.multiplyAdd(x + Tile.count * step, step: step, weights)
  }
}

typealias Tile1<Row: TileRow> = Single<Row>
typealias Tile2<Row: TileRow> = Twice<Tile1<Row>>
typealias Tile4<Row: TileRow> = Twice<Tile2<Row>>
typealias Tile8<Row: TileRow> = Twice<Tile4<Row>>
typealias Tile16<Row: TileRow> = Twice<Tile8<Row>>

/// The tile for registers of up to 32 bytes. A vector takes four of WebAssembly's, of 16 bytes, and an engine on x86-64
/// has 16 of them: two pixels fill half.
#if arch(wasm32)
  typealias SmallTile<Row: TileRow> = Tile2<Row>
#else
  typealias SmallTile<Row: TileRow> = Tile4<Row>
#endif

/// The number of vectors of output channels that are computed together, such that all sums stay in registers.
///
/// AVX-512 has 32 registers of 64 bytes: 8 pixels by 2 vectors, or 16 by 1. AVX2 has 16 of 32 bytes and NEON
/// 32 of 16 bytes: 4 pixels by 1 vector fill half of either.
#if arch(x86_64) && AVX512
  let panelVectors = 2
#else
  let panelVectors = 1
#endif
