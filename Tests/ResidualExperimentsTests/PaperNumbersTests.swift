import ResidualExperiments
import ResidualLearning
import Testing

@Suite struct PaperNumbersTests {
  @Test func `The paper's rounded numbers stand beside the networks it prints them for`() {
    #expect(PaperNumbers(.cifar(depth: 110))?.parameters == "1.7M")
    #expect(PaperNumbers(.imageNet(depth: 34, options: .init(shortcut: .c)))?.error == "24.19 (Table 3)")
    #expect(PaperNumbers(.vgg(depth: 16))?.multiplyAdds == "15.3e9")
    #expect(PaperNumbers(.cifar(depth: 20, options: .init(shortcut: .b))) == nil)
    #expect(PaperNumbers(.cifar(depth: 56, plain: true)) == nil)
  }

  @Test func `The paper's numbers of 50, 101 and 152 layers are of option B with the stride in the first 1x1`() {
    for (depth, flops) in [(50, "3.8e9"), (101, "7.6e9"), (152, "11.3e9")] {
      #expect(PaperNumbers(.imageNet(depth: depth))?.multiplyAdds == flops)
      for option in [ShortcutOption.a, .c] {
        #expect(PaperNumbers(.imageNet(depth: depth, options: .init(shortcut: option))) == nil)
      }
      #expect(PaperNumbers(.imageNet(depth: depth, options: .init(shortcut: .b, stridePlacement: .middle3x3))) == nil)
    }
  }

  @Test func `The paper's FLOPs are not of option C, and nothing it prints is of other classes or channels`() {
    let flops = ShortcutOption.allCases.map {
      PaperNumbers(.imageNet(depth: 34, options: .init(shortcut: $0)))?.multiplyAdds
    }
    #expect(flops == ["3.6e9", "3.6e9", nil])
    #expect(PaperNumbers(.imageNet(depth: 18, options: .init(shortcut: .c))) == nil)
    #expect(PaperNumbers(.cifar(depth: 20, width: 8)) == nil && PaperNumbers(.cifar(depth: 20, classes: 100)) == nil)
  }
}
