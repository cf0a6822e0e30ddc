// Runtime.swift: what compiled Embedded Swift calls and, in WebAssembly without a C library, nobody else has.

// MARK: - Memory
//
// A block has one of few sizes: 16 bytes times a number of at most three significant bits. A block that is given back
// waits in the list of its size. JavaScript appends pages to the memory when all lists fail.

/// Appends so many pages of 64 KB to the memory; the first one's number, or -1.
@_extern(wasm, module: "env", name: "grow") @_extern(c) func growMemory(_ pages: Int32) -> Int32

/// What is stored in front of the memory that a program gets.
private struct Header {
  /// The address of the block.
  let start: UInt32
  /// The number of its list.
  let list: UInt32
}

/// The first idle block of each list; 0 for none. A block's first word is the address of the next one.
nonisolated(unsafe) private var lists = InlineArray<128, UInt32>(repeating: 0)
/// The memory that has not been used yet.
nonisolated(unsafe) private var unused: UInt32 = 0
nonisolated(unsafe) private var end: UInt32 = 0

private func word(_ address: UInt32) -> UnsafeMutablePointer<UInt32> { UnsafeMutablePointer(bitPattern: UInt(address))! }

/// The size of the blocks for `bytes` bytes, and the number of their list.
private func sizeClass(_ bytes: UInt32) -> (size: UInt32, list: Int) {
  let bits = 31 - UInt32(bytes.leadingZeroBitCount)
  let step: UInt32 = max(16, 1 << (max(bits, 2) - 2))
  let size = (bytes + step - 1) / step * step
  let top = 31 - size.leadingZeroBitCount
  return (size, 4 * top + Int(size >> (top - 2)) & 3)
}

private func block(_ bytes: UInt32) -> (start: UInt32, list: Int)? {
  let (size, list) = sizeClass(bytes)
  if lists[list] != 0 {
    let start = lists[list]
    lists[list] = word(start).pointee
    return (start, list)
  }
  if end - unused < size {
    let pages = max(size / 65536 + 1, 16)
    let first = growMemory(Int32(pages))
    guard first >= 0 else { return nil }
    let address = UInt32(first) * 65536
    if address != end { unused = address }
    end = address + pages * 65536
  }
  defer { unused += size }
  return (unused, list)
}

@_cdecl("posix_memalign")
public func alignedMemory(_ result: UnsafeMutablePointer<UInt32>, _ alignment: UInt32, _ bytes: UInt32) -> Int32 {
  let space = max(alignment, 16)
  guard let (start, list) = block(bytes + space + 8) else { return 12 }  // ENOMEM
  let address = (start + 8 + space - 1) / space * space
  UnsafeMutablePointer<Header>(bitPattern: UInt(address - 8))!.pointee = Header(start: start, list: UInt32(list))
  result.pointee = address
  return 0
}

@_cdecl("free")
public func giveBack(_ address: UInt32) {
  if address == 0 { return }
  let header = UnsafeMutablePointer<Header>(bitPattern: UInt(address - 8))!.pointee
  word(header.start).pointee = lists[Int(header.list)]
  lists[Int(header.list)] = header.start
}

@_cdecl("memcmp")
public func compareMemory(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  for i in 0..<count where a[i] != b[i] { return a[i] < b[i] ? -1 : 1 }
  return 0
}

// MARK: - Arithmetic

/// The nearest whole number, away from zero from the middle between two.
@_cdecl("round")
public func nearest(_ x: Double) -> Double {
  let whole = x.rounded(.towardZero)
  return abs(x - whole) < 0.5 || x.isInfinite ? whole : whole + (x < 0 ? -1 : 1)
}

@_cdecl("roundf")
public func nearest(_ x: Float) -> Float { Float(nearest(Double(x))) }

/// The product of two numbers of 128 bits, each given as its low and its high word.
@_cdecl("__multi3")
public func product(
  _ result: UnsafeMutablePointer<UInt64>, _ low: UInt64, _ high: UInt64, _ otherLow: UInt64, _ otherHigh: UInt64
) {
  let half: UInt64 = 0xffff_ffff
  let (a, b, c, d) = (low >> 32, low & half, otherLow >> 32, otherLow & half)
  let middle = a &* d &+ (b &* d) >> 32
  let other = b &* c &+ middle & half
  result[0] = low &* otherLow
  result[1] = a &* c &+ middle >> 32 &+ other >> 32 &+ low &* otherHigh &+ high &* otherLow
}
