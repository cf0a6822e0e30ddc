import Foundation
import ResidualKernels
import ResidualLearning

/// The images that a command works with.
struct Images {
  let training: ImageDataset
  let test: ImageDataset
  /// What they are, in words.
  let description: String

  /// How many synthetic images there are to train on and to test with, and the seed they are drawn from.
  static let synthetic = (training: 5000, test: 1000, seed: UInt64(2015))

  /// CIFAR-10 from `folder`, or the synthetic images.
  init(folder: String?) throws {
    if let folder {
      (training, test) = try CIFAR10.load(directory: folder)
      description = "CIFAR-10 in \(folder)"
    } else {
      training = SyntheticImages.make(count: Self.synthetic.training, seed: Self.synthetic.seed)
      test = SyntheticImages.make(count: Self.synthetic.test, seed: Self.synthetic.seed + 1)
      description = "synthetic images"
    }
  }
}

extension Arguments {
  /// Sets what holds for the whole process: threads and kernels.
  func applyMachineOptions() {
    if let threads = self[.threads] { Parallel.threads = threads }
    Kernels.implementation = self[.kernels] == .reference ? .reference : .fast
    Kernels.convolutionAlgorithm = self[.convolution] == .direct ? .direct : .automatic
  }
}
