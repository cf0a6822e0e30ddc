import Synchronization
import Testing

@testable import ResidualKernels

/// These tests change the number of threads of the whole process, so they run one after the other. Results of tests
/// beside them do not depend on it: that is what these tests are about.
@Suite(.serialized) struct ParallelTests {
  @Test func `Chunks cover all items once, as equal as can be`() {
    for (count, chunks) in [(0, 1), (1, 1), (10, 3), (7, 7), (1000, 64), (5, 8)] {
      let ranges = (0..<chunks).map { Parallel.range(ofChunk: $0, of: chunks, count: count) }
      #expect(ranges.flatMap { Array($0) } == Array(0..<count))
      #expect(ranges.map(\.count).max()! - ranges.map(\.count).min()! <= 1)
    }
  }

  @Test(arguments: [1, 2, 3, 8]) func `Every chunk is worked on once, for any number of threads`(threads: Int) {
    withThreads(threads) {
      let visits = Mutex([Int](repeating: 0, count: 1000))
      Parallel.forEachChunk(1000) { chunk in visits.withLock { $0[chunk] += 1 } }
      #expect(visits.withLock { $0 } == [Int](repeating: 1, count: 1000))
      Parallel.forEachChunk(0) { _ in Issue.record("there is no chunk") }
    }
  }

  @Test func `One, two and three threads give the same bits`() {
    let results = [1, 2, 3].map { threads in withThreads(threads) { everyKernel() } }
    #expect(results[0].count > 10 && results[0].allSatisfy { !$0.isEmpty })
    for (i, expected) in results[0].enumerated() {
      #expect(results[1][i] == expected, "kernel \(i) with 2 threads")
      #expect(results[2][i] == expected, "kernel \(i) with 3 threads")
    }
  }

  /// In a process of its own, for the tests beside it compare bits.
  @Test func `The switch takes every kernel to its plain loops, and results stay the same`() async {
    await #expect(processExitsWith: .success) {
      let fast = ParallelTests().everyKernel()
      Kernels.implementation = .reference
      let reference = ParallelTests().everyKernel()
      for (i, (a, b)) in zip(fast, reference).enumerated() {
        let values = (a.map { Float(bitPattern: $0) }, b.map { Float(bitPattern: $0) })
        #expect(relativeError(Storage(values.0), Storage(values.1)) < 1e-4, "kernel \(i)")
      }
      #expect(fast[0] != reference[0], "the plain loops add in another order, so that some last bit differs")
    }
  }

  private func withThreads<Result>(_ threads: Int, _ body: () -> Result) -> Result {
    let before = Parallel.threads
    Parallel.threads = threads
    defer { Parallel.threads = before }
    return body()
  }

  /// The bits of what each kernel gives, at sizes of many chunks.
  fileprivate func everyKernel() -> [[UInt32]] {
    var results: [[UInt32]] = []
    func keep(_ storage: Storage<Float>) { results.append(storage.array(0..<storage.count).map(\.bitPattern)) }
    for (inputs, outputs, kernel, stride) in [(16, 16, 3, 1), (16, 32, 3, 2), (5, 10, 3, 1), (16, 32, 1, 2)] {
      let shape = ConvolutionShape(
        batch: 19, height: 16, width: 14, inputChannels: inputs, outputChannels: outputs, kernelHeight: kernel,
        kernelWidth: kernel, stride: stride, padding: kernel / 2)
      let input: Storage<Float> = numbers(shape.inputCount, seed: 1)
      let weight: Storage<Float> = numbers(shape.weightCount, seed: 2)
      let gradient: Storage<Float> = numbers(shape.outputCount, seed: 3)
      let output = Storage<Float>(uninitialized: shape.outputCount)
      Kernels.convolution(shape, input: input, weight: weight, output: output)
      keep(output)
      let inputGradient = Storage<Float>(uninitialized: shape.inputCount)
      Kernels.convolutionInputGradient(shape, outputGradient: gradient, weight: weight, inputGradient: inputGradient)
      keep(inputGradient)
      let weightGradient = Storage<Float>(uninitialized: shape.weightCount)
      Kernels.convolutionWeightGradient(
        shape, input: input, outputGradient: gradient, weightGradient: weightGradient)
      keep(weightGradient)
    }
    for channels in [16, 10] {
      let input: Storage<Float> = numbers(20_000 * channels, seed: 4)
      let gradient: Storage<Float> = numbers(input.count, seed: 5)
      let mean = Storage<Float>(uninitialized: channels)
      let variance = Storage<Float>(uninitialized: channels)
      Kernels.channelStatistics(input, channels: channels, mean: mean, variance: variance)
      keep(mean)
      keep(variance)
      let sums = Storage<Float>(uninitialized: channels)
      let products = Storage<Float>(uninitialized: channels)
      Kernels.normalizationSums(
        gradient: gradient, input: input, channels: channels, mean: mean, factor: variance, sums: sums,
        products: products)
      keep(sums)
      keep(products)
      let output = Storage<Float>(uninitialized: input.count)
      Kernels.elementwise(.multiply, input, gradient, into: output)
      keep(output)
      Kernels.normalize(input, channels: channels, mean: mean, scale: variance, shift: mean, output: output)
      keep(output)
      keep(Storage([Float(Kernels.sum(input)), Float(Kernels.dot(input, gradient))]))
      Kernels.addRow(mean, toEachRowOf: input, output: output)
      keep(output)
      Kernels.sumRows(input, into: sums)
      keep(sums)
      Kernels.mask(gradient, wherePositive: input, into: output)
      keep(output)
      Kernels.softmax(input, classes: channels, probabilities: output)
      keep(output)
      keep(
        Storage(Kernels.crossEntropy(input, classes: channels, labels: (0..<20_000).map { $0 % channels })))
      // 20,000 pixels are 10 images of 40 x 50.
      let halved = Storage<Float>(uninitialized: 10 * 20 * 25 * (channels + 5))
      Kernels.subsample(
        input, batch: 10, height: 40, width: 50, channels: channels, stride: 2, front: 3, outputChannels: channels + 5,
        output: halved)
      keep(halved)
      Kernels.addSubsampleGradient(
        halved, batch: 10, height: 40, width: 50, channels: channels, stride: 2, front: 3,
        outputChannels: channels + 5, to: output)
      keep(output)
    }
    let fused = FusedCase<Float>(FusedKernelTests.shapes[0])
    return results + fused.results(of: .fast).map { $0.array(0..<$0.count).map(\.bitPattern) }
  }
}
