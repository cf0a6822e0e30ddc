// HeaderScanner.swift: a reader of the texts in file headers.
//
// Tests       Tests/ResidualFilesTests/SafeTensorsTests.swift

/// Reads the texts in file headers: objects, strings and arrays of whole numbers in JSON, and the Python literals in
/// the header of an `.npy` file.
///
/// Unlike Foundation's JSON reader, it keeps the order of members and refuses a name that is given twice. It nests only
/// as deep as its caller asks, so no input exhausts the stack.
struct HeaderScanner {
  private let bytes: [UInt8]
  private let source: String
  private var position = 0

  /// `source` names the file in error messages.
  init(_ bytes: [UInt8], source: String) {
    self.bytes = bytes
    self.source = source
  }

  /// Reads an object; `read` must read the value of each name.
  mutating func members(_ read: (inout HeaderScanner, String) throws -> Void) throws {
    var names: Set<String> = []
    try expect("{")
    if take("}") { return }
    repeat {
      let name = try string()
      guard names.insert(name).inserted else {
        throw InputError("\(source): the header has the name \(name.quoted) twice")
      }
      try expect(":")
      try read(&self, name)
    } while take(",")
    try expect("}")
  }

  /// Reads an array of whole numbers from 0.
  mutating func integers() throws -> [Int] {
    var values: [Int] = []
    try expect("[")
    if take("]") { return values }
    repeat { values.append(try integer()) } while take(",")
    try expect("]")
    return values
  }

  /// Reads a whole number from 0 to `Int.max`, without sign, point or exponent.
  mutating func integer() throws -> Int {
    skipSpace()
    let start = position
    var value = 0
    while let digit = peek, UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
      guard !overflow, !carry else { throw InputError("\(source): a number in the header exceeds \(Int.max)") }
      value = sum
      position += 1
    }
    guard position > start, bytes[start] != UInt8(ascii: "0") || position == start + 1 else {
      throw unexpected("a whole number")
    }
    return value
  }

  /// Reads a string.
  mutating func string() throws -> String {
    try expect("\"")
    var text: [UInt8] = []
    while let byte = peek, byte != UInt8(ascii: "\""), byte >= 0x20 {
      position += 1
      if byte == UInt8(ascii: "\\") {
        text += try Array(String(escape()).utf8)
      } else {
        text.append(byte)
      }
    }
    guard peek == UInt8(ascii: "\"") else { throw unexpected("the end of a string") }
    position += 1
    guard let string = String(validating: text, as: UTF8.self) else {
      throw InputError("\(source): a string in the header that ends at byte \(position) is not UTF-8")
    }
    return string
  }

  /// Reads a Python string of printable ASCII characters without escapes.
  mutating func pythonString() throws -> String {
    let quote: Unicode.Scalar = take("\"") ? "\"" : "'"
    if quote == "'" { try expect("'") }
    var text = ""
    while let byte = peek, byte != UInt8(ascii: quote), byte != UInt8(ascii: "\\"), 0x20..<0x7F ~= byte {
      text.unicodeScalars.append(Unicode.Scalar(byte))
      position += 1
    }
    guard peek == UInt8(ascii: quote) else { throw unexpected("the end of a string") }
    position += 1
    return text
  }

  /// Reads a Python tuple of whole numbers: `()`, `(3,)`, `(3, 4)`.
  mutating func pythonTuple() throws -> [Int] {
    var values: [Int] = []
    try expect("(")
    while !take(")") {
      values.append(try integer())
      if take(",") { continue }
      guard values.count > 1 else { throw unexpected("\",\"") }
      try expect(")")
      break
    }
    return values
  }

  /// Reads a Python truth value.
  mutating func pythonBool() throws -> Bool {
    skipSpace()
    let isTrue = peek == UInt8(ascii: "T")
    for letter in (isTrue ? "True" : "False").utf8 {
      guard peek == letter else { throw unexpected("True or False") }
      position += 1
    }
    return isTrue
  }

  /// Checks that only the given padding remains: spaces, or all white space.
  mutating func finish(allowingNewline: Bool = false) throws {
    while peek == UInt8(ascii: " ") { position += 1 }
    if allowingNewline { skipSpace() }
    guard position == bytes.count else { throw unexpected("nothing but padding") }
  }

  private mutating func escape() throws -> Unicode.Scalar {
    guard let byte = peek else { throw unexpected("an escaped character") }
    position += 1
    switch Unicode.Scalar(byte) {
    case "\"", "\\", "/": return Unicode.Scalar(byte)
    case "b": return "\u{8}"
    case "f": return "\u{C}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "u":
      let unit = try hexadecimalUnit()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      // A character beyond 16 bits: a leading surrogate, then a trailing one.
      guard (0xD800..<0xDC00).contains(unit), peek == UInt8(ascii: "\\") else { throw unexpected("a character") }
      position += 1
      guard peek == UInt8(ascii: "u") else { throw unexpected("a trailing surrogate") }
      position += 1
      let trail = try hexadecimalUnit()
      guard (0xDC00..<0xE000).contains(trail),
        let scalar = Unicode.Scalar(0x1_0000 + (unit - 0xD800) << 10 + (trail - 0xDC00))
      else { throw unexpected("a trailing surrogate") }
      return scalar
    default:
      position -= 1
      throw unexpected("an escaped character")
    }
  }

  private mutating func hexadecimalUnit() throws -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw unexpected("a hexadecimal digit")
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }

  private var peek: UInt8? {
    position < bytes.count ? bytes[position] : nil
  }

  mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws {
    guard take(character) else { throw unexpected(String(character).quoted) }
  }

  func unexpected(_ wanted: String) -> InputError {
    let found = peek.map { String(Unicode.Scalar($0)).quoted } ?? "its end"
    return InputError("\(source): the header should have \(wanted) at byte \(position) and has \(found)")
  }
}
