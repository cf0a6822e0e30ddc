// StandardChecks.swift: the gradient checks of everything in the library.
//
// Command     resnet check-gradients
// Tests       Tests/ResidualExperimentsTests/StandardChecksTests.swift

import ResidualKernels
import ResidualLearning

/// One of the gradient checks that `resnet check-gradients` and the tests run.
public struct StandardCheck: Sendable {
  /// What is checked, with the shape of the input.
  public let name: String
  private let body: @Sendable (String, inout RandomGenerator) -> GradientCheck.Result

  /// Runs the check on random numbers that depend on `seed` and on the check's name.
  public func run(seed: UInt64) -> GradientCheck.Result {
    let label = name.utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    var generator = RandomGenerator(seed: seed).fork(label)
    return body(name, &generator)
  }

  /// A check of the layer that `make` builds, on an input of this shape.
  ///
  /// Parameters that start at zero or one are given random values: a scale of one and a shift of zero hide mistakes.
  private init<Checked: Layer>(
    _ name: String, _ shape: Shape, _ check: GradientCheck = GradientCheck(),
    _ make: @escaping @Sendable (inout RandomGenerator) -> Checked
  ) where Checked.Scalar == Double {
    self.name = "\(name), \(shape)"
    body = { name, generator in
      let layer = withRandomParameters(make(&generator), using: &generator)
      let input = Tensor<Double>(normal: shape, using: &generator)
      return check.run(name, layer, input: input, using: &generator)
    }
  }

  /// A check with a name; `body` gets the name and a generator that depends on the seed and on it.
  package init(name: String, body: @escaping @Sendable (String, inout RandomGenerator) -> GradientCheck.Result) {
    (self.name, self.body) = (name, body)
  }
}

// MARK: - Layers

extension StandardCheck {
  /// Every check: layers, shortcuts and blocks, whole networks.
  public static var all: [StandardCheck] { layers + blocks + networks }

  /// Every layer, over shapes that break symmetry: height not equal to width, odd sizes, channels in not equal to out,
  /// and counts of channels that fill SIMD vectors and that do not.
  public static var layers: [StandardCheck] {
    convolutions + [
      StandardCheck("BatchNorm2D", [2, 3, 4, 5]) { _ in BatchNorm2D(channels: 5) },
      StandardCheck("BatchNorm2D", [3, 2, 3, 16]) { _ in BatchNorm2D(channels: 16) },
      StandardCheck("BatchNorm2D", [1, 5, 3, 20]) { _ in BatchNorm2D(channels: 20) },
      StandardCheck("BatchNorm2D, epsilon 0.1", [2, 3, 3, 3]) { _ in BatchNorm2D(channels: 3, epsilon: 0.1) },
      StandardCheck("ReLU", [2, 5, 3, 7]) { _ in ReLU() },
      StandardCheck("ReLU", [4, 16]) { _ in ReLU() },
      StandardCheck("MaxPool2D 3x3, stride 2, padding 1", [2, 7, 5, 3]) { _ in
        MaxPool2D(window: 3, stride: 2, padding: 1)
      },
      StandardCheck("MaxPool2D 3x3, stride 1", [1, 5, 6, 16]) { _ in MaxPool2D(window: 3, stride: 1) },
      StandardCheck("MaxPool2D 2x2, stride 3", [2, 8, 5, 4]) { _ in MaxPool2D(window: 2, stride: 3) },
      StandardCheck("GlobalAveragePool", [3, 4, 5, 7]) { _ in GlobalAveragePool() },
      StandardCheck("GlobalAveragePool", [2, 1, 3, 16]) { _ in GlobalAveragePool() },
      StandardCheck("Linear, to 10", [4, 7]) { Linear(7, 10, deviation: 0.5, using: &$0) },
      StandardCheck("Linear, to 3", [1, 16]) { Linear(16, 3, deviation: 0.5, using: &$0) },
      StandardCheck("Linear, to 16", [5, 20]) { Linear(20, 16, deviation: 0.5, using: &$0) },
      softmaxCrossEntropy([5, 10]), softmaxCrossEntropy([1, 3]),
    ]
  }

  private static var convolutions: [StandardCheck] {
    // kernel, stride, padding, with a bias, input, channels of the output
    let cases: [(kernel: Int, stride: Int, padding: Int, bias: Bool, input: Shape, output: Int)] = [
      (1, 1, 0, false, [2, 3, 5, 3], 5), (1, 2, 0, true, [2, 5, 7, 5], 3), (1, 2, 0, false, [1, 6, 4, 16], 20),
      (1, 1, 1, true, [1, 3, 2, 4], 2), (2, 1, 0, true, [1, 4, 6, 3], 5), (2, 2, 1, false, [2, 5, 4, 5], 3),
      (2, 3, 1, true, [1, 7, 6, 3], 16), (3, 1, 1, false, [2, 4, 5, 3], 5), (3, 1, 1, true, [1, 5, 3, 5], 16),
      (3, 1, 1, false, [1, 4, 3, 16], 16), (3, 1, 0, false, [1, 3, 4, 20], 8), (3, 1, 1, false, [1, 8, 7, 16], 24),
      (3, 2, 1, false, [2, 7, 5, 3], 5),
      (3, 2, 1, true, [1, 6, 5, 16], 20), (3, 2, 0, true, [2, 6, 7, 5], 3), (3, 3, 2, false, [1, 7, 8, 3], 5),
      (5, 1, 2, true, [1, 5, 6, 3], 5), (5, 2, 2, false, [2, 7, 6, 3], 5), (5, 3, 0, true, [1, 8, 11, 2], 16),
      (7, 2, 3, false, [1, 9, 8, 3], 16), (7, 1, 3, true, [1, 4, 5, 2], 3), (7, 3, 1, false, [1, 8, 10, 3], 5),
    ]
    return cases.map { `case` in
      let (kernel, stride, padding, bias, input, output) = `case`
      return StandardCheck(
        "Conv2D \(kernel)x\(kernel), stride \(stride), padding \(padding)\(bias ? ", bias" : ""), to \(output)", input
      ) {
        Conv2D(input[3], output, kernel: kernel, stride: stride, padding: padding, bias: bias, using: &$0)
      }
    }
  }

  private static func softmaxCrossEntropy(_ shape: Shape) -> StandardCheck {
    StandardCheck(name: "SoftmaxCrossEntropy, \(shape)") { name, generator in
      let loss = SoftmaxCrossEntropy<Double>()
      let logits = Tensor<Double>(normal: shape, deviation: 2, using: &generator)
      let labels = (0..<shape[0]).map { _ in generator.below(shape[1]) }
      let gradient = loss.backward(loss.forward(logits, labels: labels).cache)
      return GradientCheck().run(
        name, at: [("logits", logits)], outputGradient: Tensor([1]), gradients: [gradient]
      ) { Tensor([loss.forward($0[0], labels: labels).loss]) }
    }
  }
}

// MARK: - Blocks and networks

extension StandardCheck {
  /// Blocks have kinks: a smaller step meets fewer of them, and its rounding asks for a larger tolerance.
  private static let deep = GradientCheck(step: 1e-6, tolerance: 1e-6)

  /// Every shortcut and block, with and without a change of size, and both stems.
  public static var blocks: [StandardCheck] {
    let same: Shape = [2, 4, 3, 5]
    let halved: Shape = [3, 5, 6, 3]
    return [
      shortcut(.a, same, 5, 1), shortcut(.a, halved, 8, 2), shortcut(.a, halved, 8, 2, .around),
      shortcut(.a, [2, 4, 4, 16], 32, 2, .around), shortcut(.b, same, 5, 1), shortcut(.b, halved, 8, 2),
      shortcut(.c, same, 5, 1), shortcut(.c, halved, 16, 2),
      stem(.cifar, [2, 4, 5, 3], 5), stem(.imageNet, [2, 9, 11, 3], 4),
      block(.plain, .a, same, 5, 1), block(.plain, .a, halved, 6, 2),
      block(.basic, .a, same, 5, 1), block(.basic, .a, [2, 4, 5, 8], 8, 1),
      block(.basic, .a, halved, 6, 2), block(.basic, .a, halved, 6, 2, zeros: .around),
      block(.basic, .b, halved, 6, 2), block(.basic, .c, same, 5, 1),
      block(.bottleneck, .a, [2, 3, 4, 8], 2, 1), block(.bottleneck, .b, halved, 2, 1),
      block(.bottleneck, .b, halved, 3, 2), block(.bottleneck, .b, halved, 3, 2, placement: .middle3x3),
      block(.bottleneck, .c, [2, 3, 4, 8], 2, 1),
      stem(.cifar, [2, 4, 5, 3], 8, fused: true), stem(.imageNet, [2, 9, 11, 3], 8, fused: true),
      block(.plain, .a, [2, 5, 4, 8], 8, 1, fused: true), block(.basic, .a, [2, 4, 5, 8], 8, 1, fused: true),
      block(.basic, .a, [2, 5, 4, 8], 16, 2, fused: true), block(.basic, .b, [2, 5, 4, 8], 16, 2, fused: true),
      block(.bottleneck, .b, [2, 5, 4, 8], 8, 2, fused: true),
    ]
  }

  /// Whole networks with the loss behind them: those of §4.2 with eight layers, residual with shortcuts A and B and
  /// plain; those of Table 1 with one block in each of three stages, of both kinds, with every shortcut and both
  /// strides; and four stages of VGG.
  public static var networks: [StandardCheck] {
    let bottlenecks = StridePlacement.allCases.map {
      network(shallow(50, .init(shortcut: .b, stridePlacement: $0)), [2, 22, 18, 3])
    }
    let basics = ShortcutOption.allCases.map { network(shallow(18, .init(shortcut: $0)), [2, 22, 18, 3]) }
    var vgg = Architecture.vgg(depth: 16, classes: 3, width: 2, hidden: 6).narrowed(to: [2, 3, 4, 5])
    vgg.stages.removeLast()
    vgg.imageSize = 16
    return bottlenecks + basics + [
      network(.cifar(depth: 8, options: .init(shortcut: .a), classes: 5, width: 3)),
      network(.cifar(depth: 8, options: .init(shortcut: .b), classes: 5, width: 3)),
      network(.cifar(depth: 8, plain: true, classes: 5, width: 3)),
      network(shallow(18, plain: true), [2, 22, 18, 3]),
      network(.cifar(depth: 8, classes: 5, width: 8), fused: true),
      StandardCheck("vgg16 of width 2 and its loss", [2, 16, 16, 3], deep) { [vgg] generator in
        WithLoss(network: VGG(vgg, using: &generator), labels: [1, 2])
      },
    ]
  }

  /// The stem and three stages of a network of Table 1, with one block each, of very few channels.
  private static func shallow(
    _ depth: Int, _ options: Architecture.Options = .init(), plain: Bool = false
  ) -> Architecture {
    var architecture = Architecture.imageNet(depth: depth, plain: plain, options: options, classes: 3, width: 2)
    architecture.stages.removeLast()
    for s in architecture.stages.indices { architecture.stages[s].blocks = 1 }
    return architecture.narrowed(to: [2, 3, 4])
  }

  private static func shortcut(
    _ option: ShortcutOption, _ input: Shape, _ channels: Int, _ stride: Int, _ zeros: ZeroPlacement = .after
  ) -> StandardCheck {
    let around = zeros == .around ? ", zeros around" : ""
    return StandardCheck("Shortcut \(option.rawValue)\(around), stride \(stride), to \(channels)", input) {
      Shortcut(option, input[3], channels, stride: stride, zeros: zeros, using: &$0)
    }
  }

  private static func stem(
    _ kind: Architecture.Stem, _ input: Shape, _ channels: Int, fused: Bool = false
  ) -> StandardCheck {
    let name = kind == .cifar ? "CIFAR" : "ImageNet"
    return StandardCheck("Stem of \(name)\(fused ? ", fused" : ""), to \(channels)", input, deep) {
      Stem(kind, channels, fused: fused, using: &$0)
    }
  }

  private static func block(
    _ kind: Architecture.BlockKind, _ option: ShortcutOption, _ input: Shape, _ width: Int, _ stride: Int,
    zeros: ZeroPlacement = .after, placement: StridePlacement = .first1x1, fused: Bool = false
  ) -> StandardCheck {
    let options = Architecture.Options(shortcut: option, zeros: zeros, stridePlacement: placement)
    let stage = Architecture.Stage(
      blocks: 1, width: width, outputChannels: width * kind.outputChannelsPerWidth, stride: stride)
    let description = Architecture.block(kind, inputChannels: input[3], stage: stage, stride: stride, options: options)
    let variant = [
      fused ? ", fused" : "", kind.hasShortcut ? ", \(option.rawValue)" : "", zeros == .around ? ", zeros around" : "",
      placement == .middle3x3 ? ", stride in the 3x3" : "",
    ].joined()
    return StandardCheck("Block, \(kind.rawValue)\(variant), stride \(stride), to \(stage.outputChannels)", input, deep)
    {
      Block(description, fused: fused, using: &$0)
    }
  }

  private static func network(
    _ architecture: Architecture, _ input: Shape = [3, 8, 6, 3], fused: Bool = false
  ) -> StandardCheck {
    let option = architecture.block.hasShortcut ? " \(architecture.options.shortcut.rawValue)" : ""
    let stride = architecture.options.stridePlacement == .middle3x3 ? ", stride in the 3x3" : ""
    let name = architecture.name + option + stride + (fused ? ", fused" : "")
    return StandardCheck("\(name) of width \(architecture.stemChannels) and its loss", input, deep) { generator in
      let labels = Array([1, architecture.classes - 1, 2].prefix(input[0]))
      return WithLoss(network: ResidualNetwork(architecture, fused: fused, using: &generator), labels: labels)
    }
  }
}

extension Architecture {
  /// The same network with stages of so many channels.
  fileprivate func narrowed(to widths: [Int]) -> Architecture {
    var narrow = self
    for (s, width) in widths.enumerated() {
      narrow.stages[s].outputChannels = width * narrow.stages[s].outputChannels / narrow.stages[s].width
      narrow.stages[s].width = width
    }
    return narrow
  }
}

/// A network with its loss, as one layer whose output is the loss `[1]`.
private struct WithLoss<Network: Layer>: Layer where Network.Scalar == Double {
  var network: Network
  let labels: [Int]
  let loss = SoftmaxCrossEntropy<Double>()

  var parameters: Network.Parameters {
    get { network.parameters }
    set { network.parameters = newValue }
  }

  func forward(
    _ images: Tensor<Double>
  ) -> (output: Tensor<Double>, cache: (Network.Cache, SoftmaxCrossEntropy<Double>.Cache)) {
    let (logits, cache) = network.forward(images)
    let (value, lossCache) = loss.forward(logits, labels: labels)
    return (Tensor([value]), (cache, lossCache))
  }

  func callAsFunction(_ images: Tensor<Double>) -> Tensor<Double> {
    Tensor([loss.forward(network(images), labels: labels).loss])
  }

  func backward(
    _ outputGradient: Tensor<Double>, _ cache: (Network.Cache, SoftmaxCrossEntropy<Double>.Cache)
  ) -> (inputGradient: Tensor<Double>, gradients: Network.Parameters) {
    network.backward(loss.backward(cache.1) * outputGradient[0], cache.0)
  }

  mutating func track(_ cache: (Network.Cache, SoftmaxCrossEntropy<Double>.Cache), rate: Double) {
    network.track(cache.0, rate: rate)
  }

  mutating func visitStatistics(_ path: String, _ body: (String, inout BatchNorm2D<Double>.Statistics) -> Void) {
    network.visitStatistics(path, body)
  }
}
