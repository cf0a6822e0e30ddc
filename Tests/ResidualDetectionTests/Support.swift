import ResidualKernels
import ResidualLearning

@testable import ResidualDetection

/// Detectors so small that every gradient can be checked, with constants that are neither 0 nor 1.
enum Reduced {
  /// A stem and four stages of one block each, of two to four channels, on pictures of 32x40 pixels.
  static func plan(plain: Bool = false, shortcut: ShortcutOption = .a, context: Bool = false) -> DetectorPlan {
    var architecture = Architecture.scenes(depth: 10, plain: plain, classes: 3, width: 2)
    architecture.options.shortcut = shortcut
    for (s, width) in [2, 3, 3, 4].enumerated() {
      architecture.stages[s].width = width
      architecture.stages[s].outputChannels = width
    }
    var plan = DetectorPlan(architecture: architecture, classNames: ["a", "b", "c"], anchorScales: [12, 20], bins: 3)
    plan.usesContext = context
    plan.anchorSample = 16
    plan.regionSample = 8
    plan.regionObjectShare = 0.5
    plan.trainingProposals.candidates = 20
    plan.testProposals.limit = 10
    return plan
  }

  /// A detector of that plan with random constants, and with larger weights in its new layers, whose outputs would be
  /// nearly zero.
  static func detector(_ plan: DetectorPlan, using generator: inout RandomGenerator) -> Detector<Double> {
    make(plan, using: &generator)
  }

  /// The same in Float.
  static func single(_ plan: DetectorPlan, using generator: inout RandomGenerator) -> Detector<Float> {
    make(plan, using: &generator)
  }

  private static func make<Scalar: Element>(
    _ plan: DetectorPlan, using generator: inout RandomGenerator
  ) -> Detector<Scalar> {
    var detector = Detector<Scalar>(plan, using: &generator)
    detector.visitConstants("") { name, tensor in
      tensor =
        name.hasSuffix("scale")
        ? Tensor(uniform: tensor.shape, from: 0.5, to: 1.5, using: &generator)
        : Tensor(normal: tensor.shape, deviation: 0.5, using: &generator)
    }
    var parameters = detector.parameters
    parameters.visit("") { name, tensor in
      if !name.contains("conv") { tensor = Tensor(normal: tensor.shape, deviation: 0.3, using: &generator) }
    }
    detector.parameters = parameters
    return detector
  }

  static let sizes = [PictureSize(height: 32, width: 40), PictureSize(height: 30, width: 33)]
  static let objects = [
    [
      LabelledBox(box: Box(left: 3, top: 4, right: 17, bottom: 20), label: 0),
      LabelledBox(box: Box(left: 12, top: 9, right: 30, bottom: 27), label: 2),
    ],
    [LabelledBox(box: Box(left: 8, top: 2, right: 24, bottom: 22), label: 1)],
  ]
}

/// The check of a deep network: a smaller step meets fewer kinks, and its rounding asks for a larger tolerance.
let deep = GradientCheck(step: 1e-6, tolerance: 1e-6)
