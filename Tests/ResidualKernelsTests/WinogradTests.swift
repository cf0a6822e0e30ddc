import Testing

@testable import ResidualKernels

@Suite(.serialized) struct WinogradTests {
  /// Sizes that are and are not multiples of a tile, all paddings, groups and bands; channels for both orders of the work.
  static let shapes: [ConvolutionShape] = {
    var shapes: [ConvolutionShape] = []
    for (height, width) in [(5, 7), (9, 6), (4, 4), (3, 3), (1, 1), (7, 7), (14, 14)] {
      for padding in 0...2 where height + 2 * padding >= 3 && width + 2 * padding >= 3 {
        for batch in [1, 2, 17] {
          let channels = batch == 2 ? [(16, 16), (48, 32), (16, 144)] : [(32, 48)]
          for (inputs, outputs) in channels {
            shapes.append(
              ConvolutionShape(
                batch: batch, height: height, width: width, inputChannels: inputs, outputChannels: outputs,
                kernelHeight: 3, kernelWidth: 3, stride: 1, padding: padding))
          }
        }
      }
    }
    return shapes
  }()

  @Test func `Winograd's convolution equals its definition in Double`() {
    for (i, shape) in Self.shapes.enumerated() {
      let errors = Self.errors(shape, Double.self, seed: i)
      #expect(errors.max()! <= 1e-13, "\(errors) of \(shape)")
    }
  }

  @Test func `Winograd's convolution equals its definition in Float`() {
    for (i, shape) in Self.shapes.enumerated() {
      let errors = Self.errors(shape, Float.self, seed: i)
      #expect(errors.max()! <= 1e-4, "\(errors) of \(shape)")
    }
  }

  /// The largest error of each kernel, relative to the largest result.
  static func errors<Scalar: Element>(_ shape: ConvolutionShape, _: Scalar.Type, seed: Int) -> [Double] {
    let input: Storage<Scalar> = numbers(shape.inputCount, seed: 3 * seed)
    let weight: Storage<Scalar> = numbers(shape.weightCount, seed: 3 * seed + 1)
    let gradient: Storage<Scalar> = numbers(shape.outputCount, seed: 3 * seed + 2)
    let fast = results(shape, input: input, weight: weight, gradient: gradient)

    // The definition in Double, whose own errors do not count.
    func inDouble(_ x: Storage<Scalar>) -> Storage<Double> { Storage(x.array(0..<x.count).map { Double($0) }) }
    let output = Storage<Double>(uninitialized: shape.outputCount)
    Kernels.referenceConvolution(shape, input: inDouble(input), weight: inDouble(weight), output: output)
    let inputGradient = Storage<Double>(uninitialized: shape.inputCount)
    Kernels.referenceConvolutionInputGradient(
      shape, outputGradient: inDouble(gradient), weight: inDouble(weight), inputGradient: inputGradient)
    let weightGradient = Storage<Double>(uninitialized: shape.weightCount)
    Kernels.referenceConvolutionWeightGradient(
      shape, input: inDouble(input), outputGradient: inDouble(gradient), weightGradient: weightGradient)
    return zip(fast, [output, inputGradient, weightGradient]).map { relativeError(inDouble($0), $1) }
  }

  /// Output, gradient of the input, gradient of the weight.
  static func results<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, weight: Storage<Scalar>, gradient: Storage<Scalar>
  ) -> [Storage<Scalar>] {
    let output = Storage<Scalar>(repeating: .nan, count: shape.outputCount)
    let inputGradient = Storage<Scalar>(repeating: .nan, count: shape.inputCount)
    let weightGradient = Storage<Scalar>(repeating: .nan, count: shape.weightCount)
    Kernels.winogradConvolution(shape, input: input, weight: weight, output: output)
    Kernels.winogradConvolutionInputGradient(
      shape, outputGradient: gradient, weight: weight, inputGradient: inputGradient)
    Kernels.winogradConvolutionWeightGradient(
      shape, input: input, outputGradient: gradient, weightGradient: weightGradient)
    return [output, inputGradient, weightGradient]
  }
}
