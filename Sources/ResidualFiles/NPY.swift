// NPY.swift: NumPy's arrays.
//
// Tests       Tests/ResidualFilesTests/NPYTests.swift

import Foundation

/// An array in NumPy's `.npy` format, in C order: the last index runs fastest.
///
/// Versions 1 to 3 are read, with little-endian float32, float64 and int64, and uint8; version 1 is written.
public struct NPYArray: Equatable, Sendable {
  /// The elements in one of the types that are read and written.
  public enum Values: Equatable, Sendable {
    /// `<f4`: 4 bytes each.
    case float32([Float])
    /// `<f8`: 8 bytes each.
    case float64([Double])
    /// `<i8`: 8 bytes each, with a sign.
    case int64([Int])
    /// `|u1`: a byte each, without a sign.
    case uint8([UInt8])

    var description: String {
      switch self {
      case .float32: "<f4"
      case .float64: "<f8"
      case .int64: "<i8"
      case .uint8: "|u1"
      }
    }

    var count: Int {
      switch self {
      case .float32(let values): values.count
      case .float64(let values): values.count
      case .int64(let values): values.count
      case .uint8(let values): values.count
      }
    }

    var bytes: Data {
      switch self {
      case .float32(let values): Data(bytesOf: values)
      case .float64(let values): Data(bytesOf: values)
      case .int64(let values): Data(bytesOf: values)
      case .uint8(let values): Data(values)
      }
    }
  }

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The lengths of the dimensions; empty for a single number.
  public let shape: [Int]

  /// The elements, row by row.
  public let values: Values

  /// An array of that shape; the values must fill it.
  public init(shape: [Int], _ values: Values) {
    precondition(elementCount(shape) == values.count, "\(values.count) values do not fill \(shape)")
    self.shape = shape
    self.values = values
  }

  /// The elements as `Float`, rounded to the nearest where the type is another.
  public var floats: [Float] {
    switch values {
    case .float32(let values): values
    case .float64(let values): values.map { Float($0) }
    case .int64(let values): values.map { Float($0) }
    case .uint8(let values): values.map { Float($0) }
    }
  }

  /// The elements as `Double`; integers above 2^53 are rounded.
  public var doubles: [Double] {
    switch values {
    case .float32(let values): values.map { Double($0) }
    case .float64(let values): values
    case .int64(let values): values.map { Double($0) }
    case .uint8(let values): values.map { Double($0) }
    }
  }

  /// Reads a file.
  ///
  /// - Throws: `InputError` if the file cannot be read, breaks a rule of the format, is in Fortran order or holds
  ///   another type of elements.
  public init(contentsOf path: String) throws {
    try self.init(decoding: readFile(path), source: path)
  }

  /// Reads the bytes of a file. `source` names it in error messages.
  ///
  /// - Throws: `InputError` as for a file.
  public init(decoding data: Data, source: String = "npy file") throws {
    guard data.count >= 10, data.prefix(6).elementsEqual(Self.magic) else {
      throw InputError("\(source) is no npy file: it does not begin with \"\\x93NUMPY\"")
    }
    let version = data[data.startIndex + 6]
    guard 1...3 ~= version, data.count >= 12 else {
      throw InputError("\(source) should be an npy file of version 1 to 3 and is of version \(version)")
    }
    let lengthBytes = data.dropFirst(8)
    let length =
      version == 1
      ? Int(lengthBytes.prefix(2).elements(as: UInt16.self)[0])
      : Int(lengthBytes.prefix(4).elements(as: UInt32.self)[0])
    let rest = lengthBytes.dropFirst(version == 1 ? 2 : 4)
    guard length <= rest.count else {
      throw InputError("\(source): its header should have at most \(rest.count) bytes and claims \(length)")
    }
    let header = try Self.header([UInt8](rest.prefix(length)), source: source)
    guard !header.isFortranOrder else {
      throw InputError("\(source) is in Fortran order; save it in C order with numpy.ascontiguousarray")
    }
    let body = Data(rest.dropFirst(length))
    func check(elementSize: Int) throws {
      guard elementCount(header.shape + [elementSize]) == body.count else {
        throw InputError(
          "\(source): \(body.count) bytes do not hold \(header.type.quoted) of shape \(header.shape.prefix(10))")
      }
    }
    switch header.type {
    case "<f4":
      try check(elementSize: 4)
      values = .float32(body.elements(as: Float.self))
    case "<f8":
      try check(elementSize: 8)
      values = .float64(body.elements(as: Double.self))
    case "<i8":
      try check(elementSize: 8)
      values = .int64(body.elements(as: Int.self))
    case "|u1", "<u1":
      try check(elementSize: 1)
      values = .uint8([UInt8](body))
    default:
      throw InputError("\(source): its type should be <f4, <f8, <i8 or |u1 and is \(header.type.quoted)")
    }
    shape = header.shape
  }

  private static func header(
    _ bytes: [UInt8], source: String
  ) throws -> (type: String, isFortranOrder: Bool, shape: [Int]) {
    var scanner = HeaderScanner(bytes, source: source)
    var type: String?
    var isFortranOrder: Bool?
    var shape: [Int]?
    try scanner.expect("{")
    while !scanner.take("}") {
      let key = try scanner.pythonString()
      try scanner.expect(":")
      switch key {
      case "descr" where type == nil: type = try scanner.pythonString()
      case "fortran_order" where isFortranOrder == nil: isFortranOrder = try scanner.pythonBool()
      case "shape" where shape == nil: shape = try scanner.pythonTuple()
      default: throw InputError("\(source): its header has the field \(key.quoted) twice or of an unknown name")
      }
      if scanner.take(",") { continue }
      try scanner.expect("}")
      break
    }
    try scanner.finish(allowingNewline: true)
    guard let type, let isFortranOrder, let shape else {
      throw InputError("\(source): its header should have descr, fortran_order and shape")
    }
    return (type, isFortranOrder, shape)
  }

  /// The bytes of a file of version 1.
  public func encoded() -> Data {
    let lengths = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '\(values.description)', 'fortran_order': False, 'shape': (\(lengths)), }"
    // The elements begin at a multiple of 64.
    header += String(repeating: " ", count: (128 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    precondition(header.utf8.count <= UInt16.max, "an npy header of \(header.utf8.count) bytes")
    return Data(Self.magic + [1, 0]) + Data(bytesOf: [UInt16(header.utf8.count)]) + Data(header.utf8) + values.bytes
  }

  /// Writes a file of version 1; what was at the path before stays until the new file is complete on disk.
  ///
  /// - Throws: `InputError` if it cannot be written.
  public func write(to path: String) throws {
    try AtomicFile.write(encoded(), to: path)
  }
}
