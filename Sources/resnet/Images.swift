import Foundation
import ResidualKernels
import ResidualLearning

/// The images that a command works with: CIFAR-10 from a folder, or the synthetic images.
struct Images {
  let training: ImageDataset
  let test: ImageDataset
  /// Where the images are from, in words.
  let description: String

  /// How many synthetic images there are to train on and to test with, and the seed they are drawn from.
  static let synthetic = (training: 5000, test: 1000, seed: UInt64(2015))

  /// The training images alone: no other file need be there.
  static func training(folder: String?) throws -> ImageDataset {
    try folder.map(CIFAR10.training) ?? SyntheticImages.make(count: synthetic.training, seed: synthetic.seed)
  }

  /// The test images alone: no other file need be there.
  static func test(folder: String?) throws -> ImageDataset {
    try folder.map(CIFAR10.test) ?? SyntheticImages.make(count: synthetic.test, seed: synthetic.seed + 1)
  }

  /// Where images are from, in words.
  static func description(folder: String?) -> String { folder.map { "CIFAR-10 in \($0)" } ?? "synthetic images" }
}

extension Images {
  /// Training and test images from `folder`, or synthetic ones.
  init(folder: String?) throws {
    self.init(
      training: try Self.training(folder: folder), test: try Self.test(folder: folder),
      description: Self.description(folder: folder))
  }
}

extension Arguments {
  /// Applies the options that hold for the whole process: threads and kernels.
  func applyMachineOptions() {
    if let threads = self[.threads] { Parallel.threads = threads }
    Kernels.implementation = self[.kernels] == .reference ? .reference : .fast
    Kernels.convolutionAlgorithm = self[.convolution] == .direct ? .direct : .automatic
  }
}
