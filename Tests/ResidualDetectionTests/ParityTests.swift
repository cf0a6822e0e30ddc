import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning
import Testing

@testable import ResidualDetection

/// Compares with what torchvision and pycocotools computed: Tests/Fixtures/make_detection_fixtures.py.
@Suite struct DetectionParityTests {
  let file: SafeTensorsFile

  init() throws {
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/detection.safetensors")
    file = try SafeTensorsFile(contentsOf: fixtures.path)
  }

  func tensor<Scalar: Element>(_ name: String) throws -> Tensor<Scalar> {
    guard let entry = file[name] else { throw InputError("the fixture has no \(name)") }
    return Tensor(Shape(entry.shape), try file.doubles(name).map { Scalar($0) })
  }

  /// Rows of numbers.
  func rows(_ name: String) throws -> [[Double]] {
    let (numbers, columns) = (try file.doubles(name), file[name]!.shape[1])
    return stride(from: 0, to: numbers.count, by: columns).map { Array(numbers[$0..<$0 + columns]) }
  }

  func box(_ row: some Collection<Double>) -> Box {
    let row = Array(row)
    return Box(left: row[0], top: row[1], right: row[2], bottom: row[3])
  }

  func difference<Scalar: Element>(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Double {
    a.shape == b.shape ? Double(max((a - b).maximum, -(a - b).minimum)) : .infinity
  }

  @Test(arguments: ["small", "vectors", "one"]) func `Pooling of regions is torchvision's roi_pool`(name: String) throws
  {
    let exact = try pooling(name, Double.self)
    #expect(exact.output == 0 && exact.gradient < 1e-12)
    let single = try pooling(name, Float.self)
    #expect(single.output < 1e-5 && single.gradient < 1e-5)
  }

  private func pooling<Scalar: Element>(_ name: String, _: Scalar.Type) throws -> (output: Double, gradient: Double) {
    let settings = try file.doubles("pool.\(name)/settings")
    let pool = RegionMaxPool<Scalar>(bins: Int(settings[0]), stride: settings[1])
    let regions = try rows("pool.\(name)/regions").map { Region(image: Int($0[0]), box: box($0[1...])) }
    let (output, cache) = pool.forward(try tensor("pool.\(name)/input"), regions: regions)
    let gradient = pool.backward(try tensor("pool.\(name)/outputGradient"), cache)
    return (
      difference(output, try tensor("pool.\(name)/output")),
      difference(gradient, try tensor("pool.\(name)/inputGradient"))
    )
  }

  @Test(arguments: ["loose", "strict"]) func `Non-maximum suppression is torchvision's nms`(name: String) throws {
    let kept = nonMaximumSuppression(
      try rows("nms.\(name)/boxes").map(box), scores: try file.doubles("nms.\(name)/scores"),
      threshold: try file.doubles("nms.\(name)/threshold")[0])
    #expect(kept == (try file.integers("nms.\(name)/kept")) && kept.count > 10)
  }

  @Test func `Intersection over union is torchvision's box_iou`() throws {
    let (a, b) = (try rows("iou/a").map(box), try rows("iou/b").map(box))
    let overlaps = Tensor<Double>([a.count, b.count], a.flatMap { a in b.map(a.iou) })
    #expect(difference(overlaps, try tensor("iou/overlaps")) < 1e-15 && overlaps.maximum > 0.3)
  }

  @Test(arguments: ["one", "ninth"]) func `Smooth L1 is PyTorch's`(name: String) throws {
    let loss = SmoothL1<Double>(threshold: try file.doubles("smoothL1.\(name)/threshold")[0])
    let (value, cache) = loss.forward(
      try tensor("smoothL1.\(name)/predicted"), targets: try tensor("smoothL1.\(name)/targets"), divisor: 1)
    #expect(abs(value - (try file.doubles("smoothL1.\(name)/loss")[0])) < 1e-12)
    #expect(difference(loss.backward(cache), try tensor("smoothL1.\(name)/gradient")) < 1e-13)
  }

  @Test func `Average precision is pycocotools'`() throws {
    var objects = [[LabelledBox]](repeating: [], count: 20)
    for row in try rows("coco/objects") {
      objects[Int(row[0])].append(LabelledBox(box: box(row[2...]), label: Int(row[1])))
    }
    var detections = [[Detection]](repeating: [], count: 20)
    for row in try rows("coco/detections") {
      detections[Int(row[0])].append(Detection(box: box(row[2...5]), label: Int(row[1]), score: row[6]))
    }
    let evaluation = DetectionEvaluation(objects: objects, detections: detections)
    let expected = try file.doubles("coco/results")
    #expect(abs(evaluation.mAP - expected[0]) < 1e-9)
    #expect(abs(evaluation.mAP50 - expected[1]) < 1e-9)
    #expect(abs(evaluation.meanAveragePrecision(threshold: 0.75) - expected[2]) < 1e-9)
    let byClass = evaluation.byClass
    #expect(byClass.map(\.label) == [0, 1, 2, 3])
    #expect(zip(byClass, try file.doubles("coco/byClass")).allSatisfy { abs($0.averagePrecision - $1) < 1e-9 })
  }
}
