import Foundation
import Testing

@testable import ResidualKernels

/// The rounding errors of every kernel in Float, and the table of them in docs/reproducibility.md.
///
/// The same kernel in `Double`, on the same numbers, has the exact result to within 10⁻⁹ of an error in Float.
@Suite struct RoundingTests {
  @Test func `Every kernel's error is within its bound, and the table in the docs has the errors`() throws {
    var table = ["| kernel | largest | mean | bound |", "| :-- | --: | --: | --: |"]
    for (found, exact) in zip(RoundingCases<Float>().rows, RoundingCases<Double>().rows) {
      var (errors, bounds, violations): ([Double], [Double], Int) = ([], [], 0)
      for i in 0..<found.values.count where exact.magnitudes[i] > 0 {
        let unit = Double(Float(exact.magnitudes[i]).ulp)
        errors.append(abs(Double(found.values[i]) - exact.values[i]) / unit)
        bounds.append(found.roundings * (exact.paths[i] / exact.magnitudes[i]))
        if !(errors.last! <= bounds.last!) { violations += 1 }
      }
      #expect(violations == 0 && !errors.isEmpty, "\(found.name)")
      let mean = errors.reduce(0, +) / Double(errors.count)
      let bound = found.roundings == 0.5 ? "0.5" : "\(Int(bounds.max()!.rounded(.up)))"
      table.append("| \(found.name) | \(String(format: "%.2f | %.3f", errors.max()!, mean)) | \(bound) |")
    }
    // A build without fused multiply-adds, or with other vectors, rounds otherwise.
    guard Kernels.fusesMultiplyAdd && Float.lanes == 16 else { return }
    let docs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/reproducibility.md")
    let page = try String(contentsOf: docs, encoding: .utf8)
    #expect(page.contains(table.joined(separator: "\n")), "\(table.joined(separator: "\n"))")
  }
}

/// The kernels on random numbers between −1 and 1, the same in Float and in Double.
private struct RoundingCases<Scalar: Element> {
  /// The results of one kernel.
  struct Row {
    /// What stands in the table.
    let name: String
    /// The number of roundings on the longest way from an input to the result.
    let roundings: Double
    let values: Storage<Scalar>
    /// For each result the sum of the magnitudes of its terms, in whose last place the error is counted.
    let magnitudes: Storage<Double>
    /// The same sum of the terms that the algorithm adds, which are other ones in Winograd's.
    let paths: Storage<Double>
  }

  private(set) var rows: [Row] = []

  /// A convolution by register tiles and one of Winograd's.
  private let direct = ConvolutionShape(
    batch: 2, height: 9, width: 8, inputChannels: 16, outputChannels: 32, kernelHeight: 3, kernelWidth: 3, stride: 2,
    padding: 1)
  private let winograd = ConvolutionShape(
    batch: 3, height: 9, width: 7, inputChannels: 16, outputChannels: 16, kernelHeight: 3, kernelWidth: 3, padding: 1)

  init() {
    convolutions()
    winogradConvolutions()
    matrixProducts()
    normalizations()
    fused()
    softmax()
    pooling()
    elementwise()
  }

  private func random(_ count: Int, _ seed: Int) -> Storage<Scalar> {
    let numbers: Storage<Float> = numbers(count, seed: seed)
    return Storage(numbers.array(0..<count).map { Scalar($0) })
  }

  private func new(_ count: Int) -> Storage<Scalar> { Storage(repeating: .nan, count: count) }

  private mutating func add(
    _ name: String, roundings: Int, _ values: Storage<Scalar>, _ magnitudes: Storage<Double>,
    paths: Storage<Double>? = nil
  ) {
    rows.append(
      Row(
        name: name, roundings: Double(roundings), values: values, magnitudes: magnitudes, paths: paths ?? magnitudes))
  }

  /// A kernel with one rounding, or with none: the error is counted in the last place of the result.
  private mutating func add(_ name: String, roundings: Double, _ values: Storage<Scalar>) {
    let sizes = magnitudes(values)
    rows.append(Row(name: name, roundings: roundings, values: values, magnitudes: sizes, paths: sizes))
  }

  // MARK: - Convolutions

  private mutating func convolutions() {
    let (x, w, dy) = (random(direct.inputCount, 1), random(direct.weightCount, 2), random(direct.outputCount, 3))
    let (y, dx, dw) = (new(direct.outputCount), new(direct.inputCount), new(direct.weightCount))
    Kernels.directConvolution(direct, input: x, weight: w, output: y)
    Kernels.directConvolutionInputGradient(direct, outputGradient: dy, weight: w, inputGradient: dx)
    Kernels.directConvolutionWeightGradient(direct, input: x, outputGradient: dy, weightGradient: dw)
    let sizes = Magnitudes(direct, magnitudes(x), magnitudes(w), magnitudes(dy))
    add("convolution by tiles, 144 products", roundings: 144, y, sizes.output)
    add("its gradient with respect to the input, 128 products", roundings: 128, dx, sizes.inputGradient)
    add("its gradient with respect to the weight, 40 products", roundings: 40, dw, sizes.weightGradient)
  }

  /// On each axis at most 5 roundings in the transform of an input or an output's gradient, 7 in that of a weight, 6 in
  /// that of an output, the constants' own among them.
  private mutating func winogradConvolutions() {
    let shape = winograd
    let (x, w, dy) = (random(shape.inputCount, 4), random(shape.weightCount, 5), random(shape.outputCount, 6))
    let (y, dx, dw) = (new(shape.outputCount), new(shape.inputCount), new(shape.weightCount))
    Kernels.winogradConvolution(shape, input: x, weight: w, output: y)
    Kernels.winogradConvolutionInputGradient(shape, outputGradient: dy, weight: w, inputGradient: dx)
    Kernels.winogradConvolutionWeightGradient(shape, input: x, outputGradient: dy, weightGradient: dw)
    let sizes = Magnitudes(shape, magnitudes(x), magnitudes(w), magnitudes(dy))
    let paths = WinogradMagnitudes(shape, magnitudes(x), magnitudes(w), magnitudes(dy))
    add("Winograd's convolution, 16 channels", roundings: 52, y, sizes.output, paths: paths.output)
    add("its gradient with respect to the input", roundings: 52, dx, sizes.inputGradient, paths: paths.inputGradient)
    add("its gradient with respect to the weight", roundings: 54, dw, sizes.weightGradient, paths: paths.weightGradient)
  }

  private mutating func matrixProducts() {
    let (rows, depth, columns) = (32, 64, 10)
    let (a, b, c) = (random(rows * depth, 7), random(depth * columns, 8), random(rows * columns, 9))
    let (ab, cb, ac) = (new(rows * columns), new(rows * depth), new(depth * columns))
    Kernels.matrixProduct(a, b, into: ab, rows: rows, depth: depth, columns: columns)
    Kernels.matrixProductWithTransposed(c, b, into: cb, rows: rows, depth: columns, columns: depth)
    Kernels.transposedMatrixProduct(a, c, into: ac, rows: depth, depth: rows, columns: columns)
    let shape = ConvolutionShape(
      batch: 1, height: rows, width: 1, inputChannels: depth, outputChannels: columns, kernelHeight: 1, kernelWidth: 1)
    let sizes = Magnitudes(shape, magnitudes(a), magnitudes(b), magnitudes(c))
    add("matrix product, 64 products", roundings: 64, ab, sizes.output)
    add("matrix product with a transposed matrix, 10 products", roundings: 10, cb, sizes.inputGradient)
    add("transposed matrix product, 32 products", roundings: 32, ac, sizes.weightGradient)
  }

  // MARK: - Normalization

  private mutating func normalizations() {
    let (pixels, channels) = (5000, 16)
    let (x, g) = (random(pixels * channels, 10), random(pixels * channels, 11))
    let v = (12..<16).map { random(channels, $0) }
    let size = v.map { magnitudes($0) }
    let (mean, variance, sums, products) = (new(channels), new(channels), new(channels), new(channels))
    let (y, dx, row, total) = (new(x.count), new(x.count), new(x.count), new(channels))

    Kernels.channelStatistics(x, channels: channels, mean: mean, variance: variance)
    add("mean of 5,000 pixels", roundings: 8, mean, perChannel(x) { i, _ in abs(Double(x[i])) / 5000 })
    add("variance of 5,000 pixels", roundings: 9, variance, magnitudes(variance))
    let inverse = new(channels)
    Kernels.inverseDeviation(ofVariance: variance, epsilon: Scalar(Float(1e-5)), into: inverse)
    add("inverse deviation, of that variance", roundings: 13, inverse, magnitudes(inverse))
    Kernels.normalize(x, channels: channels, mean: v[0], scale: v[1], shift: v[2], output: y)
    add("normalization", roundings: 3, y, perElement(x) { i, c in centred(x, v[0], i, c) * size[1][c] + size[2][c] })
    Kernels.normalizationSums(
      gradient: g, input: x, channels: channels, mean: v[0], factor: v[1], sums: sums, products: products)
    add("its sums of gradients, 5,000 pixels", roundings: 6, sums, perChannel(x) { i, _ in abs(Double(g[i])) })
    add(
      "its sums of products, 5,000 pixels", roundings: 8, products,
      perChannel(x) { i, c in abs(Double(g[i])) * centred(x, v[0], i, c) * size[1][c] })
    Kernels.normalizationInputGradient(
      gradient: g, input: x, channels: channels, a: v[1], b: v[2], d: v[3], mean: v[0], inputGradient: dx)
    add(
      "its gradient with respect to the input", roundings: 4, dx,
      perElement(x) { i, c in abs(Double(g[i])) * size[1][c] + size[2][c] * centred(x, v[0], i, c) + size[3][c] })
    Kernels.addRow(v[0], toEachRowOf: x, output: row)
    add("adding a row to each row", roundings: 0.5, row)
    Kernels.sumRows(x, into: total)
    add("sum of 5,000 rows", roundings: 6, total, perChannel(x) { i, _ in abs(Double(x[i])) })
  }

  /// |x − mean| of one element.
  private func centred(_ x: Storage<Scalar>, _ mean: Storage<Scalar>, _ i: Int, _ c: Int) -> Double {
    abs(Double(x[i]) - Double(mean[c]))
  }

  /// A number for each element of a tensor of 16 channels.
  private func perElement(_ x: Storage<Scalar>, _ value: (_ i: Int, _ c: Int) -> Double) -> Storage<Double> {
    Storage((0..<x.count).map { value($0, $0 % 16) })
  }

  /// The sum of such numbers for each channel.
  private func perChannel(_ x: Storage<Scalar>, _ value: (_ i: Int, _ c: Int) -> Double) -> Storage<Double> {
    Storage((0..<16).map { c in stride(from: c, to: x.count, by: 16).reduce(0) { $0 + value($1, c) } })
  }

  // MARK: - Fused

  private mutating func fused() {
    let (shape, channels) = (winograd, 16)
    let (z, w, g) = (random(shape.inputCount, 20), random(shape.weightCount, 21), random(shape.outputCount, 22))
    let (next, other) = (random(shape.outputCount, 23), random(shape.outputCount, 24))
    let v = (25..<29).map { random(channels, $0) }
    let size = v.map { magnitudes($0) }
    // A scale of 2, so that the ReLUs of Float and Double pass the same elements.
    let affine = ChannelAffine(mean: v[0], scale: Storage(repeating: 2, count: channels), shift: v[1])
    let input = FusedInput(z, rectifying: affine)
    let gradient = FusedGradient(gradient: g, input: next, a: v[1], b: v[2], d: v[3], mean: v[0])
    let x = perElement(z) { i, c in 2 * centred(z, v[0], i, c) + size[1][c] }
    let dz = perElement(g) { i, c in
      size[1][c] * abs(Double(g[i])) + size[2][c] * centred(next, v[0], i, c) + size[3][c]
    }
    let sizes = Magnitudes(shape, x, magnitudes(w), dz)
    let paths = WinogradMagnitudes(shape, x, magnitudes(w), dz)

    let (y, mean, variance) = (new(shape.outputCount), new(channels), new(channels))
    Kernels.fusedConvolution(shape, input: input, weight: w, output: y, mean: mean, variance: variance)
    let pixels = Double(y.count / channels)
    add("fused convolution, Winograd's, 16 channels", roundings: 55, y, sizes.output, paths: paths.output)
    add(
      "its mean of 189 pixels", roundings: 67, mean, perChannel(y) { i, _ in sizes.output[i] / pixels },
      paths: perChannel(y) { i, _ in paths.output[i] / pixels })
    func spread(_ i: Int, _ c: Int, _ size: Double) -> Double {
      centred(y, mean, i, c) * (centred(y, mean, i, c) + 2 * size) / pixels
    }
    add(
      "its variance of 189 pixels", roundings: 67, variance, perChannel(y) { spread($0, $1, sizes.output[$0]) },
      paths: perChannel(y) { spread($0, $1, paths.output[$0]) })

    let (dx, dw, sums, products) = (new(shape.inputCount), new(shape.weightCount), new(channels), new(channels))
    Kernels.fusedConvolutionGradients(
      shape, gradient: gradient, input: input, weight: w, weightGradient: dw, inputGradient: dx,
      sums: (sums, products))
    add("its gradient with respect to the input", roundings: 56, dx, sizes.inputGradient, paths: paths.inputGradient)
    add("its gradient with respect to the weight", roundings: 61, dw, sizes.weightGradient, paths: paths.weightGradient)
    add(
      "its sums of gradients, 189 pixels", roundings: 68, sums, perChannel(z) { i, _ in sizes.inputGradient[i] },
      paths: perChannel(z) { i, _ in paths.inputGradient[i] })
    add(
      "its sums of products, 189 pixels", roundings: 68, products,
      perChannel(z) { i, c in sizes.inputGradient[i] * centred(z, v[0], i, c) },
      paths: perChannel(z) { i, c in paths.inputGradient[i] * centred(z, v[0], i, c) })

    let (sum, masked, total, product) = (new(z.count), new(z.count), new(channels), new(channels))
    Kernels.normalizeAddRectify(z, affine: affine, adding: other, output: sum)
    add(
      "fused normalization, addition and ReLU", roundings: 4, sum,
      perElement(z) { i, _ in x[i] + abs(Double(other[i])) })
    Kernels.normalizeAddRectifyGradient(
      g, output: other, input: z, mean: v[0], into: masked, sum: total, product: product)
    add("its gradient", roundings: 0, masked)
    add("its sums of gradients, 189 pixels", roundings: 12, total, perChannel(z) { i, _ in abs(Double(masked[i])) })
    add(
      "its sums of products, 189 pixels", roundings: 12, product,
      perChannel(z) { i, c in abs(Double(masked[i])) * centred(z, v[0], i, c) })
  }

  // MARK: - Softmax, pooling, elements

  private mutating func softmax() {
    let (images, classes, range) = (64, 10, 10)
    let logits = Storage<Scalar>(random(images * classes, 30).array(0..<images * classes).map { 5 * $0 })
    let p = new(logits.count)
    Kernels.softmax(logits, classes: classes, probabilities: p)
    // A difference of logits, up to 10, is rounded before it becomes an exponent: up to 10 roundings of the power.
    add("softmax of 10 classes, logits within ±5", roundings: 2 * range + classes + 2, p, magnitudes(p))
    let losses = Storage(Kernels.crossEntropy(logits, classes: classes, labels: (0..<images).map { $0 % classes }))
    add(
      "cross-entropy of 10 classes, logits within ±5", roundings: range + classes + 4, losses,
      Storage(losses.array(0..<images).map { 1 + abs(Double($0)) }))
    let (probabilities, labels) = (random(images * classes, 35), (0..<images).map { $0 % classes })
    let gradient = new(probabilities.count)
    Kernels.crossEntropyGradient(probabilities, classes: classes, labels: labels, into: gradient)
    add(
      "gradient of the cross-entropy", roundings: 2, gradient,
      Storage(
        (0..<probabilities.count).map { i in
          (abs(Double(probabilities[i])) + (i % classes == labels[i / classes] ? 1 : 0)) / Double(images)
        }))
  }

  private mutating func pooling() {
    var shape = direct
    shape.outputChannels = 16
    let (x, dy) = (random(shape.inputCount, 31), random(shape.outputCount, 32))
    let (y, dx) = (new(shape.outputCount), new(shape.inputCount))
    Kernels.maxPool(shape, input: x, output: y)
    Kernels.maxPoolGradient(shape, input: x, output: y, outputGradient: dy, inputGradient: dx)
    let sizes = Storage<Double>(uninitialized: dx.count)
    Kernels.maxPoolGradient(
      shape, input: Storage(x.array(0..<x.count).map { Double($0) }),
      output: Storage(y.array(0..<y.count).map { Double($0) }), outputGradient: magnitudes(dy), inputGradient: sizes)
    add("max-pool", roundings: 0, y)
    add("its gradient, up to 4 terms", roundings: 4, dx, sizes)

    let (pixels, channels) = (72, 16)
    let (mean, gradient) = (new(2 * channels), new(x.count))
    Kernels.averagePool(input: x, batch: 2, pixels: pixels, channels: channels, output: mean)
    Kernels.averagePoolGradient(
      outputGradient: mean, batch: 2, pixels: pixels, channels: channels, inputGradient: gradient)
    let means = Storage<Double>(uninitialized: 2 * channels)
    Kernels.averagePool(input: magnitudes(x), batch: 2, pixels: pixels, channels: channels, output: means)
    add("average pool of 72 pixels", roundings: 74, mean, means)
    add(
      "its gradient, of that mean", roundings: 76, gradient,
      perElement(x) { i, c in means[i / (pixels * channels) * channels + c] / Double(pixels) })

    let (small, back) = (new(2 * 5 * 4 * 20), Storage<Scalar>(repeating: 0, count: x.count))
    Kernels.subsample(
      x, batch: 2, height: 9, width: 8, channels: 16, stride: 2, front: 2, outputChannels: 20, output: small)
    Kernels.addSubsampleGradient(
      small, batch: 2, height: 9, width: 8, channels: 16, stride: 2, front: 2, outputChannels: 20, to: back)
    add("subsampling", roundings: 0, small)
    add("its gradient", roundings: 0, back)
  }

  private mutating func elementwise() {
    let count = 10_000
    let (a, b) = (random(count, 33), random(count, 34))
    let operations: [(Kernels.Operation, String)] = [
      (.add, "addition"), (.subtract, "subtraction"), (.multiply, "multiplication"), (.divide, "division"),
    ]
    for (operation, name) in operations {
      let result = new(count)
      Kernels.elementwise(operation, a, b, into: result)
      add(name, roundings: 0.5, result)
    }
    let (combined, rectified, masked, reversed) = (new(count), new(count), new(count), new(count))
    Kernels.linearCombination(0.75, a, -0.125, b, into: combined)
    add(
      "linear combination", roundings: 2, combined,
      Storage((0..<count).map { 0.75 * abs(Double(a[$0])) + 0.125 * abs(Double(b[$0])) }))
    Kernels.rectify(a, into: rectified)
    add("ReLU", roundings: 0, rectified)
    Kernels.mask(b, wherePositive: a, into: masked)
    add("its gradient", roundings: 0, masked)
    Kernels.reverseAxes(a, outer: 25, middle: 20, inner: 20, into: reversed)
    add("reversal of axes", roundings: 0, reversed)

    let (bytes, mean, factor, loaded) = ((0..<192).map { UInt8($0) }, random(192, 36), random(3, 37), new(192))
    let shift = (0..<3).map { Double(Float(0.1) * Float($0)) }
    Kernels.loadViews(
      [PictureView(pixels: bytes, height: 8, width: 8, shift: shift)], height: 8, width: 8, mean: mean, factor: factor,
      output: loaded)
    add(
      "pictures to numbers", roundings: 4, loaded,
      Storage(
        (0..<192).map { i in
          (Double(bytes[i]) / 255 + shift[i % 3] + abs(Double(mean[i]))) * abs(Double(factor[i % 3]))
        }))
  }
}

/// |x| in `Double`.
private func magnitudes<Scalar: Element>(_ x: Storage<Scalar>) -> Storage<Double> {
  Storage(x.array(0..<x.count).map { abs(Double($0)) })
}

/// The sums of the magnitudes of all products in a convolution and its gradients.
private struct Magnitudes {
  let output, inputGradient, weightGradient: Storage<Double>

  init(_ shape: ConvolutionShape, _ x: Storage<Double>, _ w: Storage<Double>, _ dy: Storage<Double>) {
    output = Storage(repeating: 0, count: shape.outputCount)
    inputGradient = Storage(repeating: 0, count: shape.inputCount)
    weightGradient = Storage(repeating: 0, count: shape.weightCount)
    Kernels.referenceConvolution(shape, input: x, weight: w, output: output)
    Kernels.referenceConvolutionInputGradient(shape, outputGradient: dy, weight: w, inputGradient: inputGradient)
    Kernels.referenceConvolutionWeightGradient(shape, input: x, outputGradient: dy, weightGradient: weightGradient)
  }
}

/// The same for the terms of Winograd's convolution, which go through three transforms: every matrix with its magnitudes.
private struct WinogradMagnitudes {
  private typealias Matrix = [[Double]]
  let output, inputGradient, weightGradient: Storage<Double>

  // |Bᵀ|, |G| and |Aᵀ| of WinogradTransform.swift, whose a, b and s these are.
  private static let (a, b, s) = (0.5.squareRoot(), 2.0.squareRoot(), 2.5)
  private static let spread: Matrix = [
    [1, 0, s, 0, 1, 0], [0, a * b * b, b * b, a, 1, 0], [0, a * b * b, b * b, a, 1, 0],
    [0, a * a * b, a * a, b, 1, 0], [0, a * a * b, a * a, b, 1, 0], [0, 1, 0, s, 0, 1],
  ]
  private static let weights: Matrix = [
    [1, 0, 0], [2.0 / 3, 2 * a / 3, 1.0 / 3], [2.0 / 3, 2 * a / 3, 1.0 / 3], [1.0 / 6, b / 6, 1.0 / 3],
    [1.0 / 6, b / 6, 1.0 / 3], [0, 0, 1],
  ]
  private static let gather: Matrix = [
    [1, 1, 1, 1, 1, 0], [0, a, a, b, b, 0], [0, a * a, a * a, b * b, b * b, 0],
    [0, a * a * a, a * a * a, b * b * b, b * b * b, 1],
  ]

  init(_ shape: ConvolutionShape, _ x: Storage<Double>, _ w: Storage<Double>, _ dy: Storage<Double>) {
    let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
    output = Self.convolution(shape, x) { k, c, o in w[(k * inputs + c) * outputs + o] }
    // With padding 1 the gradient with respect to the input is of the same shape, with the weights in reverse.
    inputGradient = Self.convolution(shape, dy) { k, o, c in w[((8 - k) * inputs + c) * outputs + o] }
    weightGradient = Storage(repeating: 0, count: shape.weightCount)
    for c in 0..<inputs {
      for o in 0..<outputs {
        var sum = Matrix(repeating: [Double](repeating: 0, count: 6), count: 6)
        Self.forEachTile(shape) { n, y, x0 in
          let d = Self.both(Self.spread, Self.patch(shape, x, n, y - 1, x0 - 1, 6, c))
          let g = Self.both(Self.transposed(Self.gather), Self.patch(shape, dy, n, y, x0, 4, o))
          for i in 0..<6 { for j in 0..<6 { sum[i][j] += d[i][j] * g[i][j] } }
        }
        let gradient = Self.both(Self.transposed(Self.weights), sum)
        for k in 0..<9 { weightGradient[(k * inputs + c) * outputs + o] = gradient[k / 3][k % 3] }
      }
    }
  }

  private static func convolution(
    _ shape: ConvolutionShape, _ x: Storage<Double>, _ weight: (_ k: Int, _ c: Int, _ o: Int) -> Double
  ) -> Storage<Double> {
    let result = Storage<Double>(repeating: 0, count: shape.outputCount)
    let channels = shape.inputChannels
    let kernels = (0..<channels * channels).map { i in
      both(weights, (0..<3).map { y in (0..<3).map { x in weight(3 * y + x, i / channels, i % channels) } })
    }
    forEachTile(shape) { n, y, x0 in
      let inputs = (0..<channels).map { both(spread, patch(shape, x, n, y - 1, x0 - 1, 6, $0)) }
      for o in 0..<channels {
        let products = (0..<6).map { i in
          (0..<6).map { j in (0..<channels).reduce(0) { $0 + inputs[$1][i][j] * kernels[$1 * channels + o][i][j] } }
        }
        let tile = both(gather, products)
        for i in 0..<min(4, shape.height - y) {
          for j in 0..<min(4, shape.width - x0) {
            result[((n * shape.height + y + i) * shape.width + x0 + j) * channels + o] = tile[i][j]
          }
        }
      }
    }
    return result
  }

  private static func forEachTile(_ shape: ConvolutionShape, _ body: (_ n: Int, _ y: Int, _ x: Int) -> Void) {
    for n in 0..<shape.batch {
      for y in stride(from: 0, to: shape.height, by: 4) {
        for x in stride(from: 0, to: shape.width, by: 4) { body(n, y, x) }
      }
    }
  }

  /// A square of one channel, zero outside the image.
  private static func patch(
    _ shape: ConvolutionShape, _ x: Storage<Double>, _ n: Int, _ top: Int, _ left: Int, _ size: Int, _ c: Int
  ) -> Matrix {
    (top..<top + size).map { y in
      (left..<left + size).map { column in
        guard (0..<shape.height).contains(y) && (0..<shape.width).contains(column) else { return 0 }
        return x[((n * shape.height + y) * shape.width + column) * shape.inputChannels + c]
      }
    }
  }

  private static func transposed(_ m: Matrix) -> Matrix { m[0].indices.map { j in m.map { $0[j] } } }

  /// m x mᵀ.
  private static func both(_ m: Matrix, _ x: Matrix) -> Matrix {
    let left = m.map { row in x[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * x[$1][j] } } }
    return left.map { row in m.map { other in other.indices.reduce(0) { $0 + row[$1] * other[$1] } } }
  }
}
