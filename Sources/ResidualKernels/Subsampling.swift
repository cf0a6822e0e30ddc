// Subsampling.swift: the shortcut without parameters: every s-th pixel, with channels of zeros added to it.

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
    let shape = Subsampling(
      input: input, batch: batch, height: height, width: width, channels: channels, stride: stride, front: front,
      outputChannels: outputChannels, output: output)
    output.base.update(repeating: 0, count: output.count)
    Parallel.forEachChunk(batch) { n in
      shape.forEachPixel(n) { source, target in
        (output.base + target).update(from: input.base + source, count: channels)
      }
    }
  }

  /// Adds the gradient of ``subsample(_:batch:height:width:channels:stride:front:outputChannels:output:)`` to
  /// `inputGradient`: the pixels and channels that were copied get the gradients of their copies.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func addSubsampleGradient<Scalar: Element>(
    _ outputGradient: Storage<Scalar>, batch: Int, height: Int, width: Int, channels: Int, stride: Int, front: Int,
    outputChannels: Int, to inputGradient: Storage<Scalar>
  ) {
    let shape = Subsampling(
      input: inputGradient, batch: batch, height: height, width: width, channels: channels, stride: stride,
      front: front, outputChannels: outputChannels, output: outputGradient)
    Parallel.forEachChunk(batch) { n in
      shape.forEachPixel(n) { source, target in
        for c in 0..<channels { inputGradient.base[source + c] += outputGradient.base[target + c] }
      }
    }
  }
}

/// The sizes of a subsampling, checked against the memory it works on.
private struct Subsampling {
  let batch, height, width, channels, stride, front, outputChannels: Int

  init<Scalar: Element>(
    input: Storage<Scalar>, batch: Int, height: Int, width: Int, channels: Int, stride: Int, front: Int,
    outputChannels: Int, output: Storage<Scalar>
  ) {
    (self.batch, self.height, self.width, self.channels) = (batch, height, width, channels)
    (self.stride, self.front, self.outputChannels) = (stride, front, outputChannels)
    precondition(
      front >= 0 && front + channels <= outputChannels, "\(front) + \(channels) of \(outputChannels) channels")
    precondition(input.count == batch * height * width * channels, "\(input.count) elements of input")
    precondition(output.count == batch * rows * columns * outputChannels, "\(output.count) elements of output")
  }

  var rows: Int { (height + stride - 1) / stride }
  var columns: Int { (width + stride - 1) / stride }

  /// Visits the pixels of output image n: the index of the input's first channel, and of the place it is copied to.
  @inline(__always)
  func forEachPixel(_ n: Int, _ body: (_ source: Int, _ target: Int) -> Void) {
    for y in 0..<rows {
      for x in 0..<columns {
        body(
          ((n * height + y * stride) * width + x * stride) * channels,
          ((n * rows + y) * columns + x) * outputChannels + front)
      }
    }
  }
}
