import Foundation
import ResidualExperiments
import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

extension CourseTests {
  // MARK: 8

  @Test func `Page 8, He initialisation`() throws {
    let page = try page("08-he-initialisation")
    page.expect("ten layers", pow(0.5, 10))
    page.expect("twenty layers", pow(0.5, 20))
    func deviation(_ channels: Int, _ outputs: Int, kernel: Int = 3, _ fan: HeInitialization = .fanIn) -> Double {
      fan.deviation(ofWeight: [kernel, kernel, channels, outputs])
    }
    page.expect("first layer", deviation(3, 16))
    page.expect("stage 0", deviation(16, 16))
    page.expect("stage 1", deviation(32, 32))
    page.expect("stage 2", deviation(64, 64))

    /// The mean square behind ten convolutions and ReLUs, relative to that behind the first.
    func tenLayers(weightsTimes factor: Double) -> Double {
      var generator = RandomGenerator(seed: 1)
      var x = Tensor<Double>(normal: [4, 16, 16, 16], using: &generator)
      var squares: [Double] = []
      for _ in 0..<10 {
        var conv = Conv2D<Double>(16, 16, kernel: 3, using: &generator)
        conv.parameters.weight = conv.parameters.weight * factor
        x = ReLU()(conv(x))
        squares.append(x.dot(x))
      }
      return squares[9] / squares[0]
    }
    let (he, older) = (tenLayers(weightsTimes: 1), tenLayers(weightsTimes: 0.5.squareRoot()))
    page.expect("with 2/n", he)
    page.expect("with 1/n", older)
    page.expect("their ratio", he / older)
    page.expect("first layer, fan-out", deviation(3, 16, .fanOut))
    page.expect("first of stage 1, fan-in", deviation(16, 32))
    page.expect("first of stage 1, fan-out", deviation(16, 32, .fanOut))

    var generator = RandomGenerator(seed: 2)
    let x = Tensor<Double>(normal: [2, 5, 4, 3], using: &generator)
    let conv = Conv2D<Double>(3, 4, kernel: 3, using: &generator)
    let bn = normalization(scale: 1, shift: 0, channels: 4)
    let dy = Tensor<Double>(normal: [2, 5, 4, 4], using: &generator)
    func run(_ weight: Tensor<Double>) -> (output: Tensor<Double>, gradient: Tensor<Double>) {
      let (convolved, convCache) = Conv2D(weight: weight, padding: 1).forward(x)
      let (output, bnCache) = bn.forward(convolved)
      let back = bn.backward(dy, bnCache).inputGradient
      return (output, Conv2D(weight: weight, padding: 1).backward(back, convCache).gradients.weight)
    }
    let weight = conv.parameters.weight
    let (single, doubled) = (run(weight), run(2 * weight))
    page.expect("change of y", largestDifference(single.output, doubled.output))
    page.expect(
      "size of dW, doubled over single",
      (doubled.gradient.dot(doubled.gradient) / single.gradient.dot(single.gradient)).squareRoot())
    page.expect("relative steps", pow(deviation(3, 16) / deviation(3, 16, .fanOut), 2))
    page.expect("first of stages 1 and 2", pow(deviation(16, 32) / deviation(16, 32, .fanOut), 2))
    page.expect("Σ W dW", weight.dot(single.gradient))
    page.expect("1 fan-in", deviation(64, 256, kernel: 1))
    page.expect("1 fan-out", deviation(64, 256, kernel: 1, .fanOut))
    page.expect("2 one block", 2)
    page.expect("2 nine blocks", 10)
    page.finish()
  }

  // MARK: 9

  @Test func `Page 9, shortcuts`() throws {
    let page = try page("09-shortcuts")
    let x = image(4, 4, [1, 5, 3, 0, 2, 4, 1, 6, 3, 2, 9, 7, 0, 8, 5, 1])
    func channel(_ c: Int, _ tensor: Tensor<Double>) -> [Double] {
      (0..<4).map { tensor[flat: 2 * $0 + c] }
    }
    let zeros = Shortcut<Double>.zeroPadded(ZeroPadding(stride: 2, front: 0, outputChannels: 2))
    let (h, cache) = zeros.forward(x)
    page.expect("x", x)
    page.expect("channel 0 of h", channel(0, h))
    page.expect("channel 1 of h", channel(1, h))
    let dh = Tensor<Double>([1, 2, 2, 2], [2, 7, 1, 7, 0, 7, 1, 7])
    page.expect("dh, channel 0", channel(0, dh))
    page.expect("dh, channel 1", channel(1, dh))
    page.expect("dx", zeros.backward(dh, cache).inputGradient)

    let conv = Conv2D<Double>(weight: Tensor([1, 1, 1, 2], [1, -2]), stride: 2)
    let bn = normalization(channels: 2)
    let (projected, convCache) = conv.forward(x)
    let (output, bnCache) = bn.forward(projected)
    page.expect("projected, channel 0", channel(0, projected))
    page.expect("projected, channel 1", channel(1, projected))
    page.expect("h, channel 0", channel(0, output))
    page.expect("h, channel 1", channel(1, output))
    let back = bn.backward(Tensor([1, 2, 2, 2], [2, 0, 1, 0, 0, 0, 1, 0]), bnCache).inputGradient
    let (dx, gradients) = conv.backward(back, convCache)
    page.expect("dprojected, channel 0", channel(0, back))
    page.expect("dW", gradients.weight)
    page.expect("dx at the kept pixels", [(0, 0), (0, 2), (2, 0), (2, 2)].map { dx[0, $0.0, $0.1, 0] })

    func projections(_ architecture: Architecture) -> [Double] {
      Summary(architecture).layers.filter { $0.kind == .projection }.map { Double($0.parameters) }
    }
    let options = ShortcutOption.allCases.map { projections(.imageNet(depth: 34, options: .init(shortcut: $0))) }
    page.expect("A", options[0].reduce(0, +))
    page.expect("first of B", options[1][0])
    page.expect("B", options[1].reduce(0, +))
    #expect(options[2].count - options[1].count == 13)
    page.expect("1 more", projections(.cifar(depth: 20, options: .init(shortcut: .b))).reduce(0, +))
    let around = Shortcut<Double>.zeroPadded(ZeroPadding(stride: 1, front: 1, outputChannels: 3))
    page.expect("3 channel", Double(around(image(1, 1, [7])).elements.firstIndex(of: 7)!))
    page.finish()
  }

  // MARK: 10

  /// The block of page 10, layer by layer.
  private struct HandBlock {
    var (conv1, conv2): (Conv2D<Double>, Conv2D<Double>)
    var (bn1, bn2): (BatchNorm2D<Double>, BatchNorm2D<Double>)
    let relu = ReLU<Double>()

    init() {
      func conv(_ taps: [Int: Double]) -> Conv2D<Double> {
        Conv2D(weight: Tensor([3, 3, 1, 1], (0..<9).map { taps[$0] ?? 0 }), padding: 1)
      }
      (conv1, conv2) = (conv([4: -1, 5: 1]), conv([4: -1, 7: -1]))
      bn1 = BatchNorm2D(channels: 1, epsilon: 0)
      bn2 = bn1
    }
  }

  @Test func `Page 10, the block`() throws {
    let page = try page("10-block")
    var block = HandBlock()
    let x = image(2, 2, [1, 0, 5, 1])
    let (a, conv1Cache) = block.conv1.forward(x)
    let (n, bn1Cache) = block.bn1.forward(a)
    let (z, relu1Cache) = block.relu.forward(n)
    let (c, conv2Cache) = block.conv2.forward(z)
    let (f, bn2Cache) = block.bn2.forward(c)
    let (y, relu2Cache) = block.relu.forward(f + x)
    page.expect("x", x)
    page.expect("a", a)
    page.expect("mean of a", bn1Cache.batch.mean)
    page.expect("variance of a", bn1Cache.batch.variance)
    page.expect("n", n)
    page.expect("z", z)
    page.expect("c", c)
    page.expect("mean of c", bn2Cache.batch.mean)
    page.expect("variance of c", bn2Cache.batch.variance)
    page.expect("F", f)
    page.expect("sum", f + x)
    page.expect("y", y)

    let dy = image(2, 2, [4, 9, 2, 2])
    let dsum = block.relu.backward(dy, relu2Cache).inputGradient
    let (dc, bn2Gradients) = block.bn2.backward(dsum, bn2Cache)
    let (dz, conv2Gradients) = block.conv2.backward(dc, conv2Cache)
    let dn = block.relu.backward(dz, relu1Cache).inputGradient
    let (da, bn1Gradients) = block.bn1.backward(dn, bn1Cache)
    let (branch, conv1Gradients) = block.conv1.backward(da, conv1Cache)
    page.expect("dy", dy)
    page.expect("dsum", dsum)
    page.expect("dβ₂", bn2Gradients.shift)
    page.expect("dγ₂", bn2Gradients.scale)
    page.expect("dc upper left", dc[flat: 0])
    page.expect("dc", dc)
    page.expect("dW₂ middle", conv2Gradients.weight[flat: 4])
    page.expect("dW₂ below", conv2Gradients.weight[flat: 7])
    page.expect("dW₂", conv2Gradients.weight)
    page.expect("dz", dz)
    page.expect("dn", dn)
    page.expect("dβ₁", bn1Gradients.shift)
    page.expect("dγ₁", bn1Gradients.scale)
    page.expect("da", da)
    page.expect("dW₁ middle", conv1Gradients.weight[flat: 4])
    page.expect("dW₁ right", conv1Gradients.weight[flat: 5])
    page.expect("dW₁", conv1Gradients.weight)
    page.expect("dx of F", branch)
    page.expect("dx", branch + dsum)
    page.expect("Σ W₁ dW₁", block.conv1.parameters.weight.dot(conv1Gradients.weight))
    page.expect("Σ W₂ dW₂", block.conv2.parameters.weight.dot(conv2Gradients.weight))

    // Question 2: with β₁ = 1.
    block.bn1.parameters.shift = Tensor([1])
    let (shifted, shiftedCache) = block.bn1.forward(a)
    let (activated, activatedCache) = block.relu.forward(shifted)
    let (convolved, convolvedCache) = block.conv2.forward(activated)
    let (residual, residualCache) = block.bn2.forward(convolved)
    let mask = block.relu.backward(dy, block.relu.forward(residual + x).cache).inputGradient
    let back = block.conv2.backward(block.bn2.backward(mask, residualCache).inputGradient, convolvedCache).inputGradient
    let gradient = block.bn1.backward(block.relu.backward(back, activatedCache).inputGradient, shiftedCache).gradients
    page.expect("dγ₁ with β₁ of 1", gradient.scale)

    page.expect("1 y", block.relu(f))
    page.expect("1 dsum", block.relu.backward(dy, block.relu.forward(f).cache).inputGradient)
    page.expect("2 y", block.relu(f) + x)

    // Section 5, as notebook 3 measures it.
    let images = SyntheticImages.make(count: 32, seed: 1)
    let input = PixelNormalization.perPixel(of: images).input(images, 0..<32)
    let labels = images.labels.map { Int($0) }
    let loss = SoftmaxCrossEntropy<Float>()
    func ends(_ architecture: Architecture) -> [Double] {
      func norms<Network: ImageClassifier<Float>>(_ network: Network) -> [Double] {
        let (logits, cache) = network.forward(input)
        let gradients = network.gradients(loss.backward(loss.forward(logits, labels: labels).cache), cache)
        let weights = gradients.named.map(\.tensor).filter { $0.shape.rank == 4 }
        return [weights.first!, weights.last!].map { Double($0.dot($0)).squareRoot() }
      }
      var generator = RandomGenerator(seed: 3)
      return norms(architecture.network(using: &generator))
    }
    page.expect("plain-20, first and last", ends(.cifar(depth: 20, plain: true)))
    page.expect("ResNet-20, first and last", ends(.cifar(depth: 20)))
    let plain = ends(.cifar(depth: 56, plain: true))
    page.expect("plain-56, first and last", plain)
    page.expect(words: "about 830-fold")
    #expect(abs(plain[0] / plain[1] - 830) < 10)
    page.expect("ResNet-56, first and last", ends(.cifar(depth: 56)))
    page.finish()
  }

  // MARK: 11

  @Test func `Page 11, counting Table 1`() throws {
    let page = try page("11-counting")
    let resnet34 = Summary(.imageNet(depth: 34))
    let row = resnet34.layers.filter { $0.name.hasPrefix("stages.1.") }
    let (convolutions, projections) = (row.filter { $0.kind == .convolution }, row.filter { $0.kind == .projection })
    func total(_ layers: [Summary.Layer], _ path: KeyPath<Summary.Layer, Int>) -> Double {
      Double(layers.reduce(0) { $0 + $1[keyPath: path] })
    }
    page.expect("first", Double(convolutions[0].multiplyAdds))
    page.expect("each of the others", Double(convolutions[1].multiplyAdds))
    page.expect("seven", total(Array(convolutions[1...7]), \.multiplyAdds))
    page.expect("projection, option B", total(projections, \.multiplyAdds))
    page.expect("conv3_x", total(row, \.multiplyAdds))
    page.expect("weights", total(convolutions, \.weights))
    page.expect("normalizations", total(convolutions, \.normalization))
    page.expect("shortcut", total(projections, \.parameters))
    page.expect("parameters", total(row, \.parameters))
    page.expect(words: "has 3,663,761,408, the table's")
    #expect(resnet34.multiplyAdds == 3_663_761_408)
    page.expect(words: "VGG-19 has 19,632,062,464")
    #expect(Summary(.vgg(depth: 19)).multiplyAdds == 19_632_062_464)
    page.expect("share", 3.6 / 19.6)
    let shares = [Summary(.imageNet(depth: 34, plain: true)), resnet34].map {
      String(format: "%.1f", 100 * Double($0.multiplyAdds) / Double(Summary(.vgg(depth: 19)).multiplyAdds))
    }
    page.expect(words: "the exact counts give \(shares[0]) % for the plain network, and \(shares[1]) % with option B")

    func inner(_ depth: Int, _ block: String) -> Double {
      total(
        Summary(.imageNet(depth: depth)).layers.filter { $0.name.hasPrefix(block) && $0.kind == .convolution },
        \.weights)
    }
    page.expect("left", inner(34, "stages.0.blocks.1."))
    page.expect("right", inner(50, "stages.0.blocks.1."))
    let allProjected = Summary(.imageNet(depth: 50, options: .init(shortcut: .c))).layers
    page.expect("projection", total(allProjected.filter { $0.name == "stages.0.blocks.1.shortcut.conv" }, \.weights))

    page.expect("1 conv1", Double(resnet34.layers[0].multiplyAdds))
    let resnet20 = Summary(.cifar(depth: 20))
    page.expect(
      "2 weights",
      total(resnet20.layers.filter { $0.name.hasPrefix("stages.2.") && $0.kind == .convolution }, \.weights))
    page.expect(words: "269,722")
    let resnet56 = Architecture.cifar(depth: 56)
    page.expect("3 layers", Double(resnet56.weightedLayers))
    page.expect("3 shortcuts", Double(resnet56.stages.reduce(0) { $0 + $1.blocks }))
    page.expect("3 not identities", projectionsOfB(depth: 56))
    page.finish()
  }

  private func projectionsOfB(depth: Int) -> Double {
    Double(Summary(.cifar(depth: depth, options: .init(shortcut: .b))).layers.count { $0.kind == .projection })
  }

  // MARK: 12

  /// One number as a set of parameters.
  private struct Weight: ParameterSet {
    var value: Tensor<Double>
    mutating func visit(_ path: String, _ body: (String, inout Tensor<Double>) -> Void) { body("weight", &value) }
  }

  /// How far each step goes, from w = 1 on.
  private func steps(
    _ rates: [Double], momentum: Double = 0.9, decay: Double = 0, form: VelocityForm = .withRate,
    gradient: (Double) -> Double = { $0 }
  ) -> [Double] {
    var weight = Weight(value: Tensor([1]))
    var optimizer = SGD(weight, momentum: momentum, decay: decay, form: form)
    return rates.map { rate in
      let before = weight.value[0]
      optimizer.step(&weight, gradients: Weight(value: Tensor([gradient(before)])), rate: rate)
      return before - weight.value[0]
    }
  }

  @Test func `Page 12, SGD`() throws {
    let page = try page("12-sgd")
    let constant = steps(.init(repeating: 0.1, count: 300)) { _ in 1 }
    page.expect("first", constant[0])
    page.expect("second", constant[1])
    page.expect("in the end", constant[299])
    let rates = [0.1, 0.1, 0.1, 0.01]
    let (inside, outside) = (steps(rates), steps(rates, form: .withoutRate))
    for step in 0..<3 {
      page.expect("step \(step + 1)", inside[step])
      #expect(abs(inside[step] - outside[step]) < 1e-12)
    }
    page.expect("w after three", 1 - inside[0] - inside[1] - inside[2])
    page.expect("step 4, rate inside", inside[3])
    page.expect("step 4, rate outside", outside[3])
    page.expect("one step", 1 - steps([0.1], momentum: 0, decay: 1e-4) { _ in 0 }[0])
    page.expect("Keras", 2e-4)
    let decayed = steps([0.1, 0.1], decay: 0.1)
    page.expect("1 first step", decayed[0])
    page.expect("1 second step", decayed[1])
    page.expect("1 w", 1 - decayed[0] - decayed[1])
    let recipe = Recipe.paper(depth: 20)
    let epoch = recipe.iterationsPerEpoch(45000)
    page.expect("2 iterations of an epoch", Double(epoch))
    page.expect("2 epoch", Double(recipe.milestones[0] / epoch + 1))
    let right = steps([0.1, 0.1], momentum: 0)
    page.expect("3 right", 1 - right[0] - right[1])
    var sum = 0.0
    let wrong = steps([0.1, 0.1], momentum: 0) { w in
      sum += w
      return sum
    }
    page.expect("3 wrong", 1 - wrong[0] - wrong[1])
    page.finish()
  }

  // MARK: 13

  @Test func `Page 13, from loops to SIMD: five versions that agree`() throws {
    let page = try page("13-loops-to-simd")
    let (pixels, depth) = (16, 24)
    let x = (0..<(pixels * depth)).map { Float($0 % 7) - 3 }
    let w = (0..<(depth * 16)).map { Float($0 % 5) - 2 }
    let rows = (0..<pixels).map { Array(x[($0 * depth)..<(($0 + 1) * depth)]) }
    let weightRows = (0..<depth).map { Array(w[($0 * 16)..<(($0 + 1) * 16)]) }
    let vectors = weightRows.map { SIMD16<Float>($0) }
    func flattened(_ vectors: [SIMD16<Float>]) -> [Float] { vectors.flatMap { v in (0..<16).map { v[$0] } } }
    let expected = FiveVersions.flat(x, w, depth: depth)
    #expect(FiveVersions.nested(rows, weightRows).flatMap { $0 } == expected)
    #expect(FiveVersions.exchanged(x, w, depth: depth) == expected)
    #expect(flattened(FiveVersions.vector(x, vectors, depth: depth)) == expected)
    #expect(flattened(FiveVersions.tile(x, vectors, depth: depth)) == expected)
    let layer = Linear<Float>(weight: Tensor([depth, 16], w), bias: Tensor(zeros: [16]))
    #expect(layer(Tensor([pixels, depth], x)).elements == expected)
    try page.expectSnippets(source: URL(filePath: #filePath).deletingLastPathComponent().path + "/FiveVersions.swift")
    page.expect("multiply-adds", Double(1024 * 144 * 16))
    page.expect("loads, version 4", 2)
    page.expect("loads, version 5", 9.0 / 8)
    page.finish()
  }
}
