// SafeTensors+Writing.swift: the bytes of a file.
//
// Tests       Tests/ResidualFilesTests/SafeTensorsTests.swift

import Foundation

extension SafeTensorsFile {
  /// The bytes of the file: the same for the same contents.
  ///
  /// The header names the arrays in their order; their bytes follow by falling element size, and start at a multiple
  /// of 8, so that every array is aligned to its elements.
  public func encoded() -> Data {
    var offsets = [Int](repeating: 0, count: entries.count)
    var end = 0
    let order = entries.indices.sorted { (-entries[$0].type.size, $0) < (-entries[$1].type.size, $1) }
    for index in order {
      offsets[index] = end
      end += entries[index].bytes.count
    }
    var header = headerText(offsets: offsets)
    header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    precondition(header.utf8.count <= Self.longestHeader, "a safetensors header of \(header.utf8.count) bytes")

    var data = Data(capacity: 8 + header.utf8.count + end)
    data.append(Data(bytesOf: [UInt64(header.utf8.count)]))
    data.append(Data(header.utf8))
    for index in order { data.append(entries[index].bytes) }
    return data
  }

  #if !hasFeature(Embedded)
    /// Writes the file; what was at the path before stays until the new file is complete on disk.
    ///
    /// - Throws: `InputError` if it cannot be written.
    public func write(to path: String) throws {
      try AtomicFile.write(encoded(), to: path)
    }
  #endif

  private func headerText(offsets: [Int]) -> String {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { jsonString($0.key) + ":" + jsonString($0.value) }
      members.append("\"\(Self.metadataName)\":{\(pairs.joined(separator: ","))}")
    }
    for (entry, begin) in zip(entries, offsets) {
      let shape = entry.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(jsonString(entry.name)):{\"dtype\":\"\(entry.type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(begin),\(begin + entry.bytes.count)]}")
    }
    return "{\(members.joined(separator: ","))}"
  }

  private func jsonString(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\0"..<" ": result += "\\u" + String(0x1_0000 + scalar.value, radix: 16).dropFirst()
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
