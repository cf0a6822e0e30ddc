import Foundation
import ResidualKernels
import ResidualLearning

extension Command {
  static let bench = Command(
    name: "bench",
    summary: "measures speed beside the machine's peak",
    description:
      "Measures images/s and GFLOP/s of a training step, of inference, or of the network's convolutions one by "
      + "one, beside the peak of this machine. Every kernel is compared with its reference before it is timed.",
    positionals: [.mode],
    options: [.network, .shortcut, .batch, .threads, .repeats, .kernels, .convolution, .blocks, .json]
  ) { arguments in
    arguments.applyMachineOptions()
    let architecture = try Architecture.named(arguments[.network], shortcut: arguments[.shortcut])
    let bench = Bench(
      architecture: architecture, mode: arguments[.mode], batch: arguments[.batch], repeats: arguments[.repeats])
    var generator = RandomGenerator(seed: 1)
    let network = architecture.network(fused: arguments[.blocks] == .fused, using: &generator)
    try bench.run(network, Output(json: arguments[.json]))
  }
}

/// Measurements of one network.
private struct Bench {
  let architecture: Architecture
  let mode: BenchMode
  let batch: Int
  let repeats: Int

  func run<Network: ImageClassifier<Float>>(_ network: Network, _ output: Output) throws {
    let peak = Kernels.peakGigaflops(Float.self)
    output.line(
      "\(architecture.name), batch \(batch), \(Parallel.threads) threads; the machine's peak is \(fixed(peak, 0)) GFLOP/s"
    )
    if mode != .kernels {
      for (shape, _) in Summary(architecture).convolutions(batch: 1) {
        for kernel in Kernel.allCases { _ = try check(kernel, shape) }
      }
    }
    let (seconds, operations) =
      switch mode {
      case .train: try trainingSteps(network, output)
      case .infer: inferences(network)
      case .kernels: try kernels(output, peak: peak)
      }
    let median = seconds.sorted()[seconds.count / 2]
    let best = seconds.min()!
    let rate = operations / median / 1e9
    output.line(
      "\(grouped(Int((Double(batch) / median).rounded()))) images/s (best \(grouped(Int((Double(batch) / best).rounded())))), "
        + "\(fixed(rate, 1)) GFLOP/s of direct convolution, \(percent(rate / peak)) of the peak, "
        + "at most \(grouped(peakMemoryBytes >> 20)) MB")
    output.json([
      "network": .string(architecture.name), "mode": .string(mode.rawValue), "batch": .int(batch),
      "threads": .int(Parallel.threads), "imagesPerSecondMedian": .double(Double(batch) / median),
      "imagesPerSecondBest": .double(Double(batch) / best), "peakGFLOPS": .double(peak),
      "effectiveGFLOPS": .double(rate), "peakMemoryBytes": .int(peakMemoryBytes),
    ])
  }

  /// Multiplications and additions of a forward pass over the batch.
  private var forwardOperations: Double { 2 * Double(Summary(architecture).multiplyAdds) * Double(batch) }

  /// Random images and labels.
  private func data() -> (images: Tensor<Float>, labels: [Int]) {
    var generator = RandomGenerator(seed: 2)
    let size = architecture.imageSize
    let images = Tensor<Float>(uniform: [batch, size, size, 3], from: -1, using: &generator)
    return (images, (0..<batch).map { $0 % architecture.classes })
  }

  // MARK: - Whole network

  /// Seconds of each training step, and its operations: the gradients by inputs and by weights cost one forward pass each.
  private func trainingSteps<Network: ImageClassifier<Float>>(
    _ network: Network, _ output: Output
  ) throws -> ([Double], Double) {
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
    var table = Table(.left("part"), .right("ms"), .right("share"))
    let medians = parts.map { $0.sorted()[$0.count / 2] }
    for (name, time) in zip(["forward", "backward", "optimiser", "running statistics"], medians) {
      table.row(name, fixed(1000 * time, 2), percent(time / medians.reduce(0, +)))
    }
    output.line(table.text)
    return ((0..<repeats).map { i in parts.reduce(0) { $0 + $1[i] } }, 3 * forwardOperations)
  }

  private func inferences<Network: ImageClassifier<Float>>(_ network: Network) -> ([Double], Double) {
    let (images, _) = data()
    return (timed { _ = network(images) }, forwardOperations)
  }

  /// The seconds that each call takes, after two that do not count.
  private func timed(_ body: () -> Void) -> [Double] {
    (0..<repeats + 2).map { _ in
      let start = ProgressLine.now
      body()
      return ProgressLine.now - start
    }.suffix(repeats)
  }

  // MARK: - Kernels

  /// A table of every shape of convolution in the network. Its time is the sum over all convolutions, three kernels each.
  private func kernels(_ output: Output, peak: Double) throws -> ([Double], Double) {
    var table = Table(
      .left("convolution"), .right("times"), .left("kernel"), .left("by"), .right("error"), .right("ms"),
      .right("images/s"), .right("GFLOP/s"), .right("of peak"))
    var total = [Double](repeating: 0, count: repeats)
    var operations = 0.0
    for (shape, count) in Summary(architecture).convolutions(batch: batch) {
      for kernel in Kernel.allCases {
        let error = try check(kernel, shape)
        let seconds = timed(kernel.prepared(shape))
        let median = seconds.sorted()[seconds.count / 2]
        let rate = 2 * Double(shape.multiplyAdds) / median / 1e9
        let weight = shape.weightCount / shape.inputChannels / shape.outputChannels
        table.row(
          "\(shape.height)x\(shape.width)x\(shape.inputChannels) to \(shape.outputChannels), "
            + "\(weight == 1 ? "1x1" : "\(shape.kernelHeight)x\(shape.kernelWidth)"), stride \(shape.stride)",
          "\(count)", kernel.rawValue, Kernels.usesWinograd(shape, Float.self) ? "Winograd" : "direct",
          String(format: "%.0e", error), fixed(1000 * median, 2), grouped(Int(Double(batch) / median)), fixed(rate, 1),
          percent(rate / peak))
        for i in 0..<repeats { total[i] += Double(count) * seconds[i] }
        operations += 2 * Double(count * shape.multiplyAdds)
      }
    }
    output.line(table.text)
    return (total, operations)
  }

  /// How far a kernel is from its reference; more than rounding explains ends the command.
  private func check(_ kernel: Kernel, _ shape: ConvolutionShape) throws -> Double {
    let error = kernel.error(shape)
    guard error < 1e-4 else {
      throw InputError("the \(kernel.rawValue) of \(shape) differs from its reference by \(brief(error))")
    }
    return error
  }

  private enum Kernel: String, CaseIterable {
    case forward
    case inputGradient = "input gradient"
    case weightGradient = "weight gradient"

    /// The kernel on random tensors, ready to be called.
    func prepared(_ shape: ConvolutionShape, reference: Bool = false, into result: Storage<Float>? = nil) -> () -> Void
    {
      let input = Self.random(shape.inputCount, seed: 3)
      let weight = Self.random(shape.weightCount, seed: 4)
      let gradient = Self.random(shape.outputCount, seed: 5)
      let result = result ?? Storage(uninitialized: resultCount(shape))
      let implementation: Kernels.Implementation = reference ? .reference : .fast
      return {
        let before = Kernels.implementation
        Kernels.implementation = implementation
        defer { Kernels.implementation = before }
        switch self {
        case .forward: Kernels.convolution(shape, input: input, weight: weight, output: result)
        case .inputGradient:
          Kernels.convolutionInputGradient(shape, outputGradient: gradient, weight: weight, inputGradient: result)
        case .weightGradient:
          Kernels.convolutionWeightGradient(shape, input: input, outputGradient: gradient, weightGradient: result)
        }
      }
    }

    /// The largest difference from the reference, relative to the largest result, over one image.
    func error(_ shape: ConvolutionShape) -> Double {
      var shape = shape
      shape.batch = 1
      let results = [false, true].map { isReference in
        let result = Storage<Float>(uninitialized: resultCount(shape))
        prepared(shape, reference: isReference, into: result)()
        return Tensor(result.array(0..<result.count))
      }
      let difference = results[0] - results[1]
      let largest = max(results[1].maximum, -results[1].minimum)
      return Double(max(difference.maximum, -difference.minimum) / largest)
    }

    private func resultCount(_ shape: ConvolutionShape) -> Int {
      switch self {
      case .forward: shape.outputCount
      case .inputGradient: shape.inputCount
      case .weightGradient: shape.weightCount
      }
    }

    private static func random(_ count: Int, seed: UInt64) -> Storage<Float> {
      var generator = RandomGenerator(seed: seed)
      return Storage((0..<count).map { _ in Float(generator.uniform(-1, 1)) })
    }
  }
}

/// The most memory that this process had at once, in bytes.
private var peakMemoryBytes: Int {
  var usage = rusage()
  unsafe getrusage(0, &usage)  // 0: this process. RUSAGE_SELF has another type on each system.
  #if os(Linux)
    return Int(usage.ru_maxrss) << 10
  #else
    return Int(usage.ru_maxrss)
  #endif
}
