// RecomputedStatistics.swift: batch normalization's statistics over many images, after training.
//
// Paper       He et al. 2015 appendix A: "For each pre-trained model, we compute the BN statistics (means and
//             variances) for each layer on the ImageNet training set"
// Tests       Tests/ResidualLearningTests/Training/RecomputedStatisticsTests.swift

import ResidualKernels

extension ImageClassifier where Scalar == Float {
  /// The same network with running statistics that are those of these batches, each counted by its images.
  ///
  ///     M = Σ w_b μ_b                               (1)
  ///     V = Σ w_b v_b + Σ w_b (μ_b − M)²            (2)
  ///
  /// μ_b and v_b are a layer's mean and variance over the m pixels of batch b, w_b the share of its images. With the
  /// biased v_b, (2) would be the biased variance of all pixels: that within the batches and that of their means. Here
  /// v_b is unbiased, as running statistics are, which makes the first sum larger by the factor m/(m − 1): 1.0001 for
  /// the last maps of a batch of 128. The batches pass once, in training form: a layer's input is normalized, in the
  /// layers before, by the statistics of its own batch, as in training.
  ///
  /// A moving average instead weighs the last ten batches or so, and the weights were still changing under them.
  ///
  /// - Parameter batches: normalized images `[N, H, W, 3]` in random order; at least one batch.
  public func recomputedStatistics(over batches: some Sequence<Tensor<Float>>) -> Self {
    var images = 0.0
    var means: [[Double]] = []  // M so far
    var within: [[Double]] = []  // Σ n_b v_b
    var between: [[Double]] = []  // Σ n_b (μ_b − M)²
    for input in batches {
      var copy = self
      copy.track(forward(input).cache, rate: 1)
      let n = Double(input.shape[0])
      images += n
      var layer = 0
      copy.visitStatistics("") { name, tensor in
        let values = tensor.elements.map { Double($0) }
        if name.hasSuffix("Mean") {
          if layer == means.count {
            let zeros = [Double](repeating: 0, count: values.count)
            (means, within, between) = (means + [zeros], within + [zeros], between + [zeros])
          }
          for (c, value) in values.enumerated() {
            let delta = value - means[layer][c]
            means[layer][c] += delta * n / images  // (1)
            between[layer][c] += n * delta * (value - means[layer][c])
          }
        } else {
          for (c, value) in values.enumerated() { within[layer][c] += n * value }
          layer += 1
        }
      }
    }
    precondition(images > 0, "statistics of no images")
    var result = self
    var layer = 0
    result.visitStatistics("") { name, tensor in
      if name.hasSuffix("Mean") {
        tensor = Tensor(means[layer].map { Float($0) })
      } else {
        tensor = Tensor(zip(within[layer], between[layer]).map { Float(($0 + $1) / images) })  // (2)
        layer += 1
      }
    }
    return result
  }
}

extension Trainer {
  /// Replaces the network's running statistics by those of all training images, once each, in random order.
  ///
  /// The images are seen as they are, or in the random crops of §3.4 where the recipe has them.
  ///
  /// - Parameter progress: called with the number of images that are done, after each batch.
  public mutating func recomputeStatistics(progress: (Int) -> Void = { _ in }) {
    var generator = RandomGenerator(seed: seed).fork(.max)
    let order = generator.permutation(images.count)
    let augmentation = recipe.augmentation.scaled == nil ? Augmentation.none : recipe.augmentation
    withoutActuallyEscaping(progress) { progress in
      let batches = stride(from: 0, to: order.count, by: recipe.batch).lazy.map { [self] start -> Tensor<Float> in
        let numbers = Array(order[start..<Swift.min(start + recipe.batch, order.count)])
        var generator = RandomGenerator(seed: seed).fork(.max - 1).fork(UInt64(start))
        progress(start + numbers.count)
        return normalization.input(augmentation.views(of: images, numbers, using: &generator))
      }
      network = network.recomputedStatistics(over: batches)
    }
  }
}
