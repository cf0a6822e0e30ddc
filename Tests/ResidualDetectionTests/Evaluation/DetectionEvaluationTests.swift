import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct DetectionEvaluationTests {
  func box(_ left: Double, _ right: Double) -> Box { Box(left: left, top: 0, right: right, bottom: 10) }
  func object(_ left: Double, _ right: Double, _ label: Int = 0) -> LabelledBox {
    LabelledBox(box: box(left, right), label: label)
  }
  func found(_ left: Double, _ right: Double, _ score: Double, _ label: Int = 0) -> Detection {
    Detection(box: box(left, right), label: label, score: score)
  }

  @Test func `Two pictures by hand`() {
    // Picture 0 has two objects, picture 1 one. In the order of the scores:
    // 0.9 on 1: IoU 1, right. 0.8 on 0: IoU 8/10, right. 0.7 on 0: a second box around the same object, wrong.
    // 0.6 on 0: IoU 5/15 with the other object, wrong. 0.5 on 0: IoU 6/10, right.
    let evaluation = DetectionEvaluation(
      objects: [[object(0, 10), object(30, 40)], [object(5, 15)]],
      detections: [
        [found(0, 8, 0.8), found(0, 10, 0.7), found(35, 45, 0.6), found(30, 36, 0.5)], [found(5, 15, 0.9)],
      ])
    // Right, right, wrong, wrong, right: precision 1 up to recall 2/3, then 3/5.
    #expect(abs(evaluation.vocArea - (2.0 / 3 + 0.6 / 3)) < 1e-15)
    #expect(abs(evaluation.vocElevenPoints - (7 + 4 * 0.6) / 11) < 1e-15)
    #expect(abs(evaluation.mAP50 - (67 + 34 * 0.6) / 101) < 1e-14)
    // At 0.75 the last one is wrong: precision 1 up to recall 2/3.
    #expect(abs(evaluation.meanAveragePrecision(threshold: 0.75) - 67.0 / 101) < 1e-14)
  }

  @Test func `COCO lets a detection claim the second best object, VOC does not`() {
    // Both detections are nearest to object 0; the second one has an IoU of 9/11 with object 1.
    let evaluation = DetectionEvaluation(
      objects: [[object(0, 10), object(1, 11)]], detections: [[found(0, 10, 0.9), found(0, 10, 0.8)]])
    #expect(evaluation.mAP50 == 1)
    #expect(evaluation.vocArea == 0.5)
  }

  @Test func `Classes are judged apart, and those without objects do not count`() {
    let evaluation = DetectionEvaluation(
      objects: [[object(0, 10, 0), object(20, 30, 2)]],
      detections: [[found(0, 10, 0.9, 2), found(0, 10, 0.8, 0), found(20, 30, 0.7, 2), found(50, 60, 1, 1)]])
    // Class 0: right. Class 2: wrong, then right. Class 1 has no objects.
    #expect(evaluation.classes == [0, 2])
    #expect(evaluation.vocArea == (1 + 0.5) / 2)
    #expect(evaluation.byClass.map(\.averagePrecision) == [1, 0.5])
  }

  @Test func `Perfect boxes give one at every threshold`() {
    let objects = [[object(0, 10), object(20, 33, 1)], [object(7, 19, 1)], []]
    let evaluation = DetectionEvaluation(
      objects: objects, detections: objects.map { $0.map { Detection(box: $0.box, label: $0.label, score: 0.5) } })
    #expect(evaluation.mAP == 1 && evaluation.mAP50 == 1 && evaluation.vocElevenPoints == 1)
  }

  @Test func `The order of detections changes nothing, also with equal scores`() {
    var generator = RandomGenerator(seed: 4)
    let objects = (0..<6).map { _ in
      (0..<4).map { _ in
        let left = generator.uniform(0, 80)
        return object(left, left + 12, generator.below(2))
      }
    }
    let detections = objects.map { list in
      list.map { object in
        let shift = generator.uniform(-6, 6)
        return found(
          object.box.left + shift, object.box.right + shift, Double(generator.below(3)) / 4 + 0.25,
          generator.below(8) == 0 ? 1 - object.label : object.label)
      }
    }
    let expected = DetectionEvaluation(objects: objects, detections: detections)
    for _ in 0..<10 {
      let shuffled = detections.map { list in generator.permutation(list.count).map { list[$0] } }
      let evaluation = DetectionEvaluation(objects: objects, detections: shuffled)
      #expect(evaluation.mAP == expected.mAP && evaluation.vocArea == expected.vocArea)
    }
    #expect(expected.mAP50 > 0.2 && expected.mAP50 < 0.95)
  }

  @Test func `A list that is not sorted is judged as if it were`() {
    // Wrong 0.1 before right 0.9: taken as it stands, precision would be 1/2.
    let evaluation = DetectionEvaluation(
      objects: [[object(0, 10)]], detections: [[found(50, 60, 0.1), found(0, 10, 0.9)]])
    #expect(evaluation.vocArea == 1 && evaluation.mAP50 == 1)
  }

  @Test func `Pictures without objects make wrong detections`() {
    let evaluation = DetectionEvaluation(
      objects: [[object(0, 10)], []], detections: [[found(0, 10, 0.5)], [found(0, 10, 0.9)]])
    #expect(evaluation.vocArea == 0.5)
    #expect(DetectionEvaluation(objects: [[]], detections: [[found(0, 10, 1)]]).mAP == 0)
  }
}
