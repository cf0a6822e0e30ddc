import Foundation

@testable import ResidualLearning

/// The folder with the files that tests read.
let fixtures = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures")

/// The first twenty test images of CIFAR-10.
enum TestPictures {
  /// Paths in the order of the data set; a name is number and class, such as `00-cat.png`.
  static func paths() throws -> [String] {
    let folder = fixtures.appendingPathComponent("cifar10-test").path
    return try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".png") }.sorted().map { "\(folder)/\($0)" }
  }

  static func load() throws -> ImageDataset {
    let paths = try paths()
    let labels = paths.map { path in
      let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent.dropFirst(3)
      return UInt8(CIFAR10.classNames.firstIndex(of: String(name))!)
    }
    return ImageDataset(
      height: 32, width: 32, channels: 3, pixels: try paths.flatMap { try Picture(contentsOf: $0).pixels },
      labels: labels, classNames: CIFAR10.classNames)
  }
}
