import Foundation
import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct BoxEncodingTests {
  let anchor = Box(left: 10, top: 20, right: 30, bottom: 60)  // centre (20, 40), 20 x 40

  @Test func `Offsets by hand`() {
    // Centre (25, 30), 40 x 20: a quarter of a width to the right, a quarter of a height up, twice as wide, half as
    // high.
    let box = Box(left: 5, top: 20, right: 45, bottom: 40)
    let offsets = BoxEncoding.proposals.encode(box, relativeTo: anchor)
    #expect(offsets.x == 0.25 && offsets.y == -0.25)
    #expect(abs(offsets.width - 0.6931471805599453) < 1e-15 && abs(offsets.height + 0.6931471805599453) < 1e-15)
    // The detector's are the same numbers over 0.1 and 0.2.
    let scaled = BoxEncoding.detector.encode(box, relativeTo: anchor)
    #expect(abs(scaled.x - 2.5) < 1e-14 && abs(scaled.width - 3.4657359027997265) < 1e-14)
  }

  @Test func `A box relative to itself has no offsets`() {
    #expect(BoxEncoding.proposals.encode(anchor, relativeTo: anchor).elements == [0, 0, 0, 0])
  }

  @Test(arguments: [BoxEncoding.proposals, .detector]) func `Decoding undoes encoding`(encoding: BoxEncoding) {
    // Widths and heights of 1 to 60: no box is more than 60 times as large as another, and the exponent, clamped at a
    // growth of 62.5, is never clamped.
    var generator = RandomGenerator(seed: 3)
    for _ in 0..<200 {
      func box() -> Box {
        Box(
          centerX: generator.uniform(-50, 50), centerY: generator.uniform(-50, 50), width: generator.uniform(1, 60),
          height: generator.uniform(1, 60))
      }
      let (box, reference) = (box(), box())
      let again = encoding.decode(encoding.encode(box, relativeTo: reference), relativeTo: reference)
      for (a, b) in [
        (again.left, box.left), (again.top, box.top), (again.right, box.right), (again.bottom, box.bottom),
      ] {
        #expect(abs(a - b) < 1e-11)
      }
    }
  }

  @Test func `Nothing that an untrained network says makes an infinite box`() {
    let wild = BoxEncoding.proposals.decode(
      BoxOffsets(x: 0, y: 0, width: 800, height: 1e30), relativeTo: anchor)
    #expect(abs(wild.width - 20 * 62.5) < 1e-9 && abs(wild.height - 40 * 62.5) < 1e-9)
    let tiny = BoxEncoding.proposals.decode(BoxOffsets(x: 0, y: 0, width: -800, height: -1), relativeTo: anchor)
    #expect(tiny.width == 0 && abs(tiny.height - 40 / M_E) < 1e-12)
  }

  @Test func `The exponent is clamped at a growth of 62.5`() {
    #expect(abs(BoxEncoding.largestExponent - 4.135166556742356) < 1e-14)
  }
}
