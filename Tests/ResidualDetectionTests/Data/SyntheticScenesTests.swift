import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct SyntheticScenesTests {
  @Test func `The scenes of a seed never change`() {
    let scenes = SyntheticScenes.make(count: 8, seed: 1)
    #expect(scenes.fingerprint == "?")
  }

  @Test func `A longer data set begins with a shorter one, and another seed gives another`() {
    let short = SyntheticScenes.make(count: 3, seed: 8)
    #expect(Array(SyntheticScenes.make(count: 5, seed: 8).scenes.prefix(3)) == short.scenes)
    #expect(SyntheticScenes.make(count: 3, seed: 9).scenes[0] != short.scenes[0])
  }

  @Test func `Boxes lie inside, have the sizes of figures, and share at most a third`() {
    let scenes = SyntheticScenes.make(count: 40, seed: 3).scenes
    #expect(Set(scenes.map(\.objects.count)) == [1, 2, 3, 4, 5])
    #expect(Set(scenes.flatMap { $0.objects.map(\.label) }) == Set(0..<10))
    for scene in scenes {
      for (i, object) in scene.objects.enumerated() {
        #expect(object.box.isInside(width: 96, height: 96))
        #expect((9...48).contains(object.box.width) && (9...48).contains(object.box.height))
        for other in scene.objects[..<i] {
          #expect(object.box.intersection(other.box) <= min(object.box.area, other.box.area) / 3)
        }
      }
    }
    let overlapping = scenes.filter { scene in
      scene.objects.enumerated().contains { i, object in
        scene.objects[..<i].contains { $0.box.intersection(object.box) > 0 }
      }
    }
    #expect(overlapping.count > 8)
  }

  @Test func `A box is the smallest around its figure`() {
    // On the first scene with one object: the pixels that differ most from the corner's colour fill the box to its sides.
    let scene = SyntheticScenes.make(count: 40, seed: 5).scenes.first { $0.objects.count == 1 && $0.objects[0].label == 3 }
    guard let scene else {
      Issue.record("no square alone among forty scenes")
      return
    }
    let box = scene.objects[0].box
    func light(_ x: Int, _ y: Int) -> Int { scene.picture.pixels[(y * 96 + x) * 3..<(y * 96 + x + 1) * 3].reduce(0) { $0 + Int($1) } }
    func column(_ x: Int) -> Int { (Int(box.top)..<Int(box.bottom)).reduce(0) { max($0, light(x, $1)) } }
    // The square's corner touches each side: the brightest pixel just inside is lighter than any just outside.
    #expect(column(Int(box.left) + 1) > column(Int(box.left) - 2))
    #expect(column(Int(box.right) - 2) > column(Int(box.right) + 1))
  }

  @Test func `Any size of picture can be drawn`() {
    let scenes = SyntheticScenes.make(count: 2, seed: 1, size: 130)
    #expect(scenes.scenes.allSatisfy { $0.picture.height == 130 && $0.picture.width == 130 })
    #expect(SyntheticScenes.make(count: 0, seed: 1).count == 0)
  }
}
