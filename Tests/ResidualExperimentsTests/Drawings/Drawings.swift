// Drawings.swift: the drawings of the pages in docs, most of them of the course; Drawings+Figures.swift has the others.
//
// Tests       Tests/ResidualExperimentsTests/Drawings/DrawingTests.swift: the committed files are these

import ResidualLearning

extension Drawing {
  /// Every drawing: those of the course in the order of its pages, then those of the derivations and of performance.md.
  static var all: [Drawing] {
    [
      threeNodes, convolutionMeetings, normalizationWays, rectifier, maxPoolWinners, linearLayer, softmaxBars,
      heVariance, shortcutOptions, blockBackward, basicAndBottleneck, figure3, velocities, simdLanes, buildingBlock,
      blockInCode, strideParities, winogradTiles, registerTile,
    ]
  }

  /// The bytes of the files: one `.svg` for each drawing, under its name.
  static var files: [(name: String, svg: String)] { all.map { ($0.name + ".svg", $0.svg) } }

  private static var threeNodes: Drawing {
    var d = Drawing(
      "three-nodes", width: 720, height: 250, title: "A graph of three nodes, forward and backward",
      description:
        "x = 2 and w = 3 enter a product u = 6. u and x enter a sum s = 8. s enters L = s²/2 = 32. Back: ds = 8, "
        + "du = 8, dw = 16; x gets 8 from the sum and 24 from the product, 32 in all.")
    d.circle("w", 60, 60)
    d.circle("x", 60, 170)
    d.box(["u = w x"], 240, 60, width: 96)
    d.box(["s = u + x"], 430, 115, width: 104)
    d.box(["L = s²/2"], 620, 115, width: 96)
    d.path([(78, 56), (192, 56)], .forward)
    d.path([(74, 158), (194, 72)], .forward)
    d.path([(78, 170), (380, 170), (404, 134)], .forward)
    d.path([(288, 60), (384, 100)], .forward)
    d.path([(482, 115), (572, 115)], .forward)
    d.text("3", 105, 48, .forward)
    d.text("2", 96, 132, .forward)
    d.text("2", 150, 164, .forward)
    d.text("6", 340, 72, .forward)
    d.text("8", 527, 107, .forward)
    d.text("32", 620, 88, .forward)
    d.text("dL = 1", 620, 154, .backward)
    d.text("ds = 8", 527, 136, .backward)
    d.text("du = 8", 318, 104, .backward)
    d.text("dw = 16", 140, 78, .backward)
    d.text("from the product: 24", 206, 126, .backward, anchor: "start", size: 12)
    d.text("from the sum: 8", 250, 190, .backward, anchor: "start", size: 12)
    d.text("dx = 24 + 8 = 32", 36, 222, .notice, anchor: "start", bold: true)
    d.text("forward, left to right", 470, 205, .forward, anchor: "start", size: 12)
    d.text("gradients, right to left", 470, 225, .backward, anchor: "start", size: 12)
    return d
  }

  private static var convolutionMeetings: Drawing {
    var d = Drawing(
      "convolution-meetings", width: 720, height: 250,
      title: "Which input meets which weight in which output, stride 2",
      description:
        "Five pixels in a row, a kernel of three, stride 2, padding 1, three outputs. Pixels 0, 2 and 4 meet weight 1 "
        + "of one output each; pixels 1 and 3 meet weight 2 of the output on their left and weight 0 of that on their right."
    )
    for j in 0..<5 {
      d.box(["x\(j)"], 120 + Double(j) * 120, 210, width: 54, j % 2 == 0 ? .ink : .notice)
    }
    for i in 0..<3 {
      let x = 120 + Double(i) * 240
      d.box(["y\(i)"], x, 50, width: 54)
      for k in 0..<3 {
        let j = 2 * i + k - 1
        guard (0..<5).contains(j) else { continue }
        let pixel = 120 + Double(j) * 120
        d.path([(pixel, 192), (x, 68)], k == 1 ? .forward : .backward, tip: false)
        d.text(
          "w\(k)", (2 * pixel + x) / 3 + (k == 1 ? 14 : 0) + (k == 0 ? -16 : k == 2 ? 16 : 0), 150,
          k == 1 ? .forward : .backward)
      }
    }
    d.text("odd pixels: two weights", 360, 242, .notice, size: 12)
    d.text("even pixels: one weight, w1", 120, 242, .forward, size: 12)
    return d
  }

  private static var normalizationWays: Drawing {
    var d = Drawing(
      "normalization-ways", width: 720, height: 260, title: "Three ways from a pixel to the outputs of its channel",
      description:
        "x goes to x̂ directly, through the mean μ, and through the variance v and r. For the first pixel of 1, 3, 3, 9 "
        + "the direct way hands back 2, the mean −1, the variance −1/6, together 5/6.")
    d.circle("x", 70, 130)
    d.circle("μ", 290, 60)
    d.circle("v", 290, 200)
    d.circle("r", 430, 200)
    d.circle("x̂", 540, 130)
    d.circle("y", 660, 130)
    d.path([(88, 130), (520, 130)], .forward)
    d.path([(85, 120), (272, 66)], .forward)
    d.path([(85, 141), (272, 194)], .forward)
    d.path([(290, 78), (290, 180)], .faint)
    d.path([(308, 200), (410, 200)], .forward)
    d.path([(446, 191), (527, 144)], .forward)
    d.path([(308, 63), (526, 119)], .forward)
    d.path([(558, 130), (640, 130)], .forward)
    d.text("γ x̂ + β", 600, 120, .forward, size: 12)
    d.text("back, directly: 2", 190, 124, .backward, size: 13)
    d.text("back, through μ: −1", 130, 70, .backward, size: 13)
    d.text("back, through v: −1/6", 130, 204, .backward, size: 13)
    d.text("dx = 2 − 1 − 1/6 = 5/6", 130, 245, .notice, bold: true)
    d.text("v uses μ too, but Σ (x − μ) = 0: that way carries nothing", 500, 245, .faint, size: 12)
    return d
  }

  private static var rectifier: Drawing {
    var d = Drawing(
      "rectifier", width: 720, height: 230, title: "ReLU and its gradient",
      description:
        "Left: y is 0 for negative x and x for positive x. Right: the slope is 0 for negative x, 1 for positive x, and "
        + "there is none at 0, where the package takes 0.")
    for (left, label) in [(40.0, "y = max(x, 0)"), (400.0, "slope: dx = slope · dy")] {
      d.path([(left, 180), (left + 270, 180)], .faint)
      d.path([(left + 130, 205), (left + 130, 40)], .faint)
      d.text("x", left + 278, 185, .faint)
      d.text(label, left + 130, 28)
    }
    d.path([(50, 180), (170, 180), (290, 60)], .forward, width: 3, tip: false)
    d.path([(410, 180), (526, 180)], .backward, width: 3, tip: false)
    d.path([(534, 90), (660, 90)], .backward, width: 3, tip: false)
    d.text("1", 518, 95, .backward)
    d.text("0", 518, 172, .backward)
    d.text("no slope at 0: the package takes 0", 545, 222, .notice, size: 12)
    return d
  }

  private static var maxPoolWinners: Drawing {
    var d = Drawing(
      "max-pool-winners", width: 720, height: 260, title: "A pixel that wins three windows gets three gradients",
      description:
        "A 4x4 image, windows 3x3, stride 2, padding 1. The 5 in row 1, column 1 is the maximum of three of the four "
        + "windows, the 8 of the fourth. With gradients 1, 2, 3 and 4 the 5 gets 1 + 2 + 3 = 6 and the 8 gets 4.")
    d.text("x", 110, 34)
    d.grid(
      [["1", "3", "2", "0"], ["0", "5", "1", "4"], ["2", "1", "6", "7"], ["1", "0", "8", "2"]], 42, 48,
      marked: [(1, 1), (3, 2)])
    d.text("y", 300, 68)
    d.grid([["5", "5"], ["5", "8"]], 266, 82, .forward)
    d.text("dy", 440, 68)
    d.grid([["1", "2"], ["3", "4"]], 406, 82, .backward)
    d.text("dx", 610, 34)
    d.grid(
      [["0", "0", "0", "0"], ["0", "6", "0", "0"], ["0", "0", "0", "0"], ["0", "0", "4", "0"]], 542, 48, .backward,
      marked: [(1, 1)])
    d.path([(186, 116), (256, 116)], .forward)
    d.path([(482, 116), (532, 116)], .backward)
    d.text("6 = 1 + 2 + 3: three windows, one pixel", 580, 216, .notice, size: 12)
    d.text("windows of 3x3 reach over the border", 140, 216, .faint, size: 12)
    return d
  }

  private static var linearLayer: Drawing {
    var d = Drawing(
      "linear-layer", width: 720, height: 250, title: "Shapes in a linear layer",
      description:
        "x is 2 by 3, W is 3 by 2, y is 2 by 2. dx is dy times W transposed: 2 by 2 times 2 by 3. dW is x transposed "
        + "times dy: 3 by 2 times 2 by 2.")
    func row(
      _ d: inout Drawing, _ y: Double, _ a: (String, Double, Double), _ b: (String, Double, Double),
      _ c: (String, Double, Double), _ ink: Ink
    ) {
      var x = 150.0
      for (index, (name, width, height)) in [a, b, c].enumerated() {
        d.box([name], x, y, width: width * 26, height: height * 22, ink)
        if index < 2 { d.text(index == 0 ? "·" : "=", x + 82, y + 5) }
        x += 165
      }
    }
    row(&d, 45, ("x  2x3", 3, 2), ("W  3x2", 3, 3), ("y  2x2", 3, 2), .forward)
    row(&d, 125, ("dy  2x2", 3, 2), ("Wᵀ  2x3", 3.2, 2), ("dx  2x3", 3, 2), .backward)
    row(&d, 205, ("xᵀ  3x2", 3, 3), ("dy  2x2", 3, 2), ("dW  3x2", 3, 3), .backward)
    d.text("the inner sizes meet,", 630, 120, .faint, size: 12)
    d.text("the outer sizes stay", 630, 138, .faint, size: 12)
    return d
  }

  private static var softmaxBars: Drawing {
    var d = Drawing(
      "softmax-bars", width: 720, height: 260, title: "What was said, what was true, and the difference",
      description:
        "Probabilities 1/8, 2/8, 5/8 for three classes of which the second is true. The gradient of the logits is the "
        + "difference: 1/8, −6/8, 5/8.")
    let p = [0.125, 0.25, 0.625]
    let labels = [["1/8", "2/8", "5/8"], ["0", "1", "0"], ["1/8", "−6/8", "5/8"]]
    for (g, title) in ["said: p", "true: 1[k = t]", "gradient: p − 1[k = t]"].enumerated() {
      let left = 60 + Double(g) * 230
      d.text(title, left + 70, 24)
      d.path([(left - 10, 150), (left + 150, 150)], .faint, tip: false)
      for k in 0..<3 {
        let value = [p[k], k == 1 ? 1 : 0, p[k] - (k == 1 ? 1 : 0)][g]
        let x = left + 20 + Double(k) * 50
        if value != 0 {
          d.bar(x, 150, width: 30, height: value * 100, g == 2 ? .backward : g == 1 ? .notice : .forward)
        }
        d.text(labels[g][k], x, value < 0 ? 150 - value * 100 + 18 : 150 - value * 100 - 6, g == 2 ? .backward : .ink)
      }
    }
    return d
  }

  private static var heVariance: Drawing {
    var d = Drawing(
      "he-variance", width: 720, height: 240, title: "Mean square of the activations, layer by layer",
      description:
        "With variance 2/n the mean square stays as it is through ten layers; with 1/n it halves in each, to a thousandth."
    )
    d.path([(60, 190), (690, 190)], .faint)
    d.text("layer", 375, 230, .faint, size: 12)
    for layer in 0...10 {
      let x = 90 + Double(layer) * 56
      var height = 120.0
      for _ in 0..<layer { height /= 2 }
      d.bar(x - 9, 190, width: 16, height: 120, .forward)
      d.bar(x + 9, 190, width: 16, height: max(height, 0.6), .backward)
      d.text("\(layer)", x, 208, .faint, size: 12)
    }
    d.text("variance 2/n: ½ · n · 2/n = 1 in each layer", 60, 28, .forward, anchor: "start")
    d.text("variance 1/n: ½ in each layer, 1/1,024 after ten", 60, 50, .backward, anchor: "start")
    return d
  }

  private static var shortcutOptions: Drawing {
    var d = Drawing(
      "shortcut-options", width: 720, height: 300, title: "Shortcuts where the image halves and the channels double",
      description:
        "A 4x4 image of one channel becomes 2x2 with two channels. Option A keeps rows and columns 0 and 2 and fills "
        + "the second channel with zeros. Options B and C multiply the same four pixels with weights and normalize each channel."
    )
    d.text("x, one channel", 108, 34)
    d.grid(
      [["1", "5", "3", "0"], ["2", "4", "1", "6"], ["3", "2", "9", "7"], ["0", "8", "5", "1"]], 40, 48,
      marked: [(0, 0), (0, 2), (2, 0), (2, 2)])
    d.text("rows and columns 0, 2", 108, 212, .notice, size: 12)
    d.path([(186, 90), (290, 70)], .forward)
    d.path([(186, 140), (290, 200)], .forward)
    d.text("A", 240, 66, .ink, bold: true)
    d.text("B, C", 250, 150, .ink, bold: true)
    d.grid([["1", "3"], ["3", "9"]], 300, 36, .forward)
    d.grid([["0", "0"], ["0", "0"]], 400, 36, .faint)
    d.text("channel 0", 334, 124, .faint, size: 12)
    d.text("channel 1: zeros", 434, 124, .faint, size: 12)
    d.grid([["−1", "−1/3"], ["−1/3", "5/3"]], 300, 170, cell: 44, .forward)
    d.grid([["1", "1/3"], ["1/3", "−5/3"]], 410, 170, cell: 44, .forward)
    d.text("times the weights 1 and −2, then normalized", 400, 280, .faint, size: 12)
    d.text("parameters: none", 520, 76, .ink, anchor: "start")
    d.text("parameters: W, γ, β", 520, 216, .ink, anchor: "start")
    return d
  }

  private static var blockBackward: Drawing {
    var d = Drawing(
      "block-backward", width: 760, height: 300, title: "The way back through a residual block",
      description:
        "The gradient of the output passes the last ReLU and becomes the gradient of the sum. It goes on twice: through "
        + "BN₂, W₂, ReLU, BN₁ and W₁, and through the shortcut unchanged. At x the two arrive and are added.")
    let y = 90.0
    let layers = [("W₁", 170.0), ("BN₁", 255.0), ("ReLU", 340.0), ("W₂", 425.0), ("BN₂", 510.0)]
    d.circle("x", 60, y)
    d.circle("+", 600, y, radius: 15)
    d.box(["ReLU"], 680, y, width: 58)
    for (name, x) in layers { d.box([name], x, y, width: 58) }
    var last = 78.0
    for (_, x) in layers {
      d.path([(last, y - 7), (x - 31, y - 7)], .forward)
      d.path([(x - 29, y + 7), (last + 2, y + 7)], .backward)
      last = x + 29
    }
    d.path([(539, y - 7), (585, y - 7)], .forward)
    d.path([(586, y + 7), (541, y + 7)], .backward)
    d.path([(615, y - 7), (649, y - 7)], .forward)
    d.path([(651, y + 7), (616, y + 7)], .backward)
    d.path([(709, y - 7), (745, y - 7)], .forward)
    d.path([(747, y + 7), (711, y + 7)], .backward)
    d.path([(52, y + 20), (52, 230), (592, 230), (592, y + 17)], .forward)
    d.path([(608, y + 17), (608, 246), (68, 246), (68, y + 21)], .backward)
    d.text("dx of F", 112, y + 28, .backward, size: 12)
    d.text("dsum", 564, y + 28, .backward, size: 12)
    d.text("dy", 730, y + 28, .backward, size: 12)
    d.text("y", 730, y - 16, .forward, size: 12)
    d.text("F(x)", 562, y - 16, .forward, size: 12)
    d.text("x, unchanged", 330, 222, .forward)
    d.text("dsum, unchanged", 330, 264, .backward)
    d.text("dx = (dx of F) + dsum: it arrives twice and is added", 330, 290, .notice, bold: true)
    d.text("the residual branch: five layers, each with its own factor", 340, 40, .faint, size: 12)
    return d
  }

  private static var basicAndBottleneck: Drawing {
    var d = Drawing(
      "basic-and-bottleneck", width: 720, height: 330, title: "Figure 5: two blocks of about the same cost",
      description:
        "Left, on 64 channels: two 3x3 convolutions of 36,864 weights each, 73,728 together. Right, on 256 channels: 1x1 to "
        + "64 with 16,384, 3x3 with 36,864, 1x1 to 256 with 16,384, 69,632 together.")
    func column(_ d: inout Drawing, _ x: Double, _ top: String, _ boxes: [(String, String)], _ sum: String) {
      d.text(top, x, 28)
      var y = 68.0
      d.path([(x, 36), (x, 50)], .forward)
      for (index, (name, count)) in boxes.enumerated() {
        d.box([name], x, y, width: 120)
        d.text(count, x + 72, y + 5, .notice, anchor: "start")
        if index < boxes.count - 1 { d.path([(x, y + 17), (x, y + 43)], .forward) }
        y += 62
      }
      let end = boxes.count * 62 + 6
      d.path([(x, Double(end) + 17), (x, Double(end) + 44)], .forward)
      d.circle("+", x, Double(end) + 60, radius: 14)
      d.path([(x - 4, 40), (x - 92, 40), (x - 92, Double(end) + 60), (x - 16, Double(end) + 60)], .forward)
      d.text(sum, x, 318, .notice, bold: true)
    }
    column(&d, 190, "64 channels", [("3x3, 64", "36,864"), ("3x3, 64", "36,864")], "73,728 weights")
    column(
      &d, 520, "256 channels", [("1x1, 64", "16,384"), ("3x3, 64", "36,864"), ("1x1, 256", "16,384")], "69,632 weights")
    return d
  }

  private static var velocities: Drawing {
    var d = Drawing(
      "velocities", width: 720, height: 240, title: "The step behind a fall of the rate, in two forms of momentum",
      description:
        "Minimizing w²/2 from 1 with rates 0.1, 0.1, 0.1, 0.01. The first three steps are 0.100, 0.180 and 0.234 in both "
        + "forms. The fourth is 0.215 where the velocity holds the rate and 0.026 where it does not.")
    let steps = [[0.1, 0.18, 0.234, 0.21546], [0.1, 0.18, 0.234, 0.02592]]
    let words = [["0.100", "0.180", "0.234", "0.215"], ["0.100", "0.180", "0.234", "0.026"]]
    for (form, title) in ["v ← 0.9 v + η g,  w ← w − v", "v ← 0.9 v + g,  w ← w − η v"].enumerated() {
      let left = 50 + Double(form) * 350
      d.text(title, left + 130, 26)
      d.path([(left - 10, 190), (left + 290, 190)], .faint, tip: false)
      for step in 0..<4 {
        let x = left + 30 + Double(step) * 70
        d.bar(x, 190, width: 40, height: steps[form][step] * 560, step == 3 ? .notice : .forward)
        d.text(words[form][step], x, 190 - steps[form][step] * 560 - 6, step == 3 ? .notice : .ink, bold: step == 3)
        d.text(step == 3 ? "η 0.01" : "η 0.1", x, 210, .faint, size: 12)
      }
    }
    return d
  }

  private static var simdLanes: Drawing {
    var d = Drawing(
      "simd-lanes", width: 720, height: 250, title: "One instruction, many channels",
      description:
        "One pixel's value of channel k is copied into all lanes of a vector and multiplied with a vector of weights for "
        + "neighbouring output channels; the products are added to a vector of sums that stays in a register.")
    d.text("x[k]", 60, 60, .forward)
    d.grid([["x[k]", "x[k]", "x[k]", "x[k]", "…", "x[k]"]], 120, 38, cell: 56, .forward)
    d.text("w[k, …]", 60, 125)
    d.grid([["w₀", "w₁", "w₂", "w₃", "…", "w₁₅"]], 120, 104, cell: 56)
    d.text("sum", 60, 192, .notice)
    d.grid([["s₀", "s₁", "s₂", "s₃", "…", "s₁₅"]], 120, 170, cell: 56, .notice)
    d.text("copied to all lanes", 470, 70, .faint, anchor: "start", size: 12)
    d.text("16 neighbours in memory", 470, 136, .faint, anchor: "start", size: 12)
    d.text("sum += x[k] · w[k, …]", 470, 196, .notice, anchor: "start")
    d.text("one fused multiply-add for 16 channels", 470, 216, .faint, anchor: "start", size: 12)
    return d
  }
}
