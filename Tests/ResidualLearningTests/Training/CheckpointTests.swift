import Foundation
import ResidualFiles
import ResidualKernels
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct CheckpointTests {
  typealias Network = ResidualNetwork<Float>

  static let images = SyntheticImages.make(count: 40, seed: 9)

  /// A small network that is in its warm-up for the first steps, and an epoch of three of them.
  func trainer() -> Trainer<Network> {
    var recipe = Recipe.scaled(depth: 8, iterations: 16)
    recipe.batch = 16
    recipe.warmUp = Recipe.WarmUp(rate: 0.01, untilError: 0.99)
    var generator = RandomGenerator(seed: 1)
    let network = Network(.cifar(depth: 8, options: .init(shortcut: .b), width: 4), using: &generator)
    return Trainer(
      network, recipe: recipe, images: Self.images, normalization: .perPixel(of: Self.images), seed: 7)
  }

  func bytes(_ trainer: Trainer<Network>) throws -> Data {
    let folder = try TemporaryFolder()
    try Checkpoint(trainer, fingerprint: "f").write(to: folder.path + "/c")
    return try Data(contentsOf: URL(fileURLWithPath: folder.path + "/c"))
  }

  /// The run in the bytes of a file, as `resnet train --resume` takes it up.
  func resumed(_ data: Data) throws -> Trainer<Network> {
    let checkpoint = try Checkpoint(SafeTensorsFile(decoding: data))
    let description = checkpoint.description
    var generator = RandomGenerator(seed: 99)
    let network = try checkpoint.loaded(Network(description.architecture, using: &generator))
    return Trainer(
      network, recipe: description.recipe, images: Self.images,
      normalization: try checkpoint.normalization(height: 32, width: 32), seed: description.seed,
      state: description.state, velocity: try checkpoint.velocity(like: network.parameters))
  }

  func failure(_ file: SafeTensorsFile) -> String {
    let error = #expect(throws: InputError.self) { try Checkpoint(file) }
    return error?.message ?? ""
  }

  /// The file with another description, and a checksum of it.
  func described(_ data: Data, _ change: (String) -> String) throws -> SafeTensorsFile {
    let original = try SafeTensorsFile(decoding: data)
    var file = original
    file.metadata["resnet"] = change(original.metadata["resnet"]!)
    file.seal()
    return file
  }

  @Test func `A checkpoint says how products were added up, and by builds of both kinds when there were two`() throws {
    let ours = Kernels.fusesMultiplyAdd ? "fused" : "separate"
    let other = Kernels.fusesMultiplyAdd ? "separate" : "fused"
    let data = try bytes(trainer())
    let text = try #require(SafeTensorsFile(decoding: data).metadata["resnet"])
    #expect(text.contains(#""arithmetic":"\#(ours)""#))
    #expect(try resumed(data).state.arithmetic == .ofThisBuild)

    /// What a run is that goes on from a checkpoint with another entry.
    func goesOn(as entry: String) throws -> Kernels.Arithmetic? {
      let file = try described(data) { $0.replacing(#""arithmetic":"\#(ours)","#, with: entry) }
      let run = try resumed(file.encoded())
      _ = try Checkpoint(run, fingerprint: "f")
      return run.state.arithmetic
    }
    #expect(try goesOn(as: #""arithmetic":"\#(ours)","#) == .ofThisBuild)
    #expect(try goesOn(as: #""arithmetic":"\#(other)","#) == .mixed)
    #expect(try goesOn(as: #""arithmetic":"mixed","#) == .mixed)
    #expect(try goesOn(as: "") == nil)
  }

  @Test func `A run that stops after any step and goes on ends with the same bytes`() throws {
    var whole = trainer()
    while !whole.isFinished { _ = try whole.step() }
    let expected = try bytes(whole)
    #expect(!whole.state.isWarmingUp)

    // Stopped after steps 1, 2, 3 (an epoch's end), 8 (the rate falls), 11 (the warm-up's end) and 16.
    var interrupted = trainer()
    var stops = Set([1, 2, 3, 8, 11, 16])
    while !interrupted.isFinished {
      _ = try interrupted.step()
      if stops.remove(interrupted.state.iteration) != nil { interrupted = try resumed(bytes(interrupted)) }
    }
    #expect(stops.isEmpty)
    #expect(try bytes(interrupted) == expected)
  }

  @Test func `The checkpoint's network is the trainer's`() throws {
    var trainer = trainer()
    for _ in 0..<3 { _ = try trainer.step() }
    let checkpoint = try Checkpoint(SafeTensorsFile(decoding: bytes(trainer)))
    let loaded = try checkpoint.network()
    let evaluation = loaded.evaluate(Self.images, normalization: trainer.normalization)
    #expect(evaluation == trainer.network.evaluate(Self.images, normalization: trainer.normalization))
    #expect(try checkpoint.normalization(height: 32, width: 32) == trainer.normalization)
    #expect(checkpoint.description.state == trainer.state)
    #expect(throws: InputError("safetensors file has a mean image of 32x32, the images are 16x16 (scales resize them)"))
    {
      try checkpoint.normalization(height: 16, width: 16)
    }
  }

  @Test func `Without velocities a checkpoint predicts the same, and no run goes on from it`() throws {
    let data = try bytes(trainer())
    let whole = try SafeTensorsFile(decoding: data)
    let lean = whole.without(prefix: Checkpoint.velocityPrefix)
    #expect(lean.entries == whole.entries.filter { !$0.name.hasPrefix("velocity.") })
    #expect(lean.entries.count < whole.entries.count)
    let networks = try [whole, lean].map { try Checkpoint($0).network() as! Network }
    #expect(networks[0].state.map(\.tensor) == networks[1].state.map(\.tensor))
    for (whole, half) in zip(networks[0].state, try (Checkpoint(lean.inHalfPrecision()).network() as! Network).state) {
      // Half of the last of eleven bits, or of the smallest number.
      let error = largestDifference(whole.tensor, half.tensor)
      #expect(error <= max(0x1p-11 * Double(whole.tensor.largestMagnitude), 0x1p-25), "\(whole.name)")
    }
    let refusal = InputError("safetensors file only predicts: it has no velocities for a run to go on")
    #expect(throws: refusal) { try resumed(lean.encoded()) }
    // One velocity that is missing is damage, not a file to predict with.
    let torn = whole.without(prefix: "velocity.classifier.weight")
    #expect(failure(torn) == "safetensors file does not fit: missing: \"velocity.classifier.weight\"")
  }

  @Test func `A damaged checkpoint is refused with a sentence`() throws {
    let data = try bytes(trainer())
    for position in stride(from: 0, to: data.count, by: data.count / 60) {
      var flipped = data
      flipped[position] ^= 4
      #expect(throws: InputError.self, "byte \(position)") { try Checkpoint(SafeTensorsFile(decoding: flipped)) }
      #expect(throws: InputError.self, "\(position) bytes") {
        try Checkpoint(SafeTensorsFile(decoding: data.prefix(position)))
      }
    }
    var flipped = data
    flipped[data.count - 5] ^= 1
    #expect(failure(try SafeTensorsFile(decoding: flipped)).hasPrefix("safetensors file is damaged: its checksum"))
  }

  @Test func `A file that is no checkpoint is refused with a sentence`() throws {
    #expect(
      failure(SafeTensorsFile(source: "a")) == "a is no checkpoint: its metadata have no entry 'resnet'")
    let data = try bytes(trainer())
    #expect(
      failure(try described(data) { _ in "{}" })
        == "safetensors file is a checkpoint of another version: its description cannot be read")
    let wider = failure(try described(data) { $0.replacing("\"outputChannels\":8", with: "\"outputChannels\":9") })
    #expect(wider.contains("\"stages.1.blocks.0.conv1.weight\" is [3, 3, 4, 8] and should be [3, 3, 4, 9]"))
    #expect(wider.contains("\"velocity.stages.2.blocks.0.conv1.weight\" is [3, 3, 8, 16]"))
  }

  @Test(arguments: [
    ("\"batch\":16", "\"batch\":0"), ("\"batch\":16", "\"batch\":-1"), ("\"iteration\":0", "\"iteration\":17"),
    ("\"iteration\":0", "\"iteration\":-1"), ("\"padding\":4", "\"padding\":9223372036854775807"),
    ("\"validationShare\":0", "\"validationShare\":1"), ("\"stemChannels\":4", "\"stemChannels\":4000000000"),
    ("\"blocks\":1", "\"blocks\":1000000"), ("\"classes\":10", "\"classes\":11"), ("\"stride\":2", "\"stride\":0"),
    ("\"epochErrors\":0", "\"epochErrors\":9223372036854775807"), ("\"rate\":0.1", "\"rate\":-0.1"),
  ])
  func `A description of a run that there cannot be is refused`(old: String, new: String) throws {
    let file = try described(bytes(trainer())) { $0.replacing(old, with: new) }
    #expect(file.metadata["resnet"]!.contains(new))
    #expect(failure(file).contains("describes a run that there cannot be"))
  }

  @Test func `Any description is refused or one to go on with`() throws {
    let start = trainer()
    let file = try SafeTensorsFile(decoding: bytes(start))
    let description = Array(file.metadata["resnet"]!.utf8)
    var steps = 0
    let accepted = try Fuzzer(seed: 5).run([description]) { bytes in
      guard let found = try? JSONDecoder().decode(Checkpoint.Description.self, from: Data(bytes)), found.isSound else {
        throw InputError("refused")
      }
      #expect(found.architecture.parameterShapes.count < 100_000)
      guard steps < 40, found.architecture == start.network.architecture,
        found.state != start.state
          || found.recipe != start.recipe, found.state.iteration < found.recipe.iterations
      else { return }
      var trainer = Trainer(
        start.network, recipe: found.recipe, images: Self.images, normalization: start.normalization, seed: found.seed,
        state: found.state)
      _ = try? trainer.step()
      _ = Self.images.split(for: found.recipe, seed: 1)
      steps += 1
    }
    #expect(accepted > Fuzzer.iterations / 100 && steps == 40)
  }
}
