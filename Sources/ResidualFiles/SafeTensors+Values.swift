// SafeTensors+Values.swift: elements as Swift's numbers.
//
// Tests       Tests/ResidualFilesTests/SafeTensorsTests.swift

import Foundation

extension SafeTensorsFile {
  /// The elements of an array as `Float`, in the file's order. F64 and integers are rounded to the nearest `Float`;
  /// F64 values beyond its range become infinite.
  ///
  /// - Throws: `InputError` if there is no array of that name.
  public func floats(_ name: String) throws -> [Float] {
    let entry = try entry(name)
    switch entry.type {
    case .float32: return entry.bytes.elements(as: Float.self)
    case .float64: return entry.bytes.elements(as: Double.self).map { Float($0) }
    case .float16: return entry.bytes.elements(as: UInt16.self).map { Float(halfBits: $0) }
    case .bfloat16: return entry.bytes.elements(as: UInt16.self).map { Float(bfloatBits: $0) }
    default: return try integers(name).map { Float($0) }
    }
  }

  /// The elements of an array as `Double`, in the file's order. Integers above 2^53 are rounded.
  ///
  /// - Throws: `InputError` if there is no array of that name.
  public func doubles(_ name: String) throws -> [Double] {
    let entry = try entry(name)
    switch entry.type {
    case .float64: return entry.bytes.elements(as: Double.self)
    case .float32, .float16, .bfloat16: return try floats(name).map { Double($0) }
    default: return try integers(name).map { Double($0) }
    }
  }

  /// The elements of an array of integers or truth values (0 and 1), in the file's order.
  ///
  /// - Throws: `InputError` if there is no array of that name, if its elements are not integers, or if one of them
  ///   exceeds an `Int`.
  public func integers(_ name: String) throws -> [Int] {
    let entry = try entry(name)
    switch entry.type {
    case .int64: return entry.bytes.elements(as: Int.self)
    case .int32: return entry.bytes.elements(as: Int32.self).map { Int($0) }
    case .int16: return entry.bytes.elements(as: Int16.self).map { Int($0) }
    case .int8: return entry.bytes.elements(as: Int8.self).map { Int($0) }
    case .uint32: return entry.bytes.elements(as: UInt32.self).map { Int($0) }
    case .uint16: return entry.bytes.elements(as: UInt16.self).map { Int($0) }
    case .uint8, .bool: return entry.bytes.map { Int($0) }
    case .uint64:
      return try entry.bytes.elements(as: UInt64.self).map { value in
        guard let integer = Int(exactly: value) else {
          throw InputError("\(source): \(name.quoted) holds \(value), which is more than \(Int.max)")
        }
        return integer
      }
    case .float64, .float32, .float16, .bfloat16:
      throw InputError("\(source): \(name.quoted) should hold integers and holds \(entry.type.rawValue)")
    }
  }

  private func entry(_ name: String) throws -> Entry {
    guard let entry = self[name] else { throw InputError("\(source) has no array \(name.quoted)") }
    return entry
  }

  /// Compares names and shapes with those expected and reports every difference in one error.
  ///
  /// - Throws: `InputError` that lists all unknown names, all missing names and all wrong shapes.
  public func check(expected: [(name: String, shape: [Int])]) throws {
    let known = Set(expected.map(\.name))
    let unknown = entries.filter { !known.contains($0.name) }.map(\.name.quoted)
    let missing = expected.filter { self[$0.name] == nil }.map(\.name.quoted)
    let misshapen = expected.compactMap { name, shape -> String? in
      guard let found = self[name]?.shape, found != shape else { return nil }
      return "\(name.quoted) is \(found) and should be \(shape)"
    }
    let problems = [("unknown", unknown), ("missing", missing), ("wrong shape", misshapen)]
      .filter { !$0.1.isEmpty }
      .map { "\($0.0): " + $0.1.joined(separator: ", ") }
    guard problems.isEmpty else {
      throw InputError("\(source) does not fit: " + problems.joined(separator: "; "))
    }
  }
}
