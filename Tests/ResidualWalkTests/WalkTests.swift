import ResidualKernels
import ResidualLearning
import TestSupport
import Testing

@testable import ResidualWalk

@Suite struct WalkTests {
  @Test(arguments: Walks.all)
  func `The walk's values and gradients are those of the network, bit for bit`(walk: Walk) throws {
    let network = Walks.network(walk.architecture)
    var observed: [(String, Tensor<Double>)] = []
    let (logits, cache) = network.forward(walk.values[0]) { observed.append(($0, $1)) }
    let names = ["logits": "classifier"]
    for (name, tensor) in observed {
      let k = walk.graph.node(names[name] ?? name) ?? walk.graph.node(name + ".bn")
      #expect(walk.values[try #require(k, "\(name)")].elements == tensor.elements, "\(name)")
    }
    #expect(observed.count > 10)
    let loss = SoftmaxCrossEntropy<Double>()
    let (value, lossCache) = loss.forward(logits, labels: walk.labels)
    #expect(walk.loss == value)
    let (dx, gradients) = network.backward(loss.backward(lossCache), cache)
    #expect(walk.gradients.nodes[0]?.elements == dx.elements)
    #expect(gradients.named.count == walk.gradients.parameters.count)
    for (name, tensor) in gradients.named {
      #expect(walk.gradients.parameters[name]?.elements == tensor.elements, "\(name)")
    }
    var (optimizer, parameters) = (SGD(network.parameters), network.parameters)
    optimizer.step(&parameters, gradients: gradients, rate: 0.1)
    #expect(parameters.named.map(\.tensor) == walk.moved)
  }

  @Test(arguments: Walks.all)
  func `Finite differences agree with the gradients at every tensor`(walk: Walk) {
    let places = walk.values.indices.map { Place.value($0) } + walk.parameters.indices.map { Place.parameter($0) }
    for place in places {
      let gradient = walk.gradient(place)
      let scale = max(gradient.largestMagnitude, 1e-3)
      for i in [0, gradient.count / 2, gradient.count - 1] {
        let error = abs(walk.finiteDifference(place, i, step: 1e-6) - gradient[flat: i]) / scale
        #expect(error < 1e-6, "\(place) \(i)")
      }
    }
  }

  @Test func `The input of a block gets two gradients, and they are added`() throws {
    let walk = Walks.small
    let x = walk.graph.blocks[1].input
    let contributions = walk.gradients.contributions[x]
    #expect(contributions.count == 2)
    #expect(contributions[0].gradient + contributions[1].gradient == walk.gradients.nodes[x])
    // The identity hands on the gradient of the sum as it is.
    let sum = try #require(walk.graph.blocks[1].sum)
    #expect(contributions[1].gradient == walk.gradients.nodes[sum])
    #expect(Walks.plain.gradients.contributions[x].count == 1)
  }

  @Test func `A gradient that is given takes the place of what arrives, for everything in front of it`() throws {
    let walk = Walks.small
    let k = try #require(walk.graph.node("stages.1.blocks.0.bn1"))
    var given = walk.gradient(.value(k))
    given[flat: 3] += 0.5
    let network = Walk.network(Walk.small())
    let changed = Walk(network, images: walk.values[0], labels: walk.labels, upstream: [k: given])
    #expect(changed.values == walk.values && changed.gradient(.value(k)) == given)
    for j in k + 1..<walk.values.count { #expect(changed.gradient(.value(j)) == walk.gradient(.value(j))) }
    #expect(changed.gradient(.value(0)) != walk.gradient(.value(0)))
    let places = (0...k).map { Place.value($0) } + [.parameter(0), .parameter(1)]
    for place in places {
      let gradient = changed.gradient(place)
      for i in [0, 3, gradient.count - 1] {
        let error = abs(changed.finiteDifference(place, i, step: 1e-6) - gradient[flat: i])
        #expect(error < 1e-6 * max(gradient.largestMagnitude, 1e-3), "\(place), element \(i)")
      }
    }
  }

  @Test func `Weights in Float become the same numbers in Double`() throws {
    var generator = RandomGenerator(seed: 4)
    let float = ResidualNetwork<Float>(Walk.small(), using: &generator)
    let double = try Walk.network(float)
    for (a, b) in zip(float.state, double.state) {
      #expect(a.name == b.name && a.tensor.elements.map(Double.init) == b.tensor.elements)
    }
  }
}
