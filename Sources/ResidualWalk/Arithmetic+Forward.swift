// Arithmetic+Forward.swift: how a layer made one number of its output.
//
// Tests       Tests/ResidualWalkTests/ArithmeticTests.swift

import ResidualKernels
import ResidualLearning

extension Walk {
  /// How element `i` of the output of node `k` was made; nil for the images.
  public func valueArithmetic(_ k: Int, _ i: Int) -> Arithmetic? {
    let node = graph.nodes[k]
    let p = values[k].shape.position(i)
    let result = values[k][flat: i]
    func made(_ equations: String, notes: [String] = [], _ terms: [Arithmetic.Term]) -> Arithmetic {
      Arithmetic(title: "\(node.name), forward, \(equations)", notes: notes, terms: terms, result: result)
    }
    switch node.kind {
    case .images: return nil
    case .convolution(let conv):
      let (x, w) = (named(node.inputs[0]), namedParameter(k, "weight"))
      return made(
        "equation (1): products over the taps inside the image",
        meetings(conv, x.tensor.shape, output: p).map { .product([x.at($0.input), w.at($0.weight)]) })
    case .normalization:
      let n = normalized(k, p)
      return made(
        "equations (4), (5): γ x̂ + β", notes: n.notes,
        [.product([n.scale, n.normalized]), .product([n.shift])])
    case .relu:
      let x = named(node.inputs[0]).at(p)
      return made("max(x, 0)", notes: ["\(x.name) = \(short(x.value))"], x.value > 0 ? [.product([x])] : [])
    case .maxPool(let pool):
      let x = named(node.inputs[0])
      let window = window(pool, x.tensor.shape, output: p).map { x.at($0) }
      let best = window.max { $0.value < $1.value }!
      return made("equation (1)", notes: window.map { "\($0.name) = \(short($0.value))" }, [.product([best])])
    case .shortcut(let shortcut):
      let x = named(node.inputs[0])
      let source = source(shortcut, x.tensor.shape, output: p)
      return made(
        source == nil ? "a channel of zeros" : "x is handed on", source.map { [.product([x.at($0)])] } ?? [])
    case .sum:
      return made("equation (2): F(x) + h(x)", node.inputs.map { .product([named($0).at(p)]) })
    case .averagePool:
      let x = named(node.inputs[0])
      let (_, height, width, _) = x.tensor.imageSizes
      let share = Arithmetic.Operand(name: "1/\(height * width)", value: 1 / Double(height * width))
      let pixels = (0..<height * width).map { [p[0], $0 / width, $0 % width, p[1]] }
      return made("equation (1): the mean of a channel", pixels.map { .product([x.at($0), share]) })
    case .linear:
      let (x, w, b) = (named(node.inputs[0]), namedParameter(k, "weight"), namedParameter(k, "bias"))
      let terms = (0..<w.tensor.shape[0]).map { i in Arithmetic.Term.product([x.at([p[0], i]), w.at([i, p[1]])]) }
      return made("equation (1)", terms + [.product([b.at([p[1]])])])
    case .loss: return lossArithmetic(k)
    }
  }

  private func lossArithmetic(_ k: Int) -> Arithmetic {
    let p = Named(name: "p", tensor: probabilities)
    let share = Arithmetic.Operand(name: "−1/N", value: -1 / Double(labels.count))
    let terms = labels.enumerated().map { n, t in
      let p = p.at([n, t])
      return Arithmetic.Term.product([share, .init(name: "log \(p.name)", value: Double.logarithm(p.value))])
    }
    let notes = labels.enumerated().map { n, t in "p[\(n), \(t)] = \(short(p.at([n, t]).value))" }
    return Arithmetic(title: "loss, forward, equations (1), (2)", notes: notes, terms: terms, result: loss)
  }
}

/// The numbers of one pixel of a normalization.
struct NormalizedPixel {
  /// γ, β, r and x̂.
  let scale, shift, inverse, normalized: Arithmetic.Operand
  /// What μ, r and x̂ are.
  let notes: [String]
}

extension Walk {
  /// γ, β, r and x̂ of node `k`, a normalization, at a position of its input.
  func normalized(_ k: Int, _ p: [Int]) -> NormalizedPixel {
    let (x, c) = (named(graph.nodes[k].inputs[0]).at(p), p[p.count - 1])
    let batch = statistics[k]!
    let (mean, r) = (batch.batch.mean[c], batch.inverseDeviation[c])
    let normalized = (x.value - mean) * r
    return NormalizedPixel(
      scale: namedParameter(k, "scale").at([c]), shift: namedParameter(k, "shift").at([c]),
      inverse: .init(name: "r[\(c)]", value: r), normalized: .init(name: "x̂", value: normalized),
      notes: [
        "\(x.name) = \(short(x.value)), μ[\(c)] = \(short(mean)), r[\(c)] = \(short(r)), "
          + "x̂ = (x − μ) r = \(short(normalized))"
      ])
  }

  /// The pixels and weights that meet in one output of a convolution: the taps inside the image.
  func meetings(_ conv: Conv2D<Double>, _ input: Shape, output p: [Int]) -> [(input: [Int], weight: [Int])] {
    let w = conv.parameters.weight.shape
    return taps(w[0], w[1], conv.stride, conv.padding, input, output: p).flatMap { tap in
      (0..<w[2]).map { c in ([p[0], tap.y, tap.x, c], [tap.ky, tap.kx, c, p[3]]) }
    }
  }

  /// The pixels of a channel under one window of a pool.
  func window(_ pool: MaxPool2D<Double>, _ input: Shape, output p: [Int]) -> [[Int]] {
    taps(pool.window, pool.window, pool.stride, pool.padding, input, output: p).map { [p[0], $0.y, $0.x, p[3]] }
  }

  private func taps(
    _ height: Int, _ width: Int, _ stride: Int, _ padding: Int, _ input: Shape, output p: [Int]
  ) -> [(ky: Int, kx: Int, y: Int, x: Int)] {
    (0..<height * width).compactMap { k in
      let (ky, kx) = (k / width, k % width)
      let (y, x) = (p[1] * stride + ky - padding, p[2] * stride + kx - padding)
      return y >= 0 && y < input[1] && x >= 0 && x < input[2] ? (ky, kx, y, x) : nil
    }
  }

  /// The element of x that a shortcut hands to its output at `p`; nil in a channel of zeros.
  func source(_ shortcut: Shortcut<Double>, _ input: Shape, output p: [Int]) -> [Int]? {
    guard case .zeroPadded(let zeros) = shortcut else { return p }
    let c = p[3] - zeros.front
    return c >= 0 && c < input[3] ? [p[0], p[1] * zeros.stride, p[2] * zeros.stride, c] : nil
  }
}
