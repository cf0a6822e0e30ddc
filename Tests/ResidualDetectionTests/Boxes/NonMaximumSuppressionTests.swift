import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct NonMaximumSuppressionTests {
  func box(_ left: Double, _ right: Double) -> Box { Box(left: left, top: 0, right: right, bottom: 10) }

  @Test func `Suppression by hand`() {
    // 0 and 1 share 8 of 12; 1 and 2 share 8 of 12; 0 and 2 share 6 of 14.
    let boxes = [box(0, 10), box(2, 12), box(4, 14), box(30, 40)]
    #expect(nonMaximumSuppression(boxes, scores: [0.9, 0.8, 0.7, 0.1], threshold: 0.5) == [0, 2, 3])
    // The best one is in the middle: it drops both of its neighbours.
    #expect(nonMaximumSuppression(boxes, scores: [0.8, 0.9, 0.7, 0.95], threshold: 0.5) == [3, 1])
    #expect(nonMaximumSuppression(boxes, scores: [0.9, 0.8, 0.7, 0.1], threshold: 0.3) == [0, 3])
  }

  @Test func `A dropped box drops no other`() {
    // 1 is dropped by 0, so it does not drop 2.
    let boxes = [box(0, 10), box(2, 12), box(4, 14)]
    #expect(nonMaximumSuppression(boxes, scores: [3, 2, 1], threshold: 0.45) == [0, 2])
  }

  @Test func `An overlap of exactly the threshold is kept`() {
    #expect(nonMaximumSuppression([box(0, 10), box(0, 5)], scores: [2, 1], threshold: 0.5) == [0, 1])
  }

  @Test func `Of equal scores the first comes first, and the limit counts what is kept`() {
    let boxes = [box(0, 10), box(0, 10), box(20, 30), box(40, 50)]
    #expect(nonMaximumSuppression(boxes, scores: [1, 1, 1, 1], threshold: 0.5, limit: 2) == [0, 2])
    #expect(nonMaximumSuppression([], scores: [], threshold: 0.5) == [])
  }

  @Test func `What is kept does not overlap, and what is dropped overlaps a better one`() {
    var generator = RandomGenerator(seed: 9)
    let boxes = (0..<200).map { _ in
      Box(
        centerX: generator.uniform(0, 50), centerY: generator.uniform(0, 50), width: generator.uniform(5, 30),
        height: generator.uniform(5, 30))
    }
    let scores = boxes.map { _ in generator.uniform() }
    let kept = nonMaximumSuppression(boxes, scores: scores, threshold: 0.4)
    #expect(kept.map { scores[$0] } == kept.map { scores[$0] }.sorted(by: >))
    for i in kept { for j in kept where i != j { #expect(boxes[i].iou(boxes[j]) <= 0.4) } }
    for i in boxes.indices where !kept.contains(i) {
      #expect(kept.contains { scores[$0] > scores[i] && boxes[$0].iou(boxes[i]) > 0.4 })
    }
  }
}
