import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct SyntheticScenesTests {
  @Test func `The scenes of a seed never change`() {
    let scenes = SyntheticScenes.make(count: 8, seed: 1)
    #expect(scenes.fingerprint == "8 scenes with 27 objects, b3d75cd95454b32b")
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

  @Test func `The box of a disc by hand`() {
    // A disc of radius 10 around (30.5, 40.25). It covers a pixel by half where the pixel's middle is at most 10 away:
    // in the column of x = 30.5 from 30.5 to 49.5, in the row of y = 40.5 from 21.5 to 39.5, for 20.5 and 40.5 are
    // 10.003 away.
    var generator = RandomGenerator(seed: 1)
    let disc = SyntheticFigure(.disc, centerX: 30.5, centerY: 40.25, radius: 10, using: &generator)
    #expect(Cover(of: disc, reach: 15, size: 96).box == Box(left: 21, top: 30, right: 40, bottom: 50))
  }

  @Test func `Any size of picture can be drawn`() {
    let scenes = SyntheticScenes.make(count: 2, seed: 1, size: 130)
    #expect(scenes.scenes.allSatisfy { $0.picture.height == 130 && $0.picture.width == 130 })
    #expect(SyntheticScenes.make(count: 0, seed: 1).count == 0)
  }
}
