// Inflate.swift: decompression.
//
// Tests       Tests/ResidualFilesTests/InflateTests.swift

/// Reads streams compressed with deflate (RFC 1951), in the wrapping of zlib (RFC 1950).
struct Inflate {
  /// Decompresses a zlib stream that is known to hold `size` bytes.
  ///
  /// Memory is bounded by `size`, and no stream claims more than deflate can reach from its length.
  ///
  /// - Throws: `InputError` if the stream is damaged or holds more or fewer bytes. `source` names the file.
  static func zlib(_ bytes: [UInt8], size: Int, source: String) throws -> [UInt8] {
    guard bytes.count >= 6, bytes[0] & 0x0F == 8, bytes[0] >> 4 <= 7, bytes[1] & 0x20 == 0,
      (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
    else { throw InputError("\(source): its compressed data do not begin as a zlib stream") }
    // 258 bytes, the longest match, take at least 2 bits.
    guard size / 1032 <= bytes.count else {
      throw InputError("\(source): \(bytes.count) bytes of compressed data cannot hold the \(size) bytes announced")
    }
    var inflate = Inflate(bytes: bytes, position: 2, size: size, source: source)
    try inflate.blocks()
    guard inflate.output.count == size else {
      throw inflate.failure("they hold \(inflate.output.count) bytes and should hold \(size)")
    }
    guard bytes.count - inflate.position == 4 else {
      throw inflate.failure("\(bytes.count - inflate.position) bytes follow them and 4 should")
    }
    let announced = bytes.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    guard announced == Checksum.adler32(inflate.output[...]) else { throw inflate.failure("their checksum differs") }
    return inflate.output
  }

  /// Decompresses a bare deflate stream to at most `limit` bytes.
  static func raw(_ bytes: [UInt8], limit: Int, source: String) throws -> [UInt8] {
    var inflate = Inflate(bytes: bytes, position: 0, size: limit, source: source)
    try inflate.blocks()
    return inflate.output
  }

  // Length symbols from 257 and distance symbols: the smallest value of each, and its number of extra bits.
  static let lengths = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ]
  static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  static let distances = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193, 12289, 16385, 24577,
  ]
  static let distanceBits = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
  ]

  private let bytes: [UInt8]
  private let size: Int
  private let source: String
  private var position: Int
  private var bits: UInt64 = 0
  private var bitCount = 0
  private var output: [UInt8] = []

  private init(bytes: [UInt8], position: Int, size: Int, source: String) {
    self.bytes = bytes
    self.position = position
    self.size = size
    self.source = source
  }

  private func failure(_ problem: String) -> InputError {
    InputError("\(source): its compressed data are damaged: \(problem)")
  }

  private mutating func blocks() throws {
    var isLast = false
    while !isLast {
      isLast = try take(1) == 1
      switch try take(2) {
      case 0: try storedBlock()
      case 1:
        let lengths = (0..<288).map { UInt8($0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8) }
        try compressedBlock(code(lengths), code([UInt8](repeating: 5, count: 32)))
      case 2: try dynamicBlock()
      default: throw failure("a block is of unknown type")
      }
    }
  }

  private mutating func storedBlock() throws {
    // A block's bytes begin at a whole byte. No whole byte is in the bit buffer, which is filled only as needed.
    bits = 0
    bitCount = 0
    let count = try take(16)
    guard try take(16) == ~count & 0xFFFF else { throw failure("the length of a stored block is inconsistent") }
    guard count <= bytes.count - position else { throw failure("they end within a stored block") }
    guard count <= size - output.count else { throw failure("they hold more than \(size) bytes") }
    output += bytes[position..<(position + count)]
    position += count
  }

  private mutating func dynamicBlock() throws {
    let literalCount = try take(5) + 257
    let distanceCount = try take(5) + 1
    let lengthCount = try take(4) + 4
    guard literalCount <= 286, distanceCount <= 30 else { throw failure("a block has too many symbols") }
    var codeLengths = [UInt8](repeating: 0, count: 19)
    for index in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15].prefix(lengthCount) {
      codeLengths[index] = UInt8(try take(3))
    }
    let lengthCode = try code(codeLengths)
    var lengths: [UInt8] = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try next(lengthCode)
      let (value, repeats): (UInt8, Int)
      switch symbol {
      case 16:
        guard let last = lengths.last else { throw failure("a code begins with a repetition") }
        (value, repeats) = (last, try take(2) + 3)
      case 17: (value, repeats) = (0, try take(3) + 3)
      case 18: (value, repeats) = (0, try take(7) + 11)
      default: (value, repeats) = (UInt8(symbol), 1)
      }
      lengths += repeatElement(value, count: repeats)
    }
    guard lengths.count == literalCount + distanceCount else { throw failure("a repetition exceeds a code") }
    guard lengths[256] > 0 else { throw failure("a block has no end") }
    try compressedBlock(code(Array(lengths[..<literalCount])), code(Array(lengths[literalCount...])))
  }

  private mutating func compressedBlock(_ literals: PrefixCode, _ distances: PrefixCode) throws {
    while true {
      let symbol = try next(literals)
      if symbol < 256 {
        guard output.count < size else { throw failure("they hold more than \(size) bytes") }
        output.append(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol < 286 else { throw failure("a length is unknown") }
      let length = try Self.lengths[symbol - 257] + take(Self.lengthBits[symbol - 257])
      let distanceSymbol = try next(distances)
      guard distanceSymbol < 30 else { throw failure("a distance is unknown") }
      let distance = try Self.distances[distanceSymbol] + take(Self.distanceBits[distanceSymbol])
      guard distance <= output.count else { throw failure("a distance leads to before their start") }
      guard length <= size - output.count else { throw failure("they hold more than \(size) bytes") }
      for index in (output.count - distance)..<(output.count - distance + length) { output.append(output[index]) }
    }
  }

  /// The next `count` bits, at most 16, the first the lowest.
  private mutating func take(_ count: Int) throws -> Int {
    while bitCount < count {
      guard position < bytes.count else { throw failure("they end too early") }
      bits |= UInt64(bytes[position]) << UInt64(bitCount)
      bitCount += 8
      position += 1
    }
    let value = bits & (1 << UInt64(count) - 1)
    bits >>= UInt64(count)
    bitCount -= count
    return Int(value)
  }

  private mutating func next(_ code: PrefixCode) throws -> Int {
    var node = 0
    repeat {
      if bitCount == 0 {
        guard position < bytes.count else { throw failure("they end too early") }
        bits = UInt64(bytes[position])
        bitCount = 8
        position += 1
      }
      node = code.children[2 * node + Int(bits & 1)]
      bits >>= 1
      bitCount -= 1
    } while node > 0
    guard node < 0 else { throw failure("a code word is unknown") }
    return -node - 1
  }

  private func code(_ lengths: [UInt8]) throws -> PrefixCode {
    guard let code = PrefixCode(lengths) else { throw failure("a code is not a prefix code") }
    return code
  }
}

/// A Huffman code as a binary tree.
private struct PrefixCode {
  /// For each node and bit: the next node, or -1 - symbol, or 0 where no word goes on.
  private(set) var children = [0, 0]

  /// The canonical code of words of these lengths, 0 for symbols without a word; nil if they do not make up a complete
  /// code. A code of a single word of one bit, or of none, is allowed.
  init?(_ lengths: [UInt8]) {
    var next = 0
    var longest = 0
    let symbols = lengths.indices.filter { lengths[$0] > 0 }.sorted { (lengths[$0], $0) < (lengths[$1], $1) }
    for symbol in symbols {
      let length = Int(lengths[symbol])
      next <<= length - longest
      longest = length
      guard next < 1 << length else { return nil }
      insert(symbol, word: next, length: length)
      next += 1
    }
    let isComplete = next == 1 << longest
    guard isComplete || longest <= 1 else { return nil }
  }

  private mutating func insert(_ symbol: Int, word: Int, length: Int) {
    var node = 0
    for shift in (1..<length).reversed() {
      let child = 2 * node + (word >> shift & 1)
      if children[child] == 0 {
        children[child] = children.count / 2
        children += [0, 0]
      }
      node = children[child]
    }
    children[2 * node + (word & 1)] = -1 - symbol
  }
}
