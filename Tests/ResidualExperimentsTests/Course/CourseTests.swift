import Foundation
import ResidualExperiments
import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

/// Computes every number of the pages in docs/course again, with the package's layers in Double: here of the pages on
/// single layers, in CourseTests+Networks.swift of what is made of them.
@Suite struct CourseTests {
  func page(_ name: String) throws -> CoursePage { try CoursePage("docs/course/\(name).md") }

  /// An image of one channel.
  func image(_ height: Int, _ width: Int, _ pixels: [Double]) -> Tensor<Double> {
    Tensor([1, height, width, 1], pixels)
  }

  func normalization(scale: Double = 1, shift: Double = 0, channels: Int = 1) -> BatchNorm2D<Double> {
    var bn = BatchNorm2D<Double>(channels: channels, epsilon: 0)
    bn.parameters.scale = Tensor([channels], repeating: scale)
    bn.parameters.shift = Tensor([channels], repeating: shift)
    return bn
  }

  // MARK: 1

  @Test func `Page 1, what backward is`() throws {
    let page = try page("01-what-backward-is")
    /// The program of the page with `Linear` as the product, and what comes back.
    func run(_ x: Double, extra: Double = 0) -> (u: Double, s: Double, loss: Double, dw: Double, branch: Double) {
      let product = Linear<Double>(weight: Tensor([1, 1], [3]), bias: Tensor([0]))
      let (u, cache) = product.forward(Tensor([1, 1], [x]))
      let s = u[0, 0] + x + extra * x
      let (dx, gradients) = product.backward(Tensor([1, 1], [s]), cache)
      return (u[0, 0], s, s * s / 2, gradients.weight[0, 0], dx[0, 0])
    }
    let (u, s, loss, dw, branch) = run(2)
    page.expect("u", u)
    page.expect("s", s)
    page.expect("L", loss)
    page.expect("right", run(2.01).loss)
    page.expect("left", run(1.99).loss)
    let slope = (run(2.01).loss - run(1.99).loss) / 0.02
    page.expect("slope", (slope * 1e9).rounded() / 1e9)
    page.expect("dL", 1)
    page.expect("ds", s)
    page.expect("du", s)
    page.expect("dw", dw)
    page.expect("from the product", branch)
    page.expect("from the sum", s)
    page.expect("dx", branch + s)

    func f(_ x: [Double]) -> [Double] { [x[0] * x[1], x[0] + x[1], x[0] * x[0]] }
    let (x, dy) = ([2.0, 3.0], [1.0, -1.0, 2.0])
    let dx = x.indices.map { i in
      let h = 1e-6
      var (right, left) = (x, x)
      right[i] += h
      left[i] -= h
      return zip(zip(f(right), f(left)), dy).reduce(0) { $0 + ($1.0.0 - $1.0.1) / (2 * h) * $1.1 }
    }.map { ($0 * 1e6).rounded() / 1e6 }
    page.expect("x", x)
    page.expect("y", f(x))
    page.expect("dy", dy)
    page.expect("dx0", dx[0])
    page.expect("dx1", dx[1])
    page.expect("dx", dx)
    let inputs = Double(Shape([128, 32, 32, 16]).count)
    page.expect("inputs", inputs)
    page.expect("table", inputs * inputs)
    page.expect(words: "is 269,722 walks")
    #expect(Summary(.cifar(depth: 20)).parameters == 269_722)

    let twice = run(2, extra: 1)
    page.expect("1 s", twice.s)
    page.expect("1 L", twice.loss)
    page.expect("1 dw", twice.dw)
    page.expect("1 dx", twice.branch + 2 * twice.s)
    page.expect("2 dx", 2 * 3 * 5)
    let shared = Linear<Double>(weight: Tensor([1, 1], [3]), bias: Tensor([0]))
    let cache = shared.forward(Tensor([2, 1], [2, 5])).cache
    page.expect("3 dw", shared.backward(Tensor([2, 1], [8, -1]), cache).gradients.weight)
    page.expect("4 difference", (slope * 1e9).rounded() / 1e9)
    page.expect("4 bug", s)
    page.finish()
  }

  // MARK: 2

  @Test func `Page 2, convolution`() throws {
    let page = try page("02-convolution")
    let conv = Conv2D<Double>(weight: Tensor([2, 2, 1, 1], [1, -1, 2, 0]), bias: Tensor([0]))
    let x = image(3, 3, [1, 2, 0, 0, 1, 3, 2, 1, 1])
    let (y, cache) = conv.forward(x)
    let dy = image(2, 2, [1, 0, 2, -1])
    let (dx, gradients) = conv.backward(dy, cache)
    page.expect("x", x)
    page.expect("w", conv.parameters.weight)
    page.expect("y00", y[flat: 0])
    page.expect("y01", y[flat: 1])
    page.expect("y", y)
    page.expect("y10", y[flat: 2])
    page.expect("y11", y[flat: 3])
    page.expect("dy", dy)
    page.expect("dw00", gradients.weight[flat: 0])
    page.expect("dw01", gradients.weight[flat: 1])
    page.expect("dw", gradients.weight)
    page.expect("dx11", dx[flat: 4])
    page.expect("dx", dx)
    page.expect("db", gradients.bias!)

    let ones = Conv2D<Double>(weight: Tensor([3, 3, 1, 1], repeating: 1), padding: 1)
    let (counts, onesCache) = ones.forward(Tensor([1, 4, 4, 1], repeating: 1))
    page.expect("meetings", counts.sum)
    let reads = ones.backward(Tensor([1, 4, 4, 1], repeating: 1), onesCache).inputGradient
    page.expect("corner", reads[0, 0, 0, 0])
    page.expect("edge", reads[0, 0, 1, 0])
    page.expect("inside", reads[0, 1, 1, 0])
    page.finish()
  }

  // MARK: 3

  @Test func `Page 3, batch normalization`() throws {
    let page = try page("03-batch-normalization")
    let bn = normalization(scale: 3, shift: 1)
    let x = image(2, 2, [1, 3, 3, 9])
    let (y, cache) = bn.forward(x)
    let (mean, variance, r) = (cache.batch.mean[0], cache.batch.variance[0], cache.inverseDeviation[0])
    let normalized = x.elements.map { ($0 - mean) * r }
    page.expect("x", x)
    page.expect("μ", mean)
    page.expect("v", variance)
    page.expect("r", r)
    page.expect("x̂", normalized)
    page.expect("y", y)
    let dy = image(2, 2, [2, 1, 0, 1])
    let (dx, gradients) = bn.backward(dy, cache)
    let (dγ, dβ) = (gradients.scale[0], gradients.shift[0])
    page.expect("dy", dy)
    page.expect("dβ", dβ)
    page.expect("dγ", dγ)
    let direct = dy.elements.map { 3 * r * $0 }
    let throughMean = [Double](repeating: -3 * r * dβ / 4, count: 4)
    let throughVariance = normalized.map { -3 * r * $0 * dγ / 4 }
    page.expect("directly", direct[0])
    page.expect("through the mean", throughMean[0])
    page.expect("through the variance", throughVariance[0])
    page.expect("dx1", dx[flat: 0])
    page.expect("direct", direct)
    page.expect("mean", throughMean)
    page.expect("variance", throughVariance)
    page.expect("dx", dx)
    page.expect("Σ dx", dx.sum)
    page.expect("Σ dx x̂", zip(dx.elements, normalized).reduce(0) { $0 + $1.0 * $1.1 })
    page.expect("dx of ones", bn.backward(image(2, 2, [1, 1, 1, 1]), cache).inputGradient)
    let shifted = [x + 100, 2 * x].map { bn.forward($0).output }
    for other in shifted { #expect(largestDifference(other, y) < 1e-12) }

    page.expect("unbiased", variance * 4 / 3)
    var tracked = bn
    tracked.track(cache, rate: 0.1)
    page.expect("running mean", tracked.running.mean)
    page.expect("running variance", tracked.running.variance)

    page.expect("1 directly", direct[3])
    page.expect("1 through the mean", throughMean[3])
    page.expect("1 through the variance", throughVariance[3])
    page.expect("1 dx4", dx[flat: 3])
    let two = image(1, 2, [5, -2])
    page.expect("2 dx", bn.backward(image(1, 2, [3, 8]), bn.forward(two).cache).inputGradient)
    page.finish()
  }

  // MARK: 4

  @Test func `Page 4, ReLU`() throws {
    let page = try page("04-relu")
    let relu = ReLU<Double>()
    let x = Tensor<Double>([-2, -1, 0, 1, 2])
    let (y, cache) = relu.forward(x)
    let dy = Tensor<Double>([10, 20, 30, 40, 50])
    page.expect("x", x)
    page.expect("y", y)
    page.expect("dy", dy)
    page.expect("dx", relu.backward(dy, cache).inputGradient)
    func difference(at x: Double) -> Double { (relu(Tensor([x + 0.01])) - relu(Tensor([x - 0.01])))[0] / 0.02 }
    page.expect("difference at 0", difference(at: 0))
    page.expect("difference at 0.004", difference(at: 0.004))
    let four = Tensor<Double>([-2, -1, 1, 2])
    page.expect("before", four.dot(four) / 4)
    page.expect("after", relu(four).dot(relu(four)) / 4)
    let (up, down) = (Tensor<Double>([10, -20, 30]), Tensor<Double>([1, 2, 0]))
    page.expect("1 right", relu.backward(up, .init(output: down)).inputGradient)
    page.expect("1 wrong", relu(up))
    page.finish()
  }

  // MARK: 5

  @Test func `Page 5, pooling`() throws {
    let page = try page("05-pooling")
    let pool = MaxPool2D<Double>(window: 3, stride: 2, padding: 1)
    let x = image(4, 4, [1, 3, 2, 0, 0, 5, 1, 4, 2, 1, 6, 7, 1, 0, 8, 2])
    let (y, cache) = pool.forward(x)
    page.expect("x", x)
    page.expect("y", y)
    let dy = image(2, 2, [1, 2, 3, 4])
    let dx = pool.backward(dy, cache).inputGradient
    page.expect("dy", dy)
    page.expect("dx11", dx[0, 1, 1, 0])
    page.expect("dx32", dx[0, 3, 2, 0])
    page.expect("dx", dx)
    let average = GlobalAveragePool<Double>()
    let pixels = image(2, 2, [1, 3, 3, 9])
    let (mean, averageCache) = average.forward(pixels)
    page.expect("pixels", pixels)
    page.expect("mean", mean)
    page.expect("gradient", average.backward(Tensor([1, 1], [2]), averageCache).inputGradient)
    let flat = MaxPool2D<Double>(window: 2, stride: 2)
    let tied = flat.backward(image(1, 1, [1]), flat.forward(image(2, 2, [1, 1, 1, 1])).cache).inputGradient
    page.expect("1 dx", tied)
    page.expect("1 sum", tied.sum)
    let wide = pool(Tensor<Double>(zeros: [1, 112, 112, 1]))
    page.expect("2 with a border", Double(wide.shape[1]))
    page.expect("2 Caffe", ((112.0 - 3) / 2).rounded(.up) + 1)
    page.finish()
  }

  // MARK: 6

  @Test func `Page 6, the linear layer`() throws {
    let page = try page("06-linear")
    let layer = Linear<Double>(weight: Tensor([3, 2], [1, -1, 2, 0, 0, 1]), bias: Tensor([0.5, -1]))
    let x = Tensor<Double>([2, 3], [1, 2, 0, 0, 1, 3])
    let (y, cache) = layer.forward(x)
    let dy = Tensor<Double>([2, 2], [1, 2, -1, 1])
    let (dx, gradients) = layer.backward(dy, cache)
    page.expect("x", x)
    page.expect("W", layer.parameters.weight)
    page.expect("b", layer.parameters.bias)
    page.expect("y", y)
    page.expect("dy", dy)
    page.expect("dx00", dx[0, 0])
    page.expect("dx", dx)
    page.expect("dW01", gradients.weight[0, 1])
    page.expect("dW", gradients.weight)
    page.expect("db", gradients.bias)
    let last = try #require(Summary(.cifar(depth: 20)).layers.last)
    page.expect("1 parameters", Double(last.parameters))
    page.expect("1 multiply-adds", Double(last.multiplyAdds))
    page.expect("2 rows", Double(Shape([128, 32, 32]).count))
    page.finish()
  }

  // MARK: 7

  @Test func `Page 7, softmax`() throws {
    let page = try page("07-softmax")
    let loss = SoftmaxCrossEntropy<Double>()
    let z = [0, log(2.0), log(5.0)]
    let (value, cache) = loss.forward(Tensor([1, 3], z), labels: [1])
    page.expect("exp z", z.map { exp($0) }.map { ($0 * 1e12).rounded() / 1e12 })
    page.expect("p", cache.probabilities)
    page.expect("loss", value)
    func start(_ classes: Int) -> Double { loss.forward(Tensor(zeros: [1, classes]), labels: [0]).loss }
    page.expect("ten classes", start(10))
    page.expect("a thousand", start(1000))
    page.expect("dz", loss.backward(cache))
    let two = loss.forward(Tensor([2, 3], z + [0, 0, 0]), labels: [1, 0]).cache
    page.expect("dz of two images", loss.backward(two))
    page.expect(
      "loss of a logit 1000 above the true one", loss.forward(Tensor([1, 2], [1000, 0]), labels: [1]).loss)
    page.expect("1 lowest loss", loss.forward(Tensor([1, 10], [1] + .init(repeating: 0, count: 9)), labels: [0]).loss)
    let sure = loss.forward(Tensor([1, 2], [log(9.0), 0]), labels: [0])
    let gradient = loss.backward(sure.cache)[0, 0]
    page.expect("3 gradient", gradient)
    let after = loss.forward(Tensor([1, 2], [log(9.0) + 0.01, 0]), labels: [0]).loss
    #expect(abs((sure.loss - after) - 0.001) < 1e-5)
    page.expect("3 fall", -0.01 * gradient)
    page.finish()
  }
}
