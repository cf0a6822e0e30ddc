import Foundation
import Testing

@testable import ResidualKernels

@Suite struct PixelsTests {
  @Test func `Planes of records become pixels at their place`() {
    // Two records of a header byte and three planes of two pixels.
    let records = Data([99, 1, 2, 11, 12, 21, 22, 98, 3, 4, 13, 14, 23, 24])
    var pixels = [UInt8](repeating: 0, count: 18)
    Kernels.interleave(records.dropFirst(7), header: 1, size: 2, into: &pixels, first: 0)
    Kernels.interleave(records, header: 1, size: 2, into: &pixels, first: 1)
    #expect(pixels == [3, 13, 23, 4, 14, 24, 1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24])
  }

  @Test func `The mean image is the mean of each byte, and the sums of colours are whole numbers`() {
    #expect(Kernels.meanImage([0, 255, 102, 51], size: 2) == [0.2, 0.6])
    #expect(Kernels.colorSums([1, 2, 3, 10, 20, 30]) == [11, 22, 33, 101, 202, 303, 404, 606, 909])
  }
}
