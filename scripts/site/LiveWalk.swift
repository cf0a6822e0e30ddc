// LiveWalk.swift: the walk of `resnet trace`, computed again after every change of a number.

import ResidualExperiments
import ResidualKernels
import ResidualLearning
import ResidualWalk

/// A walk, and what its reader changed.
private struct LiveWalk {
  var network: ResidualNetwork<Double>
  var images: Tensor<Double>
  let labels: [Int]
  var upstream: [Int: Tensor<Double>] = [:]
  var walk: Walk
  var plain: Walk?
  var mistake: Mistake?
  /// The gradients, those of the mistake if there is one.
  var gradients: Walk.Gradients
  var velocities, moved: [Tensor<Double>]
  let picture: String

  /// The walk of `resnet trace --seed`.
  init(seed: Int) {
    network = Walk.network(Walk.small(), seed: UInt64(seed))
    (images, labels) = Walk.drawn(seed: UInt64(seed))
    picture = "a drawn picture of an image of class \(labels[0])"
    walk = Walk(network, images: images, labels: labels)
    (gradients, velocities, moved, plain) = (walk.gradients, walk.velocities, walk.moved, nil)
    plain = walk.withoutShortcuts
  }

  /// Takes the step again.
  mutating func compute() {
    walk = Walk(network, images: images, labels: labels, upstream: upstream)
    plain = walk.withoutShortcuts
    breakBackward()
  }

  /// Goes back again, with the mistake.
  mutating func breakBackward() {
    guard let mistake else {
      (gradients, velocities, moved) = (walk.gradients, walk.velocities, walk.moved)
      return
    }
    gradients = walk.gradients(with: mistake)
    let found = gradients.parameters
    var (slopes, stepped, optimizer) = (network.parameters, network.parameters, SGD(network.parameters))
    slopes.visit("") { name, tensor in tensor = found[name]! }
    optimizer.step(&stepped, gradients: slopes, rate: walk.rate)
    (velocities, moved) = (optimizer.velocity.named.map { $0.tensor }, stepped.named.map { $0.tensor })
  }

  /// A tensor by the first letter of its id in the page's script.
  func tensor(_ kind: UInt8, _ a: Int, _ b: Int) -> Tensor<Double>? {
    switch kind {
    case UInt8(ascii: "v"): walk.values[a]
    case UInt8(ascii: "g"): gradients.nodes[a]
    case UInt8(ascii: "c"): gradients.contributions[a].first { $0.reader == b }?.gradient
    case UInt8(ascii: "p"): walk.parameters[a].tensor
    case UInt8(ascii: "q"): gradients.parameters[walk.parameters[a].name]
    case UInt8(ascii: "s"): velocities[a]
    case UInt8(ascii: "n"): moved[a]
    case UInt8(ascii: "b"): plainNode(a).flatMap { plain?.values[$0] }
    case UInt8(ascii: "h"): plainNode(a).flatMap { plain?.gradients.nodes[$0] }
    case UInt8(ascii: "k"): plain?.gradients.parameters[walk.parameters[a].name]
    default: nil
    }
  }

  private func plainNode(_ k: Int) -> Int? { plain?.graph.node(walk.graph.nodes[k].name) }
}

nonisolated(unsafe) private var live: LiveWalk?

/// Begins with the network and the picture of a seed, and answers with the page's data, without numbers of tensors.
@_expose(wasm, "walkBegin")
public func walkBegin(_ seed: Int32) {
  live = LiveWalk(seed: Int(seed))
  walkData()
}

/// The page's data, without numbers of tensors.
@_expose(wasm, "walkData")
public func walkData() {
  let now = live!
  if let page = try? Page(now.walk, plain: now.plain, picture: now.picture, holdsNumbers: false) {
    Exchange.give(page.data)
  }
}

/// The numbers of a tensor; behind them their mean and deviation.
@_expose(wasm, "walkNumbers")
public func walkNumbers(_ kind: Int32, _ a: Int32, _ b: Int32) {
  guard let tensor = live!.tensor(UInt8(kind), Int(a), Int(b)) else { return Exchange.give([Double]()) }
  Exchange.give(tensor.elements + [tensor.mean, tensor.deviation])
}

/// Changes a number: of the images, of a parameter, or of the gradient that arrives at a node.
@_expose(wasm, "walkChange")
public func walkChange(_ kind: Int32, _ a: Int32, _ i: Int32, _ value: Double) {
  switch UInt8(kind) {
  case UInt8(ascii: "v"): live!.images[flat: Int(i)] = value
  case UInt8(ascii: "p"):
    let name = live!.walk.parameters[Int(a)].name
    live!.network.parameters.visit("") { found, tensor in if found == name { tensor[flat: Int(i)] = value } }
  default:
    var gradient = live!.gradients.nodes[Int(a)]!
    gradient[flat: Int(i)] = value
    live!.upstream[Int(a)] = gradient
  }
  live!.compute()
}

/// Switches to a mistake by its number in the page's list; below zero to none.
@_expose(wasm, "walkBreak")
public func walkBreak(_ number: Int32) {
  live!.mistake = number < 0 ? nil : live!.walk.mistakes().shown[Int(number)]
  live!.breakBackward()
}

/// How far each gradient is from the right one, relative to its largest element: nodes, then parameters.
@_expose(wasm, "walkErrors")
public func walkErrors() {
  let now = live!
  let places = now.walk.values.indices.map { Place.value($0) } + now.walk.parameters.indices.map { Place.parameter($0) }
  Exchange.give(
    places.map { now.walk.relativeError(now.walk.tensorGradient(now.gradients, $0), now.walk.gradient($0)) })
}

/// The tensors whose gradients the layer with the mistake computes: 1 for each of them, in the same order.
@_expose(wasm, "walkOwn")
public func walkOwn() {
  let now = live!
  guard let mistake = now.mistake else { return Exchange.give([Double]()) }
  let (own, count) = (now.walk.ownPlaces(of: mistake), now.walk.values.count)
  Exchange.give(
    (0..<count + now.walk.parameters.count).map {
      own.contains($0 < count ? .value($0) : .parameter($0 - count)) ? 1.0 : 0
    })
}

/// Finite differences of the loss for some elements of a tensor, from `start` on.
@_expose(wasm, "walkDifferences")
public func walkDifferences(_ kind: Int32, _ a: Int32, _ start: Int32, _ count: Int32) {
  let place = UInt8(kind) == UInt8(ascii: "d") ? Place.value(Int(a)) : .parameter(Int(a))
  Exchange.give((Int(start)..<Int(start + count)).map { live!.walk.finiteDifference(place, $0) })
}
