import Testing

@testable import ResidualKernels

@Suite struct WinogradTests {
  /// Sizes that are and are not multiples of a tile, all paddings, groups of images and bands of rows; channels for
  /// both orders of the work, more than one block of them, and an odd number of vectors.
  static let shapes: [ConvolutionShape] = {
    var shapes: [ConvolutionShape] = []
    for (height, width) in [(5, 7), (9, 6), (4, 4), (3, 3), (1, 1), (7, 7), (14, 14)] {
      for padding in 0...2 where min(height, width) + 2 * padding >= 3 {
        for (batch, inputs, outputs) in [(1, 32, 48), (2, 16, 16), (2, 16, 144), (17, 16, 32)] {
          shapes.append(
            ConvolutionShape(
              batch: batch, height: height, width: width, inputChannels: inputs, outputChannels: outputs,
              kernelHeight: 3, kernelWidth: 3, stride: 1, padding: padding))
        }
      }
    }
    return shapes + [shape(batch: 1, size: 7, channels: 144), shape(batch: 1, size: 23, channels: 16)]
  }()

  /// A square convolution padded by 1.
  static func shape(batch: Int, size: Int, channels: Int, kernel: Int = 3, stride: Int = 1) -> ConvolutionShape {
    ConvolutionShape(
      batch: batch, height: size, width: size, inputChannels: channels, outputChannels: channels,
      kernelHeight: kernel, kernelWidth: kernel, stride: stride, padding: 1)
  }

  // Against the definition in Double, relative to the largest result. Direct sums of 9 · 16 to 9 · 144 products are off
  // by 4e-7 to 6e-7 in Float; the transforms add and subtract before the products are summed, which costs up to another
  // factor of 4. The bounds are about twice the largest error of these shapes.

  @Test func `Winograd's convolution equals its definition in Double`() {
    for (i, shape) in Self.shapes.enumerated() {
      let errors = Self.errors(shape, Double.self, seed: i)
      #expect(errors.max()! <= 1e-14, "\(errors) of \(shape)")
    }
  }

  @Test func `Winograd's convolution equals its definition in Float`() {
    for (i, shape) in Self.shapes.enumerated() {
      let errors = Self.errors(shape, Float.self, seed: i)
      #expect(errors.max()! <= 5e-6, "\(errors) of \(shape)")
    }
  }

  @Test func `Any number of threads gives the same bits`() {
    let threads = Parallel.threads
    defer { Parallel.threads = threads }
    // Groups of images, bands of rows, and an image a group.
    for (batch, size, channels) in [(33, 8, 32), (1, 23, 16), (3, 7, 144)] {
      let shape = Self.shape(batch: batch, size: size, channels: channels)
      let input: Storage<Float> = numbers(shape.inputCount, seed: 1)
      let weight: Storage<Float> = numbers(shape.weightCount, seed: 2)
      let gradient: Storage<Float> = numbers(shape.outputCount, seed: 3)
      let all = [1, 2, 3].map { count in
        Parallel.threads = count
        return Self.results(shape, input: input, weight: weight, gradient: gradient).map { $0.array(0..<$0.count) }
      }
      #expect(all[0] == all[1], "2 threads, \(shape)")
      #expect(all[0] == all[2], "3 threads, \(shape)")
    }
  }

  @Test func `Only 3x3 kernels at stride 1 with whole vectors of channels are admitted`() {
    #expect(Self.shape(batch: 2, size: 9, channels: 16).admitsWinograd(Float.self))
    #expect(Self.shape(batch: 2, size: 9, channels: Double.lanes).admitsWinograd(Double.self))
    #expect(!Self.shape(batch: 2, size: 9, channels: Float.lanes / 2).admitsWinograd(Float.self))
    #expect(!Self.shape(batch: 2, size: 9, channels: 16, kernel: 1).admitsWinograd(Float.self))
    #expect(!Self.shape(batch: 2, size: 9, channels: 16, stride: 2).admitsWinograd(Float.self))
    var padded = Self.shape(batch: 2, size: 9, channels: 16)
    padded.padding = 3
    #expect(!padded.admitsWinograd(Float.self))
  }

  @Test func `Gradients of other convolutions are refused`() async {
    await #expect(processExitsWith: .failure) {
      let shape = WinogradTests.shape(batch: 1, size: 9, channels: 16, stride: 2)
      let numbers = [shape.outputCount, shape.weightCount, shape.inputCount].map {
        Storage<Float>(repeating: 1, count: $0)
      }
      Kernels.winogradConvolutionInputGradient(
        shape, outputGradient: numbers[0], weight: numbers[1], inputGradient: numbers[2])
    }
  }

  @Test func `Winograd is chosen for the layers of the paper, not for a few pixels`() {
    for (size, channels) in [(32, 16), (16, 32), (8, 64), (56, 64), (28, 128), (14, 256), (7, 512)] {
      #expect(Self.shape(batch: 1, size: size, channels: channels).favorsWinograd(Float.self), "\(size), \(channels)")
      #expect(Self.shape(batch: 8, size: size, channels: channels).favorsWinograd(Float.self), "\(size), \(channels)")
    }
    #expect(!Self.shape(batch: 1, size: 4, channels: 64).favorsWinograd(Float.self))
    #expect(!Self.shape(batch: 64, size: 1, channels: 64).favorsWinograd(Float.self))
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
