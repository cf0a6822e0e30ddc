// MistakeLines.swift: the lines of the package that a mistake of the museum would be in.
//
// Tests       Tests/ResidualWalkTests/MistakeTests.swift

import ResidualExperiments

extension Mistake {
  /// The lines that compute what the mistake gets wrong, in the layer's own function and in the one that calls it.
  public var lines: [CodePlace] {
    let name = label.name
    func isOne(of names: String...) -> Bool { names.contains(name) }
    switch kind {
    case .convolution where name.hasPrefix("conv-bias"): return [CodePlace("conv.parameterGradients", "// (4)")]
    case .convolution where isOne(of: "conv-weight-gradient-overwritten", "conv-mean-of-the-batch"):
      return [CodePlace("conv.parameterGradients", "// (3)")]
    case .convolution: return [CodePlace("conv.backward", "// (2)", "weight: parameters.weight")]
    case .normalization where isOne(of: "bn-input-for-normalized", "bn-means-for-sums"):
      return [CodePlace("bn.backward", "// (6), (7)")]
    case .normalization:
      return [CodePlace("bn.backward", "// (8)"), CodePlace("bn.factors", "return (a, a *", "let a =")]
    case .relu:
      return [
        CodePlace("relu.backward", "// (2)"),
        CodePlace("block.backward", "// (4)", "relu.backward(activatedGradient[i]"),
      ]
    case .maxPool: return [CodePlace("maxPool.backward", "// (2)")]
    case .averagePool: return [CodePlace("pool.backward", "// (2)")]
    case .linear where name == "linear-bias-mean": return [CodePlace("linear.backward", "// (4)")]
    case .linear where name == "linear-weight-transposed": return [CodePlace("linear.backward", "// (3)")]
    case .linear: return [CodePlace("linear.backward", "// (2)")]
    case .loss: return [CodePlace("loss.backward", "// (3)")]
    case .block where name == "block-skip-not-masked":
      return [CodePlace("block.backward", "// (5): the shortcut", "shortcut?.backward(sumGradient", "// (6)")]
    case .block where name == "block-gradients-of-the-other-layer":
      return [CodePlace("block.backward", "unit.bn.backward(")]
    case .block: return [CodePlace("block.backward", "// (6)")]
    case .shortcut: return [CodePlace("shortcut.backward", "return (zeros.backward(")]
    }
  }
}
