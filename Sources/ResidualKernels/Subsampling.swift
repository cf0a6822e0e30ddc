// Subsampling.swift: the parameter-free shortcut: every s-th pixel, and channels of zeros around the old ones.

extension Kernels {
  /// `output[n, y, x, front + c] = input[n, y·stride, x·stride, c]`; all other channels of the output are zero.
  ///
  /// Input is `[batch, height, width, channels]`; output is `[batch, ⌈height/stride⌉, ⌈width/stride⌉, outputChannels]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func subsample<Scalar: Element>(
    _ input: Storage<Scalar>, batch: Int, height: Int, width: Int, channels: Int, stride: Int, front: Int,
    outputChannels: Int, output: Storage<Scalar>
  ) {
    let (rows, columns) = ((height + stride - 1) / stride, (width + stride - 1) / stride)
    precondition(
      front >= 0 && front + channels <= outputChannels, "\(front) + \(channels) of \(outputChannels) channels")
    precondition(input.count == batch * height * width * channels, "\(input.count) elements of input")
    precondition(output.count == batch * rows * columns * outputChannels, "\(output.count) elements of output")
    output.base.update(repeating: 0, count: output.count)
    Parallel.forEachChunk(batch) { n in
      for y in 0..<rows {
        for x in 0..<columns {
          let source = ((n * height + y * stride) * width + x * stride) * channels
          let target = ((n * rows + y) * columns + x) * outputChannels + front
          (output.base + target).update(from: input.base + source, count: channels)
        }
      }
    }
  }

  /// The gradient of ``subsample(_:batch:height:width:channels:stride:front:outputChannels:output:)``: the channels
  /// that were copied go back to the pixels they came from; all other pixels get zero.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func subsampleGradient<Scalar: Element>(
    _ outputGradient: Storage<Scalar>, batch: Int, height: Int, width: Int, channels: Int, stride: Int, front: Int,
    outputChannels: Int, inputGradient: Storage<Scalar>
  ) {
    let (rows, columns) = ((height + stride - 1) / stride, (width + stride - 1) / stride)
    precondition(
      front >= 0 && front + channels <= outputChannels, "\(front) + \(channels) of \(outputChannels) channels")
    precondition(inputGradient.count == batch * height * width * channels, "\(inputGradient.count) elements of input")
    precondition(outputGradient.count == batch * rows * columns * outputChannels, "\(outputGradient.count) elements")
    inputGradient.base.update(repeating: 0, count: inputGradient.count)
    Parallel.forEachChunk(batch) { n in
      for y in 0..<rows {
        for x in 0..<columns {
          let target = ((n * height + y * stride) * width + x * stride) * channels
          let source = ((n * rows + y) * columns + x) * outputChannels + front
          (inputGradient.base + target).update(from: outputGradient.base + source, count: channels)
        }
      }
    }
  }
}
