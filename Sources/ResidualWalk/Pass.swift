// Pass.swift: one layer forward, with what its backward needs.
//
// Tests       Tests/ResidualWalkTests/WalkTests.swift

import ResidualExperiments
import ResidualKernels
import ResidualLearning

/// The output of a layer's `forward`, and its `backward` with the cache.
struct Pass: Sendable {
  /// The gradients with respect to each input and to each parameter.
  typealias Gradients = (inputs: [Tensor<Double>], parameters: [(name: String, tensor: Tensor<Double>)])

  let output: Tensor<Double>
  /// Takes the gradient with respect to the output; with a mistake, what the layer with that mistake returns.
  let backward: @Sendable (Tensor<Double>, LayerMistake?) -> Gradients

  /// Runs the layer of `node` on these inputs.
  init(_ node: Node, _ inputs: [Tensor<Double>]) {
    switch node.kind {
    case .images: preconditionFailure("the images are not computed")
    case .convolution(let conv): self.init(conv, inputs[0]) { if case .convolution(let m) = $0 { m } else { nil } }
    case .normalization(let bn): self.init(bn, inputs[0]) { if case .normalization(let m) = $0 { m } else { nil } }
    case .relu: self.init(ReLU(), inputs[0]) { if case .relu(let m) = $0 { m } else { nil } }
    case .maxPool(let pool): self.init(pool, inputs[0]) { if case .maxPool(let m) = $0 { m } else { nil } }
    case .shortcut(let shortcut): self.init(shortcut, inputs[0]) { if case .shortcut(let m) = $0 { m } else { nil } }
    case .averagePool: self.init(GlobalAveragePool(), inputs[0]) { if case .averagePool(let m) = $0 { m } else { nil } }
    case .linear(let linear): self.init(linear, inputs[0]) { if case .linear(let m) = $0 { m } else { nil } }
    case .sum: self.init(output: inputs[0] + inputs[1]) { dy, _ in ([dy, dy], []) }
    case .loss(let labels):
      let loss = SoftmaxCrossEntropy<Double>()
      let (value, cache) = loss.forward(inputs[0], labels: labels)
      self.init(output: Tensor([value])) { dL, mistake in
        if case .loss(let mistake) = mistake { return ([mistake.gradient(cache) * dL[0]], []) }
        return ([loss.backward(cache) * dL[0]], [])
      }
    }
  }

  private init(
    output: Tensor<Double>, backward: @escaping @Sendable (Tensor<Double>, LayerMistake?) -> Gradients
  ) {
    (self.output, self.backward) = (output, backward)
  }

  /// Runs a layer. `own` takes this kind of layer's mistake out of a mistake of any kind.
  private init<L: Layer>(
    _ layer: L, _ input: Tensor<Double>, own: @escaping @Sendable (LayerMistake?) -> BackwardMistake<L>?
  ) where L.Scalar == Double {
    let (output, cache) = layer.forward(input)
    self.output = output
    backward = { dy, mistake in
      let (dx, gradients) =
        own(mistake)?.backward(layer, input: input, dy, cache) ?? layer.backward(dy, cache)
      return ([dx], gradients.named)
    }
  }
}

/// A catalogued mistake in the backward pass of a layer or a block.
enum LayerMistake: Sendable {
  case convolution(BackwardMistake<Conv2D<Double>>)
  case normalization(BackwardMistake<BatchNorm2D<Double>>)
  case relu(BackwardMistake<ReLU<Double>>)
  case maxPool(BackwardMistake<MaxPool2D<Double>>)
  case shortcut(BackwardMistake<Shortcut<Double>>)
  case averagePool(BackwardMistake<GlobalAveragePool<Double>>)
  case linear(BackwardMistake<Linear<Double>>)
  case loss(LossMistake)
  case block(BackwardMistake<Block<Double>>)

  /// All mistakes in backward passes that the museum has, room by room.
  static let all: [LayerMistake] =
    Museum.convolution.map(Self.convolution) + Museum.normalization.map(Self.normalization)
    + Museum.activation.map(Self.relu) + Museum.maxPooling.map(Self.maxPool)
    + Museum.averagePooling.map(Self.averagePool) + Museum.linear.map(Self.linear) + Museum.loss.map(Self.loss)
    + Museum.block.map(Self.block) + Museum.shortcut.map(Self.shortcut)

  /// What is known about it.
  var label: Exhibit.Label {
    switch self {
    case .convolution(let mistake): mistake.label
    case .normalization(let mistake): mistake.label
    case .relu(let mistake): mistake.label
    case .maxPool(let mistake): mistake.label
    case .shortcut(let mistake): mistake.label
    case .averagePool(let mistake): mistake.label
    case .linear(let mistake): mistake.label
    case .loss(let mistake): mistake.label
    case .block(let mistake): mistake.label
    }
  }

  /// Whether a node of this kind can have it. A mistake of a block is at the node that gathers its input's gradients.
  func fits(_ kind: Node.Kind) -> Bool {
    switch (self, kind) {
    case (.convolution, .convolution), (.normalization, .normalization), (.relu, .relu), (.maxPool, .maxPool),
      (.averagePool, .averagePool), (.linear, .linear), (.loss, .loss), (.shortcut, .shortcut):
      true
    default: false
    }
  }
}
