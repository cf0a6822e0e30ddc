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
    // M, Σ n_b v_b and Σ n_b (μ_b − M)² so far, for the channels of each layer.
    var sums: [String: (mean: [Double], within: [Double], between: [Double])] = [:]
    for input in batches {
      var copy = self
      copy.track(forward(input).cache, rate: 1)
      let n = Double(input.shape[0])
      images += n
      copy.visitStatistics("") { name, batch in
        let zeros = [Double](repeating: 0, count: batch.mean.count)
        var layer = sums[name] ?? (mean: zeros, within: zeros, between: zeros)
        for (c, (mean, variance)) in zip(batch.mean.elements, batch.variance.elements).enumerated() {
          let delta = Double(mean) - layer.mean[c]
          layer.mean[c] += delta * n / images  // (1)
          layer.between[c] += n * delta * (Double(mean) - layer.mean[c])
          layer.within[c] += n * Double(variance)
        }
        sums[name] = layer
      }
    }
    precondition(images > 0, "statistics of no images")
    var result = self
    result.visitStatistics("") { name, running in
      guard let layer = sums[name] else { return }
      running.mean = Tensor(layer.mean.map { Float($0) })
      running.variance = Tensor(zip(layer.within, layer.between).map { Float(($0 + $1) / images) })  // (2)
    }
    return result
  }
}

extension Trainer {
  /// Replaces the network's running statistics by those of all training images, once each, in random order.
  ///
  /// The images are seen as they are, or in the random crops of §3.4 where the recipe has them.
  public mutating func recomputeStatistics() {
    var generator = RandomGenerator(seed: seed).fork(.max)
    let order = generator.permutation(images.count)
    let batches = stride(from: 0, to: order.count, by: recipe.batch).lazy.map { [self] start in
      unvaried(Array(order[start..<Swift.min(start + recipe.batch, order.count)]), seed: UInt64(start))
    }
    network = network.recomputedStatistics(over: batches)
  }

  /// Training images as they are, normalized, or in random crops of §3.4 where the recipe has them: the network takes
  /// no other size.
  func unvaried(_ numbers: [Int], seed start: UInt64) -> Tensor<Float> {
    let augmentation = recipe.augmentation.scaled == nil ? Augmentation.none : recipe.augmentation
    var generator = RandomGenerator(seed: seed).fork(.max - 1).fork(start)
    return normalization.input(augmentation.views(of: images, numbers, using: &generator))
  }
}
