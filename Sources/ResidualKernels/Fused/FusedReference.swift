// FusedReference.swift: the fused kernels as their definitions, one pass after the other, each in plain loops.

extension Kernels {
  /// The definition of ``fusedConvolution(_:input:weight:output:mean:variance:)``.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func referenceFusedConvolution<Scalar: Element>(
    _ shape: ConvolutionShape, input: FusedInput<Scalar>, weight: Storage<Scalar>, output: Storage<Scalar>,
    mean: Storage<Scalar>, variance: Storage<Scalar>
  ) {
    referenceConvolution(shape, input: input.values, weight: weight, output: output)
    for c in 0..<shape.outputChannels {
      let pixels = Double(output.count / shape.outputChannels)
      let average = sum(output, channel: c, of: shape.outputChannels) { Double(output.base[$0]) } / pixels
      let squares = sum(output, channel: c, of: shape.outputChannels) {
        (Double(output.base[$0]) - average) * (Double(output.base[$0]) - average)
      }
      mean.base[c] = Scalar(average)
      variance.base[c] = Scalar(squares / pixels)
    }
  }

  /// The definition of
  /// ``fusedConvolutionGradients(_:gradient:input:weight:weightGradient:inputGradient:adding:sums:)``.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func referenceFusedConvolutionGradients<Scalar: Element>(
    _ shape: ConvolutionShape, gradient: FusedGradient<Scalar>, input: FusedInput<Scalar>, weight: Storage<Scalar>,
    weightGradient: Storage<Scalar>, inputGradient: Storage<Scalar>?, adding other: Storage<Scalar>? = nil,
    sums: (sum: Storage<Scalar>, product: Storage<Scalar>)? = nil
  ) {
    let (x, convolvedGradient) = (input.values, gradient.values)
    referenceConvolutionWeightGradient(
      shape, input: x, outputGradient: convolvedGradient, weightGradient: weightGradient)
    guard let inputGradient else { return }
    referenceConvolutionInputGradient(
      shape, outputGradient: convolvedGradient, weight: weight, inputGradient: inputGradient)
    if let affine = input.affine {
      referenceNormalizeAddRectifyGradient(
        inputGradient, output: x, input: input.storage, mean: affine.mean, into: inputGradient,
        sum: sums?.sum ?? Storage(uninitialized: shape.inputChannels),
        product: sums?.product ?? Storage(uninitialized: shape.inputChannels))
    } else if let other {
      for i in 0..<inputGradient.count { inputGradient.base[i] += other.base[i] }
    }
  }

  /// The definition of ``normalizeAddRectify(_:affine:adding:output:)``.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func referenceNormalizeAddRectify<Scalar: Element>(
    _ input: Storage<Scalar>, affine: ChannelAffine<Scalar>, adding other: Storage<Scalar>?, output: Storage<Scalar>
  ) {
    for i in 0..<input.count {
      let sum = affine.value(input.base[i], at: i) + (other?.base[i] ?? 0)
      output.base[i] = sum < 0 ? 0 : sum
    }
  }

  /// The definition of ``normalizeAddRectifyGradient(_:output:input:mean:into:sum:product:)``.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func referenceNormalizeAddRectifyGradient<Scalar: Element>(
    _ gradient: Storage<Scalar>, output: Storage<Scalar>, input: Storage<Scalar>, mean: Storage<Scalar>,
    into result: Storage<Scalar>, sum: Storage<Scalar>, product: Storage<Scalar>
  ) {
    let channels = mean.count
    for i in 0..<gradient.count { result.base[i] = output.base[i] > 0 ? gradient.base[i] : 0 }
    for c in 0..<channels {
      sum.base[c] = Scalar(Kernels.sum(result, channel: c, of: channels) { Double(result.base[$0]) })
      product.base[c] = Scalar(
        Kernels.sum(result, channel: c, of: channels) {
          Double(result.base[$0]) * Double(input.base[$0] - mean.base[c])
        })
    }
  }

  /// `Σ value(i)` in `Double` over the indices i of one channel.
  @inline(__always)
  private static func sum<Scalar: Element>(
    _ storage: Storage<Scalar>, channel: Int, of channels: Int, _ value: (_ index: Int) -> Double
  ) -> Double {
    var sum = 0.0
    for i in stride(from: channel, to: storage.count, by: channels) { sum += value(i) }
    return sum
  }
}

extension ChannelAffine {
  /// `(x − mean) · scale + shift` with the channel's numbers, for element number `index` of a tensor.
  func value(_ x: Scalar, at index: Int) -> Scalar {
    let c = index % mean.count
    return (x - mean.base[c]) * scale.base[c] + shift.base[c]
  }
}

extension FusedInput {
  /// The tensor that the convolution reads.
  var values: Storage<Scalar> {
    guard let affine else { return storage }
    let values = Storage<Scalar>(uninitialized: storage.count)
    for i in 0..<values.count {
      let y = affine.value(storage.base[i], at: i)
      values.base[i] = y < 0 ? 0 : y
    }
    return values
  }
}

extension FusedGradient {
  /// The gradient of the loss with respect to the output of the convolution.
  var values: Storage<Scalar> {
    let values = Storage<Scalar>(uninitialized: gradient.count)
    for i in 0..<values.count {
      let c = i % mean.count
      values.base[i] = a.base[c] * gradient.base[i] + b.base[c] * (input.base[i] - mean.base[c]) + d.base[c]
    }
    return values
  }
}
