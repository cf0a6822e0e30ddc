// Median.swift: the middle of some numbers.
//
// Tests       Tests/ResidualFilesTests/MedianTests.swift

extension [Double] {
  /// The middle one in order of size, the larger of two; nil without any.
  package var median: Double? { sorted().dropFirst(count / 2).first }
}
