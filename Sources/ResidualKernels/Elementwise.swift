// Elementwise.swift: functions of one element or of two at the same place, and reductions over all elements.

extension Kernels {
  /// An arithmetic operation on two numbers.
  public enum Operation: Sendable {
    /// a + b.
    case add
    /// a − b.
    case subtract
    /// a · b.
    case multiply
    /// a / b.
    case divide
  }

  /// `output[i] = a[i] ∘ b[i]`. The output may be one of the inputs.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func elementwise<Scalar: Element>(
    _ operation: Operation, _ a: Storage<Scalar>, _ b: Storage<Scalar>, into output: Storage<Scalar>
  ) {
    switch operation {
    case .add:
      map(a, b, into: output, scalar: { $0 + $1 }, vector: { $0 + $1 })
    case .subtract:
      map(a, b, into: output, scalar: { $0 - $1 }, vector: { $0 - $1 })
    case .multiply:
      map(a, b, into: output, scalar: { $0 * $1 }, vector: { $0 * $1 })
    case .divide:
      map(a, b, into: output, scalar: { $0 / $1 }, vector: { $0 / $1 })
    }
  }

  /// `output[i] = a[i] ∘ b` for one number b.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func elementwise<Scalar: Element>(
    _ operation: Operation, _ a: Storage<Scalar>, _ b: Scalar, into output: Storage<Scalar>
  ) {
    let v = Scalar.Vector(repeating: b)
    switch operation {
    case .add:
      map(a, a, into: output, scalar: { x, _ in x + b }, vector: { x, _ in x + v })
    case .subtract:
      map(a, a, into: output, scalar: { x, _ in x - b }, vector: { x, _ in x - v })
    case .multiply:
      map(a, a, into: output, scalar: { x, _ in x * b }, vector: { x, _ in x * v })
    case .divide:
      map(a, a, into: output, scalar: { x, _ in x / b }, vector: { x, _ in x / v })
    }
  }

  /// `output[i] = alpha · a[i] + beta · b[i]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func linearCombination<Scalar: Element>(
    _ alpha: Scalar, _ a: Storage<Scalar>, _ beta: Scalar, _ b: Storage<Scalar>, into output: Storage<Scalar>
  ) {
    let alphas = Scalar.Vector(repeating: alpha)
    let betas = Scalar.Vector(repeating: beta)
    map(a, b, into: output, scalar: { alpha * $0 + beta * $1 }, vector: { alphas * $0 + betas * $1 })
  }

  /// `output[i] = max(input[i], 0)`; NaN stays NaN.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func rectify<Scalar: Element>(_ input: Storage<Scalar>, into output: Storage<Scalar>) {
    map(input, input, into: output, scalar: { x, _ in x < 0 ? 0 : x }, vector: { x, _ in Scalar.rectified(x) })
  }

  /// `output[i] = values[i]` where `condition[i] > 0`, else 0: the gradient of a ReLU, whose output is the condition.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func mask<Scalar: Element>(
    _ values: Storage<Scalar>, wherePositive condition: Storage<Scalar>, into output: Storage<Scalar>
  ) {
    map(values, condition, into: output, scalar: { $1 > 0 ? $0 : 0 }, vector: { Scalar.masked($0, wherePositive: $1) })
  }

  /// `Σ a[i]`, summed in `Double`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func sum<Scalar: Element>(_ a: Storage<Scalar>) -> Double {
    reduce(a.count) { i in Double(a.base[i]) }
  }

  /// `Σ a[i] · b[i]`, summed in `Double`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func dot<Scalar: Element>(_ a: Storage<Scalar>, _ b: Storage<Scalar>) -> Double {
    precondition(a.count == b.count, "\(a.count) and \(b.count) elements")
    return reduce(a.count) { i in Double(a.base[i]) * Double(b.base[i]) }
  }

  /// The smallest and the largest element; NaN where there is one. Needs at least one element.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func extremes<Scalar: Element>(_ a: Storage<Scalar>) -> (smallest: Scalar, largest: Scalar) {
    precondition(a.count > 0, "the extremes of no elements")
    var smallest = a.base[0]
    var largest = smallest
    for i in 0..<a.count {
      let x = a.base[i]
      if x.isNaN { return (x, x) }
      if x < smallest { smallest = x }
      if x > largest { largest = x }
    }
    return (smallest, largest)
  }

  /// The index of the largest element of each row of `columns` elements: the first one where several are largest.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func argmax<Scalar: Element>(_ a: Storage<Scalar>, columns: Int) -> [Int] {
    precondition(columns > 0 && a.count % columns == 0, "\(a.count) elements in rows of \(columns)")
    return stride(from: 0, to: a.count, by: columns).map { row in
      var best = 0
      for k in 1..<columns where a.base[row + k] > a.base[row + best] { best = k }
      return best
    }
  }

  /// The index of the first element that is infinite or NaN.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func firstNonFinite<Scalar: Element>(_ a: Storage<Scalar>) -> Int? {
    for i in 0..<a.count where !a.base[i].isFinite { return i }
    return nil
  }

  /// Sums blocks of 16,384 elements one after the other, and adds up the sums of the blocks in their order.
  @inline(__always)
  private static func reduce(_ count: Int, _ value: (Int) -> Double) -> Double {
    let block = 16384
    var total = 0.0
    for start in stride(from: 0, to: count, by: block) {
      // Eight sums side by side fill a vector and hide the time of an addition.
      var sums = SIMD8<Double>.zero
      let end = min(start + block, count)
      var i = start
      while i + 8 <= end {
        sums += SIMD8(
          value(i), value(i + 1), value(i + 2), value(i + 3), value(i + 4), value(i + 5), value(i + 6), value(i + 7))
        i += 8
      }
      var sum = sums.sum()
      while i < end {
        sum += value(i)
        i += 1
      }
      total += sum
    }
    return total
  }

  /// `output[i] = f(a[i], b[i])`: with `vector` on all threads, or with `scalar` element by element as the reference.
  @inline(__always)
  private static func map<Scalar: Element>(
    _ a: Storage<Scalar>, _ b: Storage<Scalar>, into output: Storage<Scalar>, scalar: (Scalar, Scalar) -> Scalar,
    vector: (Scalar.Vector, Scalar.Vector) -> Scalar.Vector
  ) {
    precondition(
      a.count == b.count && b.count == output.count, "\(a.count), \(b.count) and \(output.count) elements")
    if implementation == .reference {
      for i in 0..<a.count { output.base[i] = scalar(a.base[i], b.base[i]) }
      return
    }
    let chunks = max(1, a.vectorCount / 4096)
    Parallel.forEachChunk(chunks) { chunk in
      for i in Parallel.range(ofChunk: chunk, of: chunks, count: a.vectorCount) {
        output.vectors[i] = vector(a.vectors[i], b.vectors[i])
      }
    }
  }
}
