// Exchange.swift: how the page's script and the Swift code hand numbers and texts to each other.
//
// A function of Swift that the script calls takes whole numbers and floating-point numbers. What is longer the script
// writes into memory that it asks for with `request`, and what Swift answers it gets through `answer`.

/// Hands bytes to the script, which copies them before it returns.
@_extern(wasm, module: "env", name: "answer") @_extern(c) func answer(_ bytes: UnsafeRawPointer?, _ count: Int32)

/// What the script wrote last.
nonisolated(unsafe) private var requested: [UInt8] = []

/// Memory for so many bytes of the script.
@_expose(wasm, "request")
public func request(_ count: Int32) -> UnsafeMutableRawPointer {
  requested = [UInt8](repeating: 0, count: Int(count))
  return requested.withUnsafeMutableBytes { $0.baseAddress! }
}

enum Exchange {
  static var bytes: [UInt8] { requested }

  static func give(_ numbers: [Double]) { numbers.withUnsafeBytes { answer($0.baseAddress, Int32($0.count)) } }
  static func give(_ bytes: [UInt8]) { bytes.withUnsafeBytes { answer($0.baseAddress, Int32($0.count)) } }
  static func give(_ text: String) { give(Array(text.utf8)) }
}
