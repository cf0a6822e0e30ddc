import Testing

@testable import ResidualDetection

@Suite struct BoxErrorsTests {
  let object = Box(left: 0, top: 0, right: 10, bottom: 10)

  @Test func `Errors by hand`() {
    let second = Box(left: 20, top: 20, right: 40, bottom: 30)
    let errors = BoxErrors(
      objects: [[object, second], [object], []],
      boxes: [
        // The first is the better one of the first object; the last is the second object's.
        [
          Box(left: 1, top: 0, right: 10, bottom: 10), Box(left: 3, top: 0, right: 10, bottom: 10),
          Box(left: 19, top: 20, right: 40, bottom: 32),
        ],
        [Box(left: 6, top: 0, right: 16, bottom: 10)],  // an IoU of 4/16 is no box
        [object],
      ])
    #expect(errors.objects == 3 && errors.found == 2)
    #expect(errors.means == [0, 0, 0, 1] && errors.deviations == [1, 0, 0, 1])
    #expect(abs(errors.meanIoU - (0.9 + 200 / 252.0) / 2) < 1e-12)
  }

  @Test func `Detections are compared with objects of their class only`() {
    let evaluation = DetectionEvaluation(
      objects: [[LabelledBox(box: object, label: 1)], [LabelledBox(box: object, label: 2)]],
      detections: [
        [Detection(box: object, label: 1, score: 0.5)], [Detection(box: object, label: 1, score: 0.5)],
      ])
    #expect(evaluation.boxErrors.objects == 2 && evaluation.boxErrors.found == 1)
    #expect(evaluation.boxErrors.meanIoU == 1)
  }

  @Test func `Nothing found has no errors`() {
    let errors = BoxErrors(objects: [[object]], boxes: [[]])
    #expect(errors.found == 0 && errors.means == [0, 0, 0, 0] && errors.deviations == [0, 0, 0, 0])
  }
}
