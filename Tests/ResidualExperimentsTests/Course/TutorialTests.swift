import Foundation
import ResidualLearning
import TestSupport
import Testing

/// The code of the tutorial in docs/tutorial, and its numbers.
///
/// `scripts/docc_catalogues.py` cuts this test at the lines `// file` and `// step` into what the tutorial shows, without
/// the lines that begin with `numbers`.
@Suite struct TutorialTests {
  @Test func `every step of the tutorial computes the numbers that it names`() throws {
    var page = try String(
      contentsOf: repository.appending(path: "docs/tutorial/The-Steps-of-a-Block.tutorial"), encoding: .utf8)
    /// Compares the next numbers of the tutorial with this label.
    func numbers(_ label: String, _ tensor: Tensor<Double>) {
      guard let start = page.range(of: "`\(label) = "), let end = page[start.upperBound...].firstIndex(of: "`") else {
        Issue.record("the tutorial has no (other) `\(label) = …`")
        return
      }
      let words = page[start.upperBound..<end].split(whereSeparator: \.isWhitespace).map(String.init)
      let fits =
        words.count == tensor.count
        && zip(words, tensor.elements).allSatisfy { CoursePage.agree($0, $1, ulps: 0.5000001) }
      #expect(fits, "\(label) is \(words) in the tutorial, computed \(tensor.elements)")
      page.removeSubrange(start.lowerBound...end)
    }

    // file Forward
    // step
    let x = Tensor<Double>([1, 2, 2, 1], [1, 0, 5, 1])
    numbers("x", x)
    // step
    let conv1 = Conv2D<Double>(
      weight: Tensor([3, 3, 1, 1], [0, 0, 0, 0, -1, 1, 0, 0, 0]), padding: 1)
    let (a, conv1Cache) = conv1.forward(x)
    numbers("a", a)
    // step
    let bn1 = BatchNorm2D<Double>(channels: 1, epsilon: 0)
    let (n, bn1Cache) = bn1.forward(a)
    numbers("n", n)
    // step
    let relu = ReLU<Double>()
    let (z, relu1Cache) = relu.forward(n)
    numbers("z", z)
    // step
    let conv2 = Conv2D<Double>(
      weight: Tensor([3, 3, 1, 1], [0, 0, 0, 0, -1, 0, 0, -1, 0]), padding: 1)
    let bn2 = BatchNorm2D<Double>(channels: 1, epsilon: 0)
    let (c, conv2Cache) = conv2.forward(z)
    let (residual, bn2Cache) = bn2.forward(c)  // F(x)
    numbers("c", c)
    numbers("F", residual)
    // step
    let sum = residual + x
    let (y, relu2Cache) = relu.forward(sum)
    numbers("sum", sum)
    numbers("y", y)

    // file Backward
    // step
    let dy = Tensor<Double>(y.shape, [4, 9, 2, 2])
    let dsum = relu.backward(dy, relu2Cache).inputGradient
    numbers("dy", dy)
    numbers("dsum", dsum)
    // step
    // The branch, last layer first.
    let (dc, bn2Gradients) = bn2.backward(dsum, bn2Cache)
    numbers("dc", dc)
    // step
    let (dz, conv2Gradients) = conv2.backward(dc, conv2Cache)
    numbers("dz", dz)
    numbers("dW2", Tensor([conv2Gradients.weight[1, 1, 0, 0]]))
    // step
    let dn = relu.backward(dz, relu1Cache).inputGradient
    let (da, bn1Gradients) = bn1.backward(dn, bn1Cache)
    let (branch, conv1Gradients) = conv1.backward(da, conv1Cache)
    numbers("dn", dn)
    numbers("da", da)
    numbers("dF", branch)
    // step
    let shortcut = dsum
    let dx = branch + shortcut
    numbers("dx", dx)

    // file Check
    // step
    func loss(_ weight: Double) -> Double {
      var moved = conv1
      moved.parameters.weight[1, 1, 0, 0] = weight
      let z = relu(bn1.forward(moved(x)).output)
      let residual = bn2.forward(conv2(z)).output
      return relu(residual + x).dot(dy)
    }
    let h = 1e-6
    let difference = (loss(-1 + h) - loss(-1 - h)) / (2 * h)
    let dW1 = conv1Gradients.weight[1, 1, 0, 0]
    numbers("difference", Tensor([difference]))
    numbers("dW1", Tensor([dW1]))
    // step
    var generator = RandomGenerator(seed: 1)
    let description = Architecture.cifar(depth: 8, width: 1).blocks[0][0]
    var block = Block<Double>(description, using: &generator)
    (block.units[0].conv, block.units[0].bn) = (conv1, bn1)
    (block.units[1].conv, block.units[1].bn) = (conv2, bn2)

    let (output, cache) = block.forward(x)
    let (inputGradient, gradients) = block.backward(dy, cache)
    numbers("y", output)
    numbers("dx", inputGradient)
    // end of the file

    #expect(abs(difference - dW1) < 1e-8)
    #expect(gradients.units[0].bn.scale == bn1Gradients.scale && gradients.units[1].bn.shift == bn2Gradients.shift)
    #expect(page.firstMatch(of: #/`\w+ = [^`]*`/#) == nil, "the tutorial has numbers that nobody checks")
  }
}
