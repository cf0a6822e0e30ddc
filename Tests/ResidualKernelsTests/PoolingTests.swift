import Testing

@testable import ResidualKernels

@Suite struct PoolingTests {
  @Test(arguments: [(3, 2, 1), (2, 2, 0), (3, 1, 0), (2, 3, 1)])
  func `Max-pooling is the definition's`(window: Int, stride: Int, padding: Int) {
    for channels in [1, 3, 8, 16, 20, 32] {
      for (batch, height, width) in [(1, 7, 5), (3, 6, 9)] {
        let shape = ConvolutionShape(
          batch: batch, height: height, width: width, inputChannels: channels, outputChannels: channels,
          kernelHeight: window, kernelWidth: window, stride: stride, padding: padding)
        check(shape, Double.self)
        check(shape, Float.self)
      }
    }
  }

  @Test(arguments: [3, 16]) func `A value that is no number stays in sight behind max-pooling`(channels: Int) {
    let shape = ConvolutionShape(
      batch: 1, height: 3, width: 3, inputChannels: channels, outputChannels: channels, kernelHeight: 3, kernelWidth: 3)
    for place in 0..<9 {
      let input: Storage<Float> = numbers(shape.inputCount, seed: place)
      input[place * channels + 1] = .nan
      let output = Storage<Float>(repeating: 0, count: channels)
      Kernels.maxPool(shape, input: input, output: output)
      #expect(output[1].isNaN, "pixel \(place)")
      #expect(!output[0].isNaN && !output[2].isNaN)
    }
  }

  private func check<Scalar: Element>(_ shape: ConvolutionShape, _: Scalar.Type) {
    let input: Storage<Scalar> = numbers(shape.inputCount, seed: 1)
    let gradient: Storage<Scalar> = numbers(shape.outputCount, seed: 2)
    let output = Storage<Scalar>(repeating: .nan, count: shape.outputCount)
    let inputGradient = Storage<Scalar>(repeating: .nan, count: shape.inputCount)
    Kernels.maxPool(shape, input: input, output: output)
    Kernels.maxPoolGradient(
      shape, input: input, output: output, outputGradient: gradient, inputGradient: inputGradient)

    let channels = shape.inputChannels
    var expected: [Scalar] = []
    var expectedGradient = [Scalar](repeating: 0, count: shape.inputCount)
    for n in 0..<shape.batch {
      for y in 0..<shape.outputHeight {
        for x in 0..<shape.outputWidth {
          for c in 0..<channels {
            var best: Int?
            for j in y * shape.stride - shape.padding..<y * shape.stride - shape.padding + shape.kernelHeight {
              for i in x * shape.stride - shape.padding..<x * shape.stride - shape.padding + shape.kernelWidth
              where (0..<shape.height).contains(j) && (0..<shape.width).contains(i) {
                let index = ((n * shape.height + j) * shape.width + i) * channels + c
                if best.map({ input[index] > input[$0] }) ?? true { best = index }
              }
            }
            expectedGradient[best!] += gradient[expected.count]
            expected.append(input[best!])
          }
        }
      }
    }
    #expect(output.array(0..<output.count) == expected, "\(shape)")
    #expect(relativeError(inputGradient, Storage(expectedGradient)) < 1e-6, "\(shape)")
  }

  @Test(arguments: [1, 3, 16, 20]) func `Average pooling is the definition's`(channels: Int) {
    let (batch, pixels) = (3, 35)
    let input: Storage<Double> = numbers(batch * pixels * channels, seed: 1)
    let gradient: Storage<Double> = numbers(batch * channels, seed: 2)
    let output = Storage<Double>(repeating: .nan, count: batch * channels)
    let inputGradient = Storage<Double>(repeating: .nan, count: input.count)
    Kernels.averagePool(input: input, batch: batch, pixels: pixels, channels: channels, output: output)
    Kernels.averagePoolGradient(
      outputGradient: gradient, batch: batch, pixels: pixels, channels: channels, inputGradient: inputGradient)
    for n in 0..<batch {
      for c in 0..<channels {
        let indices = (0..<pixels).map { (n * pixels + $0) * channels + c }
        #expect(abs(output[n * channels + c] - indices.reduce(0) { $0 + input[$1] } / 35) < 1e-14)
        #expect(indices.allSatisfy { abs(inputGradient[$0] - gradient[n * channels + c] / 35) < 1e-15 })
      }
    }
  }

  @Test(arguments: [(1, 0), (2, 0), (2, 3), (3, 1)])
  func `Subsampling takes rows and columns 0, s, 2s and leaves the other channels zero`(stride: Int, front: Int) {
    checkSubsampling(stride, front, Float.self)
    checkSubsampling(stride, front, Double.self)
  }

  private func checkSubsampling<Scalar: Element>(_ stride: Int, _ front: Int, _: Scalar.Type) {
    let (batch, height, width, channels, outputs) = (2, 5, 4, 3, 8)
    let (rows, columns) = ((height + stride - 1) / stride, (width + stride - 1) / stride)
    let input: Storage<Scalar> = numbers(batch * height * width * channels, seed: 1)
    let gradient: Storage<Scalar> = numbers(batch * rows * columns * outputs, seed: 2)
    let output = Storage<Scalar>(repeating: .nan, count: gradient.count)
    let inputGradient: Storage<Scalar> = numbers(input.count, seed: 3)
    let before = inputGradient.copy()
    Kernels.subsample(
      input, batch: batch, height: height, width: width, channels: channels, stride: stride, front: front,
      outputChannels: outputs, output: output)
    Kernels.addSubsampleGradient(
      gradient, batch: batch, height: height, width: width, channels: channels, stride: stride, front: front,
      outputChannels: outputs, to: inputGradient)

    var expected = [Scalar](repeating: 0, count: output.count)
    var expectedGradient = before.array(0..<before.count)
    for n in 0..<batch {
      for y in 0..<rows {
        for x in 0..<columns {
          for c in 0..<channels {
            let source = ((n * height + y * stride) * width + x * stride) * channels + c
            let target = ((n * rows + y) * columns + x) * outputs + front + c
            expected[target] = input[source]
            expectedGradient[source] += gradient[target]
          }
        }
      }
    }
    #expect(output.array(0..<output.count) == expected)
    #expect(inputGradient.array(0..<input.count) == expectedGradient)
  }
}
