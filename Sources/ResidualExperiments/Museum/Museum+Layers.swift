// Museum+Layers.swift: mistakes in the backward passes of single layers.

import ResidualKernels
import ResidualLearning

// MARK: - Convolution

extension Museum {
  /// Mistakes in the backward pass of a convolution.
  public static let convolution: [BackwardMistake<Conv2D<Double>>] = [
    .init(
      Exhibit.Label(
        "conv-kernel-not-flipped", "the input gradient slides the kernel without turning it round",
        symptom: "shapes fit; symmetric kernels are right; training goes on, worse",
        seen: issue("nntrainer/nntrainer", 705))
    ) { pass in
      let k = pass.layer.parameters.weight.shape[0] - 1
      let turned = pass.layer.parameters.weight.moved { [k - $0[0], k - $0[1], $0[2], $0[3]] }
      pass.inputGradient = pass.inputGradient(with: turned)
    },
    .init(
      Exhibit.Label(
        "conv-channels-not-swapped", "the input gradient uses w[k, c, o] where w[k, o, c] belongs",
        symptom: "no crash where channels in equal channels out, as in most blocks")
    ) { pass in
      let swapped = pass.layer.parameters.weight.moved { [$0[0], $0[1], $0[3], $0[2]] }
      pass.inputGradient = pass.inputGradient(with: swapped)
    },
    .init(
      Exhibit.Label(
        "conv-stride-forgotten", "forward has a stride, the input gradient counts pixels one by one",
        symptom: "right for stride 1; the gradient sits in the upper left quarter",
        seen: issue("Kulbear/deep-learning-coursera", 34))
    ) { pass in
      let dense = Conv2D(weight: pass.layer.parameters.weight, padding: pass.layer.padding)
      let (output, cache) = dense.forward(pass.cache.input)
      var corner = Tensor<Double>(zeros: output.shape)
      pass.outputGradient.forEachPosition { corner[$0] = pass.outputGradient[$0] }
      pass.inputGradient = dense.backward(corner, cache).inputGradient
    },
    .init(
      Exhibit.Label(
        "conv-padding-off-by-one", "the border is cut off at the wrong side, and the gradient moves by a pixel",
        symptom: "a gradient that looks right as a picture", seen: issue("flagos-ai/FlagGems", 1576))
    ) { pass in
      let right = pass.inputGradient
      pass.inputGradient.forEachPosition { p in
        pass.inputGradient[p] = p[2] == 0 ? 0 : right[[p[0], p[1], p[2] - 1, p[3]]]
      }
    },
    .init(
      Exhibit.Label(
        "conv-unread-pixels-not-zeroed", "a pixel that no output reads keeps what its memory held before",
        symptom: "only with a stride larger than the kernel, and not in fresh memory")
    ) { pass in
      let (right, before) = (pass.inputGradient, pass.cache.input)
      pass.inputGradient.forEachPosition { if right[$0] == 0 { pass.inputGradient[$0] = before[$0] } }
    },
    .init(
      Exhibit.Label(
        "conv-weight-gradient-overwritten", "`=` for `+=` over the images: the last image's gradient is what remains",
        symptom: "right for a batch of one")
    ) { pass in
      let last = pass.cache.input.shape[0] - 1
      let cache = pass.layer.forward(pass.cache.input.slice(last..<(last + 1))).cache
      pass.gradients = pass.layer.parameterGradients(pass.outputGradient.slice(last..<(last + 1)), cache)
    },
    .init(
      Exhibit.Label(
        "conv-mean-of-the-batch", "the weight gradient is divided by N, which the loss has done already",
        symptom: "a learning rate that is N times too small")
    ) { pass in
      pass.gradients.weight = pass.gradients.weight / Double(pass.cache.input.shape[0])
    },
    .init(
      Exhibit.Label(
        "conv-bias-gradient-forgotten", "the gradient of the bias stays zero",
        symptom: "none behind batch normalization, where it is zero anyway")
    ) { $0.gradients.bias = $0.gradients.bias.map { Tensor(zeros: $0.shape) } },
    .init(
      Exhibit.Label(
        "conv-bias-first-pixel", "the gradient of the bias sums over the images, not over their pixels",
        symptom: "the bias learns hundreds of times too slowly")
    ) { pass in
      let dy = pass.outputGradient
      var bias = Tensor<Double>(zeros: [dy.shape[3]])
      for n in 0..<dy.shape[0] { for c in 0..<dy.shape[3] { bias[c] += dy[n, 0, 0, c] } }
      pass.gradients.bias = bias
    },
  ]

  static var convolutionExhibits: [Exhibit] {
    var generator = RandomGenerator(seed: 1)
    let square = Conv2D<Double>(3, 3, kernel: 3, bias: true, using: &generator)
    let strided = Conv2D<Double>(3, 4, kernel: 3, stride: 2, using: &generator)
    let sparse = Conv2D<Double>(3, 4, kernel: 1, stride: 2, using: &generator)
    return convolution.map { mistake in
      switch mistake.label.name {
      case "conv-stride-forgotten": Exhibit("Convolution", mistake, on: strided, [1, 6, 5, 3])
      case "conv-unread-pixels-not-zeroed": Exhibit("Convolution", mistake, on: sparse, [2, 5, 4, 3])
      default: Exhibit("Convolution", mistake, on: square, [2, 4, 5, 3])
      }
    }
  }
}

extension BackwardPass where Base == Conv2D<Double> {
  /// The input gradient of the same convolution with other weights.
  fileprivate func inputGradient(with weight: Tensor<Double>) -> Tensor<Double> {
    Conv2D(weight: weight, stride: layer.stride, padding: layer.padding).backward(outputGradient, cache).inputGradient
  }
}

// MARK: - Batch normalization

extension Museum {
  /// Mistakes in the backward pass of batch normalization.
  public static let normalization: [BackwardMistake<BatchNorm2D<Double>>] = [
    .init(
      Exhibit.Label(
        "bn-statistics-are-constants", "dx = γ r dy: mean and variance are taken for constants",
        symptom: "training is unstable at rates that should do")
    ) { $0.inputGradient += $0.meanTerm + $0.varianceTerm },
    .init(
      Exhibit.Label(
        "bn-no-mean-term", "the way through the mean is forgotten", symptom: "Σ dx is not zero")
    ) { $0.inputGradient += $0.meanTerm },
    .init(
      Exhibit.Label(
        "bn-no-variance-term", "the way through the variance is forgotten", symptom: "Σ dx x̂ is not zero")
    ) { $0.inputGradient += $0.varianceTerm },
    .init(
      Exhibit.Label(
        "bn-mean-term-again", "something is added to the gradient of the mean after it was complete",
        symptom: "hardly any where m is large", seen: issue("apache/mxnet", 1053))
    ) { $0.inputGradient -= $0.meanTerm * (1 / Double($0.cache.input.count / $0.layer.channels)) },
    .init(
      Exhibit.Label(
        "bn-variance-term-twice", "a stray 2 in the gradient of the variance",
        symptom: "none with an output gradient of ones")
    ) { $0.inputGradient -= $0.varianceTerm },
    .init(
      Exhibit.Label(
        "bn-sums-for-means", "dβ and dγ enter dx undivided by m", symptom: "gradients hundreds of times too large")
    ) { pass in
      let m = Double(pass.cache.input.count / pass.layer.channels)
      pass.inputGradient -= (m - 1) * (pass.meanTerm + pass.varianceTerm)
    },
    .init(
      Exhibit.Label(
        "bn-no-scale", "dx lacks its factor γ", symptom: "none while γ is 1, as it is at the start",
        seen: issue("denizyuret/Knet.jl", 288))
    ) { pass in
      let right = pass.inputGradient
      right.forEachPosition { pass.inputGradient[$0] = right[$0] / pass.layer.parameters.scale[$0[3]] }
    },
    .init(
      Exhibit.Label(
        "bn-input-for-normalized", "dγ = Σ dy x where x̂ belongs", symptom: "none on inputs that happen to be normalized"
      )
    ) { pass in
      var sums = Tensor<Double>(zeros: [pass.layer.channels])
      pass.input.forEachPosition { sums[$0[3]] += pass.outputGradient[$0] * pass.input[$0] }
      pass.gradients.scale = sums
    },
    .init(
      Exhibit.Label("bn-means-for-sums", "dγ and dβ are means over the pixels", symptom: "γ and β hardly move")
    ) { pass in
      let m = Double(pass.cache.input.count / pass.layer.channels)
      pass.gradients.scale = pass.gradients.scale / m
      pass.gradients.shift = pass.gradients.shift / m
    },
  ]

  static var normalizationExhibits: [Exhibit] {
    let layer = BatchNorm2D<Double>(channels: 3)
    let room = "Batch normalization"
    return normalization.map { Exhibit(room, $0, on: layer, [2, 3, 4, 3]) } + [
      Exhibit(
        room,
        .init(
          "bn-biased-running-variance", "the running variance takes the batch's biased one",
          symptom: "inference differs a little from training, more so for small maps and batches",
          seen: issue("tenstorrent/tt-metal", 55438)),
        law: "a batch of four pixels with variance 9 moves the running variance to 12"
      ) { isWrong in
        var bn = BatchNorm2D<Double>(channels: 1)
        let (_, cache) = bn.forward(Tensor([1, 2, 2, 1], [1, 3, 3, 9]))
        if isWrong { bn.running = cache.batch } else { bn.track(cache, rate: 1) }
        return abs(bn.running.variance[0] - 12) < 1e-12
      },
      Exhibit(
        room,
        .init(
          "bn-statistics-not-tracked", "the running statistics stay at 0 and 1",
          symptom: "training is fine, inference is guessing", seen: issue("facebookresearch/higher", 55)),
        law: "after many equal batches, inference says what training says"
      ) { isWrong in
        var bn = BatchNorm2D<Double>(channels: 1)
        let batch = Tensor<Double>([1, 1, 500, 1], (0..<500).map { Double($0 % 10) + 40 })
        for _ in 0..<200 where !isWrong { bn.track(bn.forward(batch).cache, rate: 0.1) }
        return abs((bn(batch) - bn.forward(batch).output).maximum) < 0.01
      },
      Exhibit(
        room,
        .init(
          "bn-rate-of-another-library", "a rate that weighs the old value is used as one that weighs the new",
          symptom: "inference depends on the last batch alone", seen: issue("kazuto1011/deeplab-pytorch", 79)),
        law: "one odd batch after many moves the running mean by a tenth of the way"
      ) { isWrong in
        var bn = BatchNorm2D<Double>(channels: 1)
        bn.track(bn.forward(Tensor([1, 1, 4, 1], [9, 11, 9, 11])).cache, rate: isWrong ? 0.9 : 0.1)
        return abs(bn.running.mean[0] - 1) < 1e-12
      },
      Exhibit(
        room,
        .init(
          "bn-variance-as-difference-of-squares", "variance as E[x²] − E[x]² in Float",
          symptom: "NaN or noise in channels whose mean is large"),
        law: "adding 4,096 to all pixels changes no variance"
      ) { isWrong in
        let pixels: [Float] = [4095, 4097, 4095, 4097]
        let bn = BatchNorm2D<Float>(channels: 1)
        let right = bn.statistics(of: Tensor([1, 2, 2, 1], pixels)).variance[0]
        let mean = pixels.reduce(0, +) / 4
        let wrong = pixels.reduce(0) { $0 + $1 * $1 } / 4 - mean * mean
        return (isWrong ? wrong : right) == 1
      },
      Exhibit(
        room,
        .init(
          "bn-batch-statistics-at-test-time", "inference normalizes with the batch that it is given",
          symptom: "accuracy depends on the batch size; a batch of one is guessing",
          seen: issue("itayhubara/BinaryNet.tf", 9)),
        law: "an image's output does not depend on the other images"
      ) { isWrong in
        var generator = RandomGenerator(seed: 4)
        let bn = BatchNorm2D<Double>(channels: 2)
        let images = Tensor<Double>(normal: [3, 2, 2, 2], using: &generator)
        func infer(_ x: Tensor<Double>) -> Tensor<Double> { isWrong ? bn.forward(x).output : bn(x) }
        return infer(images).slice(0..<1) == infer(images.slice(0..<1))
      },
    ]
  }
}

extension BackwardPass where Base == BatchNorm2D<Double> {
  /// What equation (8) of batch normalization takes away for the mean: γ r dβ/m.
  fileprivate var meanTerm: Tensor<Double> { term { _ in 1 } }

  /// What it takes away for the variance: γ r x̂ dγ/m.
  fileprivate var varianceTerm: Tensor<Double> { term { $0 } }

  /// γ r f Σ dy f / m, with f a function of x̂.
  private func term(_ f: (Double) -> Double) -> Tensor<Double> {
    var factors = input
    var sums = Tensor<Double>(zeros: [layer.channels])
    input.forEachPosition { p in
      factors[p] = f((input[p] - cache.batch.mean[p[3]]) * cache.inverseDeviation[p[3]])
      sums[p[3]] += outputGradient[p] * factors[p]
    }
    let m = Double(input.count / layer.channels)
    var result = input
    input.forEachPosition { p in
      result[p] = layer.parameters.scale[p[3]] * cache.inverseDeviation[p[3]] * factors[p] * sums[p[3]] / m
    }
    return result
  }
}

// MARK: - ReLU

extension Museum {
  /// Mistakes in the backward pass of a ReLU.
  public static let activation: [BackwardMistake<ReLU<Double>>] = [
    .init(
      Exhibit.Label("relu-no-mask", "the gradient passes where the output is zero", symptom: "training goes on, worse")
    ) { $0.inputGradient = $0.outputGradient },
    .init(
      Exhibit.Label(
        "relu-masks-by-gradient", "what is negative in the gradient is cut off, not what was negative in the input",
        symptom: "everything learns in one direction")
    ) { $0.inputGradient = ReLU()($0.outputGradient) },
    .init(
      Exhibit.Label(
        "relu-multiplies-by-output", "dx = dy y: the mask is not made into 0 and 1",
        symptom: "layers with small outputs stop learning")
    ) { pass in pass.inputGradient = pass.outputGradient * pass.cache.output },
  ]

  static var activationExhibits: [Exhibit] {
    activation.map { Exhibit("ReLU", $0, on: ReLU(), [3, 7]) }
  }
}

// MARK: - Pooling

extension Museum {
  /// Mistakes in the backward pass of a max-pool.
  public static let maxPooling: [BackwardMistake<MaxPool2D<Double>>] = [
    .init(
      Exhibit.Label(
        "max-pool-overwrites", "`=` for `+=`: of the windows that a pixel wins, the last one counts",
        symptom: "right where windows do not overlap, as in most tests", seen: issue("FluxML/NNlib.jl", 205))
    ) { pass in
      let (x, y, dy) = (pass.cache.input, pass.cache.output, pass.outputGradient)
      for i in 0..<x.count where pass.inputGradient[flat: i] != 0 {
        pass.inputGradient[flat: i] = dy[flat: (0..<y.count).last { y[flat: $0] == x[flat: i] }!]
      }
    },
    .init(
      Exhibit.Label(
        "max-pool-returns-early", "`return` inside the loop: only the first image has a gradient",
        symptom: "the model as it is still converges", seen: issue("riccardoandreoni0/CNN-from-scratch", 1))
    ) { pass in
      pass.inputGradient.forEachPosition { if $0[0] > 0 { pass.inputGradient[$0] = 0 } }
    },
  ]

  /// Mistakes in the backward pass of a global average pool.
  public static let averagePooling: [BackwardMistake<GlobalAveragePool<Double>>] = [
    .init(
      Exhibit.Label(
        "average-pool-no-division", "each pixel gets all of the gradient",
        symptom: "a learning rate that is H·W times too large")
    ) { pass in
      let shape = pass.input.shape
      pass.inputGradient = pass.inputGradient * Double(shape[1] * shape[2])
    }
  ]

  static var poolingExhibits: [Exhibit] {
    maxPooling.map { Exhibit("Pooling", $0, on: MaxPool2D(window: 3, stride: 1), [2, 5, 5, 2]) }
      + averagePooling.map { Exhibit("Pooling", $0, on: GlobalAveragePool(), [2, 3, 2, 4]) } + [
        Exhibit(
          "Pooling",
          .init(
            "max-pool-ties", "every pixel that equals the maximum takes the whole gradient",
            symptom: "none on random numbers; on flat images the gradient is too large",
            seen: issue("Theano/Theano", 4568)),
          law: "each output hands on its gradient once: Σ dx = Σ dy, on a flat image too"
        ) { isWrong in
          let pool = MaxPool2D<Double>(window: 2, stride: 2)
          let (output, cache) = pool.forward(Tensor([1, 2, 2, 1], repeating: 1))
          let right = pool.backward(Tensor(output.shape, repeating: 1), cache).inputGradient
          let wrong = Tensor<Double>([1, 2, 2, 1], cache.input.elements.map { $0 == output[flat: 0] ? 1 : 0 })
          return (isWrong ? wrong : right).sum == 1
        }
      ]
  }
}

// MARK: - Linear

extension Museum {
  /// Mistakes in the backward pass of a linear layer.
  public static let linear: [BackwardMistake<Linear<Double>>] = [
    .init(
      Exhibit.Label(
        "linear-not-transposed", "dx = dy W where dy Wᵀ belongs", symptom: "no crash where the matrix is square")
    ) { pass in
      let swapped = pass.layer.parameters.weight.moved { [$0[1], $0[0]] }
      let wrong = Linear(weight: swapped, bias: pass.layer.parameters.bias)
      pass.inputGradient = wrong.backward(pass.outputGradient, pass.cache).inputGradient
    },
    .init(
      Exhibit.Label(
        "linear-bias-mean", "the gradient of the bias is a mean over the batch", symptom: "the bias lags behind")
    ) { $0.gradients.bias = $0.gradients.bias / Double($0.input.shape[0]) },
    .init(
      Exhibit.Label(
        "linear-weight-transposed", "dW = dyᵀ x: the gradient of the transposed matrix",
        symptom: "no crash where the matrix is square")
    ) { $0.gradients.weight = $0.gradients.weight.moved { [$0[1], $0[0]] } },
  ]

  static var linearExhibits: [Exhibit] {
    var generator = RandomGenerator(seed: 1)
    let layer = Linear<Double>(4, 4, deviation: 1, using: &generator)
    return linear.map { Exhibit("Linear layer", $0, on: layer, [3, 4]) }
  }
}

// MARK: - Tensors, element by element

extension Tensor<Double> {
  /// The element at a position.
  subscript(_ position: [Int]) -> Double {
    get { self[flat: flatIndex(of: position)] }
    set { self[flat: flatIndex(of: position)] = newValue }
  }

  private func flatIndex(of position: [Int]) -> Int {
    zip(position, shape.sizes).reduce(0) { $0 * $1.1 + $1.0 }
  }

  /// Visits every position in row-major order.
  func forEachPosition(_ body: ([Int]) -> Void) {
    for flat in 0..<count {
      var (left, position) = (flat, [Int](repeating: 0, count: shape.rank))
      for axis in (0..<shape.rank).reversed() {
        (left, position[axis]) = left.quotientAndRemainder(dividingBy: shape[axis])
      }
      body(position)
    }
  }

  /// The tensor of the same shape whose element at `p` is this one's at `source(p)`.
  func moved(_ source: ([Int]) -> [Int]) -> Tensor {
    var result = self
    forEachPosition { result[$0] = self[source($0)] }
    return result
  }
}
