// Reference.swift: convolution as its definition: four loops over the outputs, and for each output three over its
// products.
//
// These are the loops to read and to step through. The fast versions are tested against them.

extension Kernels {
  /// The definition of ``convolution(_:input:weight:output:)``.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func referenceConvolution<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, weight: Storage<Scalar>, output: Storage<Scalar>
  ) {
    shape.check(input: input, weight: weight, output: output)
    shape.forEachOutput { n, y, x, o, element in
      var sum: Scalar = 0
      shape.forEachTap(n, y, x, o) { inputIndex, weightIndex in
        sum += input.base[inputIndex] * weight.base[weightIndex]
      }
      output.base[element] = sum
    }
  }

  /// The definition of ``convolutionInputGradient(_:outputGradient:weight:inputGradient:)``: where the forward pass
  /// reads an input, the gradient with respect to the output flows back into it.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func referenceConvolutionInputGradient<Scalar: Element>(
    _ shape: ConvolutionShape, outputGradient: Storage<Scalar>, weight: Storage<Scalar>,
    inputGradient: Storage<Scalar>
  ) {
    shape.check(input: inputGradient, weight: weight, output: outputGradient)
    for i in 0..<inputGradient.count { inputGradient.base[i] = 0 }
    shape.forEachOutput { n, y, x, o, element in
      shape.forEachTap(n, y, x, o) { inputIndex, weightIndex in
        inputGradient.base[inputIndex] += outputGradient.base[element] * weight.base[weightIndex]
      }
    }
  }

  /// The definition of ``convolutionWeightGradient(_:input:outputGradient:weightGradient:)``.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func referenceConvolutionWeightGradient<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, outputGradient: Storage<Scalar>,
    weightGradient: Storage<Scalar>
  ) {
    shape.check(input: input, weight: weightGradient, output: outputGradient)
    for i in 0..<weightGradient.count { weightGradient.base[i] = 0 }
    shape.forEachOutput { n, y, x, o, element in
      shape.forEachTap(n, y, x, o) { inputIndex, weightIndex in
        weightGradient.base[weightIndex] += input.base[inputIndex] * outputGradient.base[element]
      }
    }
  }
}

extension ConvolutionShape {
  /// Visits every output `[n, y, x, o]` with its index.
  @inline(__always)
  func forEachOutput(_ body: (_ n: Int, _ y: Int, _ x: Int, _ o: Int, _ index: Int) -> Void) {
    var index = 0
    for n in 0..<batch {
      for y in 0..<outputHeight {
        for x in 0..<outputWidth {
          for o in 0..<outputChannels {
            body(n, y, x, o, index)
            index += 1
          }
        }
      }
    }
  }

  /// Visits the index of every input inside the image and of the weight that multiplies it in output `[n, y, x, o]`.
  @inline(__always)
  func forEachTap(
    _ n: Int, _ y: Int, _ x: Int, _ o: Int, _ body: (_ inputIndex: Int, _ weightIndex: Int) -> Void
  ) {
    for ky in 0..<kernelHeight {
      let inputY = y * stride + ky - padding
      guard inputY >= 0 && inputY < height else { continue }
      for kx in 0..<kernelWidth {
        let inputX = x * stride + kx - padding
        guard inputX >= 0 && inputX < width else { continue }
        for c in 0..<inputChannels {
          body(
            ((n * height + inputY) * width + inputX) * inputChannels + c,
            ((ky * kernelWidth + kx) * inputChannels + c) * outputChannels + o)
        }
      }
    }
  }
}
