import Foundation
import Testing

@testable import ResidualFiles

@Suite struct DecimalsTests {
  private static let numbers: [Double] =
    [
      0, -0.0, 1, -1, 0.5, 1.5, 2.5, 0.25, 0.125, 9.995, 9.9995, 99_999.5, 999_999.5, 0.000_099_995, 1.2345, 123_456,
      0.1, 1e21, 1e-5, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, .infinity, -.infinity,
    ]
    + {
      // Numbers of every size, and such as lie in the middle between two texts.
      var state: UInt64 = 1
      return (0..<300).map { i in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        switch i % 3 {
        case 0: return Double(bitPattern: state & ~(1 << 62) | (state >> 1) & (1 << 62))
        case 1: return Double(Int64(bitPattern: state) >> 44) / 64
        default: return Double(Int64(bitPattern: state) >> 40) / 1e4
        }
      }
    }()

  @Test func `Numbers are written as the C library writes them`() {
    for number in Self.numbers where !number.isNaN {
      for count in [0, 1, 5] {
        #expect(number.fixed(decimals: count) == String(format: "%.\(count)f", number))
        #expect(number.scientific(decimals: count) == String(format: "%.\(count)e", number))
        #expect(number.rounded(digits: count + 1) == String(format: "%.\(count + 1)g", number))
      }
    }
  }

  @Test func `What is not a number has no sign`() {
    #expect(Double.nan.fixed(decimals: 2) == "nan" && (-Double.nan).scientific(decimals: 1) == "nan")
    #expect((-Double.nan).rounded(digits: 3) == "nan")
  }
}
