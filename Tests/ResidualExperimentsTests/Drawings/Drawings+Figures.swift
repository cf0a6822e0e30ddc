// Drawings+Figures.swift: figures 2 and 3 of the paper, and what the code of a block and of the kernels does.
//
// Paper       He et al. 2015 Fig. 2, Fig. 3
// Tests       Tests/ResidualExperimentsTests/Drawings/DrawingTests.swift

import ResidualKernels
import ResidualLearning

extension Drawing {
  /// Fig. 2.
  static var buildingBlock: Drawing {
    var d = Drawing(
      "building-block", width: 440, height: 330, title: "Figure 2: a building block",
      description:
        "x goes through a weight layer, a ReLU and a second weight layer, which gives F(x), and around them unchanged. The "
        + "two are added to F(x) + x, and a ReLU follows.")
    let x = 200.0
    d.text("x", x, 30, bold: true)
    d.path([(x, 40), (x, 70)], .forward)
    d.box(["weight layer"], x, 88, width: 130)
    d.path([(x, 105), (x, 150)], .forward)
    d.text("relu", x + 14, 132, anchor: "start")
    d.box(["weight layer"], x, 168, width: 130)
    d.path([(x, 185), (x, 222)], .forward)
    d.circle("+", x, 240, radius: 16)
    d.path([(x, 256), (x, 306)], .forward)
    d.text("relu", x + 14, 288, anchor: "start")
    d.path([(x, 54), (330, 54), (330, 240), (x + 18, 240)], .forward)
    d.text("x", 346, 146, .forward, anchor: "start", bold: true)
    d.text("identity", 346, 164, .faint, anchor: "start")
    d.text("F(x)", 112, 133, bold: true)
    d.text("F(x) + x", 168, 245, anchor: "end", bold: true)
    return d
  }

  /// Fig. 3, from the layers that `resnet summary` lists.
  static var figure3: Drawing {
    let columns: [(title: String, summary: Summary)] = [
      ("VGG-19", Summary(.vgg(depth: 19))),
      ("34-layer plain", Summary(.imageNet(depth: 34, plain: true))),
      ("34-layer residual", Summary(.imageNet(depth: 34, options: .init(shortcut: .a)))),
    ]
    // Layers of one output size stand beside each other.
    let sizes = [224, 112, 56, 28, 14, 7, 1]
    let groups = columns.map { column in
      sizes.map { size in
        column.summary.layers.filter { $0.kind != .projection && ($0.output.rank == 3 ? $0.output[0] : 1) == size }
      }
    }
    let rows = sizes.indices.map { s in max(1, groups.map { $0[s].count }.max()!) }
    let (pitch, top) = (26.0, 96.0)
    let starts = sizes.indices.map { s in top + Double(rows[..<s].reduce(0, +)) * pitch + Double(s) * 12 }
    var d = Drawing(
      "figure-3", width: 560, height: starts[6] + 3 * pitch + 16,
      title: "Figure 3: VGG-19, a plain and a residual network",
      description:
        "Three columns of layers from the image to 1,000 classes, aligned by the size of their output: 224, 112, 56, 28, 14, "
        + "7, 1. VGG-19 has 16 convolutions with 64 to 512 channels and three linear layers. The plain and the residual "
        + "network have a 7x7 convolution, a pool, 6, 8, 12 and 6 3x3 convolutions with 64, 128, 256 and 512 channels, an "
        + "average pool and one linear layer. The residual one has 16 shortcuts, of which three change dimensions.")
    d.text("output", 30, 64, .faint, size: 12)
    for (s, size) in sizes.enumerated() {
      d.text("\(size)", 30, starts[s] + 15, .faint)
      if s > 0 { d.path([(8, starts[s] - 7), (552, starts[s] - 7)], .faint, width: 0.5, tip: false) }
    }
    for (c, column) in columns.enumerated() {
      let x = [120.0, 282, 444][c]
      d.text(column.title, x, 24, bold: true)
      d.text("\(billions(column.summary.multiplyAdds)) · 10⁹", x, 44, .notice)
      d.text("image", x, 70)
      d.path([(x, 76), (x, (c == 0 ? starts[0] : starts[1]) - 1)], .forward)
      var last: Double?
      var centers: [(y: Double, name: String, size: Int)] = []
      for (s, layers) in groups[c].enumerated() {
        for (i, layer) in layers.enumerated() {
          let y = starts[s] + Double(i) * pitch + 10
          if let last { d.path([(x, last + 9), (x, y - 9)], .forward, tip: y - last > pitch) }
          d.box([words(layer)], x, y, width: 136, height: 18, layer.kind == .pool ? .faint : .ink)
          last = y
          if layer.kind == .convolution { centers.append((y, layer.name, s)) }
        }
      }
      guard c == 2 else { continue }
      for i in centers.indices where centers[i].name.hasSuffix("conv1") && centers[i].name.hasPrefix("stages") {
        let (first, second) = (centers[i], centers[i + 1])
        let dashed = centers[i - 1].size != first.size && i > 1
        d.path(
          [(x, first.y - 11), (x + 84, first.y - 11), (x + 84, second.y + 11), (x, second.y + 11)],
          dashed ? .notice : .forward, dashed: dashed, tip: false)
      }
    }
    return d
  }

  private static func words(_ layer: Summary.Layer) -> String {
    switch layer.kind {
    case .convolution:
      return layer.description.replacing(", stride 2", with: ", /2").replacing("3x3, ", with: "3x3 conv, ")
        .replacing("7x7, ", with: "7x7 conv, ")
    case .pool: return layer.description.hasPrefix("average") ? "avg pool" : "max pool, /2"
    default: return "fc \(layer.output[0])"
    }
  }

  /// Billions with two digits.
  private static func billions(_ count: Int) -> String {
    let hundredths = (count + 5_000_000) / 10_000_000
    return "\(hundredths / 100)." + (hundredths % 100 < 10 ? "0" : "") + "\(hundredths % 100)"
  }

  /// The way back through a basic block, with the names of `Block.swift`.
  static var blockInCode: Drawing {
    var d = Drawing(
      "block-in-code", width: 520, height: 660, title: "A block's tensors and gradients, as the code calls them",
      description:
        "From the input through conv1, bn1, relu, conv2, bn2, the addition and relu to the output, with the name of the "
        + "tensor on each arrow down and of its gradient on each arrow up. sumGradient goes to the branch, as "
        + "normalizedGradient[1], and to the shortcut. residualGradient and the shortcut's inputGradient are added to the "
        + "block's inputGradient.")
    let x = 300.0
    let names: [(layer: String, value: String, gradient: String)] = [
      ("conv1", "activated[0]", "residualGradient"),
      ("bn1", "convolved[0]", "convolvedGradient[0]"),
      ("relu", "normalized[0]", "normalizedGradient[0]"),
      ("conv2", "activated[1]", "activatedGradient[1]"),
      ("bn2", "convolved[1]", "convolvedGradient[1]"),
      ("+", "residual", "normalizedGradient[1]"),
      ("relu", "sum", "sumGradient"),
    ]
    d.text("input", x - 24, 40, .forward, anchor: "end")
    d.text("inputGradient (6)", x + 24, 40, .backward, anchor: "start")
    d.circle("", x, 62, radius: 7)
    for (i, name) in names.enumerated() {
      let y = 150 + Double(i) * 72
      let (from, to) = (i == 0 ? 70 : y - 55, y - (name.layer == "+" ? 16 : 17))
      d.path([(x - 10, from), (x - 10, to)], .forward)
      d.path([(x + 10, to), (x + 10, from)], .backward)
      d.text(name.value, x - 18, (from + to) / 2 + 5, .forward, anchor: "end", size: 13)
      d.text(name.gradient, x + 18, (from + to) / 2 + 5, .backward, anchor: "start", size: 13)
      if name.layer == "+" { d.circle("+", x, y, radius: 16) } else { d.box([name.layer], x, y, width: 84) }
    }
    let (sum, last) = (150.0 + 5 * 72, 150.0 + 6 * 72)
    d.path([(x - 10, last + 17), (x - 10, last + 60)], .forward)
    d.path([(x + 10, last + 60), (x + 10, last + 17)], .backward)
    d.text("output", x - 18, last + 50, .forward, anchor: "end", size: 13)
    d.text("outputGradient", x + 18, last + 50, .backward, anchor: "start", size: 13)
    d.path([(x - 9, 58), (56, 58), (56, sum - 5), (x - 19, sum - 5)], .forward)
    d.path([(x - 17, sum + 7), (36, sum + 7), (36, 68), (x - 9, 68)], .backward)
    d.text("shortcutPass.output", 64, sum - 12, .forward, anchor: "start", size: 13)
    d.text("sumGradient (5)", 64, sum + 24, .backward, anchor: "start", size: 13)
    d.text("shortcutPass.inputGradient", 64, 85, .backward, anchor: "start", size: 13)
    d.text("(1)", x + 50, 155, .faint, anchor: "start", size: 12)
    d.text("(2)", x + 24, sum + 5, .faint, anchor: "start", size: 12)
    d.text("(3) forward, (4) back", x + 50, last + 5, .faint, anchor: "start", size: 12)
    return d
  }

  /// Which weights and outputs the four kinds of pixels meet: 3x3, stride 2, padding 1.
  static var strideParities: Drawing {
    var d = Drawing(
      "stride-parities", width: 530, height: 520, title: "Four kinds of pixels at stride 2",
      description:
        "A 5x5 image, a 3x3 kernel, stride 2, padding 1, a 3x3 output whose windows are centred on the pixels with even row "
        + "and column. A pixel with even row and column meets one weight, the middle one; with one of them odd two weights; "
        + "with both odd the four corners. On the way back each kind collects the outputs that it was read by.")
    let counts = (0..<5).map { y in (0..<5).map { x in "\((1 + y % 2) * (1 + x % 2))" } }
    d.text("weights that each pixel meets", 130, 28)
    d.grid(counts, 40, 44, cell: 36, marked: (0..<3).flatMap { y in (0..<3).map { (2 * y, 2 * $0) } })
    d.text("framed: the centres of the 3x3 windows", 130, 246, .notice, size: 12)
    d.text("forward", 290, 70, .forward, anchor: "start", bold: true)
    d.text("y[i] sums 9 pixels,", 290, 92, .forward, anchor: "start")
    d.text("x[2i + k − 1] · w[k]", 290, 112, .forward, anchor: "start")
    d.text("backward", 290, 154, .backward, anchor: "start", bold: true)
    d.text("a pixel sums 1, 2, 2 or 4", 290, 176, .backward, anchor: "start")
    d.text("outputs, dy[i] · w[k]", 290, 196, .backward, anchor: "start")
    let kinds: [(row: Int, column: Int)] = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for (i, kind) in kinds.enumerated() {
      let (x, y) = (14 + Double(i % 2) * 258, 278 + Double(i / 2) * 124)
      func taps(_ parity: Int) -> [Int] { (0..<3).filter { $0 % 2 == 1 - parity } }
      let marked = taps(kind.row).flatMap { k in taps(kind.column).map { (k, $0) } }
      let kernel = (0..<3).map { k in (0..<3).map { l in marked.contains { $0 == (k, l) } ? "w\(k)\(l)" : "" } }
      d.grid(kernel, x, y, cell: 34, marked: marked)
      let words = { (parity: Int) in parity == 0 ? "even" : "odd" }
      let place = { (name: String, parity: Int) in parity == 0 ? "2\(name)" : "2\(name)+1" }
      let outputs = { (name: String, parity: Int) in parity == 0 ? name : "\(name), \(name)+1" }
      let left = x + 112
      d.text("x[\(place("l", kind.row)), \(place("m", kind.column))]", left, y + 14, anchor: "start", bold: true)
      d.text("\(words(kind.row)) row,", left, y + 34, anchor: "start", size: 13)
      d.text("\(words(kind.column)) column", left, y + 50, anchor: "start", size: 13)
      d.text("dy of rows \(outputs("l", kind.row)),", left, y + 74, .backward, anchor: "start", size: 13)
      d.text("columns \(outputs("m", kind.column))", left, y + 90, .backward, anchor: "start", size: 13)
    }
    return d
  }

  /// What the direct kernel keeps where, for a convolution of ResNet-20's second stage.
  static var registerTile: Drawing {
    let shape = ConvolutionShape(
      batch: 128, height: 16, width: 16, inputChannels: 32, outputChannels: 32, kernelHeight: 3, kernelWidth: 3,
      padding: 1)
    let row = (shape.width + 2) * shape.inputChannels * 4
    let image = row * (shape.height + 2)
    let panel = shape.kernelHeight * shape.kernelWidth * shape.inputChannels * 2 * 64
    var d = Drawing(
      "register-tile", width: 520, height: 464, title: "A register tile, and what lies in which cache",
      description:
        "A 3x3 convolution of 32 to 32 channels on 16x16 pixels with AVX-512. Registers: sums of 8 pixels by 2 vectors of "
        + "16 channels, and 2 vectors of weights. First cache: the three rows of input under the tile, \(kilobytes(3 * row)). "
        + "Second cache: the weights, \(kilobytes(panel)), read in order for every tile, and the padded image, "
        + "\(kilobytes(image)). Memory: the batch.")
    band(&d, 16, 200, "registers")
    d.text("16 vectors of sums", 32, 62, .faint, anchor: "start", size: 12)
    d.grid([[String]](repeating: ["", ""], count: 8), 200, 32, cell: 20, .forward)
    for p in 0..<8 { d.text("pixel \(p)", 192, 46 + Double(p) * 20, .faint, anchor: "end", size: 12) }
    d.text("2 vectors of 16 channels", 220, 208, .faint, size: 12)
    d.text("one step, for input k:", 264, 58, anchor: "start")
    d.text("load w[k, 0–15] and w[k, 16–31]", 264, 84, .notice, anchor: "start")
    d.text("x[p, k] into all lanes, 8 times", 264, 108, .forward, anchor: "start")
    d.text("16 multiply-adds", 264, 132, anchor: "start")
    let depth = shape.kernelHeight * shape.kernelWidth * shape.inputChannels
    d.text("after \(depth) steps 16 stores", 264, 170, .faint, anchor: "start")
    band(&d, 228, 58, "L1 cache")
    d.text(
      "three rows of the padded image: 3 · 18 · 32 numbers, \(kilobytes(3 * row))", 32, 274, .forward, anchor: "start")
    band(&d, 298, 80, "L2 cache")
    d.text("padded image: 18 · 18 · 32 numbers, \(kilobytes(image))", 32, 344, .forward, anchor: "start")
    d.text("weights, packed: \(depth) · 32 numbers, \(kilobytes(panel))", 32, 366, .notice, anchor: "start")
    band(&d, 390, 58, "memory")
    d.text(
      "the batch: 128 images in, 128 out, \(kilobytes(shape.inputCount * 4)) each", 32, 436, .forward, anchor: "start")
    return d
  }

  /// What Winograd's kernel keeps where, for a convolution of ResNet-20's second stage.
  static var winogradTiles: Drawing {
    let (channels, tiles) = (32, 32)
    let block = 36 * tiles * channels * 4
    let weights = 36 * channels * channels * 4
    var d = Drawing(
      "winograd-tiles", width: 520, height: 420,
      title: "Winograd's convolution: two images at a time, in the L2 cache",
      description:
        "A 16x16 image is cut into 4x4 tiles of output; each needs 6x6 pixels of input, so neighbours overlap by two. The 32 "
        + "tiles of two images are transformed, multiplied at each of the 36 places by the transformed weights, and "
        + "transformed back. Inputs and products take \(kilobytes(block)) each, the weights \(kilobytes(weights)).")
    d.text("output: 4x4 tiles of 4x4", 112, 28)
    d.grid([[String]](repeating: ["", "", "", ""], count: 4), 40, 44, cell: 36, marked: [(1, 1)])
    d.path([(190, 116), (250, 116)], .faint)
    d.text("input of one tile: 6x6", 330, 28)
    d.grid([[String]](repeating: [String](repeating: "", count: 6), count: 6), 258, 44, cell: 24, .forward)
    d.text("neighbours", 412, 104, .faint, anchor: "start", size: 12)
    d.text("share two", 412, 120, .faint, anchor: "start", size: 12)
    d.text("rows, columns", 412, 136, .faint, anchor: "start", size: 12)
    band(&d, 206, 204, "L2 cache: a block of \(tiles) tiles, \(channels) channels")
    let steps: [(String, String, Ink)] = [
      ("V = Bᵀ d B", "36 matrices [\(tiles), \(channels)], \(kilobytes(block))", .forward),
      ("U = G g Gᵀ", "36 matrices [\(channels), \(channels)], \(kilobytes(weights)), made once", .notice),
      ("M = V · U", "36 products [\(tiles), \(channels)], \(kilobytes(block)), in register tiles", .forward),
      ("Y = Aᵀ M A", "\(tiles) tiles of 4x4, to the output", .forward),
    ]
    for (i, (name, words, ink)) in steps.enumerated() {
      let y = 258 + Double(i) * 40
      d.box([name], 94, y, width: 116, height: 30, ink)
      d.text(words, 164, y + 5, ink, anchor: "start")
      if i > 0 { d.path([(94, y - 25), (94, y - 15)], .faint, tip: false) }
    }
    return d
  }

  /// A level of memory: a frame with its name.
  private static func band(_ d: inout Drawing, _ top: Double, _ height: Double, _ name: String) {
    d.frame(20, top, width: 480, height: height)
    d.text(name, 32, top + 22, anchor: "start", bold: true)
  }

  /// Kilobytes of 1,024, rounded.
  private static func kilobytes(_ bytes: Int) -> String {
    bytes >= 1 << 20 ? "\((bytes + 1 << 19) >> 20) MB" : "\((bytes + 512) / 1024) KB"
  }
}
