// PlateauSchedule.swift: a learning rate that falls when nothing gets better.
//
// Paper       He et al. 2015 §3.4: "The learning rate starts from 0.1 and is divided by 10 when the error plateaus"
// Tests       Tests/ResidualLearningTests/Training/PlateauScheduleTests.swift

/// A schedule that divides the learning rate by 10 when the error has not improved for a while.
///
/// The paper does not say when an error plateaus. Here it does when `patience` evaluations in a row have not brought it
/// `threshold` below the best one.
public struct PlateauSchedule: Equatable, Codable, Sendable {
  /// The learning rate now.
  public private(set) var rate: Double
  /// The number of evaluations without progress after which the rate falls.
  public let patience: Int
  /// How much lower an error must be to count as progress: 0.001 is a tenth of a per cent of the images.
  public let threshold: Double
  /// The lowest error so far.
  public private(set) var best = 1.0
  /// The evaluations since the lowest error, or since the rate last fell.
  public private(set) var waited = 0

  /// A schedule that begins with `rate`.
  public init(rate: Double = 0.1, patience: Int = 5, threshold: Double = 0.001) {
    precondition(rate > 0 && patience > 0 && threshold >= 0, "rate \(rate), patience \(patience)")
    (self.rate, self.patience, self.threshold) = (rate, patience, threshold)
  }

  /// Takes note of an error, 0 to 1, of the validation images.
  public mutating func record(error: Double) {
    if error < best - threshold {
      (best, waited) = (error, 0)
      return
    }
    waited += 1
    if waited >= patience { (rate, waited) = (rate / 10, 0) }
  }
}
