import ResidualExperiments
import ResidualLearning
import Testing

@Suite struct LayerResponsesPlotTests {
  @Test func `A curve has a point for each layer, and none is dashed`() {
    var generator = RandomGenerator(seed: 3)
    let network = ResidualNetwork<Float>(.cifar(depth: 14, width: 4), using: &generator)
    let images = SyntheticImages.make(count: 2, seed: 2, size: 16)
    let responses = LayerResponses(network, images: images, normalization: .perPixel(of: images))
    let series = LayerResponses.plot([("plain14", responses)], sorted: true).series
    #expect(series.map(\.points.count) == [13] && series.allSatisfy { !$0.isDashed })
    #expect(series[0].points.map(\.y) == responses.sorted)
  }
}
