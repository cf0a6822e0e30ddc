// Question.swift: what the page asks before a stop shows its result.
//
// Tests       Tests/ResidualWalkTests/PageTests.swift

import ResidualKernels
import ResidualLearning

/// A question about the result of a stop.
public struct Question: Equatable, Sendable {
  /// What is asked for.
  public enum Kind: String, Sendable {
    /// The shape of a tensor.
    case shape
    /// Whether a number is positive, zero or negative.
    case sign
    /// A number.
    case value
  }

  /// What is asked for.
  public let kind: Kind
  /// The question.
  public let text: String
  /// The answers to choose from; none for a value, which is typed.
  public let choices: [String]
  /// The right answer: one of the choices, or a number.
  public let answer: String
}

extension Walk {
  /// The question of a stop; nil for the images, which nobody can guess.
  public func question(_ stop: Stop) -> Question? {
    guard let k = stop.node else { return stepQuestion }
    let node = graph.nodes[k]
    if stop.isAddition {
      let parts = gradients.contributions[k].map { $0.gradient }
      let i = interesting(parts[1])
      let numbers = parts.map { round3($0[flat: i]) }.joined(separator: " from the branch, ")
      return value(
        "The gradients that arrive are \(numbers) from the shortcut. What is dx there?", gradients.nodes[k]!, i)
    }
    return stop.phase == .forward ? forwardQuestion(k, node) : backwardQuestion(k, node)
  }

  private func forwardQuestion(_ k: Int, _ node: Node) -> Question? {
    let y = values[k]
    let i = interesting(y)
    let position = y.shape.position(i)
    let inputs = node.inputs.map { values[$0] }
    switch node.kind {
    case .images: return nil
    case .convolution, .maxPool, .averagePool, .linear:
      return shape("Which shape does the output have?", y.shape, not: [inputs[0].shape] + others(y.shape))
    case .normalization:
      let x = inputs[0][flat: i]
      let mean = statistics[k]!.batch.mean[position[3]]
      return sign(
        "The pixel \(position) is \(round3(x)), its channel's mean \(round3(mean)). Which sign does x̂ have there?",
        x - mean)
    case .relu:
      let i = interesting(inputs[0])
      return value("At \(y.shape.position(i)) x is \(round3(inputs[0][flat: i])). What is y?", y, i)
    case .shortcut(.identity):
      return value("At \(position) x is \(round3(inputs[0][flat: i])). What is h(x)?", y, i)
    case .shortcut:
      return shape("Which shape does h(x) have?", y.shape, not: [inputs[0].shape] + others(y.shape))
    case .sum:
      let numbers = inputs.map { round3($0[flat: i]) }
      return value("At \(position) F(x) is \(numbers[0]) and h(x) is \(numbers[1]). What is the sum?", y, i)
    case .loss:
      let p = probabilities[flat: labels[0]]
      return sign("The probability of the true class is \(round3(p)). Which sign does the loss have?", loss)
    }
  }

  private func backwardQuestion(_ k: Int, _ node: Node) -> Question? {
    let input = node.inputs[0]
    let dx = gradients.contributions[input].first { $0.reader == k }!.gradient
    let i = interesting(dx)
    let position = dx.shape.position(i)
    switch node.kind {
    case .images: return nil
    case .convolution(let conv):
      let w = conv.parameters.weight.shape
      return shape("Which shape does dw have?", w, not: [dx.shape, values[k].shape] + others(w))
    case .linear(let linear):
      let w = linear.parameters.weight.shape
      return shape("Which shape does dw have?", w, not: [dx.shape, values[k].shape] + others(w))
    case .normalization where node.name.hasSuffix("2"):
      return Question(
        kind: .value,
        text: "Adding a number to all pixels of a channel changes no output. So what do the dx of a channel add up to?",
        choices: [], answer: "0")
    case .normalization:
      let c = values[k].shape[3]
      return shape("Which shape do dγ and dβ have?", [c], not: [values[k].shape, [values[k].count / c]])
    case .relu:
      let i = interesting(gradients.nodes[k]!)
      let (dy, y) = (round3(gradients.nodes[k]![flat: i]), round3(values[k][flat: i]))
      return value("At \(dx.shape.position(i)) dy is \(dy) and y is \(y). What is dx?", dx, i)
    case .maxPool: return shape("Which shape does dx have?", dx.shape, not: [values[k].shape] + others(dx.shape))
    case .shortcut(.identity):
      return value("At \(position) dh is \(round3(gradients.nodes[k]![flat: i])). What is dx?", dx, i)
    case .shortcut:
      let skipped = dx.shape.flat([0, min(1, dx.shape[1] - 1), 0, 0])
      return value("What does the pixel \(dx.shape.position(skipped)) get, which forward did not take?", dx, skipped)
    case .sum:
      return value("At \(position) dsum is \(round3(dx[flat: i])). What does the shortcut get?", dx, i)
    case .averagePool:
      let pixels = dx.shape[1] * dx.shape[2]
      let dy = round3(gradients.nodes[k]![position[0], position[3]])
      return value("The mean was over \(pixels) pixels and its gradient is \(dy). What does each pixel get?", dx, i)
    case .loss:
      return sign("Which sign does the gradient have at the logit of the true class?", dx[0, labels[0]])
    }
  }

  private var stepQuestion: Question {
    let name = parameters[0].name
    let gradient = gradients.parameters[name]!
    let i = interesting(gradient)
    return sign(
      "The gradient at \(name)\(gradient.shape.position(i)) is \(round3(gradient[flat: i])). Which sign does the weight's "
        + "change have?", moved[0][flat: i] - parameters[0].tensor[flat: i])
  }

  // MARK: - Parts

  private func sign(_ text: String, _ value: Double) -> Question {
    Question(
      kind: .sign, text: text, choices: ["positive", "zero", "negative"],
      answer: value > 0 ? "positive" : value < 0 ? "negative" : "zero")
  }

  private func value(_ text: String, _ tensor: Tensor<Double>, _ i: Int) -> Question {
    Question(kind: .value, text: text, choices: [], answer: round3(tensor[flat: i]))
  }

  /// Three shapes to choose from, in an order that says nothing.
  private func shape(_ text: String, _ right: Shape, not wrong: [Shape]) -> Question {
    var choices = [right]
    for shape in wrong where choices.count < 3 && !choices.contains(shape) { choices.append(shape) }
    let sorted = choices.map { $0.description }.sorted()
    return Question(kind: .shape, text: text, choices: sorted, answer: right.description)
  }

  /// Shapes that are easily taken for this one: one axis halved, the last two exchanged.
  private func others(_ shape: Shape) -> [Shape] {
    var (swapped, halved) = (shape.sizes, shape.sizes)
    swapped.swapAt(shape.rank - 1, max(shape.rank - 2, 0))
    halved[shape.rank - 1] = max(halved[shape.rank - 1] / 2, 1)
    return [Shape(swapped), Shape(halved), Shape(shape.sizes + [1])]
  }

  /// An element that is worth a question: the first one in the middle half of the tensor that is large.
  private func interesting(_ tensor: Tensor<Double>) -> Int {
    let (start, large) = (tensor.count / 4, 0.3 * tensor.largestMagnitude)
    return (start..<tensor.count).first { abs(tensor[flat: $0]) > large } ?? start
  }

  private func round3(_ value: Double) -> String { number(value, digits: 3) }
}
