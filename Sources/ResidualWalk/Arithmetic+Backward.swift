// Arithmetic+Backward.swift: how the backward passes made one number of a gradient, and SGD one number of a step.
//
// Tests       Tests/ResidualWalkTests/ArithmeticTests.swift

import ResidualKernels
import ResidualLearning

extension Walk {
  /// How element `i` of the gradient with respect to the output of node `k` was made: what each layer that reads it
  /// hands back, and then, if there are two, their sum.
  public func gradientArithmetic(_ k: Int, _ i: Int) -> [Arithmetic] {
    let name = graph.nodes[k].name
    let parts = gradients.contributions[k].map { part in
      handedBack(to: k, i, by: part.reader, result: part.gradient[flat: i])
    }
    guard parts.count > 1 else { return parts }
    let terms = gradients.contributions[k].map { part in
      Arithmetic.Term.product([
        .init(name: "from \(graph.nodes[part.reader].name)", value: part.gradient[flat: i])
      ])
    }
    return parts + [
      Arithmetic(
        title: "d \(name): \(name) is used twice, so two gradients are added, equation (6) of the block", notes: [],
        terms: terms, result: gradients.nodes[k]![flat: i])
    ]
  }

  /// How node `reader` made element `i` of its gradient with respect to node `k`.
  private func handedBack(to k: Int, _ i: Int, by reader: Int, result: Double) -> Arithmetic {
    let node = graph.nodes[reader]
    let (x, p) = (values[k].shape, values[k].shape.position(i))
    func made(_ equation: String, notes: [String] = [], _ terms: [Arithmetic.Term]) -> Arithmetic {
      Arithmetic(title: "\(node.name), backward, \(equation)", notes: notes, terms: terms, result: result)
    }
    let dy: Named? = node.name == "loss" ? nil : namedGradient(reader)
    switch node.kind {
    case .images: preconditionFailure("the images read nothing")
    case .convolution(let conv):
      let w = namedParameter(reader, "weight")
      let terms = outputs(of: conv, reader, reading: p).map { output, weight in
        Arithmetic.Term.product([dy!.at(output), w.at(weight)])
      }
      return made("equation (2): Σ dy w over the outputs that read it", terms)
    case .normalization: return made("equation (8)", notes: normalized(reader, p).notes, threeTerms(reader, p))
    case .relu:
      let y = named(reader).at(p)
      return made(
        "dy where y > 0, else 0", notes: ["\(y.name) = \(short(y.value))"], y.value > 0 ? [.product([dy!.at(p)])] : [])
    case .maxPool(let pool):
      let terms = values[reader].shape.positions.filter { winner(pool, k, $0) == p }
      return made("equation (2): the windows that it wins", terms.map { .product([dy!.at($0)]) })
    case .shortcut(let shortcut):
      let outputs = shortcutOutputs(shortcut, reading: p)
      return made(outputs.isEmpty ? "a pixel that was not taken" : "dh", outputs.map { .product([dy!.at($0)]) })
    case .sum: return made("equation (5): unchanged", [.product([dy!.at(p)])])
    case .averagePool:
      let pixels = x[1] * x[2]
      return made(
        "equation (2)", [.product([dy!.at([p[0], p[3]]), .init(name: "1/\(pixels)", value: 1 / Double(pixels))])])
    case .linear:
      let w = namedParameter(reader, "weight")
      return made(
        "equation (2)", (0..<w.tensor.shape[1]).map { .product([dy!.at([p[0], $0]), w.at([p[1], $0])]) })
    case .loss:
      let share = Arithmetic.Operand(name: "1/N", value: 1 / Double(labels.count))
      let p1 = Named(name: "p", tensor: probabilities).at(p)
      let isTrue = labels[p[0]] == p[1]
      return made(
        "equation (3)",
        [.product([p1, share])] + (isTrue ? [.product([.init(name: "1", value: 1), share], sign: -1)] : []))
    }
  }

  /// γ r dy, −γ r dβ/m and −γ r x̂ dγ/m of equation (8).
  private func threeTerms(_ k: Int, _ p: [Int]) -> [Arithmetic.Term] {
    let (n, dy, c) = (normalized(k, p), namedGradient(k).at(p), p[p.count - 1])
    let name = graph.nodes[k].name
    func gradient(_ parameter: String) -> Arithmetic.Operand {
      Named(name: "d \(name).\(parameter)", tensor: gradients.parameters["\(name).\(parameter)"]!).at([c])
    }
    let m = values[k].count / values[k].shape[3]
    let share = Arithmetic.Operand(name: "1/\(m)", value: 1 / Double(m))
    return [
      .product([n.scale, n.inverse, dy]), .product([n.scale, n.inverse, gradient("shift"), share], sign: -1),
      .product([n.scale, n.inverse, n.normalized, gradient("scale"), share], sign: -1),
    ]
  }

  /// The outputs of a convolution that read input `p`, with the weights by which they do.
  private func outputs(
    of conv: Conv2D<Double>, _ k: Int, reading p: [Int]
  ) -> [(output: [Int], weight: [Int])] {
    let (w, y) = (conv.parameters.weight.shape, values[k].shape)
    var found: [(output: [Int], weight: [Int])] = []
    for ky in 0..<w[0] {
      for kx in 0..<w[1] {
        let (row, column) = (p[1] + conv.padding - ky, p[2] + conv.padding - kx)
        guard row >= 0, column >= 0, row % conv.stride == 0, column % conv.stride == 0 else { continue }
        let (i, j) = (row / conv.stride, column / conv.stride)
        guard i < y[1], j < y[2] else { continue }
        found += (0..<w[3]).map { ([p[0], i, j, $0], [ky, kx, p[3], $0]) }
      }
    }
    return found
  }

  /// The outputs of a shortcut that are made of input `p`: one, or none.
  private func shortcutOutputs(_ shortcut: Shortcut<Double>, reading p: [Int]) -> [[Int]] {
    guard case .zeroPadded(let zeros) = shortcut else { return [p] }
    guard p[1] % zeros.stride == 0, p[2] % zeros.stride == 0 else { return [] }
    return [[p[0], p[1] / zeros.stride, p[2] / zeros.stride, p[3] + zeros.front]]
  }

  /// The first pixel of node `k` that is the maximum of a window.
  private func winner(_ pool: MaxPool2D<Double>, _ k: Int, _ output: [Int]) -> [Int] {
    let pixels = window(pool, values[k].shape, output: output)
    let best = pixels.map { values[k][flat: values[k].shape.flat($0)] }.max()!
    return pixels.first { values[k][flat: values[k].shape.flat($0)] == best }!
  }
}

extension Shape {
  /// All positions in row-major order.
  package var positions: [[Int]] { (0..<count).map { position($0) } }
}

// MARK: - Parameters

extension Walk {
  /// How element `i` of the gradient with respect to parameter number `number` was made.
  public func parameterArithmetic(_ number: Int, _ i: Int) -> Arithmetic {
    let (full, tensor) = parameters[number]
    let k = owners[number]
    let node = graph.nodes[k]
    let (p, dy) = (tensor.shape.position(i), namedGradient(k))
    let result = gradients.parameters[full]![flat: i]
    func made(_ equation: String, _ terms: [Arithmetic.Term]) -> Arithmetic {
      Arithmetic(title: "\(node.name), backward, \(equation)", notes: [], terms: terms, result: result)
    }
    let pixels = values[k].shape.positions.filter { $0.last == p.last }
    let isBias = tensor.shape.rank == 1 && !full.hasSuffix(".scale")
    switch node.kind {
    case _ where isBias:
      let equation = if case .normalization = node.kind { "equation (6): Σ dy" } else { "equation (4): Σ dy" }
      return made(equation, pixels.map { .product([dy.at($0)]) })
    case .normalization:
      return made("equation (7): Σ dy x̂", pixels.map { .product([dy.at($0), normalized(k, $0).normalized]) })
    case .convolution(let conv):
      let x = named(node.inputs[0])
      let terms = pixels.compactMap { output -> Arithmetic.Term? in
        let (row, column) = (
          output[1] * conv.stride + p[0] - conv.padding, output[2] * conv.stride + p[1] - conv.padding
        )
        guard row >= 0, column >= 0, row < x.tensor.shape[1], column < x.tensor.shape[2] else { return nil }
        return .product([dy.at(output), x.at([output[0], row, column, p[2]])])
      }
      return made("equation (3): Σ dy x over the outputs", terms)
    default:
      let x = named(node.inputs[0])
      return made("equation (3)", pixels.map { .product([dy.at($0), x.at([$0[0], p[0]])]) })
    }
  }

  /// How element `i` of parameter number `number` moves in the step.
  public func stepArithmetic(_ number: Int, _ i: Int) -> [Arithmetic] {
    let (name, tensor) = parameters[number]
    let p = tensor.shape.position(i)
    let w = Named(name: name, tensor: tensor).at(p)
    let g = Named(name: "d " + name, tensor: gradients.parameters[name]!).at(p)
    let v = Named(name: "v " + name, tensor: velocities[number]).at(p)
    let (rate, decay) = (Arithmetic.Operand(name: "η", value: rate), Arithmetic.Operand(name: "λ", value: 1e-4))
    return [
      Arithmetic(
        title: "SGD, equation (1): v = 0.9 · 0 + η (g + λ w)", notes: [],
        terms: [.product([rate, g]), .product([rate, decay, w])], result: v.value),
      Arithmetic(
        title: "SGD, equation (2): w − v", notes: [], terms: [.product([w]), .product([v], sign: -1)],
        result: moved[number][flat: i]),
    ]
  }
}
