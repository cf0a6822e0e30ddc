// Bytes.swift: numbers as bytes, and texts for error messages.
//
// Tests       Tests/ResidualFilesTests/SafeTensorsTests.swift

import Foundation

// Files of every format here are little-endian, as are all machines this package runs on, so arrays and bytes
// convert by one copy of memory.

extension Data {
  /// The memory of an array, little-endian.
  init<Element: BitwiseCopyable>(bytesOf values: [Element]) {
    self = unsafe values.withUnsafeBytes { unsafe Data($0) }
  }

  /// The little-endian elements that the bytes hold; bytes at the end that do not fill an element are left out.
  func elements<Element: BitwiseCopyable>(as type: Element.Type) -> [Element] {
    let count = count / MemoryLayout<Element>.stride
    return unsafe [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = unsafe copyBytes(to: buffer) / MemoryLayout<Element>.stride
    }
  }
}

extension Float {
  /// The value of an IEEE 754 half-precision number. (`Float16` does not exist on every platform.)
  init(halfBits bits: UInt16) {
    // Shifted by 13, exponent and fraction lie where a Float has them, and 2^112 corrects the bias, also of
    // subnormal numbers.
    let magnitude = Float(bitPattern: UInt32(bits & 0x7FFF) << 13)
    let isFinite = bits & 0x7C00 != 0x7C00
    let value = isFinite ? magnitude * 0x1p112 : Float(bitPattern: magnitude.bitPattern | 0x7F80_0000)
    self = bits & 0x8000 == 0 ? value : -value
  }

  /// The nearest half-precision number, the even one of two; infinity from 65,520 on.
  var halfBits: UInt16 {
    let sign = UInt16(truncatingIfNeeded: bitPattern >> 16) & 0x8000
    if isNaN { return sign | 0x7E00 }
    // The same steps backwards: what lies below bit 13 is rounded away.
    let bits = (magnitude * 0x1p-112).bitPattern
    return sign | UInt16(min((bits + 0xFFF + (bits >> 13 & 1)) >> 13, 0x7C00))
  }

  /// The value of a bfloat16 number: the upper half of a Float.
  init(bfloatBits bits: UInt16) {
    self.init(bitPattern: UInt32(bits) << 16)
  }
}

extension String {
  /// The text in quotation marks for an error message: control characters escaped, at most 100 code points.
  package var quoted: String {
    let start = String(UnicodeScalarView(unicodeScalars.prefix(100)))
    return (start.utf8.count == utf8.count ? self : start + "…").debugDescription
  }
}
