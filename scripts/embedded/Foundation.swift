// Foundation.swift: the few words of Foundation that the package's files of names, texts and bytes use, where there is
// no Foundation: in WebAssembly. Compiled as a module of that name.

/// Bytes.
public struct Data: Equatable, Sendable {
  /// The bytes.
  public private(set) var bytes: [UInt8]

  public init() { bytes = [] }
  public init(capacity: Int) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }
  public init(_ buffer: UnsafeRawBufferPointer) { bytes = Array(buffer) }
  public init(_ bytes: [UInt8]) { self.bytes = bytes }
  public init(_ text: String.UTF8View) { bytes = Array(text) }

  public var count: Int { bytes.count }
  public mutating func append(_ other: Data) { bytes += other.bytes }
  public func copyBytes<Element>(to buffer: UnsafeMutableBufferPointer<Element>) -> Int {
    UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
    return bytes.count
  }
  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    bytes.withUnsafeBytes { body($0) }
  }
}

extension String {
  /// The parts between the places where `separator` stands.
  public func components(separatedBy separator: String) -> [String] {
    let (all, mark) = (Array(utf8), Array(separator.utf8))
    var (parts, start, i) = ([String](), 0, 0)
    while i + mark.count <= all.count {
      if all[i] == mark[0] && (1..<mark.count).allSatisfy({ all[i + $0] == mark[$0] }) {
        parts.append(String(decoding: all[start..<i], as: UTF8.self))
        i += mark.count
        start = i
      } else {
        i += 1
      }
    }
    return parts + [String(decoding: all[start...], as: UTF8.self)]
  }

  /// Whether `other` stands in the text.
  public func contains(_ other: String) -> Bool { components(separatedBy: other).count > 1 }
}
