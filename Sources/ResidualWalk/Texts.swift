// Texts.swift: what a stop says: a sentence, equations, lines of code.
//
// Tests       Tests/ResidualWalkTests/StopTests.swift finds every equation and every marked line in the sources

import ResidualKernels
import ResidualLearning

/// The words of the stops.
enum Texts {
  typealias Text = (sentence: String, equations: [Equation], code: [CodePlace])

  private static let layers = "Sources/ResidualLearning/Layers/"
  private static let convolutionPage = "docs/derivations/convolution.md"
  private static let normalizationPage = "docs/derivations/batch-norm.md"
  private static let lossPage = "docs/derivations/softmax-cross-entropy.md"
  private static let blockPage = "docs/derivations/residual-block.md"
  private static let shortcutFile = "Sources/ResidualLearning/Blocks/Shortcut.swift"

  private static func equations(_ page: String, _ list: (String, String)...) -> [Equation] {
    list.map { Equation(text: $0.1, number: $0.0, page: page) }
  }

  /// What a layer's forward says.
  static func forward(_ kind: Node.Kind, _ role: Role) -> Text {
    switch kind {
    case .images: ("The network's input: the picture after its pixels were normalized.", [], [])
    case .convolution:
      (
        "Each output is a sum of products of the kernel and the pixels under it.",
        equations(convolutionPage, ("(1)", "y[i, o] = Σ x[i·s + k − p, c] w[k, c, o] + b[o]")),
        [CodePlace("conv.forward", "// (1)"), caller(role, "unit.conv(activated[i])"), CodePlace("loops", "sum +=")]
      )
    case .normalization:
      (
        "Each channel gets mean 0 and variance 1 over the pixels of the batch, then its scale γ and its shift β.",
        equations(
          normalizationPage, ("(1)", "μ  = 1/m Σ x"), ("(2)", "v  = 1/m Σ (x − μ)²"), ("(3)", "r  = 1 / √(v + ε)"),
          ("(4)", "x̂  = (x − μ) r"), ("(5)", "y  = γ x̂ + β")),
        [
          CodePlace("bn.forward", "// (1), (2)", "// (3)", "// (4), (5)"),
          caller(role, "unit.bn.forward(convolved[i])"),
        ]
      )
    case .relu: rectifier(role)
    case .maxPool:
      (
        "Of each window the largest pixel stays.",
        equations(layers + "MaxPool2D.swift", ("(1)", "y[i] = max x[i·s + k − p]")),
        [CodePlace("maxPool.forward", "// (1)"), CodePlace("stem.forward", "maxPool?.forward(activated)")]
      )
    case .shortcut(let shortcut): self.shortcut(shortcut)
    case .sum:
      (
        "The residual F(x) and the shortcut h(x) are added, element by element.",
        equations(blockPage, ("(2)", "sum = F(x) + h(x)")), [CodePlace("block.forward", "// (2)")]
      )
    case .averagePool:
      (
        "The mean of each channel over the image: one number a channel is left.",
        equations(layers + "GlobalAveragePool.swift", ("(1)", "y[n, c] = 1/(H·W) Σ x[n, i, c]")),
        [CodePlace("pool.forward", "// (1)"), CodePlace("network.forward", "pool.forward(x)")]
      )
    case .linear:
      (
        "Each class gets its logit: a sum of products and a bias.",
        equations(layers + "Linear.swift", ("(1)", "y[n, o] = Σ x[n, i] w[i, o] + b[o]")),
        [CodePlace("linear.forward", "// (1)"), CodePlace("network.forward", "classifier.forward(features)")]
      )
    case .loss:
      (
        "Logits become probabilities, and the loss is minus the logarithm of the true class's.",
        equations(lossPage, ("(1)", "p[n, k] = exp(z[n, k]) / Σ exp(z[n, j])"), ("(2)", "L = −1/N Σ log p[n, t[n]]")),
        [CodePlace("loss.forward", "// (1)", "// (2)")]
      )
    }
  }

  /// What a layer's backward says.
  static func backward(_ kind: Node.Kind, _ role: Role) -> Text {
    switch kind {
    case .images: preconditionFailure("the images have no backward")
    case .convolution:
      (
        "Whoever met in forward meets again: each pixel collects dy times the weights it met, each weight dy times its "
          + "pixels.",
        equations(
          convolutionPage, ("(2)", "dx[j, c] = Σ dy[i, o] w[k, c, o]"),
          ("(3)", "dw[k, c, o] = Σ dy[i, o] x[i·s + k − p, c]")),
        [
          CodePlace("conv.backward", "// (2)"), CodePlace("conv.parameterGradients", "// (3)"),
          backwardCaller(role, "unit.conv.backward(", "convolvedGradient[i], Conv2D.Cache"),
        ]
      )
    case .normalization:
      (
        "The gradient loses its mean and its part along x̂, and is scaled: a pixel acts directly, through μ and through "
          + "v.",
        equations(
          normalizationPage, ("(6)", "dβ = Σ dy"), ("(7)", "dγ = Σ dy x̂"),
          ("(8)", "dx = γ r (dy − dβ/m − x̂ dγ/m)")),
        [
          CodePlace("bn.backward", "// (6), (7)", "// (8)"), CodePlace("bn.factors", "return (a, a *"),
          backwardCaller(role, "unit.bn.backward("),
        ]
      )
    case .relu: rectifierBackward(role)
    case .maxPool:
      (
        "The pixel that was the maximum of a window gets the window's gradient.",
        equations(layers + "MaxPool2D.swift", ("(2)", "dx[j] = Σ dy[i]")),
        [CodePlace("maxPool.backward", "// (2)"), CodePlace("stem.backward", "maxPool.backward(")]
      )
    case .shortcut(let shortcut): shortcutBackward(shortcut)
    case .sum:
      (
        "A sum hands its gradient to both of its terms, unchanged: to the branch and to the shortcut.",
        equations(blockPage, ("(5)", "dF = dsum,  dh = dsum")),
        [CodePlace("block.backward", "= sumGradient", "// (5): the shortcut", "shortcut?.backward(sumGradient")]
      )
    case .averagePool:
      (
        "Each pixel had a share of 1/(H·W) in the mean, and gets that share of the gradient.",
        equations(layers + "GlobalAveragePool.swift", ("(2)", "dx[n, i, c] = dy[n, c] / (H·W)")),
        [CodePlace("pool.backward", "// (2)"), CodePlace("network.backward", "pool.backward(")]
      )
    case .linear:
      (
        "Each input collects dy times its weights, each weight dy times its input.",
        equations(
          layers + "Linear.swift", ("(2)", "dx[n, i] = Σ dy[n, o] w[i, o]"), ("(3)", "dw[i, o] = Σ x[n, i] dy[n, o]"),
          ("(4)", "db[o] = Σ dy[n, o]")),
        [
          CodePlace("linear.backward", "// (2)", "// (3)", "// (4)"),
          CodePlace("network.backward", "classifier.backward("),
        ]
      )
    case .loss:
      (
        "The gradient begins: probabilities minus one for the true class.",
        equations(lossPage, ("(3)", "dz[n, k] = (p[n, k] − 1[k = t[n]]) / N")), [CodePlace("loss.backward", "// (3)")]
      )
    }
  }

  /// What is said where a block's input gets its two gradients.
  static let addition: Text = (
    "x was used twice, by the branch and by the shortcut. So two gradients arrive, and they are added.",
    equations(blockPage, ("(6)", "dx = (∂F/∂x)ᵀ dF + (∂h/∂x)ᵀ dh")), [CodePlace("block.backward", "// (6)")]
  )

  /// What is said of the step.
  static let step: Text = (
    "Each parameter moves against its gradient. The velocity was zero before this step.",
    equations("Sources/ResidualLearning/Training/SGD.swift", ("(1)", "v ← m v + η (g + λ w)"), ("(2)", "w ← w − v")),
    [CodePlace("sgd.step", "// (1)", "// (2)")]
  )
}

// MARK: - ReLU and shortcut

extension Texts {
  private static func rectifier(_ role: Role) -> Text {
    let own = CodePlace("relu.forward", "// (1)")
    let isEnd = role == .end || role == .plainEnd
    if isEnd {
      return (
        role == .end ? "The ReLU comes after the addition." : "The ReLU at the end of the block.",
        equations(blockPage, ("(3)", "y = σ(sum)")), [own, CodePlace("block.forward", "let output = relu(sum)")]
      )
    }
    return (
      "Positive numbers stay, negative ones become 0.", equations(layers + "ReLU.swift", ("(1)", "y = max(x, 0)")),
      [own, CodePlace("block.forward", "activated.append(relu(output))")]
    )
  }

  private static func rectifierBackward(_ role: Role) -> Text {
    let own = CodePlace("relu.backward", "// (2)")
    if role == .end || role == .plainEnd {
      return (
        "What arrives at the block passes where its output is positive.",
        equations(blockPage, ("(4)", "dsum = dy where y > 0, else 0")), [own, CodePlace("block.backward", "// (4)")]
      )
    }
    return (
      "The gradient passes where the output was positive.",
      equations(layers + "ReLU.swift", ("(2)", "dx = dy where y > 0, else 0")),
      [own, CodePlace("block.backward", "relu.backward(activatedGradient[i]")]
    )
  }

  private static func shortcut(_ shortcut: Shortcut<Double>) -> Text {
    let call = CodePlace("block.forward", "shortcut?.forward(input)")
    if case .identity = shortcut {
      return (
        "The shortcut hands x on as it is. Nothing is computed.", equations(shortcutFile, ("(1)", "h(x) = x")),
        [CodePlace("shortcut.forward", "case .identity"), call]
      )
    }
    return (
      "Option A: every second row and column of x, and zeros for the new channels.",
      equations(shortcutFile, ("", "h(x)[i, f + c] = x[i·s, c], other channels 0")),
      [CodePlace("shortcut.forward", "case .zeroPadded"), call]
    )
  }

  private static func shortcutBackward(_ shortcut: Shortcut<Double>) -> Text {
    let call = CodePlace("block.backward", "shortcut?.backward(sumGradient")
    if case .identity = shortcut {
      return (
        "The shortcut hands the gradient back as it is.", equations(shortcutFile, ("(1)", "dx = dh")),
        [CodePlace("shortcut.backward", "case (.identity, .identity)"), call]
      )
    }
    return (
      "The same arrows the other way: pixels that were not taken get 0, and what arrives at the zeros is dropped.",
      equations(shortcutFile, ("", "dx[i·s, c] = dh[i, f + c], other pixels 0")),
      [CodePlace("shortcut.backward", "return (zeros.backward("), call]
    )
  }

  private static func caller(_ role: Role, _ text: String) -> CodePlace {
    role == .shortcut
      ? CodePlace("block.forward", "shortcut?.forward(input)") : CodePlace("block.forward", text)
  }

  private static func backwardCaller(_ role: Role, _ texts: String...) -> CodePlace {
    role == .shortcut
      ? CodePlace("block.backward", "shortcut?.backward(sumGradient") : CodePlace("block.backward", any: texts)
  }
}
