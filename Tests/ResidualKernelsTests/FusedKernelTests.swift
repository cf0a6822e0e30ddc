import Testing

@testable import ResidualKernels

@Suite struct FusedKernelTests {
  /// Direct and Winograd's convolutions, strides, groups of several images and batches that they do not divide;
  /// channels that fill vectors of both kinds of numbers.
  static let shapes: [ConvolutionShape] = [
    (19, 6, 5, 16, 32, 3, 1), (3, 9, 7, 32, 16, 3, 1), (1, 16, 16, 16, 16, 3, 1), (5, 7, 8, 16, 32, 3, 2),
    (4, 5, 6, 32, 48, 1, 1), (2, 8, 7, 16, 64, 1, 2),
  ].map { batch, height, width, inputs, outputs, kernel, stride in
    ConvolutionShape(
      batch: batch, height: height, width: width, inputChannels: inputs, outputChannels: outputs,
      kernelHeight: kernel, kernelWidth: kernel, stride: stride, padding: kernel / 2)
  }

  @Test(arguments: shapes.indices) func `Fused kernels give what pass after pass gives`(shape: Int) {
    compare(Self.shapes[shape], Double.self, tolerance: 1e-13)
    compare(Self.shapes[shape], Float.self, tolerance: 1e-5)
  }

  private func compare<Scalar: Element>(_ shape: ConvolutionShape, _: Scalar.Type, tolerance: Double) {
    let kernels = FusedCase<Scalar>(shape)
    for (i, (fast, plain)) in zip(kernels.results(of: .fast), kernels.results(of: .reference)).enumerated() {
      #expect(relativeError(fast, plain) <= tolerance, "result \(i) of \(shape)")
    }
  }
}

/// Random tensors for the fused kernels of one convolution.
struct FusedCase<Scalar: Element> {
  private let shape: ConvolutionShape

  init(_ shape: ConvolutionShape) { self.shape = shape }

  /// All outputs of all fused kernels, of the version that `Kernels.implementation` asks for or of the reference.
  func results(of version: Kernels.Implementation) -> [Storage<Scalar>] {
    let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
    let x: Storage<Scalar> = numbers(shape.inputCount, seed: 1)
    let weight: Storage<Scalar> = numbers(shape.weightCount, seed: 2)
    let dy: Storage<Scalar> = numbers(shape.outputCount, seed: 3)
    let other: Storage<Scalar> = numbers(shape.outputCount, seed: 4)
    let mean: Storage<Scalar> = numbers(outputs, seed: 5)
    let convolved: Storage<Scalar> = numbers(shape.outputCount, seed: 6)
    let gradient = FusedGradient<Scalar>(
      gradient: dy, input: convolved, a: numbers(outputs, seed: 7), b: numbers(outputs, seed: 8),
      d: numbers(outputs, seed: 9), mean: mean)
    let second: Storage<Scalar> = numbers(shape.inputCount, seed: 10)
    let isFast = version == .fast
    var results: [Storage<Scalar>] = []
    func new(_ count: Int) -> Storage<Scalar> {
      results.append(Storage(repeating: .nan, count: count))
      return results.last!
    }
    for input in [FusedInput(x), FusedInput(x, rectifying: affine(inputs))] {
      (isFast ? Kernels.fusedConvolution : Kernels.referenceFusedConvolution)(
        shape, input, weight, new(shape.outputCount), new(outputs), new(outputs))
      let isTensor = input.affine == nil
      (isFast ? Kernels.fusedConvolutionGradients : Kernels.referenceFusedConvolutionGradients)(
        shape, gradient, input, weight, new(shape.weightCount), new(shape.inputCount), isTensor ? second : nil,
        isTensor ? nil : (new(inputs), new(inputs)))
    }
    (isFast ? Kernels.fusedConvolutionGradients : Kernels.referenceFusedConvolutionGradients)(
      shape, gradient, FusedInput(x), weight, new(shape.weightCount), nil, nil, nil)
    for other in [nil, other] {
      (isFast ? Kernels.normalizeAddRectify : Kernels.referenceNormalizeAddRectify)(
        dy, affine(outputs), other, new(shape.outputCount))
    }
    (isFast ? Kernels.normalizeAddRectifyGradient : Kernels.referenceNormalizeAddRectifyGradient)(
      dy, other, convolved, mean, new(shape.outputCount), new(outputs), new(outputs))
    return results
  }

  /// Scales are powers of two, so that both versions round alike and their ReLUs pass the same elements.
  private func affine(_ channels: Int) -> ChannelAffine<Scalar> {
    ChannelAffine(
      mean: numbers(channels, seed: 11), scale: Storage((0..<channels).map { $0 % 2 == 0 ? 0.5 : -2 }),
      shift: numbers(channels, seed: 12))
  }
}
