// TrainingLog.swift: what a run writes down after every epoch.
//
// Tests       Tests/ResidualLearningTests/Training/TrainingLogTests.swift

import ResidualFiles

/// How one epoch went: a row of `log.csv`.
public struct Epoch: Equatable, Sendable {
  /// Steps from the start of the run to the end of this epoch.
  public var iteration: Int
  /// The number of the epoch, from 1.
  public var number: Int
  /// The learning rate of the epoch's last step.
  public var rate: Double
  /// The mean loss of the images during the epoch.
  public var trainingLoss: Double
  /// The share of images classified wrong during the epoch, 0 to 1.
  public var trainingError: Double
  /// The share of held-out images classified wrong after the epoch, where the recipe holds some out.
  public var heldOutError: Double?
  /// The share of test images classified wrong after the epoch, where the run has some.
  public var testError: Double?
  /// The median speed of the epoch's steps.
  public var imagesPerSecond = 0.0
  /// Time from the start of the run to the end of the epoch, without what was lost when the run was killed.
  public var seconds = 0.0
}

extension Epoch {
  /// The columns of `log.csv`, and what stands in them.
  fileprivate var row: [(column: String, value: Double?)] {
    [
      ("iteration", Double(iteration)), ("epoch", Double(number)), ("rate", rate), ("training_loss", trainingLoss),
      ("training_error", trainingError), ("held_out_error", heldOutError), ("test_error", testError),
      ("images_per_second", imagesPerSecond), ("seconds", seconds),
    ]
  }

  /// The epoch of a row.
  package init?(_ cells: [String: Double]) {
    guard let iteration = cells["iteration"].flatMap({ Int(exactly: $0) }),
      let number = cells["epoch"].flatMap({ Int(exactly: $0) }), let rate = cells["rate"],
      let loss = cells["training_loss"], let error = cells["training_error"]
    else { return nil }
    self.init(
      iteration: iteration, number: number, rate: rate, trainingLoss: loss, trainingError: error,
      heldOutError: cells["held_out_error"], testError: cells["test_error"],
      imagesPerSecond: cells["images_per_second"] ?? 0, seconds: cells["seconds"] ?? 0)
  }
}

/// The tables of a run.
struct TrainingLog: Sendable {
  /// `log.csv`.
  private(set) var epochs: [Epoch] = []
  /// `gradients.csv`.
  private(set) var gradients = NumberTable()
  /// `responses.csv`.
  private(set) var responses = NumberTable()

  /// The tables in a folder as far as an iteration; empty ones without a folder, and for a run that begins.
  init(folder: String?, upTo iteration: Int) {
    guard let folder, iteration > 0 else { return }
    let table = NumberTable(contentsOf: folder + "/log.csv", upTo: iteration)
    epochs = table.rows.indices.compactMap { Epoch(table.cells($0)) }
    gradients = NumberTable(contentsOf: folder + "/gradients.csv", upTo: iteration)
    responses = NumberTable(contentsOf: folder + "/responses.csv", upTo: iteration)
  }

  mutating func append(_ epoch: Epoch) { epochs.append(epoch) }

  /// Adds how strong the network's signals are, on the way forward and on the way back.
  mutating func append(_ signals: SignalStrengths, at iteration: Int) {
    let start = [("iteration", Double?(Double(iteration)))]
    gradients.append(start + signals.gradients.map { ($0.name, $0.norm) })
    responses.append(start + signals.responses.layers.map { ($0.name, $0.deviation) })
  }

  func write(to folder: String) throws {
    var table = NumberTable()
    for epoch in epochs { table.append(epoch.row) }
    try table.write(to: folder + "/log.csv")
    try gradients.write(to: folder + "/gradients.csv")
    try responses.write(to: folder + "/responses.csv")
  }
}

/// How strong a network's signals are: §4.1 argues that those of its plain networks are healthy on the way forward and on
/// the way back, so that vanishing gradients are unlikely to be what makes them hard to train.
struct SignalStrengths: Sendable {
  /// The norm of the gradient of the loss with respect to every weight.
  let gradients: [(name: String, norm: Double)]
  /// The deviation of every 3x3 layer's output.
  let responses: LayerResponses

  /// The signals of a trainer's network for its first images, at most 128, as they are.
  init<Network>(of trainer: Trainer<Network>) {
    let numbers = Array(0..<min(128, trainer.images.count))
    let input = trainer.unvaried(numbers, seed: 0)
    let (logits, cache) = trainer.network.forward(input)
    let loss = SoftmaxCrossEntropy<Float>()
    let (_, lossCache) = loss.forward(logits, labels: numbers.map { Int(trainer.images.labels[$0]) })
    gradients = trainer.network.gradients(loss.backward(lossCache), cache).named.filter { $0.tensor.shape.rank > 1 }
      .map { ($0.name, Double($0.tensor.dot($0.tensor)).squareRoot()) }
    responses = LayerResponses(trainer.network, batches: [input])
  }
}
