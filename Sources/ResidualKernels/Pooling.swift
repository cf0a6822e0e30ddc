// Pooling.swift: the largest input of each window, and the mean of each image.

extension Kernels {
  /// `output[n, y, x, c]` = the largest input in the window that starts at (y·stride − padding, x·stride − padding),
  /// NaN where one of them is NaN. As in Torch, pixels outside the image take no part.
  ///
  /// ``ConvolutionShape`` has the sizes; here `inputChannels` and `outputChannels` are equal.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func maxPool<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, output: Storage<Scalar>
  ) {
    precondition(input.count == shape.inputCount && output.count == shape.outputCount, "sizes that are not \(shape)")
    let channels = shape.inputChannels
    let usesVectors = channels % Scalar.lanes == 0 && implementation == .fast
    let vectors = channels / Scalar.lanes
    Parallel.forEachChunk(shape.batch * shape.outputHeight) { row in
      let (n, y) = (row / shape.outputHeight, row % shape.outputHeight)
      for x in 0..<shape.outputWidth {
        let target = output.base + (row * shape.outputWidth + x) * channels
        let window = shape.window(y, x)
        let first = (n * shape.height + window.top) * shape.width + window.left
        if usesVectors {
          for q in 0..<vectors {
            var source = input.vectors + first * vectors + q
            var largest = source[0]
            for _ in 0..<window.rows {
              for i in 0..<window.columns { largest = Scalar.larger(source[i * vectors], largest) }
              source += shape.width * vectors
            }
            target.vectors[q] = largest
          }
        } else {
          target.update(from: input.base + first * channels, count: channels)
          shape.forEachWindowPixel(n, y, x) { pixel in
            let source = input.base + pixel * channels
            for c in 0..<channels where source[c] > target[c] || source[c].isNaN { target[c] = source[c] }
          }
        }
      }
    }
  }

  /// The gradient of each output goes to the input that is the largest of its window, the first one if several are.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func maxPoolGradient<Scalar: Element>(
    _ shape: ConvolutionShape, input: Storage<Scalar>, output: Storage<Scalar>, outputGradient: Storage<Scalar>,
    inputGradient: Storage<Scalar>
  ) {
    precondition(input.count == shape.inputCount && inputGradient.count == input.count, "sizes that are not \(shape)")
    precondition(
      output.count == shape.outputCount && outputGradient.count == output.count, "sizes that are not \(shape)")
    let channels = shape.inputChannels
    inputGradient.base.update(repeating: 0, count: inputGradient.count)
    Parallel.forEachChunk(shape.batch) { n in
      let pending = Storage<Scalar>(uninitialized: channels)
      for y in 0..<shape.outputHeight {
        for x in 0..<shape.outputWidth {
          let start = ((n * shape.outputHeight + y) * shape.outputWidth + x) * channels
          pending.base.update(from: outputGradient.base + start, count: channels)
          shape.forEachWindowPixel(n, y, x) { pixel in
            for c in 0..<channels where input.base[pixel * channels + c] == output.base[start + c] {
              inputGradient.base[pixel * channels + c] += pending.base[c]
              pending.base[c] = 0  // the next input that is as large gets nothing
            }
          }
        }
      }
    }
  }

  /// `output[n, c] = 1/pixels Σ input[n, pixel, c]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func averagePool<Scalar: Element>(
    input: Storage<Scalar>, batch: Int, pixels: Int, channels: Int, output: Storage<Scalar>
  ) {
    precondition(
      input.count == batch * pixels * channels, "\(input.count) elements of [\(batch), \(pixels), \(channels)]")
    precondition(output.count == batch * channels, "\(output.count) elements of [\(batch), \(channels)]")
    let share = 1 / Scalar(pixels)
    Parallel.forEachChunk(batch) { n in
      let target = output.base + n * channels
      target.update(repeating: 0, count: channels)
      for pixel in n * pixels..<(n + 1) * pixels {
        for c in 0..<channels { target[c] += input.base[pixel * channels + c] }
      }
      for c in 0..<channels { target[c] *= share }
    }
  }

  /// Every pixel gets the same share of the gradient: `inputGradient[n, pixel, c] = outputGradient[n, c] / pixels`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func averagePoolGradient<Scalar: Element>(
    outputGradient: Storage<Scalar>, batch: Int, pixels: Int, channels: Int, inputGradient: Storage<Scalar>
  ) {
    precondition(
      outputGradient.count == batch * channels, "\(outputGradient.count) elements of [\(batch), \(channels)]")
    precondition(inputGradient.count == batch * pixels * channels, "\(inputGradient.count) elements")
    let share = 1 / Scalar(pixels)
    Parallel.forEachChunk(batch) { n in
      let source = outputGradient.base + n * channels
      for pixel in n * pixels..<(n + 1) * pixels {
        for c in 0..<channels { inputGradient.base[pixel * channels + c] = source[c] * share }
      }
    }
  }
}

extension ConvolutionShape {
  /// Visits the pixels of a window that lie in the image, row by row, by their index in the batch.
  @inline(__always)
  func forEachWindowPixel(_ n: Int, _ y: Int, _ x: Int, _ body: (_ pixel: Int) -> Void) {
    let window = window(y, x)
    for inputY in window.top..<window.top + window.rows {
      for inputX in window.left..<window.left + window.columns { body((n * height + inputY) * width + inputX) }
    }
  }

  /// The part of a window that lies in the image.
  @inline(__always)
  func window(_ y: Int, _ x: Int) -> (top: Int, left: Int, rows: Int, columns: Int) {
    let (top, left) = (max(0, y * stride - padding), max(0, x * stride - padding))
    let bottom = min(height, y * stride - padding + kernelHeight)
    return (top, left, bottom - top, min(width, x * stride - padding + kernelWidth) - left)
  }
}
