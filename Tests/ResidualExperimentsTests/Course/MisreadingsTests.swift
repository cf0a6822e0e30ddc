import Foundation
import ResidualExperiments
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct MisreadingsTests {
  private let number: NumberFormatter = {
    let formatter = NumberFormatter()
    formatter.numberStyle = .decimal
    formatter.groupingSeparator = ","
    formatter.usesGroupingSeparator = true
    return formatter
  }()

  private func text(_ value: Int) -> String { number.string(from: value as NSNumber)! }

  private func summary(_ name: String, _ shortcut: ShortcutOption? = nil) throws -> Summary {
    Summary(try Architecture.named(name, shortcut: shortcut))
  }

  @Test func `The page's numbers are those of the networks`() throws {
    let page = try CoursePage("docs/misreadings.md")
    let (a, b) = (try summary("resnet34", .a), try summary("resnet34", .b))
    #expect(!a.layers.contains { $0.kind == .projection } && b.layers.count { $0.kind == .projection } == 3)
    page.expect(words: "lists no projection and counts \(text(a.parameters)) parameters")
    page.expect(words: "there are three, and \(text(b.parameters))")
    let (plain20, resnet20) = (try summary("plain20"), try summary("resnet20"))
    #expect(plain20.parameters == resnet20.parameters && plain20.multiplyAdds == resnet20.multiplyAdds)
    page.expect(
      words: "both have \(text(resnet20.parameters)) parameters and \(text(resnet20.multiplyAdds)) multiply-adds")
    page.expect(words: "`resnet summary resnet1202`: \(text(try summary("resnet1202").parameters)) parameters")
    page.expect(words: "`resnet summary resnet152`, has \(text(try summary("resnet152").parameters))")
    let vgg16 = try summary("vgg16")
    page.expect(
      words: "`resnet summary vgg16`: \(text(vgg16.multiplyAdds)) multiply-adds, of which the convolutions' "
        + text(vgg16.convolutionMultiplyAdds))
    page.expect(words: "`resnet summary vgg19`: \(text(try summary("vgg19").multiplyAdds))")
    page.expect(words: "`resnet summary resnet34`: \(text(b.multiplyAdds)) multiply-adds")
    page.expect(
      words:
        "plain 28.54, A 25.03, B 24.52, C 24.19 %. Of the 4.35 points that C gains, A, without a parameter, has 3.51.")
    #expect(abs(28.54 - 24.19 - 4.35) < 1e-9 && abs(28.54 - 25.03 - 3.51) < 1e-9)
    let wide = Summary(.imageNet(depth: 18, classes: 10)).parameters
    #expect(wide / 100_000 == 111 && wide > 40 * resnet20.parameters, "\(wide)")
  }

  @Test func `The errors after 900 iterations are those of the results page`() throws {
    let results = try CoursePage("docs/results.md")
    for row in ["| 20 | 47.5 %", "| 32 | 53.8 %", "| 44 | 67.0 %"] { results.expect(words: row) }
  }

  @Test
  func
    `In a block whose last scale is zero, the block is the identity, and other blocks' scales have gradients of both signs`()
  {
    var generator = RandomGenerator(seed: 1)
    let conv = Conv2D<Double>(4, 4, kernel: 3, using: &generator)
    var bn = BatchNorm2D<Double>(channels: 4)
    let x = ReLU()(Tensor<Double>(normal: [2, 5, 4, 4], using: &generator))
    let (convolved, _) = conv.forward(x)
    let (_, cache) = bn.forward(convolved)
    let gradient = bn.backward(Tensor(normal: x.shape, using: &generator), cache).gradients.scale
    #expect(gradient.minimum < 0 && gradient.maximum > 0)
    bn.parameters.scale = Tensor(zeros: [4])
    #expect(ReLU()(bn.forward(convolved).output + x) == x)
  }
}
