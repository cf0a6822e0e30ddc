import ResidualLearning
import Testing

@Suite struct ReadmeTests {
  @Test func `the README's example learns its 20 images`() throws {
    let snippet = Snippet("README.md")
    func print(_ items: Any...) { snippet.print(items) }
    // begin README.md
    var generator = RandomGenerator(seed: 1)
    var network = ResidualNetwork<Float>(.cifar(depth: 8), using: &generator)
    let images = SyntheticImages.make(count: 20, seed: 1)
    let input = PixelNormalization.perPixel(of: images).input(images, 0..<20)  // [20, 32, 32, 3]
    let labels = images.labels.map { Int($0) }
    let loss = SoftmaxCrossEntropy<Float>()
    var optimizer = SGD(network.parameters)

    for _ in 1...60 {
      let (logits, cache) = network.forward(input)  // the training pass
      let (_, lossCache) = loss.forward(logits, labels: labels)
      let gradients = network.gradients(loss.backward(lossCache), cache)  // backward, last layer first
      optimizer.step(&network.parameters, gradients: gradients, rate: 0.05)
      network.track(cache, rate: 0.1)  // running statistics, for inference
    }
    let right = zip(network(input).argmax, labels).count { $0 == $1 }  // inference
    print("\(right) of \(labels.count) right")
    // end README.md
    try snippet.check()
    #expect(loss.forward(network.forward(input).output, labels: labels).loss < 0.05)
  }
}
