import Foundation
import ResidualExperiments
import ResidualLearning
import TestSupport
import Testing

@Suite struct SwiftForNumPyTests {
  @Test func `The Swift beside NumPy compiles and prints what the page says`() throws {
    var printed: [String] = []
    func print(_ items: Any...) { printed.append(items.map { String(describing: $0) }.joined(separator: " ")) }
    // begin
    let x = Tensor<Double>([2, 2], [1, 2, 3, 4])  // shape, then elements row by row
    let y = 2 * x + x * x
    print(y.shape, y[1, 0], y.sum)
    // end

    // begin
    func moments(_ x: Tensor<Double>, scaledBy factor: Double = 1) -> (mean: Double, square: Double) {
      (x.mean * factor, (x * x).mean * factor)
    }
    let (mean, square) = moments(x)
    print(mean, square, moments(x, scaledBy: 2).mean)
    // end

    // begin
    let a = Tensor<Double>([1, 2])
    var b = a
    b[0] = 9
    print(a.elements, b.elements)
    // end

    // begin
    func step(_ w: inout Tensor<Double>, _ g: Tensor<Double>) { w -= 0.1 * g }
    var w = Tensor<Double>([1, 2])
    step(&w, Tensor([10, 10]))
    print(w.elements)
    // end

    // begin
    var generator = RandomGenerator(seed: 1)
    let noise = Tensor<Float>(normal: [128, 3], using: &generator)
    print(noise.shape, abs(noise.mean) < 0.2)
    // end

    // begin
    let squares = [1, 2, 3].map { $0 * $0 }
    let total = zip([1, 2, 3], squares).reduce(0) { $0 + $1.0 * $1.1 }
    print(squares, total, (0..<4).map { 2 * $0 })
    // end

    // begin
    let bias: Tensor<Double>? = nil
    let count = bias?.count ?? 0  // nil?.count is nil, and ?? gives what to take instead
    if let bias { print(bias.count) } else { print("no bias", count) }
    // end

    // begin
    let conv = Conv2D<Double>(3, 8, kernel: 3, using: &generator)
    func parameterCount<Model: Layer>(_ model: Model) -> Int { model.parameters.count }
    print(parameterCount(conv), parameterCount(BatchNorm2D<Float>(channels: 8)))
    // end

    // begin
    enum Way {
      case identity
      case zeros(front: Int)
    }
    func describe(_ way: Way) -> String {
      switch way {
      case .identity: "x itself"
      case .zeros(let front): "\(front) channels of zeros in front"
      }
    }
    print(describe(.zeros(front: 8)), "or", describe(.identity))
    // end

    // begin
    struct Scale {
      var factor: Double
      var inverse: Scale { Scale(factor: 1 / factor) }  // computed: called without parentheses
      func callAsFunction(_ x: Tensor<Double>) -> Tensor<Double> { factor * x }
    }
    print(Scale(factor: 4)(Tensor([1, 2])).elements, Scale(factor: 4).inverse.factor)
    // end

    try CoursePage("docs/swift-for-numpy.md").expectSnippets(source: #filePath)
    let page = try String(contentsOf: repository.appending(path: "docs/swift-for-numpy.md"), encoding: .utf8)
    let shown = page.components(separatedBy: "```text\n").dropFirst().flatMap {
      $0.components(separatedBy: "\n```")[0].components(separatedBy: "\n")
    }
    #expect(shown == printed)
  }
}
