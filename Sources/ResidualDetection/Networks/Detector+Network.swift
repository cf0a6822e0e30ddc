// Detector+Network.swift: a classifier becomes a detector.
//
// Paper       He et al. 2015 §4.3, appendix A: initialised by the ImageNet classification models, then fine-tuned
// Tests       Tests/ResidualDetectionTests/Networks/DetectorTests.swift, FixedBlockTests.swift

import ResidualKernels
import ResidualLearning

extension Detector {
  /// A detector with the convolutions and the fixed normalizations of a trained network, and new layers with random
  /// weights. The network is of the plan's architecture.
  public init(_ plan: DetectorPlan, from network: ResidualNetwork<Scalar>, using generator: inout RandomGenerator) {
    precondition(
      network.architecture.stages == plan.architecture.stages && network.architecture.block == plan.architecture.block,
      "a detector on \(plan.architecture.name) from \(network.architecture.name)")
    let stages = network.stages.map { $0.map { FixedBlock($0) } }
    let channels = plan.architecture.stages.map(\.outputChannels)
    self.plan = plan
    trunk = Trunk(
      stem: FixedUnit(network.stem.block.units[0]), maxPool: network.stem.maxPool,
      stages: FixedBlocks(Array(stages.dropLast().joined())), stride: plan.anchors.stride)
    proposals = RegionProposalNetwork(
      channels: channels[channels.count - 2], anchorsPerCell: plan.anchors.perCell, using: &generator)
    head = RegionHead(
      pool: RegionMaxPool(bins: plan.bins, stride: Double(plan.anchors.stride)),
      stage: FixedBlocks(stages[stages.count - 1]), channels: channels[channels.count - 1],
      classes: plan.classNames.count, context: plan.usesContext, using: &generator)
  }

  /// A detector with random weights, none of them trained.
  public init(_ plan: DetectorPlan, using generator: inout RandomGenerator) {
    let network = ResidualNetwork<Scalar>(plan.architecture, using: &generator)
    self.init(plan, from: network, using: &generator)
  }
}

extension FixedBlock {
  /// The function that `block` is in inference.
  init(_ block: Block<Scalar>) {
    let shortcut: FixedShortcut? = block.shortcut.map { shortcut in
      shortcut.projection.map { .projection(FixedUnit($0)) } ?? .free(shortcut)
    }
    self.init(units: block.units.map { FixedUnit($0) }, shortcut: shortcut)
  }
}
