import ResidualKernels
import Testing

@testable import ResidualLearning

// Vectors of another width add in another order.
#if !NARROW_VECTORS
  /// The bits of short training runs: the same on every machine, for any number of threads. One set of numbers belongs to
  /// builds with fused multiply-adds, one to those without.
  ///
  /// A change that is meant to round otherwise changes them: docs/reproducibility.md says how to take the new ones.
  @Suite struct GoldenTests {
    /// A network, with fused blocks or layer by layer, and its checksums in either kind of build.
    struct Golden: Sendable, CustomTestStringConvertible {
      let network: String
      let shortcut: ShortcutOption
      let isFused: Bool
      let fusedMultiplyAdd, separate: Checksums

      var testDescription: String { "\(network) \(shortcut.rawValue), \(isFused ? "fused" : "layer by layer")" }
    }

    /// After three steps: parameters and running statistics, the gradients of the last step, logits at inference.
    struct Checksums: Equatable, Sendable, CustomStringConvertible {
      let state, gradients, logits: UInt64

      init(_ state: UInt64, _ gradients: UInt64, _ logits: UInt64) {
        (self.state, self.gradients, self.logits) = (state, gradients, logits)
      }

      var description: String {
        "(" + [state, gradients, logits].map { "0x" + String($0, radix: 16) }.joined(separator: ", ") + ")"
      }
    }

    static let golden: [Golden] = [
      ("resnet8", .a), ("resnet8", .b), ("resnet8", .c), ("plain8", .a), ("bottleneck", .b),
    ].flatMap { network, shortcut in
      [true, false].map {
        Golden(
          network: network, shortcut: shortcut, isFused: $0, fusedMultiplyAdd: Checksums(0, 0, 0),
          separate: Checksums(0, 0, 0))
      }
    }

    @Test(arguments: golden) func `Three training steps end with these bits, whatever the number of threads`(
      golden: Golden
    ) throws {
      let before = Parallel.threads
      defer { Parallel.threads = before }
      for threads in 1...3 {
        Parallel.threads = threads
        let found = try train(golden)
        #expect(
          found == (Kernels.fusesMultiplyAdd ? golden.fusedMultiplyAdd : golden.separate), "\(threads) threads: \(found)")
      }
    }

    private func train(_ golden: Golden) throws -> Checksums {
      var architecture =
        golden.network == "bottleneck"
        ? Architecture.imageNet(depth: 50, classes: 10, width: 16) : try .named(golden.network)
      architecture.options.shortcut = golden.shortcut
      if golden.network == "bottleneck" {
        architecture.stages = Array(architecture.stages.prefix(2))
        for i in architecture.stages.indices { architecture.stages[i].blocks = 1 }
      }
      var generator = RandomGenerator(seed: 5)
      let network = architecture.network(fused: golden.isFused, using: &generator)
      return train(network, using: &generator)
    }

    private func train(
      _ network: some ImageClassifier<Float>, using generator: inout RandomGenerator
    ) -> Checksums {
      var network = network
      var optimizer = SGD(network.parameters)
      let loss = SoftmaxCrossEntropy<Float>()
      var gradients = network.parameters
      // Groups of images for Winograd's convolution, the last of them smaller; odd sizes, whose tiles reach over the edge.
      for _ in 0..<3 {
        let images = Tensor<Float>(normal: [18, 17, 14, 3], using: &generator)
        let (logits, cache) = network.forward(images)
        let (_, lossCache) = loss.forward(logits, labels: (0..<18).map { _ in generator.below(10) })
        gradients = network.gradients(loss.backward(lossCache), cache)
        optimizer.step(&network.parameters, gradients: gradients, rate: 0.1)
        network.track(cache, rate: 0.1)
      }
      let logits = network(Tensor(normal: [18, 17, 14, 3], using: &generator))
      #expect(logits.isFinite)
      return Checksums(
        checksum(network.state.map(\.tensor)), checksum(gradients.named.map(\.tensor)), checksum([logits]))
    }

    @Test func `The gradient checks end with these errors, to the bit`() {
      let results = StandardCheck.all.map { $0.run(seed: 1) }
      let found = results.reduce(start) { mixed($0, $1.worstRelativeError.bitPattern) }
      #expect(found == (Kernels.fusesMultiplyAdd ? 0 : 0), "0x\(String(found, radix: 16))")
    }

    // MARK: - FNV-1a, word by word

    private let start: UInt64 = 0xcbf2_9ce4_8422_2325

    private func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 { (hash ^ word) &* 0x100_0000_01b3 }

    private func checksum(_ tensors: [Tensor<Float>]) -> UInt64 {
      tensors.reduce(start) { $1.elements.reduce($0) { mixed($0, UInt64($1.bitPattern)) } }
    }
  }
#endif
