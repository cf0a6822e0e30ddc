import Testing

@testable import ResidualLearning

@Suite struct ArchitectureTests {
  @Test func `A name stands for the paper's own network`() throws {
    #expect(try Architecture.named("resnet20") == .cifar(depth: 20, options: .init(shortcut: .a)))
    #expect(try Architecture.named("plain56") == .cifar(depth: 56, plain: true))
    #expect(try Architecture.named("resnet50") == .imageNet(depth: 50, options: .init(shortcut: .b)))
    #expect(try Architecture.named("resnet34", shortcut: .c).options.shortcut == .c)
    #expect(try Architecture.named("vgg19").weightedLayers == 19)
    for name in ["resnet20", "plain56", "resnet50", "vgg16"] {
      #expect(try Architecture.named(name, classes: 7).classes == 7)
    }
    #expect(
      try Architecture.named("resnet50", options: .init(stridePlacement: .middle3x3)).options.stridePlacement
        == .middle3x3)
  }

  @Test(arguments: [
    ("resnet21", "a CIFAR network has 6n + 2 layers"), ("plain51", "18, 34, 50, 101 or 152"),
    ("vgg11", "vgg16 and vgg19"),
    ("alexnet", "there is no network 'alexnet'"), ("resnet1000000000004", "10,000 layers"),
    ("resnet", "a depth"), ("resnet-20", "there is no network"),
  ])
  func `A name that stands for no network is refused in a sentence`(name: String, part: String) {
    let error = #expect(throws: InputError.self) { try Architecture.named(name) }
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
  }

  @Test func `From one pixel of features to the next there are 4 pixels of a CIFAR image and 32 of an ImageNet one`() {
    #expect(Architecture.cifar(depth: 20).totalStride == 4)
    #expect(Architecture.imageNet(depth: 18).totalStride == 32)
    #expect(Architecture.vgg(depth: 16).totalStride == 32)
    #expect(Architecture.imageNet(depth: 18).takesAnySize)
    #expect(!Architecture.vgg(depth: 16).takesAnySize)
  }

  @Test func `The convolutions of ResNet-50's second stage are Table 1's, and its first block has a projection`() {
    let blocks = Architecture.imageNet(depth: 50).blocks[1]
    #expect(blocks.count == 4)
    #expect(blocks[0].convolutions.map(\.shape) == [[1, 1, 256, 128], [3, 3, 128, 128], [1, 1, 128, 512]])
    #expect(blocks[0].convolutions.map(\.stride) == [2, 1, 1])
    #expect(blocks[0].projection?.name == "stages.1.blocks.0.shortcut.conv")
    #expect(blocks[0].projection?.shape == [1, 1, 256, 512] && blocks[0].projection?.stride == 2)
    #expect(blocks[3].convolutions.map(\.name) == ["conv1", "conv2", "conv3"].map { "stages.1.blocks.3.\($0)" })
    #expect(blocks[3].projection == nil && blocks[3].hasShortcut)
    let other = Architecture.imageNet(depth: 50, options: .init(shortcut: .c, stridePlacement: .middle3x3)).blocks[1]
    #expect(other[0].convolutions.map(\.stride) == [1, 2, 1] && other[3].projection != nil)
  }
}
