// Storage.swift: the memory of tensors, and the pool that recycles it.

/// A block of `count` elements, aligned to 64 bytes, that goes back to a pool when nothing refers to it any more.
///
/// A training step asks for the same blocks again and again. Fresh memory from the system costs a page fault for
/// every 4 KB; a recycled block costs nothing.
///
/// The block always ends on a whole vector, so elementwise kernels need no special end: they may read and write
/// the few elements behind `count`, which mean nothing.
public final class Storage<Scalar: Element>: @unchecked Sendable {
  /// The number of elements that may be used.
  public let count: Int
  let base: UnsafeMutablePointer<Scalar>
  private let block: StoragePool.Block

  /// A block that holds whatever its former user left in it.
  public init(uninitialized count: Int) {
    precondition(count >= 0, "a storage of \(count) elements")
    self.count = count
    block = StoragePool.shared.take(bytes: roundUp(max(count, 1), to: Scalar.lanes) * MemoryLayout<Scalar>.stride)
    base = block.address.bindMemory(to: Scalar.self, capacity: roundUp(max(count, 1), to: Scalar.lanes))
  }

  /// A block whose elements all have one value.
  public convenience init(repeating value: Scalar, count: Int) {
    self.init(uninitialized: count)
    if value == 0 {
      // Bytes, which are written at once even where this code is not specialised for the type of the elements.
      UnsafeMutableRawPointer(base).initializeMemory(
        as: UInt8.self, repeating: 0, count: vectorCount * MemoryLayout<Scalar.Vector>.stride)
    } else {
      base.update(repeating: value, count: count)
    }
  }

  /// A block with a copy of `elements`.
  public convenience init(_ elements: [Scalar]) {
    self.init(uninitialized: elements.count)
    elements.withUnsafeBufferPointer { source in
      if let address = source.baseAddress { base.update(from: address, count: source.count) }
    }
  }

  /// A block with these numbers, each rounded to this type of element.
  public convenience init(rounding numbers: [Double]) {
    self.init(uninitialized: numbers.count)
    for (i, number) in numbers.enumerated() { base[i] = Scalar(number) }
  }

  deinit { StoragePool.shared.give(back: block) }

  /// A second block with the same elements.
  public func copy() -> Storage {
    let copy = Storage(uninitialized: count)
    copy.base.update(from: base, count: count)
    return copy
  }

  /// Element number `index`.
  public subscript(_ index: Int) -> Scalar {
    get {
      precondition(index >= 0 && index < count, "element \(index) of \(count)")
      return base[index]
    }
    set {
      precondition(index >= 0 && index < count, "element \(index) of \(count)")
      base[index] = newValue
    }
  }

  /// The elements in `range` as an array.
  public func array(_ range: Range<Int>) -> [Scalar] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "elements \(range) of \(count)")
    return Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// Copies `count` elements of `source`, from `sourceStart` on, to `start`.
  public func copy(from source: Storage, at sourceStart: Int, to start: Int, count: Int) {
    precondition(count >= 0 && start >= 0 && start + count <= self.count, "\(start) + \(count) of \(self.count)")
    precondition(
      sourceStart >= 0 && sourceStart + count <= source.count, "\(sourceStart) + \(count) of \(source.count)")
    (base + start).update(from: source.base + sourceStart, count: count)
  }

  /// The number of whole vectors that cover the elements.
  @inline(__always) var vectorCount: Int { (count + Scalar.lanes - 1) / Scalar.lanes }

  /// The same memory, seen as vectors.
  @inline(__always) var vectors: UnsafeMutablePointer<Scalar.Vector> { base.vectors }
}

extension UnsafeMutablePointer where Pointee: Element {
  /// The same memory, seen as vectors.
  @inline(__always) var vectors: UnsafeMutablePointer<Pointee.Vector> {
    UnsafeMutableRawPointer(self).assumingMemoryBound(to: Pointee.Vector.self)
  }
}

extension UnsafePointer where Pointee: Element {
  /// The same memory, seen as vectors.
  @inline(__always) var vectors: UnsafePointer<Pointee.Vector> {
    UnsafeRawPointer(self).assumingMemoryBound(to: Pointee.Vector.self)
  }
}

/// The idle memory of all storages: blocks that wait to be used again.
public final class StoragePool: @unchecked Sendable {
  /// The one pool of the process.
  public static let shared = StoragePool()

  struct Block: @unchecked Sendable {
    let address: UnsafeMutableRawPointer
    let bytes: Int
  }

  // By size. Only `withIdle` touches them.
  private let lock = Lock()
  private var unlocked: [Int: [Block]] = [:]

  private func withIdle<Result>(_ body: (inout [Int: [Block]]) -> Result) -> Result {
    lock.lock()
    defer { lock.unlock() }
    return body(&unlocked)
  }

  /// The size from which on blocks are aligned for huge pages.
  private static let hugePage = 2 << 20

  /// The size of the blocks that serve a request: rounded up to four significant bits, so that requests of similar
  /// sizes share a free list and at most an eighth is wasted.
  private static func sizeClass(_ bytes: Int) -> Int {
    let bytes = max(bytes, 64)
    let step = max(64, 1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount - 3))
    return roundUp(bytes, to: step)
  }

  func take(bytes: Int) -> Block {
    // For the address sanitizer: fresh blocks of just the size asked for, so that it sees every step over the end and
    // every use after the end.
    #if EXACT_STORAGE
      let size = bytes
    #else
      let size = Self.sizeClass(bytes)
    #endif
    if let recycled = withIdle({ $0[size]?.popLast() }) { return recycled }
    let address = UnsafeMutableRawPointer.allocate(
      byteCount: size, alignment: size >= Self.hugePage ? Self.hugePage : 64)
    // Only pages that are asked for whole: the rest of a block would make another one resident.
    if size >= Self.hugePage { System.prefersHugePages(address, bytes / Self.hugePage * Self.hugePage) }
    return Block(address: address, bytes: size)
  }

  func give(back block: Block) {
    #if EXACT_STORAGE
      block.address.deallocate()
    #else
      withIdle { $0[block.bytes, default: []].append(block) }
    #endif
  }

  /// Returns the idle blocks to the system.
  public func trim() {
    let blocks = withIdle { idle in
      defer { idle = [:] }
      return idle.values.joined().map { $0.address }
    }
    for address in blocks { address.deallocate() }
  }
}
