import Testing

@testable import ResidualKernels

@Suite struct InferenceConvolutionTests {
  /// Sizes that are and are not multiples of a tile, an odd number of vectors, few and many channels, a last vector that
  /// is not full, strides, kernels of all networks, and so many outputs that their inputs are gathered.
  static let shapes: [ConvolutionShape] = [
    (1, 7, 6, 32, 48, 3, 1), (3, 9, 10, 16, 16, 3, 1), (5, 8, 8, 64, 64, 3, 1), (1, 14, 14, 144, 32, 3, 1),
    (2, 1, 1, 16, 16, 3, 1), (2, 9, 8, 16, 32, 3, 2), (3, 13, 11, 3, 16, 7, 2), (2, 7, 9, 32, 64, 1, 1),
    (2, 7, 9, 32, 64, 1, 2), (3, 1, 1, 64, 10, 1, 1), (2, 9, 7, 16, 128, 3, 2), (1, 5, 6, 16, 144, 3, 1),
  ].map { batch, height, width, inputs, outputs, kernel, stride in
    ConvolutionShape(
      batch: batch, height: height, width: width, inputChannels: inputs, outputChannels: outputs, kernelHeight: kernel,
      kernelWidth: kernel, stride: stride, padding: kernel / 2)
  }

  /// The forms that compute a shape.
  static func forms(_ shape: ConvolutionShape) -> [InferenceConvolution.Form] {
    shape.admitsWinograd(Float.self) ? InferenceConvolution.Form.allCases : [.direct]
  }

  static func affine(_ channels: Int) -> ChannelAffine<Float> {
    ChannelAffine(
      mean: numbers(channels, seed: 3), scale: numbers(channels, seed: 4), shift: numbers(channels, seed: 5))
  }

  /// What every form computes, by the definition in Double: the first `outputChannels` of each pixel.
  static func definition(
    _ shape: ConvolutionShape, _ input: Storage<Float>, _ weight: Storage<Float>, _ other: Storage<Float>?
  ) -> [Double] {
    func double(_ x: Storage<Float>) -> Storage<Double> { Storage(x.array(0..<x.count).map { Double($0) }) }
    let sums = Storage<Double>(repeating: 0, count: shape.outputCount)
    Kernels.referenceConvolution(shape, input: double(input), weight: double(weight), output: sums)
    let (c, affine) = (shape.outputChannels, affine(shape.outputChannels))
    return (0..<shape.outputCount).map { i in
      let scaled = (sums[i] - Double(affine.mean[i % c])) * Double(affine.scale[i % c])
      return max(scaled + Double(affine.shift[i % c]) + Double(other?[i] ?? 0), 0)
    }
  }

  static func run(
    _ convolution: InferenceConvolution, _ shape: ConvolutionShape, _ input: Storage<Float>, _ other: Storage<Float>?
  ) -> [Float] {
    let sizes = convolution.sizes(batch: shape.batch, height: shape.height, width: shape.width)
    let output = Storage<Float>(repeating: .nan, count: sizes.outputCount)
    convolution.run(sizes, input: input, adding: other, output: output)
    return output.array(0..<output.count)
  }

  @Test func `Every form equals its definition, with and without a second term`() {
    for (i, shape) in Self.shapes.enumerated() {
      let input: Storage<Float> = numbers(shape.inputCount, seed: i)
      let weight: Storage<Float> = numbers(shape.weightCount, seed: i + 50)
      let isFull = shape.outputChannels.isMultiple(of: Float.lanes)
      for other in [nil, isFull ? numbers(shape.outputCount, seed: 6) as Storage<Float> : nil] {
        let expected = Self.definition(shape, input, weight, other)
        for form in Self.forms(shape) {
          let convolution = InferenceConvolution(
            shape, weight: weight, affine: Self.affine(shape.outputChannels), rectifies: true, form: form)
          let output = Self.run(convolution, shape, input, other)
          let filled = roundUp(shape.outputChannels, to: Float.lanes)
          let errors = expected.indices.map {
            abs(Double(output[$0 / shape.outputChannels * filled + $0 % shape.outputChannels]) - expected[$0])
          }
          #expect(errors.max()! <= 5e-6 * expected.max()!, "\(form) of \(shape): \(errors.max()!)")
          #expect(errors.allSatisfy { !$0.isNaN })
        }
      }
    }
  }

  @Test func `One image, many images and any number of threads give the same bits`() {
    let threads = Parallel.threads
    defer { Parallel.threads = threads }
    for shape in Self.shapes {
      let input: Storage<Float> = numbers(shape.inputCount, seed: 1)
      let weight: Storage<Float> = numbers(shape.weightCount, seed: 2)
      for form in Self.forms(shape) {
        let convolution = InferenceConvolution(
          shape, weight: weight, affine: Self.affine(shape.outputChannels), rectifies: true, form: form)
        Parallel.threads = 1
        let expected = Self.run(convolution, shape, input, nil)
        var single = shape
        single.batch = 1
        let images = (0..<shape.batch).flatMap { n in
          let image = Storage(input.array(n * single.inputCount..<(n + 1) * single.inputCount))
          return Self.run(convolution, single, image, nil)
        }
        #expect(images == expected, "\(form) of one image of \(shape)")
        for count in [2, 3] {
          Parallel.threads = count
          #expect(Self.run(convolution, shape, input, nil) == expected, "\(form) of \(shape), \(count) threads")
        }
      }
    }
  }

  @Test func `Few pixels and many channels take the form with few weights`() {
    func form(_ batch: Int, _ size: Int, _ channels: Int, kernel: Int = 3) -> InferenceConvolution.Form {
      ConvolutionShape(
        batch: batch, height: size, width: size, inputChannels: channels, outputChannels: channels,
        kernelHeight: kernel, kernelWidth: kernel, padding: kernel / 2
      ).fastestForm
    }
    #expect(form(1, 56, 64) == .winograd4 && form(8, 7, 512) == .winograd4)
    #expect(form(1, 14, 256) == .winograd2 && form(4, 8, 64) == .winograd4)
    #expect(form(1, 7, 512) == .winograd2 && form(1, 7, 512, kernel: 1) == .direct)
    #expect(form(1, 1, 512) == .direct)
  }
}
