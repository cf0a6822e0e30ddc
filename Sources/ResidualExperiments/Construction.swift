// Construction.swift: a deeper network that computes what a shallower one has learned.
//
// Paper       He et al. 2015 §1: "There exists a solution by construction to the deeper model: the added layers are
//             identity mapping, and the other layers are copied from the learned shallower model."
// Command     resnet compare --construct
// Tests       Tests/ResidualExperimentsTests/ConstructionTests.swift

import ResidualKernels
import ResidualLearning

extension ResidualNetwork<Float> {
  /// A network of more blocks, the first of every stage copied from this one, the others the identity.
  ///
  /// - Parameters:
  ///   - deeper: the deeper network; it differs from this one in nothing but the number of blocks of its stages.
  ///   - images: the plain net's normalizations are set up for these `[N, H, W, 3]`, so that they undo themselves in
  ///     training too.
  ///   - seed: the seed of the weights behind which a residual block is silent.
  public func deepened(to deeper: Architecture, images: Tensor<Float>, seed: UInt64) -> Self {
    var generator = RandomGenerator(seed: seed)
    var network = Self(deeper, using: &generator)
    (network.stem, network.classifier) = (stem, classifier)
    var x = stem.forward(images).output
    for s in stages.indices {
      for b in network.stages[s].indices {
        if b < stages[s].count {
          network.stages[s][b] = stages[s][b]
        } else {
          network.stages[s][b].becomeIdentity(on: x)
        }
        x = network.stages[s][b].forward(x).output
      }
    }
    return network
  }
}

extension Block<Float> {
  /// Makes this the identity: outputs are inputs, as long as these are not negative.
  ///
  /// With a shortcut, F = 0 suffices: a last scale γ of zero, with β = 0. Without one, each convolution is the identity
  /// kernel and each normalization undoes itself: γ and β are the deviation and the mean of x that it takes out.
  fileprivate mutating func becomeIdentity(on x: Tensor<Float>) {
    if shortcut != nil {
      let channels = units[units.count - 1].bn.channels
      units[units.count - 1].bn.parameters.scale = Tensor(zeros: [channels])
      return
    }
    for i in units.indices {
      let shape = units[i].conv.parameters.weight.shape
      var weight = Tensor<Float>(zeros: shape)
      for channel in 0..<shape[2] { weight[shape[0] / 2, shape[1] / 2, channel, channel] = 1 }
      units[i].conv.parameters.weight = weight
      let batch = units[i].bn.forward(x).cache.batch
      let deviations = batch.variance.elements.map { ($0 + units[i].bn.epsilon).squareRoot() }
      units[i].bn.running = batch
      units[i].bn.parameters.scale = Tensor(batch.variance.shape, deviations)
      units[i].bn.parameters.shift = batch.mean
    }
  }
}
