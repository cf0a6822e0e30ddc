import ResidualFiles
import Testing

@Suite struct MedianTests {
  @Test func `A median is the middle one in order of size, the larger of two`() {
    #expect([5.0, 1, 3].median == 3 && [4.0, 1, 3, 2].median == 3 && [Double]().median == nil)
  }
}
