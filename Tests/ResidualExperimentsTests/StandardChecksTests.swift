import ResidualExperiments
import TestSupport
import Testing

@testable import ResidualKernels
@testable import ResidualLearning

@Suite struct StandardChecksTests {
  // Computed once, for the tests of the errors and for that of their bits.
  private static let layers = StandardCheck.layers.map { $0.run(seed: 1) }
  private static let blocks = StandardCheck.blocks.map { $0.run(seed: 1) }
  private static let networks = StandardCheck.networks.map { $0.run(seed: 1) }

  @Test func `Every layer's gradients agree with finite differences to 1e-7`() {
    check(Self.layers, tolerance: 1e-7)
  }

  @Test func `Every shortcut's and block's gradients agree with finite differences to 1e-6`() {
    check(Self.blocks, tolerance: 1e-6)
  }

  @Test func `The command checks all of them`() {
    let names = [Self.layers, Self.blocks, Self.networks].flatMap { $0.map(\.name) }
    #expect(StandardCheck.all.count == 79 && names.count == 79)
    #expect((Self.layers + Self.blocks + Self.networks).reduce(0) { $0 + $1.elements } == 104_514)
  }

  @Test func `Whole networks' gradients agree with finite differences to 1e-6`() {
    check(Self.networks, tolerance: 1e-6)
  }

  // Vectors of another width add in another order.
  #if !NARROW_VECTORS
    @Test func `Every error of the table is the same on every machine, to the bit`() {
      for (results, expected) in [
        (Self.layers, GoldenChecks.layers), (Self.blocks, GoldenChecks.blocks),
        (Self.layers + Self.blocks + Self.networks, GoldenChecks.all),
      ] {
        let found = checksum(results.map(\.worstRelativeError.bitPattern))
        #expect(found == expected, "0x\(String(found, radix: 16))")
      }
    }
  #endif

  /// In processes of their own, for the tests beside them compare bits.
  @Test func `The checks pass through the plain loops too, and through each way to convolve`() async {
    await #expect(processExitsWith: .success) {
      Kernels.implementation = .reference
      StandardChecksTests().check(StandardCheck.layers, tolerance: 1e-7)
    }
    await #expect(processExitsWith: .success) {
      for algorithm in [Kernels.ConvolutionAlgorithm.winograd, .direct] {
        Kernels.convolutionAlgorithm = algorithm
        StandardChecksTests().check(StandardCheck.layers, tolerance: 1e-7)
        StandardChecksTests().check(StandardCheck.blocks, tolerance: 1e-6)
      }
    }
  }

  @Test func `One of the convolutions is Winograd's without being asked for`() {
    let shape = ConvolutionShape(
      batch: 1, height: 8, width: 7, inputChannels: 16, outputChannels: 24, kernelHeight: 3, kernelWidth: 3, padding: 1)
    #expect(shape.favorsWinograd(Double.self))
    let name = "Conv2D 3x3, stride 1, padding 1, to 24, [1, 8, 7, 16]"
    #expect(StandardCheck.layers.contains { $0.name == name })
  }

  @Test func `The fused checks are of blocks that do fuse`() {
    var generator = RandomGenerator(seed: 1)
    for (channels, stride) in [(8, 1), (16, 2)] {
      let block = makeBlock(.basic, 8, width: channels, output: channels, stride: stride, fused: true)
      let (output, cache) = block.forward(Tensor(normal: [2, 5, 4, 8], using: &generator))
      #expect(block.fusedForward(cache.input) != nil, "\(channels) channels")
      #expect(block.fusedBackward(output, cache) != nil, "\(channels) channels")
    }
    #expect(StandardCheck.blocks.count { $0.name.contains(", fused") } == 7)
    #expect(StandardCheck.networks.count { $0.name.contains(", fused") } == 1)
  }

  @Test func `No two checks have one name, and another seed gives other numbers`() {
    #expect(Set(StandardCheck.all.map(\.name)).count == StandardCheck.all.count)
    let check = StandardCheck.layers[0]
    #expect(check.run(seed: 1).worstRelativeError == check.run(seed: 1).worstRelativeError)
    #expect(check.run(seed: 1).worstRelativeError != check.run(seed: 2).worstRelativeError)
  }

  fileprivate func check(_ checks: [StandardCheck], tolerance: Double) {
    check(checks.map { $0.run(seed: 1) }, tolerance: tolerance)
  }

  private func check(_ results: [GradientCheck.Result], tolerance: Double) {
    #expect(!results.isEmpty)
    for result in results {
      #expect(result.passed, "\(result.name): \(result.failure ?? "")")
      #expect(result.elements > 0 && result.worstRelativeError <= tolerance, "\(result.name)")
    }
  }
}
