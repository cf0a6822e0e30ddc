// Detector+Network.swift: a classifier becomes a detector.
//
// Paper       He et al. 2015 §4.3, appendix A: initialised by the ImageNet classification models, then fine-tuned
// Tests       Tests/ResidualDetectionTests/Networks/DetectorTests.swift

import ResidualKernels
import ResidualLearning

extension Detector {
  /// A detector with the convolutions and the fixed normalizations of a trained network, and new layers with random
  /// weights.
  public init<Block: LayeredBlock>(
    _ plan: DetectorPlan, from network: ResidualNetwork<Fused<Block>>, using generator: inout RandomGenerator
  ) where Block.Scalar == Scalar {
    let stages = network.stages.map { $0.map { FixedBlock($0.block.layers, bypass: $0.block.bypass) } }
    self.init(
      plan, stem: FixedUnit(network.stem.conv, network.stem.bn), stages: stages, using: &generator)
  }

  /// A detector with random weights, none of them trained.
  public init(_ plan: DetectorPlan, using generator: inout RandomGenerator) {
    if plan.architecture.block == .plain {
      let network = ResidualNetwork<Fused<PlainBlock<Scalar>>>(plan.architecture, using: &generator)
      self.init(plan, from: network, using: &generator)
    } else {
      let network = ResidualNetwork<Fused<BasicBlock<Scalar>>>(plan.architecture, using: &generator)
      self.init(plan, from: network, using: &generator)
    }
  }

  private init(
    _ plan: DetectorPlan, stem: FixedUnit<Scalar>, stages: [[FixedBlock<Scalar>]], using generator: inout RandomGenerator
  ) {
    let stages = Array(stages)
    let channels = plan.architecture.stages.map(\.outputChannels)
    self.plan = plan
    trunk = Trunk(
      stem: stem, stages: FixedBlocks(Array(stages.dropLast().joined())), stride: plan.anchors.stride)
    proposals = RegionProposalNetwork(
      channels: channels[channels.count - 2], anchorsPerCell: plan.anchors.perCell, using: &generator)
    head = RegionHead(
      pool: RegionMaxPool(bins: plan.bins, stride: Double(plan.anchors.stride)),
      stage: FixedBlocks(stages[stages.count - 1]), channels: channels[channels.count - 1],
      classes: plan.classNames.count, context: plan.usesContext, using: &generator)
  }
}

extension FixedBlock {
  /// The function that a block of these layers is in inference.
  init(_ layers: [(conv: Conv2D<Scalar>, bn: BatchNorm2D<Scalar>)], bypass: Shortcut<Scalar>?) {
    let shortcut: FixedShortcut? = bypass.map {
      if case .projection(let projection) = $0 { .projection(FixedUnit(projection.conv, projection.bn)) } else { .free($0) }
    }
    self.init(units: layers.map { FixedUnit($0.conv, $0.bn) }, shortcut: shortcut)
  }
}

/// A block whose layers can be had.
public protocol LayeredBlock: FusibleBlock {
  var layers: [(conv: Conv2D<Scalar>, bn: BatchNorm2D<Scalar>)] { get }
}

extension BasicBlock: LayeredBlock {
  public var layers: [(conv: Conv2D<Scalar>, bn: BatchNorm2D<Scalar>)] { [(conv1, bn1), (conv2, bn2)] }
}

extension PlainBlock: LayeredBlock {
  public var layers: [(conv: Conv2D<Scalar>, bn: BatchNorm2D<Scalar>)] { [(conv1, bn1), (conv2, bn2)] }
}
