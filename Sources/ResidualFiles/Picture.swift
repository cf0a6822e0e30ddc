// Picture.swift: red, green and blue bytes in rows.
//
// Tests       Tests/ResidualFilesTests/PNGTests.swift

/// A picture of any size: 8 bits each of red, green and blue for every pixel.
public struct Picture: Equatable, Sendable {
  /// The numbers of rows and of columns.
  public let height, width: Int
  /// The bytes `[height, width, 3]`: rows from the top, pixels from the left, red, green and blue.
  public let pixels: [UInt8]

  /// A picture of `[height, width, 3]` bytes.
  public init(height: Int, width: Int, pixels: [UInt8]) {
    precondition(
      height > 0 && width > 0 && elementCount([height, width, 3]) == pixels.count,
      "\(pixels.count) bytes do not fill \([height, width, 3])")
    (self.height, self.width, self.pixels) = (height, width, pixels)
  }

  /// A grey picture of `[height, width]` bytes.
  public init(height: Int, width: Int, grey: [UInt8]) {
    self.init(height: height, width: width, pixels: grey.flatMap { [$0, $0, $0] })
  }
}

/// The number of elements of a shape, or nil if a length is negative or the product exceeds an `Int`.
func elementCount(_ shape: [Int]) -> Int? {
  var count = 1
  for length in shape {
    let (product, overflow) = count.multipliedReportingOverflow(by: length)
    guard length >= 0, !overflow else { return nil }
    count = product
  }
  return count
}
