import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning
import ResidualWalk
import TestSupport
import Testing

@testable import resnet

@Suite struct TraceTests {
  private func walk(_ line: String = "trace") throws -> Walk {
    try Command.parse(line.split(separator: " ").map(String.init)).arguments.walk(Output(json: true))
  }

  @Test func `The walk in the terminal has every stop with its equation, its line and its numbers`() throws {
    let walk = try walk()
    let lines = walk.table.split(separator: "\n").map(String.init)
    let headings = lines.filter { $0.first?.isNumber ?? false }
    #expect(headings.count == walk.stops.count)
    #expect(lines[0] == "loss \(short(walk.loss))")
    let bn = try #require(lines.firstIndex { $0.hasPrefix("3  stem.bn  BatchNorm2D.swift:") })
    #expect(lines[bn + 2] == "      v  = 1/m Σ (x − μ)²   (2)")
    let value = walk.values[2]
    #expect(lines[bn + 6].contains("[1, 8, 8, 4]") && lines[bn + 6].contains(String(format: "%.3g", value.mean)))
    #expect(lines[bn + 6].contains(String(format: "± %.3g", value.deviation)))
    #expect(lines.allSatisfy { $0.count <= 130 })
  }

  @Test func `A layer's tensors are printed, and the arithmetic of an element with its finite difference`() throws {
    let walk = try walk()
    let text = try walk.tensors(ofLayer: "stem.conv")
    #expect(text.contains("stem.conv.weight [3, 3, 3, 4]") && text.contains("[:, :, 2, 3]"))
    #expect(text.contains("[0, :, :, 3]") && text.contains(String(format: "%9.4f", walk.values[1][0, 7, 7, 3])))
    let element = try walk.arithmetic(ofElement: "stages.0.blocks.0.conv1[0, 3,4,1]")
    let gradient = walk.gradients.nodes[4]![0, 3, 4, 1]
    #expect(element.contains("36 terms") && element.contains("3 terms, sum \(short(gradient))"))
    #expect(element.contains("finite difference: ") && element.contains("equation (8)"))
    let addition = try walk.arithmetic(ofElement: "stem.output[0,3,4,1]")
    #expect(addition.contains("from stages.0.blocks.0.shortcut") && addition.contains("two gradients are added"))
    #expect(try walk.arithmetic(ofElement: "classifier.bias[3]").contains("w − v"))
  }

  @Test(arguments: [
    ("stem.conv[0,8,0,0]", "stem.conv is [1, 8, 8, 4], so it has no element [0, 8, 0, 0]"),
    ("stem.conv[0,1]", "stem.conv is [1, 8, 8, 4], so it has no element [0, 1]"),
    ("stem.cnv[0,0,0,0]", "resnet8 has no tensor 'stem.cnv'; the nearest is 'stem.conv'"),
  ])
  func `An element that does not exist is one sentence`(element: String, sentence: String) throws {
    let walk = try walk()
    #expect(throws: InputError(sentence)) { try walk.arithmetic(ofElement: element) }
  }

  @Test func `Bad names and options are one sentence`() throws {
    let walk = try walk()
    #expect(throws: InputError("resnet8 has no layer 'stem.con'; the nearest is 'stem.conv'")) {
      try walk.tensors(ofLayer: "stem.con")
    }
    for text in ["stem.conv", "stem.conv[]", "stem.conv[0,-1]", "stem.conv[0,1", "stem.conv[a]"] {
      #expect(throws: CommandLineError.self) { try walk.arithmetic(ofElement: text) }
    }
    #expect(throws: InputError("the class 10 is beyond the last of 10 classes, 9")) {
      try self.walk("trace --label 10")
    }
    #expect(throws: InputError.self) { try self.walk("trace --network vgg16") }
  }

  @Test func `Other networks, sizes and pictures can be named`() throws {
    let plain = try walk("trace --network plain8 --width 2 --size 6 --batch 2 --label 3")
    #expect(plain.architecture.name == "plain8" && plain.values[1].shape == [2, 6, 6, 2] && plain.labels == [3, 3])
    let folder = try TemporaryFolder()
    let picture = Picture(height: 9, width: 12, pixels: (0..<324).map { UInt8($0 % 256) })
    try AtomicFile.write(picture.encoded(), to: folder.path + "/a.png")
    #expect(try walk("trace \(folder.path)/a.png --shortcut B").values[0].shape == [1, 8, 8, 3])
  }
}
