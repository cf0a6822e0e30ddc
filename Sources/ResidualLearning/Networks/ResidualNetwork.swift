// ResidualNetwork.swift: stem, stages, classifier.
//
// Paper       He et al. 2015 §3.3, Fig. 3, Table 1; §4.2
// Tests       Tests/ResidualLearningTests/Networks/ResidualNetworkTests.swift

import ResidualKernels

/// What takes images `[N, H, W, 3]` to logits `[N, classes]`: a network, or its form for inference.
public protocol Classifier<Scalar>: Sendable {
  associatedtype Scalar: Element
  /// The description that the network was built from.
  var architecture: Architecture { get }
  /// The logits, in inference mode.
  func callAsFunction(_ images: Tensor<Scalar>) -> Tensor<Scalar>
}

/// A network that can be trained.
public protocol ImageClassifier<Scalar>: Layer, Classifier {
  /// The training pass, which shows every tensor on its way to `observe`, if there is one.
  func forward(_ images: Tensor<Scalar>, observe: Observer<Scalar>?) -> (output: Tensor<Scalar>, cache: Cache)

  /// ``Layer/backward(_:_:)`` without the gradient with respect to the images, which training does not need.
  func gradients(_ logitsGradient: Tensor<Scalar>, _ cache: Cache) -> Parameters
}

extension ImageClassifier {
  public func forward(_ images: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    forward(images, observe: nil)
  }
}

/// The networks of the paper, plain and residual: a stem, stages of equal blocks, and a linear classifier on the mean
/// of every channel.
public struct ResidualNetwork<Scalar: Element>: ImageClassifier {
  /// The learned parameters.
  public struct Parameters: ParameterSet {
    /// The first convolution and its normalization.
    public var stem: Stem<Scalar>.Parameters
    /// The blocks of each stage.
    public var stages: [[Block<Scalar>.Parameters]]
    /// The last layer.
    public var classifier: Linear<Scalar>.Parameters

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      stem.visit(path + "stem.", body)
      for s in stages.indices {
        for b in stages[s].indices { stages[s][b].visit(path + "stages.\(s).blocks.\(b).", body) }
      }
      classifier.visit(path + "classifier.", body)
    }
  }

  /// The caches of its parts, in the order of the forward pass.
  public struct Cache: Sendable {
    /// The cache of the stem.
    public let stem: Stem<Scalar>.Cache
    /// The caches of each stage's blocks.
    public let stages: [[Block<Scalar>.Cache]]
    /// The shape of the last stage's output.
    public let pool: GlobalAveragePool<Scalar>.Cache
    /// The input of the last layer: the mean of each channel.
    public let classifier: Linear<Scalar>.Cache
  }

  public let architecture: Architecture
  /// The first layers: conv1 and what belongs to it.
  public var stem: Stem<Scalar>
  /// The blocks of each stage: conv2_x to conv5_x, or the three stages of §4.2.
  public var stages: [[Block<Scalar>]]
  /// The global average pool.
  public let pool = GlobalAveragePool<Scalar>()
  /// The last layer.
  public var classifier: Linear<Scalar>

  /// A network with random weights.
  ///
  /// If it is `fused`, the fused kernels compute the blocks where they apply, with the same results in fewer passes
  /// over memory (Block+Fused.swift). If not, a debugger can show every tensor of a block.
  public init(_ architecture: Architecture, fused: Bool = true, using generator: inout RandomGenerator) {
    guard let kind = architecture.stem else {
      preconditionFailure("\(architecture.name) has no stem: it is no residual network")
    }
    self.architecture = architecture
    stem = Stem(kind, architecture.stemChannels, options: architecture.options, fused: fused, using: &generator)
    stages = architecture.blocks.map { stage in stage.map { Block($0, fused: fused, using: &generator) } }
    let last = architecture.linearLayers[0]
    classifier = Linear(last.inputs, last.outputs, using: &generator)
  }

  public var parameters: Parameters {
    get {
      Parameters(
        stem: stem.parameters, stages: stages.map { $0.map { $0.parameters } }, classifier: classifier.parameters)
    }
    set {
      stem.parameters = newValue.stem
      for s in stages.indices {
        for b in stages[s].indices { stages[s][b].parameters = newValue.stages[s][b] }
      }
      classifier.parameters = newValue.classifier
    }
  }

  public func forward(
    _ images: Tensor<Scalar>, observe: Observer<Scalar>?
  ) -> (output: Tensor<Scalar>, cache: Cache) {
    var (x, stemCache) = stem.forward(images, observe: prefixed("stem.", observe))
    var stageCaches: [[Block<Scalar>.Cache]] = []
    for (s, blocks) in stages.enumerated() {
      var blockCaches: [Block<Scalar>.Cache] = []
      for (b, block) in blocks.enumerated() {
        let (output, cache) = block.forward(x, observe: prefixed("stages.\(s).blocks.\(b).", observe))
        blockCaches.append(cache)
        x = output
      }
      stageCaches.append(blockCaches)
    }
    let (features, poolCache) = pool.forward(x)
    observe?("pool", features)
    let (logits, classifierCache) = classifier.forward(features)
    observe?("logits", logits)
    return (
      logits, Cache(stem: stemCache, stages: stageCaches, pool: poolCache, classifier: classifierCache)
    )
  }

  public func callAsFunction(_ images: Tensor<Scalar>) -> Tensor<Scalar> {
    var x = stem(images)
    for block in stages.joined() { x = block(x) }
    return classifier(pool(x))
  }

  public func backward(
    _ logitsGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let (stemGradient, stages, classifier) = backwardToStem(logitsGradient, cache)
    let (imagesGradient, stem) = stem.backward(stemGradient, cache.stem)
    return (imagesGradient, Parameters(stem: stem, stages: stages, classifier: classifier))
  }

  public func gradients(_ logitsGradient: Tensor<Scalar>, _ cache: Cache) -> Parameters {
    let (stemGradient, stages, classifier) = backwardToStem(logitsGradient, cache)
    return Parameters(
      stem: stem.parameterGradients(stemGradient, cache.stem), stages: stages, classifier: classifier)
  }

  /// The stages reversed: from the logits to the output of the stem.
  private func backwardToStem(
    _ logitsGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (Tensor<Scalar>, [[Block<Scalar>.Parameters]], Linear<Scalar>.Parameters) {
    let (featuresGradient, classifierGradients) = classifier.backward(logitsGradient, cache.classifier)
    var (xGradient, _) = pool.backward(featuresGradient, cache.pool)
    var stageGradients: [[Block<Scalar>.Parameters]] = []
    for (blocks, caches) in zip(stages, cache.stages).reversed() {
      var blockGradients: [Block<Scalar>.Parameters] = []
      for (block, cache) in zip(blocks, caches).reversed() {
        let (inputGradient, gradients) = block.backward(xGradient, cache)
        blockGradients.append(gradients)
        xGradient = inputGradient
      }
      stageGradients.append(blockGradients.reversed())
    }
    return (xGradient, stageGradients.reversed(), classifierGradients)
  }

  public mutating func track(_ cache: Cache, rate: Scalar) {
    stem.track(cache.stem, rate: rate)
    for s in stages.indices {
      for b in stages[s].indices { stages[s][b].track(cache.stages[s][b], rate: rate) }
    }
  }

  public mutating func visitStatistics(_ path: String, _ body: (String, inout BatchNorm2D<Scalar>.Statistics) -> Void) {
    stem.visitStatistics(path + "stem.", body)
    for s in stages.indices {
      for b in stages[s].indices { stages[s][b].visitStatistics(path + "stages.\(s).blocks.\(b).", body) }
    }
  }
}

// Embedded Swift has no values of the type `any`: there one writes `ResidualNetwork(architecture, …)`.
#if !hasFeature(Embedded)
  extension Architecture {
    /// The network of this description, residual, plain or VGG, with random weights.
    ///
    /// `fused` is as in ``ResidualNetwork/init(_:fused:using:)``. VGG networks have no fused form.
    public func network<Scalar: Element>(
      _: Scalar.Type = Float.self, fused: Bool = true, using generator: inout RandomGenerator
    ) -> any ImageClassifier<Scalar> {
      if block == .convolution { return VGG(self, using: &generator) }
      return ResidualNetwork(self, fused: fused, using: &generator)
    }
  }
#endif
