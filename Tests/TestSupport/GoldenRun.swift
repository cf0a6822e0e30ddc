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
      fusedMultiplyAdd: Checksums(0x4956_630c_cdde_0615, 0x9e81_4b91_da78_9115, 0x8d55_0f78_0066_9db1),
      separate: Checksums(0xcf8e_5a95_2ec2_5442, 0x4821_e2b1_a593_02e1, 0xe641_5476_99ad_a1d8)),
    GoldenRun(
      "resnet8", .a, isFused: false,
      fusedMultiplyAdd: Checksums(0x3670_b262_e560_51bc, 0xa384_789d_8561_c208, 0x98fa_6b11_871e_0ba1),
      separate: Checksums(0x93b5_e23f_d60e_9a02, 0x1643_8927_986b_08e9, 0xa957_d2cf_7ce8_356b)),
    GoldenRun(
      "resnet8", .b, isFused: true,
      fusedMultiplyAdd: Checksums(0x7c98_cf3b_1024_daf5, 0x89de_bdbb_0b7c_3310, 0x8f23_0758_6ae6_f780),
      separate: Checksums(0xab00_868d_9381_7ed8, 0xa5ed_c7ab_7595_9e3f, 0x7b49_404e_9f9e_c024)),
    GoldenRun(
      "resnet8", .b, isFused: false,
      fusedMultiplyAdd: Checksums(0x2d22_775d_26bd_6659, 0xc425_5609_2bb4_4432, 0xdc77_5a26_fca1_6941),
      separate: Checksums(0x3ec3_832d_a5ac_9f21, 0xf0bb_c5b1_07e5_8d67, 0xc935_ae88_733d_13af)),
    GoldenRun(
      "resnet8", .c, isFused: true,
      fusedMultiplyAdd: Checksums(0x352a_d1ea_5da1_73a9, 0x73a8_f6c5_9215_8302, 0x6a87_e7e6_de3d_4bbb),
      separate: Checksums(0x88a8_9787_e74b_fa13, 0x2fb5_ab57_45f3_21b3, 0xd28c_76b2_7c7c_9675)),
    GoldenRun(
      "resnet8", .c, isFused: false,
      fusedMultiplyAdd: Checksums(0x968c_3904_c7f7_4670, 0x9031_c7d5_77f0_9fa8, 0xaee9_5f3c_b266_583f),
      separate: Checksums(0xf04a_a07e_c8e5_290c, 0x3521_f7e7_e884_7a02, 0x078e_c223_1317_5547)),
    GoldenRun(
      "plain8", .a, isFused: true,
      fusedMultiplyAdd: Checksums(0xd81c_7329_b8d5_3f33, 0xca69_709a_7731_bd3e, 0xdff3_6a19_ab17_9b0a),
      separate: Checksums(0x2c5e_2614_6f5f_4308, 0x799f_93bb_6891_51bc, 0xdca2_3322_045b_362b)),
    GoldenRun(
      "plain8", .a, isFused: false,
      fusedMultiplyAdd: Checksums(0x7f19_3182_7ba8_cea8, 0xc6cf_8e60_e58e_25db, 0xc900_2a71_c619_773a),
      separate: Checksums(0xc6a4_a2ff_e109_ab26, 0xffdb_a45d_d62c_9875, 0x3f1e_be38_305a_88e5)),
    GoldenRun(
      "bottleneck", .b, isFused: true,
      fusedMultiplyAdd: Checksums(0x73f7_7f9c_ba09_1dc1, 0xa79e_069f_ccd3_1f69, 0x651d_4403_21dc_7909),
      separate: Checksums(0x1fcd_fb70_dc66_facd, 0x9065_9f7f_d63a_e3e9, 0xaecd_6f72_9ab3_599f)),
    GoldenRun(
      "bottleneck", .b, isFused: false,
      fusedMultiplyAdd: Checksums(0xfe88_abdc_3be8_d93a, 0xc27b_60ed_095f_3cb3, 0xcc66_d627_cafa_c099),
      separate: Checksums(0xe47a_6410_7c0a_e4f1, 0xc4f2_f1f6_1864_9fd2, 0x9382_cd36_e29e_3b99)),
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
      description: "trainer, section 4.2", recipe: { _ in Recipe() }, fusedMultiplyAdd: 0x4a58_1195_6725_59f9,
      separate: 0x552c_739c_2219_5449),
    GoldenTraining(
      description: "trainer, section 3.4",
      recipe: { .imageNet(colors: PrincipalColors(of: $0), crop: 24) }, fusedMultiplyAdd: 0x7244_a940_7d40_3e70,
      separate: 0x5aaa_a1b6_c054_b026),
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
  package static var layers: UInt64 { Kernels.fusesMultiplyAdd ? 0xa0ff_64ee_633d_2b88 : 0xd06b_45c3_45de_bf42 }
  /// The same of the blocks' checks.
  package static var blocks: UInt64 { Kernels.fusesMultiplyAdd ? 0xf4d5_d4f1_c388_619b : 0x9f36_5d94_9b52_20a8 }
  /// The same of all checks: layers, blocks and networks.
  package static var all: UInt64 { Kernels.fusesMultiplyAdd ? 0x8b47_c64f_b0b6_32a2 : 0x73ee_c2e4_f193_4bb7 }
}

private func checksum(_ tensors: [(name: String, tensor: Tensor<Float>)]) -> UInt64 {
  checksum(tensors.flatMap { $0.tensor.elements.map { UInt64($0.bitPattern) } })
}
