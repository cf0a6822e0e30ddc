import Foundation
import ResidualDetection
import ResidualLearning
import TestSupport
import Testing

@Suite struct DocsTests {
  @Test func `the example of convolution's derivation prints what the page says`() throws {
    let snippet = Snippet("docs/derivations/convolution.md")
    func print(_ items: Any...) { snippet.print(items) }
    // begin docs/derivations/convolution.md
    let weight = Tensor<Double>([3, 3, 1, 1], [0, 0, 0, 1, 2, -1, 0, 0, 0])  // the line is the middle row
    let convolution = Conv2D(weight: weight, stride: 2, padding: 1)
    let (output, cache) = convolution.forward(Tensor([1, 1, 5, 1], [1, 2, 0, 3, 1]))
    let (inputGradient, gradients) = convolution.backward(Tensor(output.shape, [1, -1, 2]), cache)
    print("y ", output.elements)
    print("dx", inputGradient.elements)
    print("dw", gradients.weight.elements(3..<6))
    // end docs/derivations/convolution.md
    try snippet.check()
  }

  @Test func `the example of batch normalization's derivation prints what the page says`() throws {
    let snippet = Snippet("docs/derivations/batch-norm.md")
    func print(_ items: Any...) { snippet.print(items) }
    // begin docs/derivations/batch-norm.md
    var layer = BatchNorm2D<Double>(channels: 1, epsilon: 0)
    layer.parameters.scale = Tensor([3])
    layer.parameters.shift = Tensor([1])
    let (output, cache) = layer.forward(Tensor([1, 2, 2, 1], [1, 3, 3, 9]))
    let (inputGradient, gradients) = layer.backward(Tensor([1, 2, 2, 1], [2, 1, 0, 1]), cache)
    print("y ", output.reshaped([4]))
    print("dx", (inputGradient * 18).reshaped([4]), "over 18")
    print("dγ", gradients.scale, " dβ", gradients.shift)
    // end docs/derivations/batch-norm.md
    try snippet.check()
  }

  @Test func `the example of softmax's derivation prints what the page says`() throws {
    let snippet = Snippet("docs/derivations/softmax-cross-entropy.md")
    func print(_ items: Any...) { snippet.print(items) }
    // begin docs/derivations/softmax-cross-entropy.md
    let loss = SoftmaxCrossEntropy<Double>()
    let logits = Tensor<Double>([2, 3], [0, 0.6931471805599453, 1.6094379124341003, 0, 0, 0])
    let (value, cache) = loss.forward(logits, labels: [1, 0])
    print(Tensor([value]))
    print(loss.backward(cache))
    // end docs/derivations/softmax-cross-entropy.md
    try snippet.check()
  }

  @Test func `the example of detection's derivation prints what the page says`() throws {
    let snippet = Snippet("docs/derivations/detection.md")
    func print(_ items: Any...) { snippet.print(items) }
    // begin docs/derivations/detection.md
    let map = Tensor<Double>([1, 4, 4, 1], (1...16).map { Double($0) })
    let regions = [
      Region(image: 0, box: Box(left: 0, top: 0, right: 20, bottom: 20)),
      Region(image: 0, box: Box(left: 20, top: 20, right: 20, bottom: 20)),
    ]
    let pool = RegionMaxPool<Double>(bins: 2, stride: 10)
    let (y, cache) = pool.forward(map, regions: regions)
    let dx = pool.backward(Tensor([2, 2, 2, 1], [1, 2, 3, 4, 10, 20, 30, 40]), cache)
    print(y.elements)
    print(dx.reshaped([4, 4]))
    // end docs/derivations/detection.md
    try snippet.check()
  }

  @Test func `the example of the residual block's derivation prints what the page says`() throws {
    let snippet = Snippet("docs/derivations/residual-block.md")
    func print(_ items: Any...) { snippet.print(items) }
    // begin docs/derivations/residual-block.md
    let relu = ReLU<Double>()
    let x = Tensor<Double>([1, 1, 1, 1], [2])
    let conv1 = Conv2D(weight: Tensor<Double>([1, 1, 1, 1], [3]))
    for w2 in [0.25, -1] {
      let conv2 = Conv2D(weight: Tensor<Double>([1, 1, 1, 1], [w2]))
      let (convolved1, conv1Cache) = conv1.forward(x)
      let (activated1, relu1Cache) = relu.forward(convolved1)
      let (residual, conv2Cache) = conv2.forward(activated1)  // (1)
      let (y, relu2Cache) = relu.forward(residual + x)  // (2), (3)

      let (sumGradient, _) = relu.backward(Tensor([1, 1, 1, 1], [1]), relu2Cache)  // (4)
      let (activated1Gradient, _) = conv2.backward(sumGradient, conv2Cache)  // (5)
      let (convolved1Gradient, _) = relu.backward(activated1Gradient, relu1Cache)
      let (residualGradient, _) = conv1.backward(convolved1Gradient, conv1Cache)
      let dx = residualGradient + sumGradient  // (6)
      print("y ", y.elements)
      print("dx", residualGradient.elements, "+", sumGradient.elements, "=", dx.elements)
    }
    // end docs/derivations/residual-block.md
    try snippet.check()
  }

  @Test(arguments: [
    ("Sources/ResidualLearning/Layers/SoftmaxCrossEntropy.swift", 65),
    ("Sources/ResidualLearning/Training/Trainer.swift", 93),
    ("Sources/ResidualLearning/Blocks/Block.swift", 155),
    ("Sources/ResidualLearning/Layers/BatchNorm2D.swift", 142),
    ("Sources/ResidualLearning/Layers/Conv2D.swift", 120),
    ("Sources/ResidualLearning/Training/SGD.swift", 85),
    ("Sources/ResidualKernels/Convolution/Reference.swift", 17),
  ])
  func `the debugging page stops where the source has the same line`(file: String, line: Int) throws {
    let page = try String(contentsOf: repository.appending(path: "docs/debugging.md"), encoding: .utf8)
    let source = try String(contentsOf: repository.appending(path: file), encoding: .utf8)
    let shown = try #require(page.split(separator: "\n").first { $0.hasPrefix("-> \(line) ") })
    let code = source.split(separator: "\n", omittingEmptySubsequences: false)[line - 1]
    #expect(shown.dropFirst(3).drop { $0.isNumber || $0.isWhitespace } == code.drop { $0.isWhitespace })
  }
}
