// DetectorPlan.swift: a detector on paper.
//
// Paper       He et al. 2015 §4.3, appendices A and B; Ren et al. 2015 (Faster R-CNN), §3
// Tests       Tests/ResidualDetectionTests/Networks/DetectorTests.swift

import ResidualLearning

/// The box that the offsets of a region are relative to.
public enum RegionReference: String, Codable, CaseIterable, Sendable {
  /// The box of the cells that are pooled for the region.
  case cells
  /// The proposal itself, as in Fast R-CNN.
  case proposal
}

/// Everything about a detector except its numbers.
public struct DetectorPlan: Equatable, Codable, Sendable {
  /// The network that it is made of: all stages except the last are shared, the last one runs on each region.
  public var architecture: Architecture
  /// The names of the classes, without background.
  public var classNames: [String]
  /// The anchors' scales in pixels; their ratios and the stride.
  public var anchors: Anchors
  /// Rows and columns of bins that a region is pooled into.
  public var bins: Int
  /// Whether the whole picture is a region too, whose features every other one sees (appendix B).
  public var usesContext = false
  /// The box that the offsets of a region are relative to.
  public var reference = RegionReference.cells
  /// How anchors are matched to objects.
  public var anchorMatching = Matching.anchors
  /// Anchors of a picture that a step learns from, and the most of them that are objects.
  public var anchorSample = 256, anchorObjectShare = 0.5
  /// How proposals are matched to objects.
  public var proposalMatching = Matching.proposals
  /// Proposals of a picture that a step learns from, and the most of them that are objects.
  public var regionSample = 64, regionObjectShare = 0.25
  /// The proposals of a picture in training, and at test.
  public var trainingProposals = ProposalSettings(), testProposals = ProposalSettings()

  /// A detector with the thresholds of Faster R-CNN.
  public init(architecture: Architecture, classNames: [String], anchorScales: [Double], bins: Int) {
    let shared = architecture.stages.dropLast().reduce(architecture.stem == .imageNet ? 4 : 1) { $0 * $1.stride }
    self.architecture = architecture
    self.classNames = classNames
    self.bins = bins
    anchors = Anchors(stride: shared, scales: anchorScales)
  }

  /// The box that the offsets of the region `box` are relative to.
  ///
  /// Pooling rounds a box to whole cells, so the head cannot know where in them its sides were. Relative to the box
  /// itself, two proposals of the same cells have different targets and the same features: with a cell every 8 pixels
  /// the error of a side would be even over 8 pixels, whatever the head learns. Relative to the box of the cells the
  /// target is a function of what is pooled. The paper's objects are many cells wide, and there the difference is small.
  public func reference(of box: Box) -> Box {
    switch reference {
    case .cells: box.aligned(stride: Double(anchors.stride))
    case .proposal: box
    }
  }
}
