// SafeTensors+Checksum.swift: whether a file is the one that was written.
//
// Tests       Tests/ResidualFilesTests/SafeTensorsTests.swift

import Foundation

extension SafeTensorsFile {
  private static let checksumName = "checksum"

  /// The checksum of the metadata (without a seal) and of all arrays with their names, types and shapes: 16 hexadecimal
  /// digits.
  public var checksum: String {
    var sum = Checksum64()
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where key != Self.checksumName {
      sum.add(Data(key.utf8))
      sum.add(Data(value.utf8))
    }
    for entry in entries {
      sum.add(Data(entry.name.utf8))
      sum.add(Data(entry.type.rawValue.utf8))
      sum.add(Data(bytesOf: entry.shape.map { Int64($0) }))
      sum.add(entry.bytes)
    }
    return sum.hexadecimal
  }

  /// Puts the checksum into the metadata under `checksum`, as the last step before writing.
  public mutating func seal() {
    metadata[Self.checksumName] = checksum
  }

  /// Compares the contents with the checksum in the metadata.
  ///
  /// - Throws: `InputError` if there is no checksum or the contents are not those that were sealed.
  public func checkSeal() throws(InputError) {
    guard let sealed = metadata[Self.checksumName] else {
      throw InputError("\(source) has no checksum, so it is no complete checkpoint")
    }
    let found = checksum
    guard sealed == found else {
      throw InputError("\(source) is damaged: its checksum should be \(sealed.quoted) and is \(found.quoted)")
    }
  }

  /// The file without the arrays whose names begin with `prefix`, sealed again.
  public func without(prefix: String) -> SafeTensorsFile {
    var rest = SafeTensorsFile(metadata: metadata, source: source)
    for entry in entries where !entry.name.hasPrefix(prefix) {
      rest.append(entry.name, type: entry.type, shape: entry.shape, bytes: entry.bytes)
    }
    rest.seal()
    return rest
  }

  /// The file with its F32 arrays in half precision, F16, sealed again.
  public func inHalfPrecision() -> SafeTensorsFile {
    var halves = SafeTensorsFile(metadata: metadata, source: source)
    for entry in entries {
      let isFloat = entry.type == .float32
      halves.append(
        entry.name, type: isFloat ? .float16 : entry.type, shape: entry.shape,
        bytes: isFloat ? Data(bytesOf: entry.bytes.elements(as: Float.self).map { $0.halfBits }) : entry.bytes)
    }
    halves.seal()
    return halves
  }
}
