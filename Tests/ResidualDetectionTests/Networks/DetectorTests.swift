import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct DetectorTests {
  /// A sample of a batch, drawn as a step draws it.
  func sample(_ detector: Detector<Double>, _ images: Tensor<Double>, seed: UInt64) -> DetectionSample {
    var generator = RandomGenerator(seed: seed)
    var sample = DetectionSample()
    _ = detector.forward(images, sizes: Reduced.sizes) { proposals, anchors in
      sample = detector.plan.sample(
        objects: Reduced.objects, proposals: proposals, anchors: anchors, sizes: Reduced.sizes, using: &generator)
      return sample
    }
    return sample
  }

  @Test(arguments: [
    Reduced.plan(), Reduced.plan(plain: true), Reduced.plan(shortcut: .b), Reduced.plan(context: true),
  ])
  func `The gradient of the whole detector is that of its loss`(plan: DetectorPlan) {
    var generator = RandomGenerator(seed: 11)
    let detector = Reduced.detector(plan, using: &generator)
    let images = Tensor<Double>(normal: [2, 32, 40, 3], using: &generator)
    // The sample is constant: no gradient flows into the proposals that it is drawn from.
    let sample = sample(detector, images, seed: 1)
    let (losses, cache) = detector.forward(images, sizes: Reduced.sizes) { _, _ in sample }
    #expect(losses.objectness > 0 && losses.anchors > 0 && losses.classes > 0 && losses.boxes > 0)
    let result = deep.run(
      "detector", at: detector.parameters.named, outputGradient: Tensor([1]),
      gradients: detector.backward(cache).named.map(\.tensor)
    ) { values in
      var detector = detector
      var parameters = detector.parameters
      var next = 0
      parameters.visit("") { _, tensor in
        tensor = values[next]
        next += 1
      }
      detector.parameters = parameters
      return Tensor([detector.forward(images, sizes: Reduced.sizes) { _, _ in sample }.losses.total])
    }
    #expect(result.passed && result.elements > 900, "\(result.tableRow)")
  }

  @Test func `A sample by hand`() {
    let plan = Reduced.plan()
    var generator = RandomGenerator(seed: 1)
    let anchors = [
      Box(left: 4, top: 4, right: 16, bottom: 20), Box(left: -1, top: 0, right: 12, bottom: 12),
      Box(left: 20, top: 0, right: 32, bottom: 6), Box(left: 8, top: 2, right: 24, bottom: 22),
    ]
    let proposals = [[Box(left: 12, top: 9, right: 29, bottom: 27), Box(left: 34, top: 0, right: 40, bottom: 5)], []]
    let sample = plan.sample(
      objects: Reduced.objects, proposals: proposals, anchors: anchors, sizes: Reduced.sizes, using: &generator)
    // Picture 0: anchor 0 has an IoU of 192/224 with object 0; anchor 1 is not inside and takes no part; anchor 3 is
    // the best of object 1, though it overlaps object 0 more. Picture 1: anchor 3 is its object; the IoU of anchor 0 is
    // 1/3.
    #expect(sample.objectAnchors == [0, 3, 4 + 3])
    #expect(sample.anchorOffsets[2].elements == [0, 0, 0, 0])
    #expect(sample.anchors.allSatisfy { $0 % 4 != 1 } && sample.anchors.count == sample.isObject.count)
    #expect(zip(sample.anchors, sample.isObject).filter(\.1).map(\.0) == sample.objectAnchors)
    // The true boxes are proposals too.
    #expect(
      sample.regions.map(\.box)
        == [
          proposals[0][0], Reduced.objects[0][0].box, Reduced.objects[0][1].box, proposals[0][1],
          Reduced.objects[1][0].box,
        ])
    #expect(sample.labels == [3, 1, 3, 0, 2] && sample.objectRegions == [0, 1, 2, 4])
    #expect(sample.regions.map(\.image) == [0, 0, 0, 0, 1])
  }

  @Test func `Proposals that pool the same cells have one reference, and so one box for the same offsets`() {
    let plan = Reduced.plan()
    let pool = RegionMaxPool<Double>(bins: plan.bins, stride: Double(plan.anchors.stride))
    var generator = RandomGenerator(seed: 6)
    var (alike, shifted) = (0, 0)
    for _ in 0..<500 {
      let (x, y) = (generator.uniform(0, 30), generator.uniform(0, 20))
      let a = Box(left: x, top: y, right: x + generator.uniform(9, 25), bottom: y + generator.uniform(9, 25))
      func moved() -> Double { generator.uniform(-3, 3) }
      let b = Box(left: a.left + moved(), top: a.top + moved(), right: a.right + moved(), bottom: a.bottom + moved())
      guard pool.cells(of: Region(image: 0, box: a)) == pool.cells(of: Region(image: 0, box: b)) else {
        shifted += 1
        continue
      }
      alike += 1
      #expect(plan.reference(of: a) == plan.reference(of: b))
    }
    #expect(alike > 20 && shifted > 20)
  }

  @Test func `Offsets are measured from the reference that the plan names`() {
    let (proposal, object) = (Box(left: 11, top: 9, right: 30, bottom: 27), Reduced.objects[0][1])
    for (reference, expected) in [
      // Stride 8: the cells reach from 8 to 32 and from 8 to 24; the object from 12 to 30 and from 9 to 27.
      (RegionReference.cells, Box(left: 8, top: 8, right: 32, bottom: 24)), (.proposal, proposal),
    ] {
      var plan = Reduced.plan()
      plan.reference = reference
      var generator = RandomGenerator(seed: 1)
      let sample = plan.sample(
        objects: [[object]], proposals: [[proposal]], anchors: [], sizes: [Reduced.sizes[0]], using: &generator)
      #expect(sample.regions.map(\.box) == [proposal, object.box])
      #expect(sample.regionOffsets[0] == BoxEncoding.detector.encode(object.box, relativeTo: expected))
    }
  }

  @Test func `A region's loss does not touch the offsets of other classes`() {
    var generator = RandomGenerator(seed: 4)
    let detector = Reduced.detector(Reduced.plan(), using: &generator)
    let images = Tensor<Double>(normal: [2, 32, 40, 3], using: &generator)
    var sample = DetectionSample()
    sample.regions = [
      Region(image: 0, box: Reduced.objects[0][0].box), Region(image: 1, box: Reduced.objects[1][0].box),
    ]
    sample.labels = [2, 0]
    sample.objectRegions = [0]
    sample.regionOffsets = [BoxOffsets(x: 1, y: 1, width: 1, height: 1)]
    let (losses, cache) = detector.forward(images, sizes: Reduced.sizes) { _, _ in sample }
    #expect(losses.objectness == 0 && losses.anchors == 0)
    let bias = detector.backward(cache).head.siblings.offsets.bias.elements
    // Class 1 of three: columns 4 to 7.
    #expect(
      bias[..<4].allSatisfy { $0 == 0 } && bias[4..<8].allSatisfy { $0 != 0 } && bias[8...].allSatisfy { $0 == 0 })
  }

  @Test func `The plan of scenes has a cell every eight pixels, and the paper's thresholds`() {
    let plan = DetectorPlan.scenes(classNames: SyntheticScenes.classNames)
    #expect(plan.anchors.stride == 8 && plan.anchors.perCell == 9 && plan.architecture.weightedLayers == 10)
    #expect(plan.testProposals.limit == 300 && plan.testProposals.threshold == 0.7)
    #expect(plan.anchorMatching.object == 0.7 && plan.anchorMatching.background == 0.3)
    #expect(plan.proposalMatching.object == 0.5 && plan.regionObjectShare == 0.25 && plan.anchorSample == 256)
    #expect(PredictionSettings().threshold == 0.3)
  }

  @Test func `A batch without an object and without proposals has losses too`() {
    var generator = RandomGenerator(seed: 4)
    var plan = Reduced.plan()
    plan.trainingProposals.smallestSide = 1000
    let detector = Reduced.detector(plan, using: &generator)
    let images = Tensor<Double>(normal: [1, 32, 40, 3], using: &generator)
    let (losses, cache) = detector.forward(images, sizes: [Reduced.sizes[0]]) { proposals, anchors in
      #expect(proposals == [[]])
      return plan.sample(
        objects: [[]], proposals: proposals, anchors: anchors, sizes: [Reduced.sizes[0]], using: &generator)
    }
    #expect(losses.classes > 0 && losses.boxes == 0 && losses.anchors == 0 && losses.objectness > 0)
    #expect(detector.backward(cache).named.allSatisfy { $0.tensor.isFinite })
  }
}
