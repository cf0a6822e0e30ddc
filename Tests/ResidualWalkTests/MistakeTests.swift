import ResidualExperiments
import ResidualKernels
import ResidualLearning
import Testing

@testable import ResidualWalk

@Suite struct MistakeTests {
  @Test func `Every mistake of the museum's layers is shown, or is hidden for a reason`() {
    let (shown, hidden) = Walks.small.mistakes()
    #expect(shown.count + hidden.count == LayerMistake.all.count && shown.count >= 20)
    #expect(Set((shown.map(\.label) + hidden.map(\.label)).map(\.name)).count == LayerMistake.all.count)
    let reasons = Dictionary(uniqueKeysWithValues: hidden.map { ($0.label.name, $0.reason) })
    #expect(reasons["max-pool-overwrites"] == "this network has no max-pool")
    #expect(reasons["conv-mean-of-the-batch"] == "with a batch of one image it changes nothing")
    #expect(reasons["linear-not-transposed"] == "the matrix of the classifier is not square, so the program would stop")
  }

  @Test func `With two images, mistakes over the batch show too`() {
    let shown = Set(Walks.projections.mistakes().shown.map(\.label.name))
    #expect(shown.isSuperset(of: ["conv-mean-of-the-batch", "linear-bias-mean", "loss-not-divided"]))
  }

  @Test func `A wrong gradient differs from the finite difference, the right one does not`() {
    let walk = Walks.small
    for mistake in walk.mistakes().shown {
      let wrong = walk.gradients(with: mistake)
      // The worst element of all tensors that the mistake reaches.
      let places =
        walk.graph.nodes.indices.map { Place.value($0) } + walk.parameters.indices.map { Place.parameter($0) }
      let worst = places.map { place -> (Place, Int, Double) in
        let (a, b) = (walk.tensorGradient(wrong, place), walk.gradient(place))
        let i = (0..<a.count).max { abs(a[flat: $0] - b[flat: $0]) < abs(a[flat: $1] - b[flat: $1]) }!
        return (place, i, abs(a[flat: i] - b[flat: i]))
      }.max { $0.2 < $1.2 }!
      let difference = walk.finiteDifference(worst.0, worst.1, step: 1e-6)
      let right = walk.gradient(worst.0)[flat: worst.1]
      #expect(abs(difference - right) < 1e-6 * max(1, abs(right)), "\(mistake.label.name)")
      #expect(worst.2 > 1e-3 && worst.2 > 100 * abs(difference - right), "\(mistake.label.name)")
    }
  }

  @Test func `A mistake has its line at a stop of its layer`() {
    for walk in [Walks.small, Walks.projections] {
      for mistake in walk.mistakes().shown {
        let (place, name) = (walk.name(of: mistake), mistake.label.name)
        #expect(!mistake.lines.isEmpty && mistake.lines.allSatisfy { !$0.marked.isEmpty }, "\(name)")
        let stops = walk.stops.filter {
          $0.phase == .backward && ($0.name == place || $0.name.hasPrefix(place + "."))
        }
        let shown = Set(stops.flatMap { $0.code.map(\.snippet.key) })
        #expect(mistake.lines.contains { shown.contains($0.snippet.key) }, "\(name)")
      }
    }
  }

  @Test func `What lies behind a mistake keeps its right gradient`() throws {
    let walk = Walks.small
    let mistake = try #require(walk.mistakes().shown.first { $0.label.name == "bn-no-mean-term" })
    guard case .node(let k) = mistake.place else { return }
    let wrong = walk.gradients(with: mistake)
    for j in k..<walk.values.count { #expect(wrong.nodes[j] == walk.gradients.nodes[j]) }
    #expect(wrong.nodes[walk.graph.nodes[k].inputs[0]] != walk.gradients.nodes[walk.graph.nodes[k].inputs[0]])
  }
}
