import Testing

@testable import ResidualLearning

@Suite struct ArchitectureTests {
  @Test func `A name stands for the paper's own network`() throws {
    #expect(try Architecture.named("resnet20") == .cifar(depth: 20, options: .init(shortcut: .a)))
    #expect(try Architecture.named("plain56") == .cifar(depth: 56, plain: true))
    #expect(try Architecture.named("resnet50") == .imageNet(depth: 50, options: .init(shortcut: .b)))
    #expect(try Architecture.named("resnet34", shortcut: .c).options.shortcut == .c)
    #expect(try Architecture.named("vgg19").weightedLayers == 19)
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
}
