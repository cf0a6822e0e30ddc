// SnippetTexts.swift: functions of this package as text, for a program without its sources.
//
// Written by   WRITE_DOCS=1 swift test --filter SnippetTests

/// The text that ``Snippet/all`` reads.
let snippetTexts = #"""
  === conv.forward Sources/ResidualLearning/Layers/Conv2D.swift 89
  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let sizes = sizes(of: input)
    var output = Tensor<Scalar>(uninitialized: outputShape(sizes))
    Kernels.convolution(
      sizes, input: input.storage, weight: parameters.weight.storage, output: output.storage)  // (1)
    if let bias = parameters.bias { output.addToEachRow(bias) }
    return output
  }
  === conv.backward Sources/ResidualLearning/Layers/Conv2D.swift 98
  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let sizes = sizes(of: cache.input)
    precondition(
      outputGradient.shape == outputShape(sizes),
      "outputGradient is \(outputGradient.shape), the output was \(outputShape(sizes))")
    let inputGradient = Tensor<Scalar>(uninitialized: cache.input.shape)
    Kernels.convolutionInputGradient(
      sizes, outputGradient: outputGradient.storage, weight: parameters.weight.storage,
      inputGradient: inputGradient.storage)  // (2)
    return (inputGradient, parameterGradients(outputGradient, cache))
  }
  === conv.parameterGradients Sources/ResidualLearning/Layers/Conv2D.swift 114
  public func parameterGradients(_ outputGradient: Tensor<Scalar>, _ cache: Cache) -> Parameters {
    let sizes = sizes(of: cache.input)
    let weightGradient = Tensor<Scalar>(uninitialized: parameters.weight.shape)
    Kernels.convolutionWeightGradient(
      sizes, input: cache.input.storage, outputGradient: outputGradient.storage,
      weightGradient: weightGradient.storage)  // (3)
    return Parameters(weight: weightGradient, bias: parameters.bias.map { _ in outputGradient.sumOfRows })  // (4)
  }
  === bn.forward Sources/ResidualLearning/Layers/BatchNorm2D.swift 93
  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    let batch = statistics(of: input)  // (1), (2)
    let inverseDeviation = inverseDeviation(of: batch)  // (3)
    let output = normalized(input, mean: batch.mean, inverseDeviation: inverseDeviation)  // (4), (5)
    return (output, Cache(input: input, batch: batch, inverseDeviation: inverseDeviation))
  }
  === bn.backward Sources/ResidualLearning/Layers/BatchNorm2D.swift 125
  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let x = cache.input
    precondition(
      outputGradient.shape == x.shape, "outputGradient is \(outputGradient.shape), the input was \(x.shape)")
    let shiftGradient = Tensor<Scalar>(uninitialized: [channels])  // dβ
    let scaleGradient = Tensor<Scalar>(uninitialized: [channels])  // dγ
    Kernels.normalizationSums(
      gradient: outputGradient.storage, input: x.storage, channels: channels, mean: cache.batch.mean.storage,
      factor: cache.inverseDeviation.storage, sums: shiftGradient.storage, products: scaleGradient.storage)  // (6), (7)

    let (a, b, d) = inputGradientFactors(scaleGradient: scaleGradient, shiftGradient: shiftGradient, cache)
    let inputGradient = Tensor<Scalar>(uninitialized: x.shape)
    Kernels.normalizationInputGradient(
      gradient: outputGradient.storage, input: x.storage, channels: channels, a: a.storage, b: b.storage,
      d: d.storage, mean: cache.batch.mean.storage, inputGradient: inputGradient.storage)  // (8)
    return (inputGradient, Parameters(scale: scaleGradient, shift: shiftGradient))
  }
  === bn.factors Sources/ResidualLearning/Layers/BatchNorm2D.swift 146
  func inputGradientFactors(
    scaleGradient: Tensor<Scalar>, shiftGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (a: Tensor<Scalar>, b: Tensor<Scalar>, d: Tensor<Scalar>) {
    let m = Scalar(cache.input.count / channels)
    let a = parameters.scale * cache.inverseDeviation
    return (a, a * cache.inverseDeviation * scaleGradient / -m, a * shiftGradient / -m)
  }
  === relu.forward Sources/ResidualLearning/Layers/ReLU.swift 32
  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let output = Tensor<Scalar>(uninitialized: input.shape)
    Kernels.rectify(input.storage, into: output.storage)  // (1)
    return output
  }
  === relu.backward Sources/ResidualLearning/Layers/ReLU.swift 38
  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: NoParameters<Scalar>) {
    precondition(
      outputGradient.shape == cache.output.shape,
      "outputGradient is \(outputGradient.shape), the output was \(cache.output.shape)")
    let inputGradient = Tensor<Scalar>(uninitialized: outputGradient.shape)
    Kernels.mask(outputGradient.storage, wherePositive: cache.output.storage, into: inputGradient.storage)  // (2)
    return (inputGradient, NoParameters())
  }
  === maxPool.forward Sources/ResidualLearning/Layers/MaxPool2D.swift 55
  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let sizes = sizes(of: input)
    let output = Tensor<Scalar>(
      uninitialized: [sizes.batch, sizes.outputHeight, sizes.outputWidth, sizes.outputChannels])
    Kernels.maxPool(sizes, input: input.storage, output: output.storage)  // (1)
    return output
  }
  === maxPool.backward Sources/ResidualLearning/Layers/MaxPool2D.swift 63
  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: NoParameters<Scalar>) {
    precondition(
      outputGradient.shape == cache.output.shape,
      "outputGradient is \(outputGradient.shape), the output was \(cache.output.shape)")
    let inputGradient = Tensor<Scalar>(uninitialized: cache.input.shape)
    Kernels.maxPoolGradient(
      sizes(of: cache.input), input: cache.input.storage, output: cache.output.storage,
      outputGradient: outputGradient.storage, inputGradient: inputGradient.storage)  // (2)
    return (inputGradient, NoParameters())
  }
  === pool.forward Sources/ResidualLearning/Layers/GlobalAveragePool.swift 34
  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let (batch, height, width, channels) = input.imageSizes
    let output = Tensor<Scalar>(uninitialized: [batch, channels])
    Kernels.averagePool(
      input: input.storage, batch: batch, pixels: height * width, channels: channels, output: output.storage)  // (1)
    return output
  }
  === pool.backward Sources/ResidualLearning/Layers/GlobalAveragePool.swift 42
  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: NoParameters<Scalar>) {
    let shape = cache.inputShape
    precondition(
      outputGradient.shape == [shape[0], shape[3]], "outputGradient is \(outputGradient.shape), the input was \(shape)")
    let inputGradient = Tensor<Scalar>(uninitialized: shape)
    Kernels.averagePoolGradient(
      outputGradient: outputGradient.storage, batch: shape[0], pixels: shape[1] * shape[2], channels: shape[3],
      inputGradient: inputGradient.storage)  // (2)
    return (inputGradient, NoParameters())
  }
  === linear.forward Sources/ResidualLearning/Layers/Linear.swift 65
  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let weight = parameters.weight
    precondition(
      input.shape.rank == 2 && input.shape[1] == weight.shape[0],
      "the input is \(input.shape), the weights \(weight.shape)")
    var output = Tensor<Scalar>(uninitialized: [input.shape[0], weight.shape[1]])
    Kernels.matrixProduct(
      input.storage, weight.storage, into: output.storage, rows: input.shape[0], depth: weight.shape[0],
      columns: weight.shape[1])
    output.addToEachRow(parameters.bias)  // (1)
    return output
  }
  === linear.backward Sources/ResidualLearning/Layers/Linear.swift 78
  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let (weight, x) = (parameters.weight, cache.input)
    precondition(
      outputGradient.shape == [x.shape[0], weight.shape[1]],
      "outputGradient is \(outputGradient.shape), the output was [\(x.shape[0]), \(weight.shape[1])]")
    let inputGradient = Tensor<Scalar>(uninitialized: x.shape)
    Kernels.matrixProductWithTransposed(
      outputGradient.storage, weight.storage, into: inputGradient.storage, rows: x.shape[0], depth: weight.shape[1],
      columns: weight.shape[0])  // (2)
    let weightGradient = Tensor<Scalar>(uninitialized: weight.shape)
    Kernels.transposedMatrixProduct(
      x.storage, outputGradient.storage, into: weightGradient.storage, rows: weight.shape[0], depth: x.shape[0],
      columns: weight.shape[1])  // (3)
    return (inputGradient, Parameters(weight: weightGradient, bias: outputGradient.sumOfRows))  // (4)
  }
  === loss.forward Sources/ResidualLearning/Layers/SoftmaxCrossEntropy.swift 49
  public func forward(_ logits: Tensor<Scalar>, labels: [Int]) -> (loss: Scalar, cache: Cache) {
    precondition(
      logits.shape.rank == 2 && logits.shape[0] == labels.count && !labels.isEmpty,
      "logits \(logits.shape) for \(labels.count) labels")
    let probabilities = softmax(logits)  // (1)
    let losses = Kernels.crossEntropy(logits.storage, classes: logits.shape[1], labels: labels)
    let loss = losses.reduce(0, +) / Scalar(labels.count)  // (2)
    return (loss, Cache(probabilities: probabilities, labels: labels, losses: losses))
  }
  === loss.backward Sources/ResidualLearning/Layers/SoftmaxCrossEntropy.swift 60
  public func backward(_ cache: Cache) -> Tensor<Scalar> {
    let logitsGradient = Tensor<Scalar>(uninitialized: cache.probabilities.shape)
    Kernels.crossEntropyGradient(
      cache.probabilities.storage, classes: logitsGradient.shape[1], labels: cache.labels,
      into: logitsGradient.storage)  // (3)
    return logitsGradient
  }
  === shortcut.forward Sources/ResidualLearning/Blocks/Shortcut.swift 77
  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    switch self {
    case .identity: return (input, .identity)
    case .zeroPadded(let zeros): return (zeros(input), .zeroPadded(inputShape: input.shape))
    case .projection(let projection):
      let (output, cache) = projection.forward(input)
      return (output, .projection(cache))
    }
  }
  === shortcut.backward Sources/ResidualLearning/Blocks/Shortcut.swift 95
  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    switch (self, cache) {
    case (.identity, .identity): return (outputGradient, Parameters(projection: nil))
    case (.zeroPadded(let zeros), .zeroPadded(let inputShape)):
      return (zeros.backward(outputGradient, inputShape: inputShape), Parameters(projection: nil))
    case (.projection(let projection), .projection(let cache)):
      let (inputGradient, gradients) = projection.backward(outputGradient, cache)
      return (inputGradient, Parameters(projection: gradients))
    default: preconditionFailure("the cache is not this shortcut's")
    }
  }
  === block.forward Sources/ResidualLearning/Blocks/Block.swift 100
  public func forward(
    _ input: Tensor<Scalar>, observe: Observer<Scalar>?
  ) -> (output: Tensor<Scalar>, cache: Cache) {
    if observe == nil, let fused = fusedForward(input) { return fused }
    var (convolved, normalized, activated) = ([Tensor<Scalar>](), [Tensor<Scalar>](), [input])
    var unitCaches: [BatchNorm2D<Scalar>.Cache] = []
    for (i, unit) in units.enumerated() {
      convolved.append(unit.conv(activated[i]))
      observe?(numbered("conv", i, of: units.count), convolved[i])
      let (output, cache) = unit.bn.forward(convolved[i])
      observe?(numbered("bn", i, of: units.count), output)
      normalized.append(output)
      unitCaches.append(cache)
      if i < units.count - 1 { activated.append(relu(output)) }
    }
    let residual = normalized[units.count - 1]  // (1)

    let shortcutPass = shortcut?.forward(input)
    if let shortcutPass { observe?("shortcut", shortcutPass.output) }
    let sum = shortcutPass.map { residual + $0.output } ?? residual  // (2)
    let output = relu(sum)  // (3)
    observe?("output", output)
    return (output, Cache(input: input, units: unitCaches, output: output, shortcut: shortcutPass?.cache))
  }
  === block.backward Sources/ResidualLearning/Blocks/Block.swift 131
  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    if let fused = fusedBackward(outputGradient, cache) { return (fused.inputGradient!, fused.gradients) }
    let activated = [cache.input] + zip(units, cache.units).dropLast().map { relu($0.bn.output($1)) }
    let (sumGradient, _) = relu.backward(outputGradient, ReLU.Cache(output: cache.output))  // (4)

    // (5): the residual branch, last layer first.
    var normalizedGradient = [Tensor<Scalar>](repeating: Tensor(zeros: [0]), count: units.count)
    var (convolvedGradient, activatedGradient) = (normalizedGradient, normalizedGradient)
    var unitGradients = units.map { $0.parameters }
    normalizedGradient[units.count - 1] = sumGradient
    for (i, unit) in units.enumerated().reversed() {
      (convolvedGradient[i], unitGradients[i].bn) = unit.bn.backward(normalizedGradient[i], cache.units[i])
      (activatedGradient[i], unitGradients[i].conv) = unit.conv.backward(
        convolvedGradient[i], Conv2D.Cache(input: activated[i]))
      guard i > 0 else { break }
      (normalizedGradient[i - 1], _) = relu.backward(activatedGradient[i], ReLU.Cache(output: activated[i]))
    }
    let residualGradient = activatedGradient[0]

    // (5): the shortcut gets the same gradient.
    let shortcutPass = shortcut?.backward(sumGradient, cache.shortcut!)
    let inputGradient = shortcutPass.map { residualGradient + $0.inputGradient } ?? residualGradient  // (6)
    return (inputGradient, Parameters(units: unitGradients, shortcut: shortcutPass?.gradients))
  }
  === network.forward Sources/ResidualLearning/Networks/ResidualNetwork.swift 104
  public func forward(
    _ images: Tensor<Scalar>, observe: Observer<Scalar>?
  ) -> (output: Tensor<Scalar>, cache: Cache) {
    var (x, stemCache) = stem.forward(images, observe: prefixed("stem.", observe))
    var stageCaches: [[Block<Scalar>.Cache]] = []
    for (s, blocks) in stages.enumerated() {
      var blockCaches: [Block<Scalar>.Cache] = []
      for (b, block) in blocks.enumerated() {
        let (output, cache) = block.forward(x, observe: prefixed("stages.\(s).blocks.\(b).", observe))
        blockCaches.append(cache)
        x = output
      }
      stageCaches.append(blockCaches)
    }
    let (features, poolCache) = pool.forward(x)
    observe?("pool", features)
    let (logits, classifierCache) = classifier.forward(features)
    observe?("logits", logits)
    return (
      logits, Cache(stem: stemCache, stages: stageCaches, pool: poolCache, classifier: classifierCache)
    )
  }
  === network.backward Sources/ResidualLearning/Networks/ResidualNetwork.swift 148
  private func backwardToStem(
    _ logitsGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (Tensor<Scalar>, [[Block<Scalar>.Parameters]], Linear<Scalar>.Parameters) {
    let (featuresGradient, classifierGradients) = classifier.backward(logitsGradient, cache.classifier)
    var (xGradient, _) = pool.backward(featuresGradient, cache.pool)
    var stageGradients: [[Block<Scalar>.Parameters]] = []
    for (blocks, caches) in zip(stages, cache.stages).reversed() {
      var blockGradients: [Block<Scalar>.Parameters] = []
      for (block, cache) in zip(blocks, caches).reversed() {
        let (inputGradient, gradients) = block.backward(xGradient, cache)
        blockGradients.append(gradients)
        xGradient = inputGradient
      }
      stageGradients.append(blockGradients.reversed())
    }
    return (xGradient, stageGradients.reversed(), classifierGradients)
  }
  === stem.forward Sources/ResidualLearning/Networks/Stem.swift 51
  public func forward(
    _ input: Tensor<Scalar>, observe: Observer<Scalar>?
  ) -> (output: Tensor<Scalar>, cache: Cache) {
    let (activated, blockCache) = block.forward(input, observe: observe)
    let pooled = maxPool?.forward(activated)
    if let pooled { observe?("maxPool", pooled.output) }
    return (pooled?.output ?? activated, Cache(block: blockCache, maxPool: pooled?.cache))
  }
  === stem.backward Sources/ResidualLearning/Networks/Stem.swift 79
  private func activatedGradient(_ outputGradient: Tensor<Scalar>, _ cache: Cache) -> Tensor<Scalar> {
    guard let maxPool, let poolCache = cache.maxPool else { return outputGradient }
    return maxPool.backward(outputGradient, poolCache).inputGradient
  }
  === sgd.step Sources/ResidualLearning/Training/SGD.swift 65
  public mutating func step(_ parameters: inout Parameters, gradients: Parameters, rate: Double) {
    typealias Scalar = Parameters.Scalar
    let (values, slopes) = (parameters.named.map { $0.tensor }, gradients.named.map { $0.tensor })
    precondition(values.map { $0.shape } == slopes.map { $0.shape }, "gradients of other shapes than the parameters")
    let (momentum, decay, decaysAll) = (momentum, decay, decayed == .all)
    let (inside, outside) = form == .withRate ? (rate, 1) : (1, rate)  // where η stands
    var i = 0
    velocity.visit("") { _, v in
      v.combine(Scalar(momentum), plus: Scalar(inside), slopes[i])  // (1)
      if decay != 0 && (decaysAll || v.shape.rank > 1) {
        v.combine(1, plus: Scalar(inside * decay), values[i])  // (1)
      }
      i += 1
    }
    let moves = velocity.named.map { $0.tensor }
    i = 0
    parameters.visit("") { _, w in
      w.combine(1, plus: Scalar(-outside), moves[i])  // (2)
      i += 1
    }
  }
  === loops Sources/ResidualKernels/Convolution/Reference.swift 10
  public static func referenceConvolution<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, weight: Storage<Scalar>, output: Storage<Scalar>
  ) {
    shape.check(input: input, weight: weight, output: output)
    shape.forEachOutput { n, y, x, o, element in
      var sum: Scalar = 0
      shape.forEachTap(n, y, x, o) { inputIndex, weightIndex in
        sum += input.base[inputIndex] * weight.base[weightIndex]
      }
      output.base[element] = sum
    }
  }
  """#
