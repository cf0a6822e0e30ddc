import Foundation
import ResidualFiles
import ResidualInference
import ResidualKernels
import ResidualLearning

extension Command {
  static let bench = Command(
    name: "bench",
    summary: "measures speed beside the machine's peak",
    description:
      "Measures images/s and GFLOP/s of a training step, of inference, or of the network's convolutions one by "
      + "one, beside the peak of this machine, and beside two bounds that no kernel can beat: the time of the products at "
      + "the peak and that of the convolutions' inputs and outputs at the memory's speed. Before anything is timed, the "
      + "convolutions, and the fused kernels where the blocks are fused, are compared with their plain loops, and a network "
      + "prepared for inference with the network.",
    positionals: [.mode],
    options: [.network, .shortcut, .batch, .threads, .repeats, .kernels, .convolution, .blocks, .json]
  ) { arguments in
    arguments.applyMachineOptions()
    let architecture = try Architecture.named(arguments[.network], shortcut: arguments[.shortcut])
    let bench = Bench(
      architecture: architecture, mode: arguments[.mode], batch: arguments[.batch], repeats: arguments[.repeats],
      isFused: arguments[.blocks] == .fused)
    var generator = RandomGenerator(seed: 1)
    let network = architecture.network(fused: bench.isFused, using: &generator)
    try bench.run(network, Output(json: arguments[.json]))
  }
}

/// What was measured several times.
struct Measurement {
  /// The seconds of each time.
  var seconds: [Double]
  /// The additions and multiplications, each time the same.
  var operations: Double

  /// The seconds in the middle: of an even number of times the longer of the two.
  var median: Double { seconds.median! }
  /// The fewest seconds.
  var best: Double { seconds.min()! }
  /// 10⁹ operations a second, in the middle.
  var gigaflops: Double { operations / median / 1e9 }

  /// Adds what takes place `count` times beside the rest.
  mutating func add(_ other: Measurement, times count: Int) {
    for i in seconds.indices { seconds[i] += Double(count) * other.seconds[i] }
    operations += Double(count) * other.operations
  }

  /// Refuses an error of a kernel, relative to its reference, that rounding cannot explain.
  ///
  /// - Throws: `InputError`.
  static func check(error: Double, of kernel: String) throws {
    guard error < 1e-4 else { throw InputError("the \(kernel) differs from its reference by \(brief(error))") }
  }
}

/// What the machine does at most.
private struct Limits {
  /// 10⁹ operations, and 10⁹ bytes to and from memory, a second.
  let peak = Kernels.peakGigaflops(Float.self)
  let memory = Kernels.memoryGigabytes(Float.self)

  /// The milliseconds that these take at least, as cells of a table: the multiply-adds, as many as the algorithm has, and
  /// the elements that are read or written.
  func cells(multiplyAdds: Int, elements: Int) -> [String] {
    [fixed(2e-6 * Double(multiplyAdds) / peak, 2), fixed(4e-6 * Double(elements) / memory, 2)]
  }

  /// The multiply-adds of a convolution or one of its gradients, by Winograd's algorithm where that is used.
  static func multiplyAdds(_ shape: ConvolutionShape) -> Int {
    guard Kernels.usesWinograd(shape, Float.self) else { return shape.multiplyAdds }
    let tiles = ((shape.outputHeight + 3) / 4) * ((shape.outputWidth + 3) / 4)
    return shape.batch * tiles * 36 * shape.inputChannels * shape.outputChannels
  }
}

/// Measurements of one network.
private struct Bench {
  let architecture: Architecture
  let mode: BenchMode
  let batch: Int
  let repeats: Int
  let isFused: Bool

  func run<Network: ImageClassifier<Float>>(_ network: Network, _ output: Output) throws {
    let limits = Limits()
    StoragePool.shared.trim()
    let peak = limits.peak
    output.line(
      "\(architecture.name), batch \(batch), \(Parallel.threads) threads; the machine's peak is \(fixed(peak, 0)) GFLOP/s, "
        + "its memory's \(fixed(limits.memory, 0)) GB/s")
    if mode == .train {
      for (shape, _) in Summary(architecture).convolutions(batch: 1) {
        let kernels = Kernel.convolutions + (isFused ? Kernel.fused : [])
        for kernel in kernels where kernel.applies(to: shape) { _ = try check(kernel, shape) }
      }
    }
    let measured =
      switch mode {
      case .train: trainingSteps(network, output, limits)
      case .infer: try inferences(network)
      case .kernels: try kernels(output, limits)
      }
    let (speed, best) = (Double(batch) / measured.median, Double(batch) / measured.best)
    output.line(
      "\(grouped(Int(speed.rounded()))) images/s (best \(grouped(Int(best.rounded())))), "
        + "\(fixed(measured.gigaflops, 1)) GFLOP/s of direct convolution, \(percent(measured.gigaflops / peak)) of the peak, "
        + "at most \(grouped(peakMemoryBytes >> 20)) MB")
    output.json([
      "network": .string(architecture.name), "mode": .string(mode.rawValue), "batch": .int(batch),
      "threads": .int(Parallel.threads), "imagesPerSecondMedian": .double(speed), "imagesPerSecondBest": .double(best),
      "peakGFLOPS": .double(peak), "memoryGBS": .double(limits.memory), "effectiveGFLOPS": .double(measured.gigaflops),
      "peakMemoryBytes": .int(peakMemoryBytes),
    ])
  }

  /// The number of multiplications and additions of a forward pass over the batch.
  private var forwardOperations: Double { 2 * Double(Summary(architecture).multiplyAdds) * Double(batch) }

  /// Random images and labels.
  private func data() -> (images: Tensor<Float>, labels: [Int]) {
    var generator = RandomGenerator(seed: 2)
    let size = architecture.imageSize
    let images = Tensor<Float>(uniform: [batch, size, size, 3], from: -1, using: &generator)
    return (images, (0..<batch).map { $0 % architecture.classes })
  }

  // MARK: - Whole network

  /// Training steps. The gradients with respect to inputs and to weights cost as many operations as a forward pass each.
  private func trainingSteps<Network: ImageClassifier<Float>>(
    _ network: Network, _ output: Output, _ limits: Limits
  ) -> Measurement {
    var network = network
    var optimizer = SGD(network.parameters)
    let (images, labels) = data()
    let loss = SoftmaxCrossEntropy<Float>()
    var parts = [[Double]](repeating: [], count: 4)
    for _ in 0..<repeats + 2 {
      var times = [ProgressLine.now]
      let (logits, cache) = network.forward(images)
      let (_, lossCache) = loss.forward(logits, labels: labels)
      times.append(ProgressLine.now)
      let gradients = network.gradients(loss.backward(lossCache), cache)
      times.append(ProgressLine.now)
      optimizer.step(&network.parameters, gradients: gradients, rate: 0.01)
      times.append(ProgressLine.now)
      network.track(cache, rate: 0.1)
      times.append(ProgressLine.now)
      for i in 0..<4 { parts[i].append(times[i + 1] - times[i]) }
    }
    parts = parts.map { Array($0.dropFirst(2)) }  // the first steps get their memory from the system
    var table = Table(.left("part"), .right("ms"), .right("products"), .right("bytes"), .right("share"))
    let medians = parts.map { $0.median! }
    for (i, name) in ["forward", "backward", "optimizer", "running statistics"].enumerated() {
      table.row(
        [name, fixed(1000 * medians[i], 2)] + bounds(i, limits)
          + [percent(medians[i] / medians.reduce(0, +))])
    }
    output.line(table.text)
    return Measurement(
      seconds: (0..<repeats).map { i in parts.reduce(0) { $0 + $1[i] } }, operations: 3 * forwardOperations)
  }

  /// The two bounds of a part of a training step. Forward each convolution reads its input and writes its output; backward
  /// it reads both and the gradient with respect to its output, and writes that with respect to its input, which the first
  /// one need not compute. The optimizer reads gradients, reads and writes weights and velocities.
  private func bounds(_ part: Int, _ limits: Limits) -> [String] {
    let summary = Summary(architecture)
    if part == 2 { return limits.cells(multiplyAdds: 0, elements: 5 * summary.parameters) }
    if part == 3 { return ["", ""] }
    let convolutions = summary.convolutions(batch: batch)
    let shapes = convolutions.flatMap { [ConvolutionShape](repeating: $0.shape, count: $0.count) }
    let multiplyAdds = shapes.map(Limits.multiplyAdds)
    let total = multiplyAdds.reduce(0, +)
    let elements = shapes.reduce(0) { $0 + $1.inputCount + $1.outputCount }
    return part == 0
      ? limits.cells(multiplyAdds: total, elements: elements)
      : limits.cells(multiplyAdds: 2 * total - multiplyAdds[0], elements: 2 * elements - shapes[0].inputCount)
  }

  /// Inference as `predict` and `evaluate` do it. What the prepared network says of an image is compared with what the
  /// network says of it.
  private func inferences<Network: ImageClassifier<Float>>(_ network: Network) throws -> Measurement {
    let (images, _) = data()
    let prepared: any Classifier<Float> = isFused ? network.prepared(batch: batch) : network
    let (found, expected) = (prepared(images.slice(0..<1)), network(images.slice(0..<1)))
    try Measurement.check(
      error: Double((found - expected).largestMagnitude / expected.largestMagnitude), of: "prepared network")
    return Measurement(seconds: timed { _ = prepared(images) }, operations: forwardOperations)
  }

  /// The seconds that each call takes, after two calls that do not count.
  private func timed(_ body: () -> Void) -> [Double] {
    (0..<repeats + 2).map { _ in
      let start = ProgressLine.now
      body()
      return ProgressLine.now - start
    }.suffix(repeats)
  }

  // MARK: - Kernels

  /// Prints a table of every shape of convolution in the network; returns all convolutions with their two gradients.
  private func kernels(_ output: Output, _ limits: Limits) throws -> Measurement {
    var table = Table(
      .left("convolution"), .right("times"), .left("kernel"), .left("by"), .right("error"), .right("ms"),
      .right("products"), .right("bytes"), .right("GFLOP/s"), .right("of peak"))
    var total = Measurement(seconds: [Double](repeating: 0, count: repeats), operations: 0)
    for (shape, count) in Summary(architecture).convolutions(batch: batch) {
      for kernel in Kernel.convolutions {
        let error = try check(kernel, shape)
        let measured = Measurement(
          seconds: timed(kernel.prepared(shape).run), operations: 2 * Double(shape.multiplyAdds))
        let weight = shape.weightCount / shape.inputChannels / shape.outputChannels
        let cells = [
          "\(shape.height)x\(shape.width)x\(shape.inputChannels) to \(shape.outputChannels), "
            + "\(weight == 1 ? "1x1" : "\(shape.kernelHeight)x\(shape.kernelWidth)"), stride \(shape.stride)",
          "\(count)", kernel.rawValue, Kernels.usesWinograd(shape, Float.self) ? "Winograd" : "direct",
          String(format: "%.0e", error), fixed(1000 * measured.median, 2),
        ]
        let bounds = limits.cells(
          multiplyAdds: Limits.multiplyAdds(shape), elements: shape.inputCount + shape.weightCount + shape.outputCount)
        table.row(cells + bounds + [fixed(measured.gigaflops, 1), percent(measured.gigaflops / limits.peak)])
        total.add(measured, times: count)
      }
    }
    output.line(table.text)
    return total
  }

  /// The difference between a kernel and its reference version. If rounding cannot explain it, the command ends.
  private func check(_ kernel: Kernel, _ shape: ConvolutionShape) throws -> Double {
    let error = kernel.error(shape)
    try Measurement.check(error: error, of: "\(kernel.rawValue) of \(shape)")
    return error
  }

  /// The kernels that are compared and, if they are convolutions, timed.
  private enum Kernel: String, CaseIterable {
    case forward
    case inputGradient = "input gradient"
    case weightGradient = "weight gradient"
    case fusedForward = "fused convolution"
    case fusedGradients = "fused gradients"
    case normalizeAddRectify = "normalization, addition and ReLU"
    case normalizeAddRectifyGradient = "gradient of normalization, addition and ReLU"

    static let convolutions = [Kernel.forward, .inputGradient, .weightGradient]
    static let fused = [
      Kernel.fusedForward, .fusedGradients, .normalizeAddRectify, .normalizeAddRectifyGradient,
    ]

    /// Whether the kernel computes this shape: the channels that fused kernels write fill whole vectors.
    func applies(to shape: ConvolutionShape) -> Bool {
      let lanes = Float.Vector.scalarCount
      return Self.convolutions.contains(self)
        || shape.outputChannels.isMultiple(of: lanes)
          && (self != .fusedGradients || shape.inputChannels.isMultiple(of: lanes))
    }

    /// The kernel on random tensors, ready to be called, and the storages that it writes to.
    func prepared(_ shape: ConvolutionShape) -> (run: () -> Void, results: [Storage<Float>]) {
      let input = Self.random(shape.inputCount, seed: 3)
      let weight = Self.random(shape.weightCount, seed: 4)
      let gradient = Self.random(shape.outputCount, seed: 5)
      let (output, inputGradient, weightGradient) = (
        Self.empty(shape.outputCount), Self.empty(shape.inputCount), Self.empty(shape.weightCount)
      )
      let (sum, product) = (Self.empty(shape.outputChannels), Self.empty(shape.outputChannels))
      let affine = Self.affine(shape.outputChannels)
      switch self {
      case .forward:
        return ({ Kernels.convolution(shape, input: input, weight: weight, output: output) }, [output])
      case .inputGradient:
        return (
          {
            Kernels.convolutionInputGradient(
              shape, outputGradient: gradient, weight: weight, inputGradient: inputGradient)
          }, [inputGradient]
        )
      case .weightGradient:
        return (
          {
            Kernels.convolutionWeightGradient(
              shape, input: input, outputGradient: gradient, weightGradient: weightGradient)
          }, [weightGradient]
        )
      case .fusedForward:
        let x = Self.fusedInput(input, shape)
        return (
          { Kernels.fusedConvolution(shape, input: x, weight: weight, output: output, mean: sum, variance: product) },
          [output, sum, product]
        )
      case .fusedGradients:
        let x = Self.fusedInput(input, shape)
        let convolved = Self.random(shape.outputCount, seed: 6)
        let factors = (7..<11).map { Self.random(shape.outputChannels, seed: $0) }
        let dz = FusedGradient(
          gradient: gradient, input: convolved, a: factors[0], b: factors[1], d: factors[2], mean: factors[3])
        let sums = (sum: Self.empty(shape.inputChannels), product: Self.empty(shape.inputChannels))
        return (
          {
            Kernels.fusedConvolutionGradients(
              shape, gradient: dz, input: x, weight: weight, weightGradient: weightGradient,
              inputGradient: inputGradient, sums: sums)
          }, [weightGradient, inputGradient, sums.sum, sums.product]
        )
      case .normalizeAddRectify:
        let other = Self.random(shape.outputCount, seed: 6)
        return ({ Kernels.normalizeAddRectify(gradient, affine: affine, adding: other, output: output) }, [output])
      case .normalizeAddRectifyGradient:
        let (y, x) = (Self.random(shape.outputCount, seed: 6), Self.random(shape.outputCount, seed: 7))
        let mean = Self.random(shape.outputChannels, seed: 8)
        return (
          {
            Kernels.normalizeAddRectifyGradient(
              gradient, output: y, input: x, mean: mean, into: output, sum: sum, product: product)
          }, [output, sum, product]
        )
      }
    }

    /// The largest difference from the reference, relative to the largest element of its tensor, over two images.
    func error(_ shape: ConvolutionShape) -> Double {
      var shape = shape
      shape.batch = 2
      let (run, results) = prepared(shape)
      run()
      let found = results.map { Tensor($0.array(0..<$0.count)) }
      let before = Kernels.implementation
      Kernels.implementation = .reference
      run()
      Kernels.implementation = before
      let expected = results.map { Tensor($0.array(0..<$0.count)) }
      return zip(found, expected).reduce(0) { worst, pair in
        let error = Double((pair.0 - pair.1).largestMagnitude / pair.1.largestMagnitude)
        return error.isNaN ? .infinity : max(worst, error)
      }
    }

    private static func empty(_ count: Int) -> Storage<Float> { Storage(repeating: .nan, count: count) }

    private static func random(_ count: Int, seed: UInt64) -> Storage<Float> {
      var generator = RandomGenerator(seed: seed)
      return Storage((0..<count).map { _ in Float(generator.uniform(-1, 1)) })
    }

    /// What a convolution inside a block reads: the ReLU of a normalization, where the channels fill vectors.
    private static func fusedInput(_ input: Storage<Float>, _ shape: ConvolutionShape) -> FusedInput<Float> {
      let fills = shape.inputChannels.isMultiple(of: Float.Vector.scalarCount)
      return FusedInput(input, rectifying: fills ? affine(shape.inputChannels) : nil)
    }

    /// Scales are powers of two, so that both versions round alike and their ReLUs pass the same elements.
    private static func affine(_ channels: Int) -> ChannelAffine<Float> {
      ChannelAffine(
        mean: random(channels, seed: 11), scale: Storage((0..<channels).map { $0 % 2 == 0 ? 0.5 : -2 }),
        shift: random(channels, seed: 12))
    }
  }
}

/// The largest amount of memory that this process has used at once, in bytes.
private var peakMemoryBytes: Int {
  var usage = rusage()
  unsafe getrusage(0, &usage)  // 0: this process. RUSAGE_SELF has another type on each system.
  #if os(Linux)
    return Int(usage.ru_maxrss) << 10
  #else
    return Int(usage.ru_maxrss)
  #endif
}
