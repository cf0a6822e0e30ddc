// Arithmetic.swift: how one number of a walk was made, term by term.
//
// Tests       Tests/ResidualWalkTests/ArithmeticTests.swift: for every number of a walk, the terms add up to it

import ResidualFiles
import ResidualKernels
import ResidualLearning

/// A number as a sum of terms.
public struct Arithmetic: Sendable {
  /// A number that a term is made of.
  public struct Operand: Sendable {
    /// Its name and position, `stem.conv.weight[0, 1, 2, 3]`, or a symbol such as `m`.
    public let name: String
    /// Its value.
    public let value: Double
  }

  /// One term.
  public struct Term: Sendable {
    /// The factors.
    public let operands: [Operand]
    /// 1, or −1 for a product that is subtracted.
    public let sign: Double
    /// The term's value.
    public let value: Double
  }

  /// What is computed, and by which layer: `stem.conv, equation (1)`.
  public let title: String
  /// Lines that are needed before the terms: means, x̂.
  public let notes: [String]
  /// The terms.
  public let terms: [Term]
  /// The number that the package computed.
  public let result: Double

  /// The sum of the terms.
  public var sum: Double { terms.reduce(0) { $0 + $1.value } }

  /// How far the sum is from the result, relative to the largest term.
  public var relativeError: Double {
    let scale = terms.reduce(abs(result)) { max($0, abs($1.value)) }
    return scale == 0 ? 0 : abs(sum - result) / scale
  }

  /// Title, notes, a line a term, and the sum beside the package's number.
  public var text: String {
    func product(_ term: Term, _ words: (Operand) -> String) -> String {
      (term.sign < 0 ? "− " : "") + term.operands.map(words).joined(separator: " · ")
    }
    let names = terms.map { product($0) { $0.name } }
    let numbers = terms.map { product($0) { short($0.value) } }
    let (width, numberWidth) = (names.map { $0.count }.max() ?? 0, numbers.map { $0.count }.max() ?? 0)
    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(width - text.count, 0))
    }
    let lines = terms.indices.map { i in
      "    " + padded(names[i], width) + "   " + padded(numbers[i], numberWidth) + "   = \(short(terms[i].value))"
    }
    let count = terms.count == 1 ? "1 term" : "\(terms.count) terms"
    return
      (["  " + title] + notes.map { "    " + $0 } + lines + [
        "    \(count), sum \(short(sum)); the layer computed \(short(result))"
      ])
      .joined(separator: "\n")
  }
}

/// A number with seven significant digits.
package func short(_ value: Double) -> String { value.rounded(digits: 7) }

extension Shape {
  /// The position of element number `flat` of the row-major order.
  package func position(_ flat: Int) -> [Int] {
    var (left, position) = (flat, [Int](repeating: 0, count: rank))
    for axis in (0..<rank).reversed() { (left, position[axis]) = left.quotientAndRemainder(dividingBy: self[axis]) }
    return position
  }

  /// The number of the element at `position` in row-major order.
  package func flat(_ position: [Int]) -> Int { zip(position, sizes).reduce(0) { $0 * $1.1 + $1.0 } }
}

/// A tensor that terms are made of: its name and its numbers.
struct Named {
  let name: String
  let tensor: Tensor<Double>

  /// The number at a position, with its name.
  func at(_ position: [Int]) -> Arithmetic.Operand {
    Arithmetic.Operand(
      name: name + "[" + position.map(String.init).joined(separator: ", ") + "]",
      value: tensor[flat: tensor.shape.flat(position)])
  }
}

extension Arithmetic.Term {
  /// A product, negative if `sign` is −1.
  static func product(_ operands: [Arithmetic.Operand], sign: Double = 1) -> Self {
    Self(operands: operands, sign: sign, value: operands.reduce(sign) { $0 * $1.value })
  }
}

extension Walk {
  /// The output of node `k` with its name.
  func named(_ k: Int) -> Named { Named(name: graph.nodes[k].name, tensor: values[k]) }

  /// The gradient with respect to the output of node `k` with its name.
  func namedGradient(_ k: Int) -> Named { Named(name: "d " + graph.nodes[k].name, tensor: gradients.nodes[k]!) }

  /// A parameter of node `k`.
  func namedParameter(_ k: Int, _ name: String) -> Named {
    let full = graph.nodes[k].name + "." + name
    return Named(name: full, tensor: parameters.first { $0.name == full }!.tensor)
  }
}
