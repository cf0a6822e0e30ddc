// GoldenRun.swift: short training runs whose every bit is known.
//
// The tests run them, and so does scripts/embedded.sh, on processors for which there are no tests.

import ResidualKernels
import ResidualLearning

/// A network that is trained for three steps, with fused blocks or layer by layer, and its checksums in either kind of
/// build.
package struct GoldenRun: Sendable, CustomStringConvertible {
  let network: String
  let shortcut: ShortcutOption
  let isFused: Bool
  let fusedMultiplyAdd, separate: Checksums

  init(_ network: String, _ shortcut: ShortcutOption, isFused: Bool, fusedMultiplyAdd: Checksums, separate: Checksums) {
    (self.network, self.shortcut, self.isFused) = (network, shortcut, isFused)
    (self.fusedMultiplyAdd, self.separate) = (fusedMultiplyAdd, separate)
  }

  /// After three steps: parameters and running statistics, the gradients of the last step, logits at inference.
  package struct Checksums: Equatable, Sendable, CustomStringConvertible {
    let state, gradients, logits: UInt64

    init(_ state: UInt64, _ gradients: UInt64, _ logits: UInt64) {
      (self.state, self.gradients, self.logits) = (state, gradients, logits)
    }

    package var description: String {
      "(" + [state, gradients, logits].map { "0x" + String($0, radix: 16) }.joined(separator: ", ") + ")"
    }
  }

  package var description: String { "\(network) \(shortcut.rawValue), \(isFused ? "fused" : "layer by layer")" }

  /// The checksums that belong to this build.
  package var expected: Checksums { Kernels.fusesMultiplyAdd ? fusedMultiplyAdd : separate }

  package static let all: [GoldenRun] = [
    GoldenRun(
      "resnet8", .a, isFused: true,
      fusedMultiplyAdd: Checksums(0x8bc3_3527_1749_b507, 0x3a4b_0f41_7c9b_719e, 0x7bde_5404_35ee_4730),
      separate: Checksums(0xa41b_1b8d_0073_4081, 0x22f0_1462_ae9a_d5be, 0x2207_6d1a_a45c_efa3)),
    GoldenRun(
      "resnet8", .a, isFused: false,
      fusedMultiplyAdd: Checksums(0x4188_b0c4_6b33_63d9, 0x5cf7_54e0_97fa_c9fe, 0x622c_af67_6160_4a97),
      separate: Checksums(0x1b7d_f04a_24fb_032e, 0xb680_81be_0568_a703, 0x8f8a_ae68_03d1_717f)),
    GoldenRun(
      "resnet8", .b, isFused: true,
      fusedMultiplyAdd: Checksums(0xb93a_a8b1_9f53_de46, 0x0583_4d90_be42_1c12, 0x55fc_24cd_7d81_0b5e),
      separate: Checksums(0xf0a0_9a1b_650d_1a5e, 0xf94d_d4c9_88fb_f979, 0x00f5_df30_6404_ceed)),
    GoldenRun(
      "resnet8", .b, isFused: false,
      fusedMultiplyAdd: Checksums(0x870d_4824_465f_4fac, 0x985c_1ba6_371d_f953, 0x647c_9d65_b88a_e8cb),
      separate: Checksums(0xd026_463f_1ad6_ea6f, 0xc84b_9acb_bcc1_7164, 0x0c7d_ac31_3097_2a70)),
    GoldenRun(
      "resnet8", .c, isFused: true,
      fusedMultiplyAdd: Checksums(0x9ff2_1531_11ef_8e3f, 0x53e2_e047_f5ce_3cdd, 0x0564_876b_ed9a_2cc6),
      separate: Checksums(0x0f9a_365e_50f6_eee9, 0x620c_30e2_6af3_7c65, 0xfda0_900b_33bd_051b)),
    GoldenRun(
      "resnet8", .c, isFused: false,
      fusedMultiplyAdd: Checksums(0x1a57_4a2b_8e04_f657, 0xa4a1_68ae_e91a_2630, 0xbf36_9c82_4632_015c),
      separate: Checksums(0xd73a_2a64_af9e_2296, 0x4bde_112a_d213_4002, 0xea54_d021_ec4d_d76a)),
    GoldenRun(
      "plain8", .a, isFused: true,
      fusedMultiplyAdd: Checksums(0x1356_95b6_0a20_9de2, 0x1d28_11ae_2463_7e20, 0xc8ca_eff9_46d4_572e),
      separate: Checksums(0xb9ca_a734_69fb_319a, 0xa3ec_0387_3763_0139, 0xf96a_b581_529c_43a3)),
    GoldenRun(
      "plain8", .a, isFused: false,
      fusedMultiplyAdd: Checksums(0xb338_b388_9613_7a9f, 0x4ae4_c56c_2434_ed26, 0x8ebb_7a87_885f_70ee),
      separate: Checksums(0x65c1_c391_1b80_45c1, 0xfb86_18f9_3adf_4098, 0x896f_cd06_1270_2dec)),
    GoldenRun(
      "bottleneck", .b, isFused: true,
      fusedMultiplyAdd: Checksums(0x86c0_301f_489b_78f8, 0x6c04_8eac_9013_aefc, 0x07d6_f7e8_375e_50f6),
      separate: Checksums(0x1115_495d_0fba_731f, 0x65b1_7929_b0eb_479c, 0xeb99_e886_20cf_8da4)),
    GoldenRun(
      "bottleneck", .b, isFused: false,
      fusedMultiplyAdd: Checksums(0x0252_25e1_8add_92ea, 0x8cae_ed45_0985_b8fd, 0xdfdd_d2ed_81ca_e8e6),
      separate: Checksums(0xa67e_7b55_5cb7_031f, 0xc1e0_9a85_09b8_d716, 0x4352_087a_9319_7c2e)),
  ]

  /// Trains the network and returns what its checksums are.
  package func train() throws(InputError) -> Checksums {
    var architecture =
      network == "bottleneck" ? Architecture.imageNet(depth: 50, classes: 10, width: 16) : try .named(network)
    architecture.options.shortcut = shortcut
    if network == "bottleneck" {
      architecture.stages = Array(architecture.stages.prefix(2))
      for i in architecture.stages.indices { architecture.stages[i].blocks = 1 }
    }
    var generator = RandomGenerator(seed: 5)
    var network = ResidualNetwork<Float>(architecture, fused: isFused, using: &generator)
    var optimizer = SGD(network.parameters)
    let loss = SoftmaxCrossEntropy<Float>()
    var gradients = network.parameters
    // Groups of images for Winograd's convolution, the last of them smaller; odd sizes, whose tiles reach over the edge.
    for _ in 0..<3 {
      let images = Tensor<Float>(normal: [18, 17, 14, 3], using: &generator)
      let (logits, cache) = network.forward(images)
      let (_, lossCache) = loss.forward(logits, labels: (0..<18).map { _ in generator.below(10) })
      gradients = network.gradients(loss.backward(lossCache), cache)
      optimizer.step(&network.parameters, gradients: gradients, rate: 0.1)
      network.track(cache, rate: 0.1)
    }
    let logits = network(Tensor(normal: [18, 17, 14, 3], using: &generator))
    return Checksums(checksum(network.state), checksum(gradients.named), checksum([("logits", logits)]))
  }
}

/// The trainer's steps over images that the package draws, and their checksums in either kind of build.
package struct GoldenTraining: Sendable, CustomStringConvertible {
  package let description: String
  let recipe: @Sendable (ImageDataset) -> Recipe
  let fusedMultiplyAdd, separate: UInt64

  /// The checksum that belongs to this build.
  package var expected: UInt64 { Kernels.fusesMultiplyAdd ? fusedMultiplyAdd : separate }

  package static let all = [
    GoldenTraining(
      description: "trainer, section 4.2", recipe: { _ in Recipe() }, fusedMultiplyAdd: 0x3911_83a5_7e74_3676,
      separate: 0xd2fb_431b_5fdb_173d),
    GoldenTraining(
      description: "trainer, section 3.4",
      recipe: { .imageNet(colors: PrincipalColors(of: $0), crop: 24) }, fusedMultiplyAdd: 0x98a5_39c1_c1a6_4875,
      separate: 0x6e4d_5cab_0941_8141),
  ]

  /// Four steps, the last of them in a second epoch; then the statistics over all images, and an evaluation.
  ///
  /// - Returns: the checksum of losses, parameters, statistics and velocities.
  package func train() throws(Divergence) -> UInt64 {
    let images = SyntheticImages.make(count: 22, seed: 3)
    var recipe = recipe(images)
    recipe.batch = 8
    let crop = recipe.augmentation.scaled?.size
    let normalization: PixelNormalization = crop.map { .perPixel(of: images, size: $0) } ?? .perPixel(of: images)
    var generator = RandomGenerator(seed: 5)
    let network = ResidualNetwork<Float>(.cifar(depth: 8), using: &generator)
    var trainer = Trainer(network, recipe: recipe, images: images, normalization: normalization, seed: 5)
    var losses: [UInt64] = []
    for _ in 0..<4 { losses.append(try trainer.step().loss.bitPattern) }
    trainer.recomputeStatistics()
    if crop == nil {
      losses.append(trainer.network.evaluate(images, normalization: normalization).loss.bitPattern)
    }
    return checksum(
      losses + [checksum(trainer.network.state), checksum(trainer.optimizer.velocity.named)])
  }
}

/// The errors of all gradient checks, in `Double`.
package enum GoldenChecks {
  /// The checksum of the errors of the layers' checks that belongs to this build.
  package static var layers: UInt64 { Kernels.fusesMultiplyAdd ? 0xcf90_7f1a_b6fa_697e : 0x0c76_ee05_af59_9c96 }
  /// The same of the blocks' checks.
  package static var blocks: UInt64 { Kernels.fusesMultiplyAdd ? 0xf4d5_d4f1_c388_619b : 0x9f36_5d94_9b52_20a8 }
  /// The same of all checks: layers, blocks and networks.
  package static var all: UInt64 { Kernels.fusesMultiplyAdd ? 0xc2e6_a0ad_0235_491e : 0x9013_ce10_6906_b0f3 }
}

private func checksum(_ tensors: [(name: String, tensor: Tensor<Float>)]) -> UInt64 {
  checksum(tensors.flatMap { $0.tensor.elements.map { UInt64($0.bitPattern) } })
}
