import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct PredictionTests {
  let normalization = DetectionNormalization(mean: [0.4, 0.4, 0.4])
  let scenes = SyntheticScenes.make(count: 3, seed: 2, size: 64).scenes

  func detector(context: Bool = false) -> Detector<Float> {
    var generator = RandomGenerator(seed: 9)
    return Reduced.single(Reduced.plan(context: context), using: &generator)
  }

  func settings(_ change: (inout PredictionSettings) -> Void = { _ in }) -> PredictionSettings {
    var settings = PredictionSettings()
    change(&settings)
    return settings
  }

  @Test(arguments: [false, true])
  func `Detections are sorted, inside, apart from each other, and above the least score`(
    context: Bool
  ) {
    let found = detector(context: context).detections(in: scenes.map(\.picture), normalization: normalization)
    #expect(found.count == 3 && found.allSatisfy { !$0.isEmpty })
    for list in found {
      #expect(list.map(\.score) == list.map(\.score).sorted(by: >))
      for (i, a) in list.enumerated() {
        #expect(a.score >= 0.05 && a.score <= 1 && a.box.isInside(width: 64, height: 64) && a.box.area > 0)
        for b in list[..<i] where a.label == b.label { #expect(a.box.iou(b.box) <= 0.3) }
      }
    }
  }

  @Test func `Detections are the decoded boxes of the proposals, from the plan's reference`() {
    // One proposal a picture, and offsets that depend on nothing: half a width to the right.
    var plan = Reduced.plan()
    plan.testProposals.limit = 1
    var generator = RandomGenerator(seed: 9)
    var detector = Reduced.single(plan, using: &generator)
    var offsets = detector.head.siblings.offsets.parameters
    offsets.weight = Tensor(zeros: offsets.weight.shape)
    offsets.bias = Tensor([5, 0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 0])
    detector.head.siblings.offsets.parameters = offsets
    let pictures = scenes.map(\.picture)
    let proposed = detector.proposals(in: pictures, normalization: normalization)
    let found = detector.detections(
      in: pictures, normalization: normalization, settings: settings { $0.leastScore = 0 })
    for (boxes, list) in zip(proposed, found) {
      #expect(boxes.count == 1 && !list.isEmpty)
      let reference = boxes[0].aligned(stride: 8)
      let expected = BoxEncoding.detector.decode(
        BoxOffsets(x: 5, y: 0, width: 0, height: 0), relativeTo: reference
      ).clipped(width: 64, height: 64)
      #expect(list.allSatisfy { $0.box.iou(expected) > 0.999 })
    }
  }

  @Test(arguments: [
    PredictionSettings(),
    {
      var s = PredictionSettings(); s.refinesBoxes = true; s.scales = [64, 96]; return s
    }(),
  ])
  func `A picture's detections do not depend on the others of its batch`(settings: PredictionSettings) {
    let detector = detector(context: true)
    let together = detector.detections(in: scenes.map(\.picture), normalization: normalization, settings: settings)
    for (scene, expected) in zip(scenes, together) {
      let alone = detector.detections(in: [scene.picture], normalization: normalization, settings: settings)[0]
      #expect(alone.count == expected.count)
      for (a, b) in zip(alone, expected) {
        #expect(a.label == b.label && abs(a.score - b.score) < 1e-4 && a.box.iou(b.box) > 0.99)
      }
    }
  }

  @Test func `Each switch of appendix B changes the detections, and the limit counts`() {
    let detector = detector()
    func found(_ change: (inout PredictionSettings) -> Void) -> [[Detection]] {
      detector.detections(in: scenes.map(\.picture), normalization: normalization, settings: settings(change))
    }
    let plain = found { _ in }
    #expect(found { $0.refinesBoxes = true } != plain)
    #expect(found { $0.scales = [96] } != plain)
    #expect(found { $0.scales = [64] } == plain)  // their own size: nothing new
    #expect(found { $0.limit = 2 } == plain.map { Array($0.prefix(2)) })
    let none = found { $0.leastScore = 1 }
    #expect(none == [[], [], []])
  }
}
