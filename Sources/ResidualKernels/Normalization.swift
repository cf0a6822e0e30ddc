// Normalization.swift: statistics of channels, the passes of batch normalization, and sums over the rows of a matrix.
//
// A batch of images is a matrix here: one row for each of the m = N·H·W pixels, one column for each channel.

extension Kernels {
  /// The mean and the biased variance of each channel: `mean = 1/m Σ x`, `variance = 1/m Σ (x − mean)²`.
  ///
  /// The variance of a chunk of rows is taken about the chunk's own mean while the chunk is in the cache, and the
  /// chunks are merged in `Double` (Chan, Golub & LeVeque 1979). `E[x²] − E[x]²` would cancel in `Float`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func channelStatistics<Scalar: Element>(
    _ input: Storage<Scalar>, channels: Int, mean: Storage<Scalar>, variance: Storage<Scalar>
  ) {
    let rows = RowChunks(input, channels: channels)
    precondition(mean.count == channels && variance.count == channels, "\(channels) channels, \(mean.count) means")
    let partial = PartialStatistics<Scalar>(groups: rows.chunks, channels: channels)
    Parallel.forEachChunk(rows.chunks) { chunk in
      let (means, squares) = partial.places(ofGroup: chunk)
      let range = rows.range(chunk)
      let share = 1 / Scalar(range.count)
      partial.counts.base[chunk] = Scalar(range.count)
      rows.sums(range, into: means, scalar: { x, _, _ in x }, vector: { x, _, _ in x })
      for c in 0..<channels { means[c] *= share }
      rows.sums(range, into: squares) { x, _, c in
        let d = x - means[c]
        return d * d
      } vector: { x, _, q in
        let d = x - means.vectors[q]
        return d * d
      }
    }
    partial.merge(mean: mean, variance: variance)
  }

  /// `output[c] = 1 / √(variance[c] + epsilon)`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func inverseDeviation<Scalar: Element>(
    ofVariance variance: Storage<Scalar>, epsilon: Scalar, into output: Storage<Scalar>
  ) {
    precondition(output.count == variance.count, "\(variance.count) variances, \(output.count) results")
    for c in 0..<variance.count { output.base[c] = 1 / (variance.base[c] + epsilon).squareRoot() }
  }

  /// `output = (input − mean) · scale + shift`, with one mean, scale and shift for each channel.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func normalize<Scalar: Element>(
    _ input: Storage<Scalar>, channels: Int, mean: Storage<Scalar>, scale: Storage<Scalar>, shift: Storage<Scalar>,
    output: Storage<Scalar>
  ) {
    let rows = RowChunks(input, channels: channels)
    precondition(output.count == input.count, "input of \(input.count), output of \(output.count) elements")
    precondition(mean.count == channels && scale.count == channels && shift.count == channels, "\(channels) channels")
    Parallel.forEachChunk(rows.chunks) { chunk in
      rows.map(rows.range(chunk), into: output.base) { x, _, c in
        (x - mean.base[c]) * scale.base[c] + shift.base[c]
      } vector: { x, _, q in
        var y = shift.vectors[q]
        y.multiplyAdd(x - mean.vectors[q], scale.vectors[q])
        return y
      }
    }
  }

  /// `sums = Σ gradient` and `products = Σ gradient · (input − mean) · factor` over the pixels, for each channel.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func normalizationSums<Scalar: Element>(
    gradient: Storage<Scalar>, input: Storage<Scalar>, channels: Int, mean: Storage<Scalar>,
    factor: Storage<Scalar>, sums: Storage<Scalar>, products: Storage<Scalar>
  ) {
    let rows = RowChunks(gradient, channels: channels)
    precondition(gradient.count == input.count, "gradient of \(gradient.count), input of \(input.count) elements")
    let partial = PartialStatistics<Scalar>(groups: rows.chunks, channels: channels)
    Parallel.forEachChunk(rows.chunks) { chunk in
      let (sums, products) = partial.places(ofGroup: chunk)
      let range = rows.range(chunk)
      rows.sums(range, into: sums, scalar: { g, _, _ in g }, vector: { g, _, _ in g })
      rows.sums(range, with: input.base, into: products) { g, x, c in
        g * (x - mean.base[c])
      } vector: { g, x, q in
        g * (x - mean.vectors[q])
      }
    }
    partial.sum(sums, products, times: factor)
  }

  /// `inputGradient = a · gradient + b · (input − mean) + d`, with one a, b, d and mean for each channel: the gradient
  /// of the loss with respect to the input of a batch normalization.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func normalizationInputGradient<Scalar: Element>(
    gradient: Storage<Scalar>, input: Storage<Scalar>, channels: Int, a: Storage<Scalar>, b: Storage<Scalar>,
    d: Storage<Scalar>, mean: Storage<Scalar>, inputGradient: Storage<Scalar>
  ) {
    let rows = RowChunks(gradient, channels: channels)
    precondition(gradient.count == input.count && input.count == inputGradient.count, "sizes that differ")
    Parallel.forEachChunk(rows.chunks) { chunk in
      rows.map(rows.range(chunk), with: input.base, into: inputGradient.base) { g, x, c in
        a.base[c] * g + b.base[c] * (x - mean.base[c]) + d.base[c]
      } vector: { g, x, q in
        var y = d.vectors[q]
        y.multiplyAdd(g, a.vectors[q])
        y.multiplyAdd(x - mean.vectors[q], b.vectors[q])
        return y
      }
    }
  }

  /// `output[m, c] = input[m, c] + row[c]`. The output may be the input.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func addRow<Scalar: Element>(
    _ row: Storage<Scalar>, toEachRowOf input: Storage<Scalar>, output: Storage<Scalar>
  ) {
    let rows = RowChunks(input, channels: row.count)
    precondition(output.count == input.count, "input of \(input.count), output of \(output.count) elements")
    Parallel.forEachChunk(rows.chunks) { chunk in
      rows.map(rows.range(chunk), into: output.base) { x, _, c in
        x + row.base[c]
      } vector: { x, _, q in
        x + row.vectors[q]
      }
    }
  }

  /// `sums[c] = Σ input[m, c]` over the rows m.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func sumRows<Scalar: Element>(_ input: Storage<Scalar>, into sums: Storage<Scalar>) {
    let rows = RowChunks(input, channels: sums.count)
    let partial = Storage<Scalar>(uninitialized: rows.chunks * rows.stride)
    Parallel.forEachChunk(rows.chunks) { chunk in
      rows.sums(
        rows.range(chunk), into: partial.base + chunk * rows.stride, scalar: { x, _, _ in x }, vector: { x, _, _ in x })
    }
    for c in 0..<sums.count {
      var sum = 0.0
      for chunk in 0..<rows.chunks { sum += Double(partial.base[chunk * rows.stride + c]) }
      sums.base[c] = Scalar(sum)
    }
  }
}

/// A matrix of pixels by channels, cut into chunks of rows that fit the second-level cache.
struct RowChunks<Scalar: Element> {
  let rows, channels, chunks: Int
  /// The distance in scalars from the sums of one chunk to those of the next: a number of whole vectors.
  let stride: Int
  private let input: UnsafePointer<Scalar>

  @inline(__always)
  init(_ input: Storage<Scalar>, channels: Int) {
    precondition(channels > 0 && input.count % channels == 0, "\(input.count) elements in rows of \(channels)")
    rows = input.count / channels
    self.channels = channels
    chunks = max(1, min(rows, (input.count + 16383) / 16384))
    stride = roundUp(channels, to: Scalar.lanes)
    self.input = UnsafePointer(input.base)
  }

  @inline(__always)
  func range(_ chunk: Int) -> Range<Int> { Parallel.range(ofChunk: chunk, of: chunks, count: rows) }

  /// Whether the vector version runs: the rows are whole vectors, and the plain loops are not asked for.
  @inline(__always) private var usesVectors: Bool {
    channels % Scalar.lanes == 0 && Kernels.implementation == .fast
  }

  /// `sums[c] = Σ value(x, other, c)` over the rows in `range`.
  @inline(__always)
  func sums(
    _ range: Range<Int>, with other: UnsafePointer<Scalar>? = nil, into sums: UnsafeMutablePointer<Scalar>,
    scalar: (Scalar, Scalar, Int) -> Scalar, vector: (Scalar.Vector, Scalar.Vector, Int) -> Scalar.Vector
  ) {
    let other = other ?? input
    guard usesVectors else {
      var totals = [Double](repeating: 0, count: channels)
      for row in range {
        for c in 0..<channels {
          totals[c] += Double(scalar(input[row * channels + c], other[row * channels + c], c))
        }
      }
      for c in 0..<channels { sums[c] = Scalar(totals[c]) }
      return
    }
    let width = channels / Scalar.lanes
    for q in 0..<width {
      var total = CompensatedSum<Scalar>()
      var x = input.vectors + range.lowerBound * width + q
      var y = other.vectors + range.lowerBound * width + q
      var left = range.count
      while left >= 8 {
        // Two sums at once: one alone would wait for its own last addition.
        var s0 = vector(x[0], y[0], q)
        var s1 = vector(x[width], y[width], q)
        for i in 1..<4 {
          s0 += vector(x[2 * i * width], y[2 * i * width], q)
          s1 += vector(x[(2 * i + 1) * width], y[(2 * i + 1) * width], q)
        }
        total.add(s0 + s1)
        x += 8 * width
        y += 8 * width
        left -= 8
      }
      while left > 0 {
        total.add(vector(x[0], y[0], q))
        x += width
        y += width
        left -= 1
      }
      sums.vectors[q] = total.value
    }
  }

  /// `output = value(x, other, c)` for every element of the rows in `range`.
  @inline(__always)
  func map(
    _ range: Range<Int>, with other: UnsafePointer<Scalar>? = nil, into output: UnsafeMutablePointer<Scalar>,
    scalar: (Scalar, Scalar, Int) -> Scalar, vector: (Scalar.Vector, Scalar.Vector, Int) -> Scalar.Vector
  ) {
    let other = other ?? input
    guard usesVectors else {
      for row in range {
        for c in 0..<channels {
          let i = row * channels + c
          output[i] = scalar(input[i], other[i], c)
        }
      }
      return
    }
    let width = channels / Scalar.lanes
    for row in range {
      for q in 0..<width {
        let i = row * width + q
        output.vectors[i] = vector(input.vectors[i], other.vectors[i], q)
      }
    }
  }
}
