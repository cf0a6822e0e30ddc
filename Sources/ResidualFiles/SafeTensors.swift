// SafeTensors.swift: named arrays in a file.
//
// Tests       Tests/ResidualFilesTests/SafeTensorsTests.swift

import Foundation

/// A safetensors file in memory: named arrays and a map of strings.
///
/// The file is eight bytes with the length of a JSON header, the header, and the arrays' bytes. Reading refuses
/// everything the format forbids: a header above 100,000,000 bytes, names given twice, sizes that do not match the
/// shape, holes, overlaps, and bytes missing or left over. Arrays keep the layout they have in the file.
public struct SafeTensorsFile: Sendable {
  /// The type of an array's elements, named as in the header.
  public enum ElementType: String, Sendable, CaseIterable {
    /// Floating point, 8 bytes.
    case float64 = "F64"
    /// Floating point, 4 bytes.
    case float32 = "F32"
    /// IEEE 754's half precision, 2 bytes.
    case float16 = "F16"
    /// The upper half of a `float32`, 2 bytes.
    case bfloat16 = "BF16"
    /// Whole numbers with a sign, 8 bytes.
    case int64 = "I64"
    /// Whole numbers with a sign, 4 bytes.
    case int32 = "I32"
    /// Whole numbers with a sign, 2 bytes.
    case int16 = "I16"
    /// Whole numbers with a sign, a byte.
    case int8 = "I8"
    /// Whole numbers without a sign, 8 bytes.
    case uint64 = "U64"
    /// Whole numbers without a sign, 4 bytes.
    case uint32 = "U32"
    /// Whole numbers without a sign, 2 bytes.
    case uint16 = "U16"
    /// Whole numbers without a sign, a byte.
    case uint8 = "U8"
    /// 0 or 1, a byte.
    case bool = "BOOL"

    /// The number of bytes of an element.
    public var size: Int {
      switch self {
      case .float64, .int64, .uint64: 8
      case .float32, .int32, .uint32: 4
      case .float16, .bfloat16, .int16, .uint16: 2
      case .int8, .uint8, .bool: 1
      }
    }
  }

  /// One named array.
  public struct Entry: Equatable, Sendable {
    /// Its name in the header.
    public let name: String
    /// The type of its elements.
    public let type: ElementType
    /// Its sizes; none for a single number.
    public let shape: [Int]
    /// Its elements, little-endian.
    public let bytes: Data
  }

  static let longestHeader = 100_000_000
  package static let metadataName = "__metadata__"

  /// The name of the file in error messages: its path.
  public let source: String

  /// The strings under `__metadata__`.
  public var metadata: [String: String]

  /// The arrays in the order of the header.
  public private(set) var entries: [Entry] = []

  private var positions: [String: Int] = [:]

  /// A file without arrays.
  public init(metadata: [String: String] = [:], source: String = "safetensors file") {
    self.metadata = metadata
    self.source = source
  }

  /// The array of that name, or nil.
  public subscript(name: String) -> Entry? {
    positions[name].map { entries[$0] }
  }

  /// Adds an array from its bytes. The name must be new and not `__metadata__`, and the bytes must fill the shape.
  public mutating func append(_ name: String, type: ElementType, shape: [Int], bytes: Data) {
    precondition(name != Self.metadataName && positions[name] == nil, "the name \(name.quoted) is taken")
    precondition(
      elementCount(shape) == bytes.count / type.size && bytes.count % type.size == 0,
      "\(bytes.count) bytes of \(type.rawValue) do not fill \(shape) of \(name.quoted)")
    positions[name] = entries.count
    entries.append(Entry(name: name, type: type, shape: shape, bytes: bytes))
  }

  /// Adds an array of F32.
  public mutating func append(_ name: String, shape: [Int], _ values: [Float]) {
    append(name, type: .float32, shape: shape, bytes: Data(bytesOf: values))
  }

  /// Adds an array of F64.
  public mutating func append(_ name: String, shape: [Int], _ values: [Double]) {
    append(name, type: .float64, shape: shape, bytes: Data(bytesOf: values))
  }

  /// Adds an array of I64.
  public mutating func append(_ name: String, shape: [Int], _ values: [Int]) {
    append(name, type: .int64, shape: shape, bytes: Data(bytesOf: values))
  }

  /// Adds an array of U8.
  public mutating func append(_ name: String, shape: [Int], _ values: [UInt8]) {
    append(name, type: .uint8, shape: shape, bytes: Data(values))
  }
}
