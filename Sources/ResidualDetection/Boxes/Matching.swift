// Matching.swift: which box is to learn which object, and which of them a step learns from.
//
// Paper       Ren et al. 2015 (Faster R-CNN), §3.1.2, §3.1.3; Girshick 2015 (Fast R-CNN), §2.3
// Derivation  docs/derivations/detection.md: what is matched to what
// Tests       Tests/ResidualDetectionTests/Boxes/MatchingTests.swift

import ResidualLearning

/// What an anchor or a proposal is to learn.
public enum Match: Equatable, Sendable {
  /// That it is the object with this number.
  case object(Int)
  /// That there is nothing.
  case background
  /// Nothing: it is neither near enough to an object nor far enough from all.
  case ignored
}

/// The thresholds of intersection over union (IoU) by which boxes are matched to objects.
public struct Matching: Equatable, Codable, Sendable {
  /// At least this much: the object.
  public var object: Double
  /// Less than this, but at least ``backgroundFloor``: background.
  public var background: Double
  /// What lies below is ignored. Fast R-CNN has 0.1, which picks hard examples; with proposals as good as a region
  /// proposal network's it is 0.
  public var backgroundFloor = 0.0
  /// Whether the boxes with the highest IoU of an object are its own, however low it is.
  public var keepsBest: Bool

  /// Thresholds.
  public init(object: Double, background: Double, keepsBest: Bool) {
    precondition(0 <= background && background <= object, "background below \(background), objects from \(object)")
    (self.object, self.background, self.keepsBest) = (object, background, keepsBest)
  }

  /// Anchors: 0.7, 0.3, and the best anchor of every object.
  public static let anchors = Matching(object: 0.7, background: 0.3, keepsBest: true)
  /// Proposals: 0.5 decides.
  public static let proposals = Matching(object: 0.5, background: 0.5, keepsBest: false)

  /// What each of `boxes` is to learn.
  ///
  /// A box is matched to the object of which it has the highest IoU, the first one if several are equal. With
  /// ``keepsBest``, *all* boxes that share the highest IoU of an object are positive: an object in the middle between
  /// two anchors has two, and to drop one of them would teach the network that a mirrored picture has no object.
  public func match(_ boxes: [Box], to objects: [Box]) -> [Match] {
    let overlaps = boxes.map { box in objects.map(box.iou) }
    let best = objects.indices.map { k in overlaps.reduce(0) { max($0, $1[k]) } }
    return overlaps.map { row in
      guard var nearest = row.indices.first else { return .background }
      for k in row.indices where row[k] > row[nearest] { nearest = k }
      let isBest = keepsBest && row.indices.contains { row[$0] > 0 && row[$0] == best[$0] }
      if row[nearest] >= object || isBest { return .object(nearest) }
      return row[nearest] < background && row[nearest] >= backgroundFloor ? .background : .ignored
    }
  }
}

/// The boxes that a step learns from: the background would otherwise outweigh the objects.
public struct Sample: Equatable, Sendable {
  /// The numbers of boxes that are objects, ascending.
  public var objects: [Int]
  /// The numbers of boxes that are background, ascending.
  public var background: [Int]

  /// Draws at most `count` boxes, at most a share `objectShare` of them objects. Where objects are fewer, background
  /// takes their places; where background is scarce, the sample is smaller.
  public init(of matches: [Match], count: Int, objectShare: Double, using generator: inout RandomGenerator) {
    precondition(count > 0 && (0...1).contains(objectShare), "a sample of \(count), \(objectShare) of them objects")
    func draw(_ numbers: [Int], _ most: Int, _ generator: inout RandomGenerator) -> [Int] {
      guard numbers.count > most else { return numbers }
      return generator.permutation(numbers.count).prefix(most).map { numbers[$0] }.sorted()
    }
    let found = matches.indices.filter { if case .object = matches[$0] { true } else { false } }
    objects = draw(found, Int(Double(count) * objectShare), &generator)
    background = draw(matches.indices.filter { matches[$0] == .background }, count - objects.count, &generator)
  }

  /// Boxes in the sample.
  public var count: Int { objects.count + background.count }
}
