import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning
import TestSupport
import Testing

@testable import ResidualExperiments

@Suite struct PretrainedResNet20Tests {
  @Test func `The weights that come with the package know the pictures of the test images`() throws {
    let weights = try Weights(contentsOf: PretrainedResNet20.path())
    #expect(weights.network.architecture == .cifar(depth: 20) && weights.classNames == CIFAR10.classNames)
    let normalization = try weights.normalization(nil, height: 32, width: 32, training: nil)
    let folder = repository.appending(path: "Tests/Fixtures/cifar10-test").path
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".png") }.sorted()
    #expect(files.count == 20)
    let guesses = try files.map { file in
      let picture = try Picture(contentsOf: "\(folder)/\(file)")
      let view = PictureView(pixels: picture.pixels, height: picture.height, width: picture.width)
      return weights.network(normalization.input([view])).argmax[0]
    }
    #expect(files[0] == "00-cat.png" && CIFAR10.classNames[guesses[0]] == "cat")
    let right = zip(files, guesses).count { file, guess in file.contains("-\(CIFAR10.classNames[guess]).") }
    #expect(right >= 18, "\(right) of 20")
  }
}
