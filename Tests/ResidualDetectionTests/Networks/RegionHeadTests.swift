import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct RegionHeadTests {
  @Test(arguments: [false, true]) func `The gradient with respect to the features is that of both outputs`(
    context: Bool
  ) {
    var generator = RandomGenerator(seed: 6)
    let head = Reduced.detector(Reduced.plan(context: context), using: &generator).head
    let features = Tensor<Double>(normal: [2, 4, 5, 3], using: &generator)
    let regions = Reduced.objects.enumerated().flatMap { n, list in list.map { Region(image: n, box: $0.box) } }
    let (output, cache) = head.forward(features, regions: regions, sizes: Reduced.sizes)
    #expect(output.classes.shape == [3, 4] && output.offsets.shape == [3, 12])
    let upstream = RegionHead<Double>.Output(
      classes: Tensor(normal: output.classes.shape, using: &generator),
      offsets: Tensor(normal: output.offsets.shape, using: &generator))
    let result = deep.run(
      "RegionHead", at: [("features", features)], outputGradient: Tensor([1]),
      gradients: [head.backward(upstream, cache).inputGradient]
    ) {
      let output = head.forward($0[0], regions: regions, sizes: Reduced.sizes).output
      return Tensor([output.classes.dot(upstream.classes) + output.offsets.dot(upstream.offsets)])
    }
    #expect(result.passed, "\(result.tableRow)")
  }

  @Test func `With context a region sees the rest of its picture, without it does not`() {
    for context in [false, true] {
      var generator = RandomGenerator(seed: 6)
      let head = Reduced.detector(Reduced.plan(context: context), using: &generator).head
      var features = Tensor<Double>(normal: [2, 4, 5, 3], using: &generator)
      let regions = [
        Region(image: 0, box: Box(left: 0, top: 0, right: 8, bottom: 8)),
        Region(image: 1, box: Box(left: 0, top: 0, right: 8, bottom: 8)),
      ]
      let before = head.forward(features, regions: regions, sizes: Reduced.sizes).output.classes
      features[0, 3, 4, 0] += 50  // far from the region, on picture 0
      let after = head.forward(features, regions: regions, sizes: Reduced.sizes).output.classes
      #expect((before.slice(0..<1) == after.slice(0..<1)) == !context)
      #expect(before.slice(1..<2) == after.slice(1..<2))
    }
  }
}
