import ResidualInference
import ResidualKernels
import ResidualLearning
import TestSupport
import Testing

@Suite struct PreparedNetworkTests {
  /// A network whose scales, shifts and running statistics are those of no normalization at its beginning.
  static func network(_ architecture: Architecture) throws -> ResidualNetwork<Float> {
    var generator = RandomGenerator(seed: 1)
    var network = ResidualNetwork<Float>(architecture, using: &generator)
    try network.visitState { name, tensor in
      if name.hasSuffix("Variance") || name.hasSuffix("scale") {
        tensor = Tensor(uniform: tensor.shape, from: 0.5, to: 1.5, using: &generator)
      } else if tensor.shape.rank == 1 {
        tensor = Tensor(normal: tensor.shape, deviation: 0.3, using: &generator)
      }
    }
    return network
  }

  /// Every kind of block, shortcut and stem, both places of zeros and of strides; narrow, so that it is fast.
  static let architectures: [Architecture] = {
    func narrow(_ depth: Int, plain: Bool = false, _ options: Architecture.Options = .init(shortcut: .b))
      -> Architecture
    {
      .imageNet(depth: depth, plain: plain, options: options, classes: 20, width: 16)
    }
    let shortcuts = ShortcutOption.allCases.map { Architecture.Options(shortcut: $0) }
    var all = [Architecture.cifar(depth: 8, plain: true), narrow(18, plain: true)]
    all += shortcuts.flatMap { [.cifar(depth: 8, options: $0), narrow(18, $0), narrow(50, $0)] }
    all.append(.cifar(depth: 14, options: .init(zeros: .around)))
    all.append(narrow(50, .init(shortcut: .b, stridePlacement: .middle3x3)))
    for a in all.indices {
      for i in all[a].stages.indices { all[a].stages[i].blocks = min(2, all[a].stages[i].blocks) }
      all[a].imageSize = all[a].stem == .cifar ? 16 : 64
    }
    return all
  }()

  @Test(arguments: architectures.indices)
  func `Prepared networks give the logits of their networks`(index: Int) throws {
    let network = try Self.network(Self.architectures[index])
    var generator = RandomGenerator(seed: 2)
    let size = network.architecture.imageSize
    for batch in [1, 5] {
      let prepared = network.prepared(batch: batch)
      let isPrepared = prepared is PreparedNetwork
      #expect(isPrepared && prepared.architecture == network.architecture)
      for (height, width) in [(size, size), (size - 3, size + 5)] {
        let images = Tensor<Float>(normal: [batch, height, width, 3], using: &generator)
        let expected = network(images)
        let error = largestDifference(prepared(images), expected) / Double(expected.largestMagnitude)
        #expect(error <= 1e-5, "\(network.architecture.name), \(batch) images of \(height)x\(width)")
      }
    }
  }

  /// ResNet-8 takes 4 images in a group; a network that is prepared for 224x224 pixels goes layer by layer.
  @Test(arguments: [Architecture.cifar(depth: 8), .imageNet(depth: 18, classes: 20, width: 16)])
  func `An image's logits have the same bits in every batch and with any number of threads`(
    architecture: Architecture
  ) throws {
    let threads = Parallel.threads
    defer { Parallel.threads = threads }
    let prepared = try Self.network(architecture).prepared(batch: 4)
    var generator = RandomGenerator(seed: 3)
    let size = architecture.stem == .cifar ? 32 : 64
    let images = Tensor<Float>(normal: [11, size, size, 3], using: &generator)
    Parallel.threads = 1
    let expected = prepared(images)
    for count in [2, 3] {
      Parallel.threads = count
      let logits = prepared(images)
      #expect(logits == expected, "\(count) threads")
    }
    for n in [0, 7] {
      let logits = prepared(images.slice(n..<n + 1))
      #expect(logits == expected.slice(n..<n + 1), "image \(n)")
    }
  }

  @Test func `Changing the network afterwards does not change what was prepared`() throws {
    var network = try Self.network(.cifar(depth: 8))
    let prepared = network.prepared()
    let image = Tensor<Float>([1, 32, 32, 3], repeating: 0.5)
    let before = prepared(image)
    try network.visitState { _, tensor in tensor = Tensor(zeros: tensor.shape) }
    let after = prepared(image)
    #expect(after == before && network(image) != before)
  }

  /// VGG has no normalization, and 8 channels fill no vector.
  @Test func `Networks that cannot be prepared are returned as they are`() throws {
    var generator = RandomGenerator(seed: 4)
    let vgg = VGG<Float>(.vgg(depth: 16, classes: 4, width: 4, hidden: 8, imageSize: 32), using: &generator)
    let narrow = try Self.network(.cifar(depth: 8, width: 8))
    let images = Tensor<Float>(normal: [2, 32, 32, 3], using: &generator)
    let forms: [any Classifier<Float>] = [vgg.prepared(), narrow.prepared(batch: 2)]
    let expected = [vgg(images), narrow(images)]
    let logits = forms.map { $0(images) }
    let arePrepared = forms.map { $0 is PreparedNetwork }
    #expect(logits == expected && arePrepared == [false, false])
  }
}
