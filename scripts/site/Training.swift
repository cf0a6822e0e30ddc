// Training.swift: a training run that the page's worker drives, step by step: the package's trainer, on the images and
// with the recipe of `resnet train --network … --limit … --batch … --iterations … --rate … --seed …`.

import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning

/// The run of this worker.
private struct Run {
  var trainer: Trainer<ResidualNetwork<Float>>
  let test: ImageDataset
  let fingerprint: String
}

nonisolated(unsafe) private var run: Run?

/// Begins a run: draws the images, and gives the network its random weights.
@_expose(wasm, "trainingBegin")
public func trainingBegin(
  isPlain: Int32, depth: Int32, images count: Int32, test testCount: Int32, batch: Int32, iterations: Int32,
  rate: Double,
  seed: Double
) {
  run = nil  // its memory is used again
  // The seeds of the program's images, and of the order in which a run takes them.
  let drawn = SyntheticImages.make(count: Int(count), seed: 2015)
  let test = SyntheticImages.make(count: Int(testCount), seed: 2016)
  var recipe = Recipe.scaled(depth: Int(depth), iterations: Int(iterations))
  (recipe.batch, recipe.rate) = (Int(batch), rate)
  let images = drawn.split(for: recipe, seed: 45).training
  var generator = RandomGenerator(seed: UInt64(seed))
  let network = ResidualNetwork<Float>(.cifar(depth: Int(depth), plain: isPlain != 0), using: &generator)
  let trainer = Trainer(
    network, recipe: recipe, images: images, normalization: .perPixel(of: images), seed: UInt64(seed))
  run = Run(trainer: trainer, test: test, fingerprint: images.fingerprint)
}

/// Takes a step: answers with the number of steps that are done, the loss, the wrong images, the images and the rate; of a
/// step that failed with the number of steps alone.
@_expose(wasm, "trainingStep")
public func trainingStep() {
  do throws(Divergence) {
    let step = try run!.trainer.step()
    Exchange.give([
      Double(run!.trainer.state.iteration), step.loss, Double(step.errors), Double(step.count), step.rate,
    ])
  } catch {
    Exchange.give([Double(error.iteration)])
  }
}

/// Classifies the images that are held out: answers with the number that are right, their number and the mean loss.
@_expose(wasm, "trainingEvaluate")
public func trainingEvaluate() {
  let found = run!.trainer.network.evaluate(run!.test, normalization: run!.trainer.normalization, batch: 32)
  Exchange.give([Double(found.correct), Double(found.count), found.loss])
}

/// The deviation of the output of each 3x3 layer, in the order of the network (Fig. 7), over the first `count` images of
/// the test set.
@_expose(wasm, "trainingResponses")
public func trainingResponses(_ count: Int32) {
  let responses = LayerResponses(
    run!.trainer.network, images: run!.test.prefix(Int(count)), normalization: run!.trainer.normalization)
  Exchange.give(responses.layers.map { $0.deviation })
}

/// The bytes `[32, 32, 3]` of a held-out image, and its class behind them.
@_expose(wasm, "trainingImage")
public func trainingImage(_ i: Int32) {
  Exchange.give(Array(run!.test.image(Int(i))) + [run!.test.labels[Int(i)]])
}

/// The probabilities of the classes for pictures `[N, 32, 32, 3]` that the script wrote.
@_expose(wasm, "trainingPredict")
public func trainingPredict() {
  let pixels = Exchange.bytes
  let count = pixels.count / 3072
  let images = ImageDataset(
    height: 32, width: 32, channels: 3, pixels: pixels, labels: [UInt8](repeating: 0, count: count),
    classNames: SyntheticImages.classNames)
  let probabilities = run!.trainer.network.probabilities(run!.trainer.normalization.input(images, 0..<count))
  Exchange.give(probabilities.elements.map { Double($0) })
}

/// The names of the classes, one a line.
@_expose(wasm, "trainingClasses")
public func trainingClasses() { Exchange.give(SyntheticImages.classNames.joined(separator: "\n")) }

// MARK: - The run as a file

/// The bytes of the checkpoint that `resnet train` writes where this run stands.
@_expose(wasm, "trainingCheckpoint")
public func trainingCheckpoint() { Exchange.give(run!.checkpoint) }

/// The SHA-256 of that file, as `sha256sum` prints it.
@_expose(wasm, "trainingChecksum")
public func trainingChecksum() { Exchange.give(SHA256.digits(run!.checkpoint)) }

/// Goes on where a run with the same settings stood: from numbers of its state, the script's first bytes, and its tensors.
@_expose(wasm, "trainingRestore")
public func trainingRestore() {
  var bytes = Exchange.bytes[...]
  func numbers<Number: BitwiseCopyable>(_: Number.Type, _ count: Int) -> [Number] {
    let size = count * MemoryLayout<Number>.stride
    defer { bytes = bytes.dropFirst(size) }
    return bytes.prefix(size).withUnsafeBytes { buffer in
      (0..<count).map { buffer.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Number>.stride, as: Number.self) }
    }
  }
  let old = run!.trainer
  var (state, network, velocity) = (old.state, old.network, old.optimizer.velocity)
  let saved = numbers(Double.self, 4)
  (state.iteration, state.epochLoss) = (Int(saved[0]), saved[1])
  (state.epochErrors, state.epochCount) = (Int(saved[2]), Int(saved[3]))
  func read(_: String, _ tensor: inout Tensor<Float>) {
    tensor = Tensor(tensor.shape, numbers(Float.self, tensor.count))
  }
  var parameters = network.parameters
  parameters.visit("", read)
  network.parameters = parameters
  network.visitStatistics("") { name, statistics in
    read(name, &statistics.mean)
    read(name, &statistics.variance)
  }
  velocity.visit("", read)
  run!.trainer = Trainer(
    network, recipe: old.recipe, images: old.images, normalization: old.normalization, seed: old.seed, state: state,
    velocity: velocity)
}

/// What ``trainingRestore()`` reads.
@_expose(wasm, "trainingState")
public func trainingState() {
  let (trainer, state) = (run!.trainer, run!.trainer.state)
  var bytes: [UInt8] = []
  [Double(state.iteration), state.epochLoss, Double(state.epochErrors), Double(state.epochCount)]
    .withUnsafeBytes { bytes += $0 }
  for (_, tensor) in trainer.network.state + trainer.optimizer.velocity.named {
    tensor.elements.withUnsafeBytes { bytes += $0 }
  }
  Exchange.give(bytes)
}

extension Run {
  /// A checkpoint as `Checkpoint` of the package writes it. That one is made with Foundation's JSON encoder.
  fileprivate var checkpoint: [UInt8] {
    var file = SafeTensorsFile(metadata: ["resnet": description])
    for (name, tensor) in trainer.network.state { file.append(name, shape: tensor.shape.sizes, tensor.elements) }
    for (name, tensor) in trainer.optimizer.velocity.named {
      file.append("velocity." + name, shape: tensor.shape.sizes, tensor.elements)
    }
    let mean = trainer.normalization.mean
    file.append("normalization.mean", shape: mean.shape.sizes, mean.elements)
    file.seal()
    return file.encoded().bytes
  }

  /// The run in words of JSON, with sorted keys.
  private var description: String {
    let (network, recipe, state) = (trainer.network.architecture, trainer.recipe, trainer.state)
    let stages = network.stages.map { stage in
      object([
        ("blocks", "\(stage.blocks)"), ("outputChannels", "\(stage.outputChannels)"), ("stride", "\(stage.stride)"),
        ("width", "\(stage.width)"),
      ])
    }
    let options = object([
      ("fan", text("\(network.options.fan == .fanIn ? "fanIn" : "fanOut")")),
      ("shortcut", text(network.options.shortcut.rawValue)),
      ("stridePlacement", text(network.options.stridePlacement == .first1x1 ? "first1x1" : "middle3x3")),
      ("zeros", text(network.options.zeros == .after ? "after" : "around")),
    ])
    let architecture = object([
      ("block", text(network.block.rawValue)), ("classes", "\(network.classes)"), ("hidden", "[]"),
      ("imageSize", "\(network.imageSize)"), ("name", text(network.name)), ("options", options),
      ("stages", list(stages)), ("stem", text(network.stem!.rawValue)), ("stemChannels", "\(network.stemChannels)"),
    ])
    let augmentation = object([
      ("flips", "\(recipe.augmentation.flips)"), ("padding", "\(recipe.augmentation.padding)"),
    ])
    let settings = object([
      ("augmentation", augmentation), ("batch", "\(recipe.batch)"), ("decay", number(recipe.decay)),
      ("decaysWeightsOnly", "\(recipe.decayed == .weights)"), ("iterations", "\(recipe.iterations)"),
      ("milestones", list(recipe.milestones.map { "\($0)" })), ("momentum", number(recipe.momentum)),
      ("plateau", "null"), ("rate", number(recipe.rate)),
      ("recomputesStatistics", "\(recipe.recomputesStatistics)"), ("statisticsRate", number(recipe.statisticsRate)),
      ("validationShare", number(recipe.validationShare)),
      ("velocityHoldsRate", "\(recipe.velocityForm == .withRate)"), ("warmUp", "null"),
    ])
    let progress = object([
      ("arithmetic", text(Kernels.fusesMultiplyAdd ? "fused" : "separate")), ("epochCount", "\(state.epochCount)"),
      ("epochErrors", "\(state.epochErrors)"), ("epochLoss", number(state.epochLoss)),
      ("isWarmingUp", "\(state.isWarmingUp)"), ("iteration", "\(state.iteration)"), ("recentErrors", "[]"),
    ])
    return object([
      ("architecture", architecture), ("classNames", list(trainer.images.classNames.map(text))),
      ("images", text(fingerprint)), ("normalization", text(trainer.normalization.kind.rawValue)),
      ("recipe", settings), ("seed", "\(trainer.seed)"), ("state", progress),
    ])
  }

  private func text(_ words: String) -> String { "\"" + words + "\"" }
  private func list(_ parts: [String]) -> String { "[" + parts.joined(separator: ",") + "]" }
  private func object(_ members: [(String, String)]) -> String {
    "{" + members.map { text($0.0) + ":" + $0.1 }.joined(separator: ",") + "}"
  }
  private func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }
}

extension ImageDataset {
  /// How many images there are, and a checksum of them, as a checkpoint stores it.
  fileprivate var fingerprint: String {
    var sum = Checksum64()
    sum.add(.init(pixels))
    sum.add(.init(labels))
    return "\(count) images of \(height)x\(width), \(sum.hexadecimal)"
  }
}
