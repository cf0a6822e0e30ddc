import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning
import ResidualWalk

extension Walk {
  /// Every stop: its name, its line of code, its equations, and a row for each of its tensors.
  var table: String {
    let stops = stops
    let rows = stops.map { self.rows(of: $0) }
    let width = names.map(\.count).max() ?? 0
    let shapeWidth = rows.joined().map { $0.value.shape.description.count }.max() ?? 0
    var lines = ["loss \(short(loss))"]
    for (number, stop) in stops.enumerated() {
      if number == 0 || stop.phase != stops[number - 1].phase { lines += ["", heading(stop.phase)] }
      lines += ["", "\(number + 1)  \(stop.name)" + (stop.code.first.map { "  \($0.description)" } ?? "")]
      lines += stop.equations.map { "      " + ($0.number.isEmpty ? $0.text : "\($0.text)   \($0.number)") }
      let (first, second) = stop.phase == .step ? ("now", "moved by") : ("value", "gradient")
      for row in rows[number] {
        let shape = padded(row.value.shape.description, to: shapeWidth)
        let numbers = "\(first) \(spread(row.value))  \(second) \(spread(row.gradient))"
        lines.append("      \(padded(row.name, to: width))  \(shape)  \(numbers)")
      }
    }
    lines += ["", "resnet trace --layer NAME prints a layer's numbers, --element 'NAME[0,1,2,3]' how one was made"]
    return lines.joined(separator: "\n")
  }

  private func heading(_ phase: Stop.Phase) -> String {
    switch phase {
    case .forward: "FORWARD  value and gradient: mean ± deviation"
    case .backward: "BACKWARD  what each layer read or learns, and the gradient that it hands back for it"
    case .step: "STEP  the parameters, and the velocities by which they moved"
    }
  }

  /// Mean and deviation.
  private func spread(_ tensor: Tensor<Double>) -> String {
    padded(brief3(tensor.mean), to: 9) + " ± " + padded(brief3(tensor.deviation), to: 8)
  }

  /// The numbers that a layer reads, learns and computes, each with its gradient.
  func tensors(ofLayer name: String) throws -> String {
    guard let k = graph.node(name) else { throw unknown(name, graph.nodes.map(\.name), "layer") }
    return rows(ofLayer: k).map { row in
      let isImage = !row.name.hasSuffix(".weight")
      return "\(row.name) \(row.value.shape)\n\(row.value.grids(isImage))\n\nd \(row.name)\n"
        + row.gradient.grids(isImage)
    }.joined(separator: "\n\n")
  }

  /// How one number of a tensor and its gradient were made.
  func arithmetic(ofElement text: String) throws -> String {
    let (name, position) = try parsed(text)
    guard let place = place(named: name) else { throw unknown(name, names, "tensor") }
    let tensor = tensor(place)
    guard position.count == tensor.shape.rank, zip(position, tensor.shape.sizes).allSatisfy({ $0 < $1 }) else {
      throw InputError("\(name) is \(tensor.shape), so it has no element \(position)")
    }
    let i = tensor.shape.flat(position)
    let made: [Arithmetic]
    var lines = ["\(name)\(position) = \(short(tensor[flat: i]))"]
    switch place {
    case .value(let k):
      lines += valueArithmetic(k, i).map { [$0.text] } ?? []
      made = gradientArithmetic(k, i)
    case .parameter(let number): made = [parameterArithmetic(number, i)]
    }
    lines += ["", "d \(name)\(position) = \(short(gradient(place)[flat: i]))"] + made.map(\.text)
    lines.append("  finite difference: \(short(finiteDifference(place, i)))")
    if case .parameter(let number) = place { lines += [""] + stepArithmetic(number, i).map(\.text) }
    return lines.joined(separator: "\n")
  }

  /// The name and the position of `stem.conv[0, 3, 4, 1]`.
  private func parsed(_ text: String) throws -> (name: String, position: [Int]) {
    let parts = text.split(separator: "[", maxSplits: 1, omittingEmptySubsequences: false)
    let numbers = parts.count == 2 && parts[1].hasSuffix("]") ? parts[1].dropLast() : nil
    let position = numbers?.split(separator: ",", omittingEmptySubsequences: false).map {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    guard let position, !position.contains(where: { ($0 ?? -1) < 0 }) else {
      throw CommandLineError("--element takes a name and a position, such as stem.conv[0,3,4,1], not \(quoted(text))")
    }
    return (String(parts[0]), position.map { $0! })
  }

  private func unknown(_ name: String, _ names: [String], _ what: String) -> InputError {
    let hint = nearest(to: name, in: names).map { "; the nearest is '\($0)'" } ?? ""
    return InputError("\(architecture.name) has no \(what) \(quoted(name))\(hint)")
  }

  /// The stops, and all numbers where a page could hold them.
  var json: JSONValue {
    let hasNumbers = count <= Page.limit
    return [
      "network": .string(architecture.name), "loss": .double(loss),
      "stops": .array(
        stops.map { stop in
          [
            "name": .string(stop.name), "phase": .string(stop.phase.rawValue),
            "line": .string(stop.code.first?.description ?? ""),
            "tensors": .array(rows(of: stop).map { $0.json(hasNumbers) }),
          ]
        }),
    ]
  }
}

extension Row {
  fileprivate func json(_ hasNumbers: Bool) -> JSONValue {
    [
      "name": .string(name), "shape": .array(value.shape.sizes.map { .int($0) }),
      "mean": .double(value.mean), "deviation": .double(value.deviation),
      "gradientMean": .double(gradient.mean), "gradientDeviation": .double(gradient.deviation),
      "values": hasNumbers ? .array(value.elements.map { .double($0) }) : .null,
      "gradients": hasNumbers ? .array(gradient.elements.map { .double($0) }) : .null,
    ]
  }
}

/// A number with three significant digits, and 0 for what rounding left of a zero.
private func brief3(_ value: Double) -> String { abs(value) < 1e-15 ? "0" : String(format: "%.3g", value) }

extension Tensor<Double> {
  /// All numbers: images as one grid of rows and columns a channel, weights as one a pair of channels. A tensor of more
  /// than 4,096 numbers is printed with its middle left out.
  fileprivate func grids(_ isImage: Bool) -> String {
    guard count <= 4096, shape.rank == 4 || shape.rank == 2 else { return "\(self)" }
    if shape.rank == 2 { return grid((0..<shape[0]).map { row in (0..<shape[1]).map { self[row, $0] } }) }
    // Of images [N, H, W, C] axes 1 and 2 are rows and columns, of weights [kH, kW, Cin, Cout] axes 0 and 1.
    let (rows, columns) = isImage ? (1, 2) : (0, 1)
    let others = isImage ? (0, 3) : (2, 3)
    var parts: [String] = []
    for a in 0..<shape[others.0] {
      for b in 0..<shape[others.1] {
        let numbers = (0..<shape[rows]).map { r in
          (0..<shape[columns]).map { c in isImage ? self[a, r, c, b] : self[r, c, a, b] }
        }
        parts.append((isImage ? "[\(a), :, :, \(b)]" : "[:, :, \(a), \(b)]") + "\n" + grid(numbers))
      }
    }
    return parts.joined(separator: "\n")
  }

  private func grid(_ rows: [[Double]]) -> String {
    rows.map { row in row.map { String(format: "%9.4f", $0) }.joined(separator: " ") }.joined(separator: "\n")
  }
}
