// PNG+Chunks.swift: the chunks of a PNG file.
//
// Tests       Tests/ResidualFilesTests/PNGTests.swift

/// Takes a PNG file apart, and checks the order, lengths and checksums of its chunks.
struct PNGChunks {
  private let bytes: [UInt8]
  private let source: String
  private var position = 0

  private var foundHeader: PNGHeader?
  private(set) var palette: [UInt8] = []
  private(set) var transparency: [UInt8] = []
  /// The contents of all IDAT chunks.
  private(set) var compressed: [UInt8] = []

  init(_ bytes: [UInt8], source: String) {
    self.bytes = bytes
    self.source = source
  }

  /// The header, after `readAll`.
  var header: PNGHeader {
    guard let foundHeader else { preconditionFailure("readAll comes first") }
    return foundHeader
  }

  mutating func readAll() throws {
    guard bytes.starts(with: Picture.signature) else { throw InputError("\(source) is no PNG file") }
    position = Picture.signature.count
    var last = ""
    while last != "IEND" {
      let (type, contents) = try chunk()
      guard (type == "IHDR") == last.isEmpty else { throw failure("IHDR should be the first chunk, and once") }
      switch type {
      case "IHDR": foundHeader = try PNGHeader(contents, source: source)
      case "PLTE": try readPalette(contents)
      case "tRNS": try readTransparency(contents)
      case "IDAT":
        guard compressed.isEmpty || last == "IDAT" else { throw failure("its IDAT chunks should be consecutive") }
        guard header.colorType != .palette || !palette.isEmpty else { throw failure("it has no palette") }
        compressed += contents
      case "IEND": break
      default:
        // A small first letter marks a chunk that a reader need not know.
        guard type.first?.isLowercase == true else { throw failure("its chunk \(type.quoted) is unknown") }
      }
      last = type
    }
    guard !compressed.isEmpty else { throw failure("it has no IDAT chunk") }
    guard position == bytes.count else { throw failure("\(bytes.count - position) bytes follow its end") }
  }

  private mutating func chunk() throws -> (type: String, contents: ArraySlice<UInt8>) {
    guard bytes.count - position >= 12 else { throw failure("it ends before its IEND chunk") }
    let length = number(at: position)
    guard length <= bytes.count - position - 12 else { throw failure("a chunk is longer than the file") }
    let end = position + 8 + length
    let type = String(decoding: bytes[(position + 4)..<(position + 8)], as: UTF8.self)
    guard number(at: end) == Checksum.crc32(bytes[(position + 4)..<end]) else {
      throw failure("the checksum of its chunk \(type.quoted) differs")
    }
    let contents = bytes[(position + 8)..<end]
    position = end + 4
    return (type, contents)
  }

  private func number(at position: Int) -> Int {
    bytes[position..<(position + 4)].reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func readPalette(_ contents: ArraySlice<UInt8>) throws {
    let isAllowed = header.colorType != .grey && header.colorType != .greyAlpha
    guard isAllowed, palette.isEmpty, transparency.isEmpty, compressed.isEmpty, contents.count % 3 == 0,
      1...256 ~= contents.count / 3
    else { throw failure("its PLTE chunk is in the wrong place or of the wrong length") }
    palette = Array(contents)
  }

  private mutating func readTransparency(_ contents: ArraySlice<UInt8>) throws {
    let lengths =
      switch header.colorType {
      case .grey: 2...2
      case .rgb: 6...6
      case .palette: 0...palette.count / 3
      case .greyAlpha, .rgba: 0...0
      }
    let isAllowed = header.colorType != .greyAlpha && header.colorType != .rgba
    guard isAllowed, transparency.isEmpty, compressed.isEmpty, lengths ~= contents.count else {
      throw failure("its tRNS chunk is in the wrong place or of the wrong length")
    }
    transparency = Array(contents)
  }

  private func failure(_ problem: String) -> InputError {
    InputError("\(source) is a damaged PNG file: \(problem)")
  }
}
