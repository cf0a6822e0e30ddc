import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct MatchingTests {
  func box(_ left: Double, _ right: Double) -> Box { Box(left: left, top: 0, right: right, bottom: 10) }

  @Test func `Matching by hand`() {
    // IoU with the object 0...10: 10/10, 8/10, 5/10, 2/10, 0.
    let boxes = [box(0, 10), box(0, 8), box(0, 5), box(0, 2), box(20, 30)]
    #expect(
      Matching.anchors.match(boxes, to: [box(0, 10)])
        == [.object(0), .object(0), .ignored, .background, .background])
    #expect(
      Matching.proposals.match(boxes, to: [box(0, 10)])
        == [.object(0), .object(0), .object(0), .background, .background])
  }

  @Test func `An object in the middle between two anchors has both`() {
    // Both anchors have an IoU of 5/15 with the object, far below 0.7: they are its best, and share it.
    let matches = Matching.anchors.match([box(0, 10), box(10, 20), box(40, 50)], to: [box(5, 15)])
    #expect(matches == [.object(0), .object(0), .background])
  }

  @Test func `An object that overlaps nothing gets no anchor`() {
    #expect(Matching.anchors.match([box(0, 10)], to: [box(50, 60)]) == [.background])
  }

  @Test func `A box belongs to the object of which it has the highest overlap`() {
    #expect(Matching.proposals.match([box(0, 10)], to: [box(4, 14), box(1, 11)]) == [.object(1)])
    // An anchor that is the best of object 0 but nearer to object 1 learns object 1.
    #expect(Matching.anchors.match([box(0, 10)], to: [box(8, 18), box(0, 9)]) == [.object(1)])
  }

  @Test func `Without objects everything is background`() {
    #expect(Matching.anchors.match([box(0, 1), box(0, 2)], to: []) == [.background, .background])
  }

  @Test func `What overlaps less than the floor is ignored`() {
    var matching = Matching.proposals
    matching.backgroundFloor = 0.1
    #expect(matching.match([box(0, 2), box(20, 30)], to: [box(0, 10)]) == [.background, .ignored])
  }

  @Test func `A sample has at most its share of objects, and background fills the rest`() {
    let matches: [Match] =
      Array(repeating: .object(0), count: 10) + Array(repeating: .background, count: 30) + [.ignored]
    var generator = RandomGenerator(seed: 1)
    let sample = Sample(of: matches, count: 16, objectShare: 0.25, using: &generator)
    #expect(sample.objects.count == 4 && sample.background.count == 12)
    #expect(sample.objects.allSatisfy { $0 < 10 } && sample.background.allSatisfy { (10..<40).contains($0) })
    #expect(sample.objects == sample.objects.sorted() && Set(sample.background).count == 12)
    let few = Sample(of: Array(matches[8...]), count: 16, objectShare: 0.25, using: &generator)
    #expect(few.objects == [0, 1] && few.background.count == 14)
  }

  @Test func `Every box is drawn as often as every other`() {
    var generator = RandomGenerator(seed: 5)
    var counts = [Int](repeating: 0, count: 10)
    for _ in 0..<2000 {
      let sample = Sample(of: Array(repeating: .background, count: 10), count: 3, objectShare: 0.5, using: &generator)
      for i in sample.background { counts[i] += 1 }
    }
    // 600 each, with a standard deviation of √(2000 · 0.3 · 0.7) = 20.
    #expect(counts.allSatisfy { abs($0 - 600) < 100 })
  }
}
