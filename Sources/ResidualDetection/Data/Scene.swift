// Scene.swift: pictures with boxes around their objects.
//
// Tests       Tests/ResidualDetectionTests/Data/SceneTests.swift

import ResidualLearning

/// An object of a picture: its class and the box around it.
public struct LabelledBox: Equatable, Sendable {
  /// The smallest box that holds the object.
  public var box: Box
  /// The class, an index into the class names of the data set.
  public var label: Int

  /// An object.
  public init(box: Box, label: Int) { (self.box, self.label) = (box, label) }
}

/// A picture and all the objects in it.
public struct Scene: Equatable, Sendable {
  /// The picture.
  public var picture: Picture
  /// The objects, in any order; there may be none.
  public var objects: [LabelledBox]

  /// A picture with these objects.
  public init(picture: Picture, objects: [LabelledBox]) { (self.picture, self.objects) = (picture, objects) }

  /// The scene mirrored left for right.
  public var mirrored: Scene {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(picture.pixels.count)
    for y in 0..<picture.height {
      for x in (0..<picture.width).reversed() {
        let start = (y * picture.width + x) * 3
        pixels.append(picture.pixels[start])
        pixels.append(picture.pixels[start + 1])
        pixels.append(picture.pixels[start + 2])
      }
    }
    return Scene(
      picture: Picture(height: picture.height, width: picture.width, pixels: pixels),
      objects: objects.map { LabelledBox(box: $0.box.mirrored(width: picture.width), label: $0.label) })
  }

  /// The scene with a shorter side of so many pixels.
  public func resized(shorterSide: Int) -> Scene {
    let resized = picture.resized(shorterSide: shorterSide)
    let x = Double(resized.width) / Double(picture.width)
    let y = Double(resized.height) / Double(picture.height)
    return Scene(
      picture: resized, objects: objects.map { LabelledBox(box: $0.box.scaled(x, y), label: $0.label) })
  }
}

/// Scenes, and the names of their classes.
public struct SceneDataset: Equatable, Sendable {
  /// The scenes.
  public var scenes: [Scene]
  /// The name of each class.
  public let classNames: [String]

  /// Scenes whose labels are indices into `classNames`.
  public init(scenes: [Scene], classNames: [String]) {
    precondition(
      scenes.allSatisfy { $0.objects.allSatisfy { classNames.indices.contains($0.label) } },
      "a label beyond \(classNames.count) classes")
    (self.scenes, self.classNames) = (scenes, classNames)
  }

  /// How many scenes there are.
  public var count: Int { scenes.count }

  /// How many objects all scenes have together.
  public var objectCount: Int { scenes.reduce(0) { $0 + $1.objects.count } }

  /// The mean of each channel over all pixels of all pictures, 0 to 1.
  public var meanColor: [Double] {
    var (sums, pixels) = ([0.0, 0.0, 0.0], 0)
    for scene in scenes {
      let mean = scene.picture.meanColor
      let count = scene.picture.height * scene.picture.width
      for c in 0..<3 { sums[c] += mean[c] * Double(count) }
      pixels += count
    }
    return sums.map { $0 / Double(max(pixels, 1)) }
  }
}
