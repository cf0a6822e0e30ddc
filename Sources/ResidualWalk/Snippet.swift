// Snippet.swift: functions of this package as they stand in its sources, and the lines that a stop is at.
//
// SnippetTexts.swift holds their text, so that a program without its checkout can show it.
// Tests       Tests/ResidualWalkTests/SnippetTests.swift compares them with the sources

import Foundation

/// Lines of a source file.
public struct Snippet: Sendable {
  /// A short name: `conv.backward`.
  public let key: String
  /// The path from the root of the repository.
  public let file: String
  /// The number of the first line, counted from 1.
  public let firstLine: Int
  /// The lines, without the indentation that they share.
  public let lines: [String]

  /// All snippets.
  public static let all: [Snippet] = parse(snippetTexts)

  static func named(_ key: String) -> Snippet { all.first { $0.key == key }! }

  /// Reads lines `=== key file first-line` with the text of a snippet under each.
  static func parse(_ text: String) -> [Snippet] {
    var all: [Snippet] = []
    for part in text.components(separatedBy: "=== ").dropFirst() {
      let lines = part.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let head = lines[0].split(separator: " ").map(String.init)
      let code = lines.last == "" ? lines.dropFirst().dropLast() : lines.dropFirst()
      all.append(Snippet(key: head[0], file: head[1], firstLine: Int(head[2])!, lines: Array(code)))
    }
    return all
  }

  /// Where a function begins in its file: the snippet runs to the brace that closes it.
  package static let places: [(key: String, file: String, begins: String)] = [
    ("conv.forward", layers + "Conv2D.swift", "public func callAsFunction("),
    ("conv.backward", layers + "Conv2D.swift", "public func backward("),
    ("conv.parameterGradients", layers + "Conv2D.swift", "public func parameterGradients("),
    ("bn.forward", layers + "BatchNorm2D.swift", "public func forward("),
    ("bn.backward", layers + "BatchNorm2D.swift", "public func backward("),
    ("bn.factors", layers + "BatchNorm2D.swift", "func inputGradientFactors("),
    ("relu.forward", layers + "ReLU.swift", "public func callAsFunction("),
    ("relu.backward", layers + "ReLU.swift", "public func backward("),
    ("maxPool.forward", layers + "MaxPool2D.swift", "public func callAsFunction("),
    ("maxPool.backward", layers + "MaxPool2D.swift", "public func backward("),
    ("pool.forward", layers + "GlobalAveragePool.swift", "public func callAsFunction("),
    ("pool.backward", layers + "GlobalAveragePool.swift", "public func backward("),
    ("linear.forward", layers + "Linear.swift", "public func callAsFunction("),
    ("linear.backward", layers + "Linear.swift", "public func backward("),
    ("loss.forward", layers + "SoftmaxCrossEntropy.swift", "public func forward("),
    ("loss.backward", layers + "SoftmaxCrossEntropy.swift", "public func backward("),
    ("shortcut.forward", "Sources/ResidualLearning/Blocks/Shortcut.swift", "public func forward("),
    ("shortcut.backward", "Sources/ResidualLearning/Blocks/Shortcut.swift", "public func backward("),
    ("block.forward", "Sources/ResidualLearning/Blocks/Block.swift", "public func forward("),
    ("block.backward", "Sources/ResidualLearning/Blocks/Block.swift", "public func backward("),
    ("network.forward", "Sources/ResidualLearning/Networks/ResidualNetwork.swift", "public func forward("),
    ("network.backward", "Sources/ResidualLearning/Networks/ResidualNetwork.swift", "private func backwardToStem("),
    ("stem.forward", "Sources/ResidualLearning/Networks/Stem.swift", "public func forward("),
    ("stem.backward", "Sources/ResidualLearning/Networks/Stem.swift", "private func activatedGradient("),
    ("sgd.step", "Sources/ResidualLearning/Training/SGD.swift", "public mutating func step("),
    ("loops", "Sources/ResidualKernels/Convolution/Reference.swift", "public static func referenceConvolution<"),
  ]

  private static let layers = "Sources/ResidualLearning/Layers/"
}

/// A place in a snippet: the lines that compute what a stop shows.
public struct CodePlace: Sendable {
  /// The function.
  public let snippet: Snippet
  /// The marked lines, counted from 0 in the snippet.
  public let marked: [Int]

  /// Marks the lines that contain one of these texts.
  init(_ key: String, _ texts: String...) { self.init(key, any: texts) }

  init(_ key: String, any texts: [String]) {
    let snippet = Snippet.named(key)
    self.snippet = snippet
    marked = snippet.lines.indices.filter { i in texts.contains { snippet.lines[i].contains($0) } }
  }

  /// The file's name and the number of the first marked line: `Conv2D.swift:103`.
  public var description: String {
    "\(snippet.file.split(separator: "/").last!):\(snippet.firstLine + (marked.first ?? 0))"
  }
}
