// SyntheticScenes.swift: scenes drawn from a seed, the data set of `resnet detect train` without options and of the
// tests.
//
// Tests       Tests/ResidualDetectionTests/Data/SyntheticScenesTests.swift

import ResidualLearning

/// Pictures of one to five of the figures of `SyntheticImages`, partly overlapping, with the box and the class of
/// each.
///
/// The box of a figure is the smallest around the pixels that it covers by half or more, before others hide a part of
/// it. Two boxes share at most a third of the smaller one. Radii are 8 to 16 pixels, whatever the size of the picture.
///
/// The bytes are the same on every platform: only + - * / and square roots, whose every bit IEEE 754 fixes.
public enum SyntheticScenes {
  /// The classes: those of `SyntheticImages`.
  public static let classNames = SyntheticImages.classNames

  /// The most objects of a scene.
  public static let mostObjects = 5
  static let radii = 8.0...16.0

  /// Draws `count` scenes of `size` x `size` pixels.
  ///
  /// Scene i depends on the seed and on i alone, so a longer data set begins with a shorter one.
  public static func make(count: Int, seed: UInt64, size: Int = 96) -> SceneDataset {
    precondition(count >= 0 && size >= 64, "\(count) scenes of \(size)x\(size): figures need at least 64 pixels")
    let source = RandomGenerator(seed: seed).fork(0x7363_656e_6573)
    let scenes = (0..<count).map { i in
      var generator = source.fork(UInt64(i))
      return scene(size: size, using: &generator)
    }
    return SceneDataset(scenes: scenes, classNames: classNames)
  }

  private static func scene(size: Int, using generator: inout RandomGenerator) -> Scene {
    let background = Color(using: &generator)
    var canvas = Canvas(size: size, background: background)
    var objects: [LabelledBox] = []
    let wanted = 1 + generator.below(mostObjects)
    // A figure that finds no place in twenty attempts is left out; the first one always finds one.
    var attempts = 20 * wanted
    while objects.count < wanted && attempts > 0 {
      attempts -= 1
      let label = generator.below(classNames.count)
      let radius = generator.uniform(radii.lowerBound, radii.upperBound)
      let reach = 1.5 * radius  // no figure reaches farther from its centre
      let figure = SyntheticFigure(
        SyntheticFigure.Kind(rawValue: label)!, centerX: generator.uniform(reach, Double(size) - reach),
        centerY: generator.uniform(reach, Double(size) - reach), radius: radius, using: &generator)
      let color = background.lighter(using: &generator)
      let cover = Cover(of: figure, reach: reach, size: size)
      let isFree = objects.allSatisfy { other in
        cover.box.intersection(other.box) * 3 <= min(cover.box.area, other.box.area)
      }
      guard isFree else { continue }
      canvas.paint(cover, color)
      objects.append(LabelledBox(box: cover.box, label: label))
    }
    return Scene(picture: canvas.picture(using: &generator), objects: objects)
  }
}

/// Red, green and blue, 0 to 1.
private struct Color {
  var channels: SIMD3<Double>

  init(using generator: inout RandomGenerator) {
    channels = SIMD3(generator.uniform(), generator.uniform(), generator.uniform())
    // Dark enough that there are many clearly lighter colours.
    if channels.sum() > 1.5 { channels = 1 - channels }
  }

  /// A random colour that is clearly lighter, as in ``SyntheticImages``.
  func lighter(using generator: inout RandomGenerator) -> Color {
    while true {
      var color = self
      color.channels = SIMD3(generator.uniform(), generator.uniform(), generator.uniform())
      if color.channels.sum() > channels.sum() + 0.6 { return color }
    }
  }
}

/// How much of each pixel near a figure the figure covers.
struct Cover {
  let left, top, side: Int
  /// `[side, side]`, 0 to 1.
  let shares: [Double]
  /// The box around the pixels that are covered by half or more.
  let box: Box

  init(of figure: SyntheticFigure, reach: Double, size: Int) {
    left = max(0, Int(figure.centerX - reach))
    top = max(0, Int(figure.centerY - reach))
    side = Int(2 * reach) + 2
    var shares = [Double](repeating: 0, count: side * side)
    var (minX, minY, maxX, maxY) = (Int.max, Int.max, Int.min, Int.min)
    for y in 0..<min(side, size - top) {
      for x in 0..<min(side, size - left) {
        let share = figure.cover(Double(left + x) + 0.5, Double(top + y) + 0.5, pixel: 1)
        shares[y * side + x] = share
        if share >= 0.5 {
          (minX, minY, maxX, maxY) = (min(minX, x), min(minY, y), max(maxX, x), max(maxY, y))
        }
      }
    }
    self.shares = shares
    box = Box(
      left: Double(left + minX), top: Double(top + minY), right: Double(left + maxX + 1),
      bottom: Double(top + maxY + 1))
  }
}

/// A picture that is being drawn: `[size, size]` colours.
private struct Canvas {
  let size: Int
  var colors: [SIMD3<Double>]

  init(size: Int, background: Color) {
    self.size = size
    colors = [SIMD3<Double>](repeating: background.channels, count: size * size)
  }

  mutating func paint(_ cover: Cover, _ color: Color) {
    for y in 0..<min(cover.side, size - cover.top) {
      for x in 0..<min(cover.side, size - cover.left) where cover.shares[y * cover.side + x] > 0 {
        let place = (cover.top + y) * size + cover.left + x
        colors[place] += (color.channels - colors[place]) * cover.shares[y * cover.side + x]
      }
    }
  }

  /// The picture with light from one side, and noise.
  func picture(using generator: inout RandomGenerator) -> Picture {
    let direction = SyntheticFigure.direction(using: &generator)
    let strength = generator.uniform(0, 0.005)
    let noise = generator.uniform(0.02, 0.2)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(size * size * 3)
    let middle = Double(size) / 2
    for y in 0..<size {
      for x in 0..<size {
        let light = direction.0 * strength * (Double(x) - middle) + direction.1 * strength * (Double(y) - middle)
        let color = colors[y * size + x] + (light - 0.5 * noise)
        SyntheticImages.append(color, noise: noise, generator.next(), to: &pixels)
      }
    }
    return Picture(height: size, width: size, pixels: pixels)
  }
}
