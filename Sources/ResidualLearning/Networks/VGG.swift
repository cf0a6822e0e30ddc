// VGG.swift: the networks that the paper measures itself against.
//
// Paper       He et al. 2015 §3.3, Fig. 3 left, Tables 3 and 4; Simonyan & Zisserman 2015 (arXiv:1409.1556), Table 1
// Tests       Tests/ResidualLearningTests/Networks/VGGTests.swift

import ResidualKernels

/// VGG-16 and VGG-19: nothing but 3x3 convolutions with a ReLU each, a max-pool at the end of every stage, and three
/// linear layers.
///
///     stage      x ← σ(W ∗ x + b)                  several times
///                x ← maxpool(x)                    2x2, stride 2
///     then       z ← σ(x W + b), twice, and the logits z W + b
///
/// The first linear layer sees all pixels of the last stage side by side, so images have one size: the architecture's.
/// There is no normalization. VGG's own training drops half of the two hidden layers' outputs at random; that dropout
/// is a matter of its recipe and is left out here.
public struct VGG<Scalar: Element>: ImageClassifier {
  /// The learned parameters.
  public struct Parameters: ParameterSet {
    /// The convolutions of each stage.
    public var stages: [[Conv2D<Scalar>.Parameters]]
    /// The linear layers, the last one included.
    public var linear: [Linear<Scalar>.Parameters]

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      for s in stages.indices {
        for c in stages[s].indices { stages[s][c].visit(path + "stages.\(s).convolutions.\(c).", body) }
      }
      for l in linear.indices { linear[l].visit(path + "linear.\(l).", body) }
    }
  }

  /// The caches of its layers, in the order of the forward pass.
  public struct Cache: Sendable {
    /// The inputs `[N, H, W, C]` of the convolutions of each stage.
    public var convolutions: [[Conv2D<Scalar>.Cache]] = []
    /// The output of each convolution's ReLU.
    public var activations: [[ReLU<Scalar>.Cache]] = []
    /// Input and output of each stage's pool.
    public var pools: [MaxPool2D<Scalar>.Cache] = []
    /// The inputs `[N, in]` of the linear layers.
    public var linear: [Linear<Scalar>.Cache] = []
    /// The outputs of the ReLUs between them.
    public var hidden: [ReLU<Scalar>.Cache] = []
  }

  public let architecture: Architecture
  /// The convolutions of each stage.
  public var stages: [[Conv2D<Scalar>]]
  /// The linear layers, the last one included.
  public var linear: [Linear<Scalar>]
  private let relu = ReLU<Scalar>()
  private let pool = MaxPool2D<Scalar>(window: 2, stride: 2)

  /// A network with random weights.
  public init(_ architecture: Architecture, using generator: inout RandomGenerator) {
    precondition(architecture.block == .convolution, "\(architecture.name) is no VGG network")
    self.architecture = architecture
    let fan = architecture.options.fan
    stages = architecture.blocks.map { stage in
      stage.map { block in
        let convolution = block.convolutions[0]
        return Conv2D(
          convolution.inputChannels, convolution.outputChannels, kernel: convolution.kernel, bias: true, fan: fan,
          using: &generator)
      }
    }
    let layers = architecture.linearLayers
    linear = layers.enumerated().map { l, layer in
      let deviation = l == layers.count - 1 ? 0.01 : (2 / Double(layer.inputs)).squareRoot()
      return Linear(layer.inputs, layer.outputs, deviation: deviation, using: &generator)
    }
  }

  public var parameters: Parameters {
    get { Parameters(stages: stages.map { $0.map { $0.parameters } }, linear: linear.map { $0.parameters }) }
    set {
      for s in stages.indices {
        for c in stages[s].indices { stages[s][c].parameters = newValue.stages[s][c] }
      }
      for l in linear.indices { linear[l].parameters = newValue.linear[l] }
    }
  }

  public func forward(
    _ images: Tensor<Scalar>, observe: Observer<Scalar>?
  ) -> (output: Tensor<Scalar>, cache: Cache) {
    var x = images
    var cache = Cache()
    for (s, convolutions) in stages.enumerated() {
      cache.convolutions.append([])
      cache.activations.append([])
      for (c, convolution) in convolutions.enumerated() {
        let (convolved, convolutionCache) = convolution.forward(x)
        observe?("stages.\(s).convolutions.\(c)", convolved)
        let (activated, activationCache) = relu.forward(convolved)
        cache.convolutions[s].append(convolutionCache)
        cache.activations[s].append(activationCache)
        x = activated
      }
      let (pooled, poolCache) = pool.forward(x)
      observe?("stages.\(s).maxPool", pooled)
      cache.pools.append(poolCache)
      x = pooled
    }
    x = flattened(x)
    for (l, layer) in linear.enumerated() {
      let (output, linearCache) = layer.forward(x)
      observe?("linear.\(l)", output)
      cache.linear.append(linearCache)
      x = output
      guard l < linear.count - 1 else { break }
      let (activated, activationCache) = relu.forward(x)
      cache.hidden.append(activationCache)
      x = activated
    }
    observe?("logits", x)
    return (x, cache)
  }

  public func callAsFunction(_ images: Tensor<Scalar>) -> Tensor<Scalar> {
    var x = images
    for convolutions in stages {
      for convolution in convolutions { x = relu(convolution(x)) }
      x = pool(x)
    }
    x = flattened(x)
    for layer in linear.dropLast() { x = relu(layer(x)) }
    return linear[linear.count - 1](x)
  }

  public func backward(
    _ logitsGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let (gradient, gradients) = backward(logitsGradient, cache, needsInput: true)
    return (gradient!, gradients)
  }

  public func gradients(_ logitsGradient: Tensor<Scalar>, _ cache: Cache) -> Parameters {
    backward(logitsGradient, cache, needsInput: false).gradients
  }

  /// The layers reversed, from the logits to the images.
  private func backward(
    _ logitsGradient: Tensor<Scalar>, _ cache: Cache, needsInput: Bool
  ) -> (inputGradient: Tensor<Scalar>?, gradients: Parameters) {
    var gradients = parameters
    var gradient = logitsGradient
    for l in linear.indices.reversed() {
      if l < linear.count - 1 { gradient = relu.backward(gradient, cache.hidden[l]).inputGradient }
      (gradient, gradients.linear[l]) = linear[l].backward(gradient, cache.linear[l])
    }
    gradient = gradient.reshaped(cache.pools[cache.pools.count - 1].output.shape)
    for s in stages.indices.reversed() {
      gradient = pool.backward(gradient, cache.pools[s]).inputGradient
      for c in stages[s].indices.reversed() {
        gradient = relu.backward(gradient, cache.activations[s][c]).inputGradient
        if s == 0 && c == 0 && !needsInput {
          gradients.stages[s][c] = stages[s][c].parameterGradients(gradient, cache.convolutions[s][c])
          return (nil, gradients)
        }
        (gradient, gradients.stages[s][c]) = stages[s][c].backward(gradient, cache.convolutions[s][c])
      }
    }
    return (gradient, gradients)
  }

  /// `[N, H, W, C]` as `[N, H·W·C]`, row by row, the channels of a pixel side by side.
  private func flattened(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    let inputs = linear[0].parameters.weight.shape[0]
    let (batch, height, width, channels) = x.imageSizes
    precondition(
      height * width * channels == inputs,
      "the last stage gives \(x.shape), the first linear layer takes \(inputs) numbers an image")
    return x.reshaped([batch, inputs])
  }
}
