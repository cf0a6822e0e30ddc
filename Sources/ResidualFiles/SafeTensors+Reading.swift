// SafeTensors+Reading.swift: a file's bytes taken apart.
//
// Tests       Tests/ResidualFilesTests/SafeTensorsTests.swift

import Foundation

extension SafeTensorsFile {
  /// Reads a file in one go.
  ///
  /// - Throws: `InputError` if the file cannot be read or breaks a rule of the format.
  public init(contentsOf path: String) throws {
    try self.init(decoding: readFile(path), source: path)
  }

  /// Reads the bytes of a file. `source` names it in error messages.
  ///
  /// - Throws: `InputError` if the bytes break a rule of the format.
  public init(decoding data: Data, source: String = "safetensors file") throws {
    self.init(source: source)
    guard data.count >= 8 else {
      throw InputError("\(source) is no safetensors file: it has \(data.count) bytes, fewer than 8")
    }
    let length = data.prefix(8).elements(as: UInt64.self)[0]
    guard length <= Self.longestHeader, length <= data.count - 8 else {
      throw InputError(
        "\(source) is no safetensors file: its header should have at most "
          + "\(min(Self.longestHeader, data.count - 8)) bytes and claims \(length)")
    }
    let dataStart = data.startIndex + 8 + Int(length)
    let header = try SafeTensorsHeader([UInt8](data[(data.startIndex + 8)..<dataStart]), source: source)
    try header.checkLayout(byteCount: data.endIndex - dataStart)
    metadata = header.metadata
    for array in header.arrays {
      let bytes = data.subdata(in: (dataStart + array.begin)..<(dataStart + array.end))
      append(array.name, type: array.type, shape: array.shape, bytes: bytes)
    }
  }
}

/// The header of a safetensors file: for each array its type, shape and place.
struct SafeTensorsHeader {
  struct Array {
    let name: String
    let type: SafeTensorsFile.ElementType
    let shape: [Int]
    let begin: Int
    let end: Int
  }

  var metadata: [String: String] = [:]
  var arrays: [Array] = []
  private let source: String

  init(_ bytes: [UInt8], source: String) throws {
    self.source = source
    guard bytes.first == UInt8(ascii: "{") else {
      throw InputError("\(source) is no safetensors file: its header does not begin with '{'")
    }
    var scanner = HeaderScanner(bytes, source: source)
    try scanner.members { scanner, name in
      if name == SafeTensorsFile.metadataName {
        try scanner.members { scanner, key in metadata[key] = try scanner.string() }
      } else {
        arrays.append(try array(name, &scanner))
      }
    }
    try scanner.finish()
  }

  private func array(_ name: String, _ scanner: inout HeaderScanner) throws -> Array {
    var typeName: String?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.members { scanner, key in
      switch key {
      case "dtype": typeName = try scanner.string()
      case "shape": shape = try scanner.integers()
      case "data_offsets": offsets = try scanner.integers()
      default: throw InputError("\(source): the header of \(name.quoted) has an unknown field \(key.quoted)")
      }
    }
    guard let typeName, let shape, let offsets else {
      throw InputError("\(source): the header of \(name.quoted) should have dtype, shape and data_offsets")
    }
    guard let type = SafeTensorsFile.ElementType(rawValue: typeName) else {
      let known = SafeTensorsFile.ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw InputError("\(source): the dtype of \(name.quoted) should be one of \(known) and is \(typeName.quoted)")
    }
    guard offsets.count == 2, offsets[0] <= offsets[1],
      let size = elementCount(shape + [type.size]), size == offsets[1] - offsets[0]
    else {
      throw InputError(
        "\(source): the data_offsets \(offsets.prefix(3)) of \(name.quoted) do not span \(typeName) of shape "
          + "\(shape.prefix(10))")
    }
    return Array(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
  }

  /// Checks that the arrays fill the bytes after the header from the first to the last, without holes or overlaps.
  func checkLayout(byteCount: Int) throws {
    var next = 0
    for array in arrays.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard array.begin == next else {
        throw InputError(
          "\(source): the bytes of \(array.name.quoted) should begin at \(next), where those of the array before end, "
            + "and begin at \(array.begin)")
      }
      next = array.end
    }
    guard next == byteCount else {
      throw InputError("\(source) should have \(next) bytes after its header and has \(byteCount)")
    }
  }
}
