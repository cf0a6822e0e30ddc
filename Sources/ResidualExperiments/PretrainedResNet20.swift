// PretrainedResNet20.swift: a network that comes with the package.
//
// Tests       Tests/ResidualExperimentsTests/PretrainedResNet20Tests.swift

import Foundation
import ResidualFiles
import ResidualLearning

/// ResNet-20 for CIFAR-10, trained by this package with the numbers of section 4.2 (Table 6), on a copy of the images
/// that had been through JPEG compression.
///
/// docs/results.md tells how it was made and what it reaches. The file is a checkpoint without the optimizer's
/// velocities, in half precision: `Weights(contentsOf: try PretrainedResNet20.path())` reads it.
public enum PretrainedResNet20 {
  private static let file = "resnet20-cifar10.safetensors"

  /// Where the file lies: beside the program, where the build puts it, or else in the sources.
  ///
  /// - Throws: `InputError` when it is in neither place, since the program was moved without it.
  public static func path() throws -> String {
    // The generated `Bundle.module` would end the process instead of throwing.
    let beside = ["resources", "bundle"].map {
      Bundle.main.bundleURL.appendingPathComponent("ResidualLearning_ResidualExperiments.\($0)/\(file)").path
    }
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Resources/\(file)")
    guard let path = (beside + [source.path]).first(where: FileManager.default.fileExists) else {
      throw InputError(
        "the weights that come with the package are not beside the program (\(beside[0])): name others with --weights")
    }
    return path
  }
}
