import Testing

@testable import ResidualKernels

@Suite struct ConvolutionTests {
  /// Shapes that break symmetry: strides, odd sizes, kernels of 1, 3, 5 and 7, channels that do not fill a vector.
  static let shapes: [ConvolutionShape] = {
    var shapes: [ConvolutionShape] = []
    for (channels, outputs) in [(3, 16), (16, 16), (5, 10), (16, 33), (32, 64), (1, 1), (48, 40)] {
      for (kernelHeight, kernelWidth, stride, padding) in [
        (3, 3, 1, 1), (3, 3, 2, 1), (1, 1, 1, 0), (1, 1, 2, 0), (7, 7, 2, 3), (5, 3, 1, 0), (2, 4, 3, 2), (3, 3, 1, 2),
      ] {
        for (batch, height, width) in [(1, 9, 7), (2, 8, 8), (17, 5, 11)] {
          guard height + 2 * padding >= kernelHeight, width + 2 * padding >= kernelWidth else { continue }
          shapes.append(
            ConvolutionShape(
              batch: batch, height: height, width: width, inputChannels: channels, outputChannels: outputs,
              kernelHeight: kernelHeight, kernelWidth: kernelWidth, stride: stride, padding: padding))
        }
      }
    }
    return shapes
  }()

  @Test func `The fast convolution equals its definition in Double`() {
    for (i, shape) in Self.shapes.enumerated() { checkAll(shape, Double.self, tolerance: 1e-13, seed: i) }
  }

  @Test func `The fast convolution equals its definition in Float`() {
    for (i, shape) in Self.shapes.enumerated() { checkAll(shape, Float.self, tolerance: 2e-5, seed: i) }
  }

  func checkAll<Scalar: Element>(_ shape: ConvolutionShape, _: Scalar.Type, tolerance: Double, seed: Int) {
    let input: Storage<Scalar> = numbers(shape.inputCount, seed: 3 * seed)
    let weight: Storage<Scalar> = numbers(shape.weightCount, seed: 3 * seed + 1)
    let gradient: Storage<Scalar> = numbers(shape.outputCount, seed: 3 * seed + 2)

    let output = Storage<Scalar>(repeating: .nan, count: shape.outputCount)
    let expectedOutput = Storage<Scalar>(repeating: .nan, count: shape.outputCount)
    Kernels.directConvolution(shape, input: input, weight: weight, output: output)
    Kernels.referenceConvolution(shape, input: input, weight: weight, output: expectedOutput)
    #expect(relativeError(output, expectedOutput) <= tolerance, "output of \(shape)")

    let inputGradient = Storage<Scalar>(repeating: .nan, count: shape.inputCount)
    let expectedInputGradient = Storage<Scalar>(repeating: .nan, count: shape.inputCount)
    Kernels.directConvolutionInputGradient(
      shape, outputGradient: gradient, weight: weight, inputGradient: inputGradient)
    Kernels.referenceConvolutionInputGradient(
      shape, outputGradient: gradient, weight: weight, inputGradient: expectedInputGradient)
    #expect(relativeError(inputGradient, expectedInputGradient) <= tolerance, "inputGradient of \(shape)")

    let weightGradient = Storage<Scalar>(repeating: .nan, count: shape.weightCount)
    let expectedWeightGradient = Storage<Scalar>(repeating: .nan, count: shape.weightCount)
    Kernels.directConvolutionWeightGradient(
      shape, input: input, outputGradient: gradient, weightGradient: weightGradient)
    Kernels.referenceConvolutionWeightGradient(
      shape, input: input, outputGradient: gradient, weightGradient: expectedWeightGradient)
    #expect(relativeError(weightGradient, expectedWeightGradient) <= tolerance, "weightGradient of \(shape)")
  }
}
