import ResidualLearning
import Testing

@testable import ResidualDetection

@Suite struct SceneTests {
  let scene = Scene(
    picture: Picture(height: 1, width: 3, pixels: [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    objects: [LabelledBox(box: Box(left: 0, top: 0, right: 1, bottom: 1), label: 2)])

  @Test func `Mirroring a scene mirrors its picture and its boxes`() {
    #expect(scene.mirrored.picture.pixels == [7, 8, 9, 4, 5, 6, 1, 2, 3])
    #expect(scene.mirrored.objects == [LabelledBox(box: Box(left: 2, top: 0, right: 3, bottom: 1), label: 2)])
    #expect(scene.mirrored.mirrored == scene)
  }

  @Test func `Resizing a scene resizes its boxes`() {
    let resized = scene.resized(shorterSide: 4)
    #expect(resized.picture.height == 4 && resized.picture.width == 12)
    #expect(resized.objects[0].box == Box(left: 0, top: 0, right: 4, bottom: 4))
  }

  @Test func `The mean colour by hand`() {
    let mean = SceneDataset(scenes: [scene, scene.mirrored], classNames: ["a", "b", "c"]).meanColor
    #expect(zip(mean, [4.0 / 255, 5.0 / 255, 6.0 / 255]).allSatisfy { abs($0 - $1) < 1e-15 })
  }

  @Test func `Pictures are normalized, and smaller ones filled with the mean colour`() {
    let normalization = DetectionNormalization(mean: [0.2, 0.4, 0.6])
    let white = Picture(height: 2, width: 1, pixels: [UInt8](repeating: 255, count: 6))
    let batch = normalization([scene.picture, white])
    #expect(batch.shape == [2, 2, 3, 3])
    #expect(abs(batch[0, 0, 2, 1] - (8.0 / 255 - 0.4)) < 1e-6)
    #expect(abs(batch[1, 1, 0, 2] - 0.4) < 1e-6)
    // 0.2, 0.4 and 0.6 of 255 are whole numbers: nothing is left beyond the picture.
    #expect(abs(batch[0, 1, 0, 0]) < 1e-6 && abs(batch[1, 0, 1, 1]) < 1e-6 && abs(batch[1, 1, 2, 2]) < 1e-6)
  }

  @Test func `The fingerprint depends on pixels, boxes and labels`() {
    func print(_ change: (inout Scene) -> Void) -> String {
      var scene = scene
      change(&scene)
      return SceneDataset(scenes: [scene], classNames: ["a", "b", "c"]).fingerprint
    }
    let prints = [
      print { _ in }, print { $0.objects[0].label = 1 }, print { $0.objects[0].box.left = 0.5 },
      print { $0 = $0.mirrored },
    ]
    #expect(Set(prints).count == 4)
  }
}
