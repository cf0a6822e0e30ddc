import Testing

@testable import ResidualLearning

@Suite struct SummaryTests {
  @Test(arguments: [
    (20, 269_722, 272_474, 40_551_040), (32, 464_154, 466_906, 68_862_592), (44, 658_586, 661_338, 97_174_144),
    (56, 853_018, 855_770, 125_485_696), (110, 1_727_962, 1_730_714, 252_887_680),
    (1202, 19_421_274, 19_424_026, 2_829_238_912),
  ])
  func `The networks of section 4.2 have the paper's layers, parameters and multiply-adds`(
    depth: Int, optionA: Int, optionB: Int, multiplyAdds: Int
  ) {
    let a = Summary(.cifar(depth: depth))
    #expect(a.parameters == optionA)
    #expect(a.multiplyAdds == multiplyAdds)
    #expect(a.weightedLayers == depth)
    #expect(Architecture.cifar(depth: depth).weightedLayers == depth)
    #expect(Summary(.cifar(depth: depth, options: .init(shortcut: .b))).parameters == optionB)
    let plain = Summary(.cifar(depth: depth, plain: true))
    #expect(plain.parameters == optionA)
    #expect(plain.multiplyAdds == multiplyAdds)
    #expect(plain.weightedLayers == depth)
  }

  @Test(arguments: [
    (18, ShortcutOption.a, 1_794_805_760, 11_515_688), (18, .b, 1_814_073_344, 11_689_512),
    (34, .a, 3_644_493_824, 21_623_848), (34, .b, 3_663_761_408, 21_797_672),
  ])
  func `Basic networks of Table 1 have the counted multiply-adds and parameters`(
    depth: Int, option: ShortcutOption, multiplyAdds: Int, parameters: Int
  ) {
    let summary = Summary(.imageNet(depth: depth, options: .init(shortcut: option)))
    #expect(summary.multiplyAdds == multiplyAdds)
    #expect(summary.parameters == parameters)
    #expect(summary.weightedLayers == depth)
  }

  @Test func `Option C adds thirteen projections to ResNet-34 and its multiply-adds`() {
    let b = Summary(.imageNet(depth: 34, options: .init(shortcut: .b)))
    let c = Summary(.imageNet(depth: 34, options: .init(shortcut: .c)))
    #expect(c.multiplyAdds == 3_830_747_136)
    #expect(Summary(.imageNet(depth: 18, options: .init(shortcut: .c))).multiplyAdds == 1_878_298_624)
    #expect(c.layers.count { $0.kind == .projection } - b.layers.count { $0.kind == .projection } == 13)
    #expect(c.weightedLayers == 34)
  }

  @Test(arguments: [
    (50, 3_857_973_248, 4_089_184_256, 25_557_032), (101, 7_570_194_432, 7_801_405_440, 44_549_160),
    (152, 11_282_415_616, 11_513_626_624, 60_192_808),
  ])
  func `Bottleneck networks cost more with the stride in the 3x3, at equal parameters`(
    depth: Int, in1x1: Int, in3x3: Int, parameters: Int
  ) {
    let paper = Summary(.imageNet(depth: depth))
    let other = Summary(.imageNet(depth: depth, options: .init(shortcut: .b, stridePlacement: .middle3x3)))
    #expect(paper.multiplyAdds == in1x1)
    #expect(other.multiplyAdds == in3x3)
    #expect(paper.parameters == parameters)
    #expect(other.parameters == parameters)
    #expect(paper.weightedLayers == depth)
  }

  @Test(arguments: [
    (16, 15_346_630_656, 15_470_264_320, 138_357_544), (19, 19_508_428_800, 19_632_062_464, 143_667_240),
  ])
  func `VGG's networks are counted with and without their linear layers`(
    depth: Int, convolutions: Int, all: Int, parameters: Int
  ) {
    let summary = Summary(.vgg(depth: depth))
    #expect(summary.convolutionMultiplyAdds == convolutions)
    #expect(summary.multiplyAdds == all)
    #expect(summary.parameters == parameters)
    #expect(summary.weightedLayers == depth)
  }

  @Test func `Stages of Table 1 have its output sizes`() {
    let layers = Summary(.imageNet(depth: 50)).layers
    func output(_ name: String) -> Shape? { layers.first { $0.name == name }?.output }
    #expect(output("stem.conv") == [112, 112, 64])
    #expect(output("stem.maxPool") == [56, 56, 64])
    #expect(output("stages.0.blocks.2.conv3") == [56, 56, 256])
    #expect(output("stages.1.blocks.3.conv3") == [28, 28, 512])
    #expect(output("stages.2.blocks.5.conv3") == [14, 14, 1024])
    #expect(output("stages.3.blocks.2.conv3") == [7, 7, 2048])
    #expect(output("classifier") == [1000])
  }

  /// Small networks of every kind, on images that are not square where they may be.
  static let reduced: [Architecture] = {
    var all = ShortcutOption.allCases.map {
      Architecture.cifar(depth: 14, options: .init(shortcut: $0), classes: 5, width: 4)
    }
    all.append(.cifar(depth: 8, plain: true, classes: 3, width: 6))
    all += ShortcutOption.allCases.map { .imageNet(depth: 18, options: .init(shortcut: $0), classes: 7, width: 4) }
    all += StridePlacement.allCases.map {
      .imageNet(depth: 50, options: .init(shortcut: .b, stridePlacement: $0), classes: 7, width: 2)
    }
    all += [.imageNet(depth: 18, plain: true, classes: 7, width: 4), .imageNet(depth: 50, classes: 3, width: 3)]
    return all + [.vgg(depth: 16, classes: 5, width: 2, hidden: 6, imageSize: 32)]
  }()

  @Test(arguments: reduced)
  func `Sizes and parameters are those of the network that is built`(architecture: Architecture) {
    var generator = RandomGenerator(seed: 3)
    let network = architecture.network(using: &generator)
    let (height, width) = architecture.takesAnySize ? (40, 56) : (32, 32)
    let summary = Summary(architecture, height: height, width: width)
    #expect(summary.parameters == count(network))
    #expect(summary.weightedLayers == architecture.weightedLayers)
    let named = names(network)
    for layer in summary.layers where layer.kind != .pool {
      let own = named.filter { $0.name == layer.name + ".weight" || $0.name == layer.name + ".bias" }
      #expect(own.reduce(0) { $0 + $1.count } == layer.weights, "\(layer.name)")
    }

    var shapes: [String: Shape] = [:]
    let images = Tensor<Float>(normal: [2, height, width, 3], using: &generator)
    observe(network, images) { name, tensor in shapes[name] = Shape(Array(tensor.shape.sizes.dropFirst())) }
    var compared = 0
    for layer in summary.layers {
      let name = layer.kind == .projection ? String(layer.name.dropLast(5)) : layer.name
      #expect(shapes[name == "classifier" ? "logits" : name] == layer.output, "\(layer.name)")
      compared += 1
    }
    #expect(compared > architecture.weightedLayers)
  }

  private func count(_ network: some ImageClassifier<Float>) -> Int { network.parameters.count }
  private func names(_ network: some ImageClassifier<Float>) -> [(name: String, count: Int)] {
    network.parameters.named.map { ($0.name, $0.tensor.count) }
  }
  private func observe(
    _ network: some ImageClassifier<Float>, _ images: Tensor<Float>, _ body: (String, Tensor<Float>) -> Void
  ) {
    withoutActuallyEscaping(body) { _ = network.forward(images, observe: $0) }
  }
}
