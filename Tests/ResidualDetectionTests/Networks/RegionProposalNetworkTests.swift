import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct RegionProposalNetworkTests {
  @Test func `The gradient is that of both outputs`() {
    var generator = RandomGenerator(seed: 1)
    var network = RegionProposalNetwork<Double>(channels: 3, anchorsPerCell: 2, using: &generator)
    var parameters = network.parameters
    parameters.visit("") { _, tensor in tensor = Tensor(normal: tensor.shape, deviation: 0.4, using: &generator) }
    network.parameters = parameters
    let input = Tensor<Double>(normal: [2, 3, 4, 3], using: &generator)
    let (output, cache) = network.forward(input)
    let upstream = RegionProposalNetwork<Double>.Output(
      objectness: Tensor(normal: output.objectness.shape, using: &generator),
      offsets: Tensor(normal: output.offsets.shape, using: &generator))
    let (inputGradient, gradients) = network.backward(upstream, cache)
    let named = network.parameters.named
    let result = deep.run(
      "RegionProposalNetwork", at: [("input", input)] + named, outputGradient: Tensor([1]),
      gradients: [inputGradient] + gradients.named.map(\.tensor)
    ) { values in
      var network = network
      var parameters = network.parameters
      var next = 1
      parameters.visit("") { _, tensor in
        tensor = values[next]
        next += 1
      }
      network.parameters = parameters
      let output = network(values[0])
      return Tensor([output.objectness.dot(upstream.objectness) + output.offsets.dot(upstream.offsets)])
    }
    #expect(result.passed, "\(result.tableRow)")
  }

  /// Two anchors 10 pixels apart on a picture of 40x20, and a third that overlaps the first.
  let anchors = [
    Box(left: 0, top: 0, right: 10, bottom: 10), Box(left: 20, top: 0, right: 30, bottom: 10),
    Box(left: 1, top: 0, right: 11, bottom: 10),
  ]

  func proposals(_ objectness: [Double], _ offsets: [Double], _ settings: ProposalSettings = ProposalSettings())
    -> [Box]
  {
    RegionProposalNetwork<Double>.proposals(
      .init(objectness: Tensor([1, 1, 1, 3], objectness), offsets: Tensor([1, 1, 1, 12], offsets)), anchors: anchors,
      sizes: [PictureSize(height: 20, width: 40)], settings: settings)[0]
  }

  @Test func `Proposals by hand: ranked, moved, cut at the border, thinned out`() {
    var offsets = [Double](repeating: 0, count: 12)
    offsets[4] = 1.5  // the second anchor moves 15 to the right, half out of the picture
    // The third one overlaps the first by 9/11 and is better.
    #expect(
      proposals([1, 2, 1.5], offsets)
        == [Box(left: 35, top: 0, right: 40, bottom: 10), Box(left: 1, top: 0, right: 11, bottom: 10)])
  }

  @Test func `A proposal is not dropped because its objectness is low`() {
    // All probabilities are far below one half.
    #expect(proposals([-9, -8, -10], [Double](repeating: 0, count: 12)).count == 2)
  }

  @Test func `The limits count`() {
    var settings = ProposalSettings()
    settings.limit = 1
    #expect(proposals([3, 2, 1], [Double](repeating: 0, count: 12), settings) == [anchors[0]])
    settings = ProposalSettings()
    settings.candidates = 1
    #expect(proposals([1, 2, 1], [Double](repeating: 0, count: 12), settings) == [anchors[1]])
    settings = ProposalSettings()
    settings.smallestSide = 10.5
    #expect(proposals([1, 2, 1], [Double](repeating: 0, count: 12), settings) == [])
  }
}
