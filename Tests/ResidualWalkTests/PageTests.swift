import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning
import Testing

@testable import ResidualWalk

@Suite struct PageTests {
  /// A walk whose page is quickly made: width 1, 4x4 pixels.
  private static let walk = Walks.walk(.cifar(depth: 8, width: 1), size: 4)

  @Test func `A page holds every number of the walk, rounded to six digits, and asks no network for anything`() throws {
    let walk = Self.walk
    let page = try Page(walk, plain: walk.withoutShortcuts, picture: "a drawn picture")
    let html = page.html
    #expect(html.utf8.count < 300_000)
    for word in ["src=", "@import", "url(http", "fetch(", "XMLHttpRequest"] { #expect(!html.contains(word)) }
    let start = try #require(html.range(of: "const walk = ")).upperBound
    let end = try #require(html.range(of: "};\n", range: start..<html.endIndex)).lowerBound
    let data = Data((html[start..<end] + "}").utf8)
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let nodes = try #require(object["nodes"] as? [[String: Any]])
    #expect(nodes.count == walk.values.count)
    for (k, node) in nodes.enumerated() {
      for (key, tensor) in [("value", walk.values[k]), ("gradient", walk.gradients.nodes[k]!)] {
        let numbers = try #require((node[key] as? [String: Any])?["n"] as? [Double])
        let scale = max(tensor.largestMagnitude, 1e-300)
        #expect(numbers.count == tensor.count)
        for (shown, x) in zip(numbers, tensor.elements) { #expect(abs(shown - x) <= 5e-6 * max(abs(x), 1e-9 * scale)) }
      }
      let difference = try #require((node["difference"] as? [String: Any])?["n"] as? [Double])
      #expect(difference[0] == Double(number(walk.finiteDifference(.value(k), 0), digits: 6)))
    }
    #expect((object["stops"] as? [Any])?.count == walk.stops.count)
  }

  @Test func `A page that a program fills holds no numbers of tensors, and the lines of mistakes`() throws {
    let page = try Page(Self.walk, plain: Self.walk.withoutShortcuts, picture: "", holdsNumbers: false)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(page.data.utf8)) as? [String: Any])
    for node in try #require(object["nodes"] as? [[String: Any]]) {
      for key in ["value", "gradient", "difference"] { #expect(node[key] is NSNull) }
    }
    for mistake in try #require(object["mistakes"] as? [[String: Any]]) {
      #expect((mistake["lines"] as? [[Any]])?.isEmpty == false && mistake["wrong"] == nil)
    }
    #expect((object["stops"] as? [Any])?.count == Self.walk.stops.count)
  }

  @Test func `A network that is too large for a page is one sentence with the limit`() {
    let walk = Walks.walk(.cifar(depth: 8, width: 8), size: 8)
    let sentence =
      "a page of resnet8 on 8x8 pixels would hold \(walk.count) numbers, and the limit is 60000: take a narrower network "
      + "(--width) or a smaller image (--size)"
    #expect(throws: InputError(sentence)) { try Page(walk, plain: nil, picture: "") }
  }

  @Test func `The plain net beside it has the same weights and no shortcut`() throws {
    let plain = try #require(Self.walk.withoutShortcuts)
    #expect(plain.architecture.name == "plain8" && plain.graph.blocks.allSatisfy { $0.shortcut.isEmpty })
    #expect(plain.parameters.map(\.tensor) == Self.walk.parameters.map(\.tensor))
    #expect(plain.withoutShortcuts == nil)
  }

  @Test(arguments: Walks.all)
  func `Every stop except the images asks, and its answer is among the choices`(walk: Walk) {
    for stop in walk.stops {
      let isImages = stop.phase == .forward && stop.node == 0
      guard let question = walk.question(stop) else {
        #expect(isImages, "\(stop.name) asks nothing")
        continue
      }
      #expect(!isImages && question.text.hasSuffix("?"))
      if question.kind == .value {
        #expect(Double(question.answer) != nil && question.choices.isEmpty)
      } else {
        #expect(question.choices.count == 3 && Set(question.choices).count == 3, "\(stop.name): \(question.choices)")
        #expect(question.choices.contains(question.answer))
      }
    }
  }

  @Test func `The questions' answers are the walk's numbers`() throws {
    let walk = Walks.small
    let stop = try #require(walk.stops.first { $0.name == "loss" && $0.phase == .backward })
    #expect(walk.question(stop)?.answer == "negative")
    let addition = try #require(walk.stops.first { $0.isAddition })
    let question = try #require(walk.question(addition))
    let parts = question.text.split(separator: " ").compactMap { Double($0) }
    #expect(parts.count == 2 && parts[1] != 0)
    #expect(abs(parts[0] + parts[1] - Double(question.answer)!) < 0.002)
  }
}
