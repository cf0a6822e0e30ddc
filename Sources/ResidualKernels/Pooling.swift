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
    let map = PooledMap(input, width: shape.width, channels: shape.inputChannels)
    Parallel.forEachChunk(shape.batch * shape.outputHeight) { row in
      for x in 0..<shape.outputWidth {
        map.largest(
          of: shape.window(row / shape.outputHeight, row % shape.outputHeight, x),
          into: output.base + (row * shape.outputWidth + x) * map.channels)
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
    let map = PooledMap(input, width: shape.width, channels: shape.inputChannels)
    inputGradient.base.update(repeating: 0, count: inputGradient.count)
    Parallel.forEachChunk(shape.batch) { n in
      let pending = Storage<Scalar>(uninitialized: map.channels)
      for y in 0..<shape.outputHeight {
        for x in 0..<shape.outputWidth {
          let start = ((n * shape.outputHeight + y) * shape.outputWidth + x) * map.channels
          map.addGradient(
            outputGradient.base + start, ofLargest: output.base + start, of: shape.window(n, y, x), pending,
            to: inputGradient)
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

/// The pixels of a feature map that are pooled together: `rows` x `columns` of them, from the one with the index `first`
/// in the batch on.
struct PoolingWindow {
  var first, rows, columns: Int
}

extension ConvolutionShape {
  /// The part of a window that lies in the image.
  @inline(__always)
  fileprivate func window(_ n: Int, _ y: Int, _ x: Int) -> PoolingWindow {
    let (top, left) = (max(0, y * stride - padding), max(0, x * stride - padding))
    let bottom = min(height, y * stride - padding + kernelHeight)
    let right = min(width, x * stride - padding + kernelWidth)
    return PoolingWindow(first: (n * height + top) * width + left, rows: bottom - top, columns: right - left)
  }
}

/// A feature map whose windows are pooled: by a max-pool, or under the bins of regions.
struct PooledMap<Scalar: Element> {
  let channels: Int
  private let input: Storage<Scalar>
  private let width: Int

  init(_ input: Storage<Scalar>, width: Int, channels: Int) {
    (self.input, self.width, self.channels) = (input, width, channels)
  }

  /// The largest number of each channel in a window, NaN where one of them is.
  @inline(__always)
  func largest(of window: PoolingWindow, into target: UnsafeMutablePointer<Scalar>) {
    guard channels % Scalar.lanes == 0 && Kernels.implementation == .fast else {
      target.update(from: input.base + window.first * channels, count: channels)
      return forEachPixel(window) { source in
        for c in 0..<channels {
          let x = input.base[source + c]
          if x > target[c] || x.isNaN { target[c] = x }
        }
      }
    }
    let vectors = channels / Scalar.lanes
    for q in 0..<vectors {
      var source = input.vectors + window.first * vectors + q
      var largest = source[0]
      for _ in 0..<window.rows {
        for x in 0..<window.columns { largest = Scalar.larger(source[x * vectors], largest) }
        source += width * vectors
      }
      target.vectors[q] = largest
    }
  }

  /// Adds the gradient with respect to the largest number of each channel to that of the first pixel that has it.
  /// `pending` has room for the channels.
  @inline(__always)
  func addGradient(
    _ gradient: UnsafePointer<Scalar>, ofLargest largest: UnsafePointer<Scalar>, of window: PoolingWindow,
    _ pending: Storage<Scalar>, to inputGradient: Storage<Scalar>
  ) {
    pending.base.update(from: gradient, count: channels)
    forEachPixel(window) { place in
      for c in 0..<channels where input.base[place + c] == largest[c] {
        inputGradient.base[place + c] += pending.base[c]
        pending.base[c] = 0  // the next pixel that is as large gets nothing
      }
    }
  }

  /// Visits the pixels of a window, row by row, by the place of their first channel.
  @inline(__always)
  private func forEachPixel(_ window: PoolingWindow, _ body: (_ place: Int) -> Void) {
    for y in 0..<window.rows {
      for x in 0..<window.columns { body((window.first + y * width + x) * channels) }
    }
  }
}
