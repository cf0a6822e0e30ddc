// DetectionRecipe.swift: how a detector is trained, as a value.
//
// Paper       He et al. 2015 §4.3, appendix A: rate 0.001, divided by 10; Ren et al. 2015 (Faster R-CNN), §3.1.3:
//             momentum 0.9, weight decay 0.0005; §3.3: flips
// Tests       Tests/ResidualDetectionTests/Training/DetectionTrainerTests.swift

import ResidualLearning

/// Everything that the training of a detector depends on besides the detector, the scenes and the seed.
public struct DetectionRecipe: Equatable, Codable, Sendable {
  /// Scenes per step.
  public var batch: Int
  /// Steps in all.
  public var iterations: Int
  /// The learning rate before the first milestone.
  public var rate: Double
  /// Iterations at which the rate is divided by 10.
  public var milestones: [Int]
  /// The steps at the start in which the rate rises evenly to its full value: the new layers know nothing yet, and
  /// their first gradients would do harm in the trunk.
  public var warmUp: Int
  /// SGD's momentum.
  public var momentum: Double
  /// Weight decay, of all parameters.
  public var decay: Double
  /// Whether every other scene is mirrored, at random.
  public var flips: Bool

  /// The steps of `resnet detect train` without `--iterations`.
  public static let defaultIterations = 2400

  /// A recipe for scenes of 96x96 pixels: `iterations` steps of 8 scenes, the rate divided by 10 after three quarters
  /// and again after nine tenths.
  public static func scenes(iterations: Int) -> DetectionRecipe {
    DetectionRecipe(
      batch: 8, iterations: iterations, rate: 0.02, milestones: [iterations * 3 / 4, iterations * 9 / 10],
      warmUp: min(50, iterations / 10), momentum: 0.9, decay: 5e-4, flips: true)
  }

  /// The learning rate of a step.
  public func rate(at iteration: Int) -> Double {
    let full = milestones.reduce(rate) { iteration >= $1 ? $0 / 10 : $0 }
    return iteration < warmUp ? full * Double(iteration + 1) / Double(warmUp) : full
  }

  /// The steps of one pass over `count` scenes, the last batch being what is left.
  public func iterationsPerEpoch(_ count: Int) -> Int { (count + batch - 1) / batch }
}

extension Recipe {
  /// How the network of a detector is trained as a classifier: §4.2 in 320 steps.
  public static func trunk(depth: Int) -> Recipe { .scaled(depth: depth, iterations: 320) }
}
