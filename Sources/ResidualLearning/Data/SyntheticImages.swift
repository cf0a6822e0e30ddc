// SyntheticImages.swift: images drawn from a seed, the data set of `resnet train` without arguments and of the tests.
//
// Ten classes, told apart by shape and texture only. Colours, place, size, rotation, light and noise vary within a
// class and say nothing about it, so a linear classifier on the pixels gets about a third of unseen images right. A
// mirrored or shifted figure keeps its class, as augmentation demands. The figure is always lighter than the ground:
// were it darker as often, a small network would need several times as many steps.
//
// The bytes are the same on every platform: only + - * / and square roots, whose every bit IEEE 754 fixes.
//
// Tests       Tests/ResidualLearningTests/Data/SyntheticImagesTests.swift

/// A ten-class image data set without files.
public enum SyntheticImages {
  /// The ten classes in the order of the labels: seven shapes and three textures.
  public static let classNames = [
    "disc", "ring", "crescent", "square", "triangle", "cross", "star", "stripes", "checks", "dots",
  ]

  /// Draws `count` images, `[size, size, 3]`.
  ///
  /// Image i depends on the seed and on i alone, so a longer data set begins with a shorter one. Every ten images in a
  /// row (10k to 10k + 9) hold each class once, in random order. Use another seed, or other images, for testing.
  public static func make(count: Int, seed: UInt64, size: Int = 32) -> ImageDataset {
    precondition(
      count >= 0 && size > 0,
      "make(count: \(count), size: \(size)): expected a count of at least 0 and a size of at least 1")
    let source = RandomGenerator(seed: seed)
    var labels: [UInt8] = []
    var pixels: [UInt8] = []
    pixels.reserveCapacity(count * size * size * 3)
    var order: [Int] = []
    for i in 0..<count {
      var generator = source.fork(UInt64(i))
      if i % 10 == 0 {
        var orderGenerator = source.fork(UInt64(i)).fork(1)
        order = orderGenerator.permutation(10)
      }
      let label = order[i % 10]
      labels.append(UInt8(label))
      let scene = Scene(kind: SyntheticFigure.Kind(rawValue: label)!, using: &generator)
      scene.draw(size: size, into: &pixels, using: &generator)
    }
    return ImageDataset(
      height: size, width: size, channels: 3, pixels: pixels, labels: labels, classNames: classNames)
  }
}

private struct Color {
  let red, green, blue: Double
}

/// Everything random about one picture except the noise. Lengths are in pixels of a 32x32 picture, colours from 0 to 1.
private struct Scene {
  let figure: SyntheticFigure
  let background, foreground: Color
  /// The change of brightness over one pixel to the right and one pixel down.
  let lightX, lightY: Double
  let noise: Double

  init(kind: SyntheticFigure.Kind, using generator: inout RandomGenerator) {
    let radius = generator.uniform(7.5, 12.5)
    let centerX = generator.uniform(radius - 15, 15 - radius)
    let centerY = generator.uniform(radius - 15, 15 - radius)
    figure = SyntheticFigure(kind, centerX: centerX, centerY: centerY, radius: radius, using: &generator)
    (background, foreground) = Self.colors(using: &generator)
    let light = SyntheticFigure.direction(using: &generator)
    let strength = generator.uniform(0, 0.015)
    lightX = light.0 * strength
    lightY = light.1 * strength
    noise = generator.uniform(0.02, 0.2)
  }

  /// Two random colours, the second clearly lighter than the first.
  private static func colors(using generator: inout RandomGenerator) -> (Color, Color) {
    while true {
      let a = Color(red: generator.uniform(), green: generator.uniform(), blue: generator.uniform())
      let b = Color(red: generator.uniform(), green: generator.uniform(), blue: generator.uniform())
      if b.red + b.green + b.blue > a.red + a.green + a.blue + 0.6 { return (a, b) }
    }
  }

  /// Appends the picture, `[size, size, 3]`.
  func draw(size: Int, into pixels: inout [UInt8], using generator: inout RandomGenerator) {
    let pixel = 32 / Double(size)
    let (red, green, blue) = (background.red, background.green, background.blue)
    let redStep = foreground.red - red
    let greenStep = foreground.green - green
    let blueStep = foreground.blue - blue
    for row in 0..<size {
      let y = (Double(row) + 0.5) * pixel - 16
      for column in 0..<size {
        let x = (Double(column) + 0.5) * pixel - 16
        // How much of the pixel the figure covers, from the distance of its centre to the nearest edge.
        let cover = figure.cover(x, y, pixel: pixel)
        let light = lightX * x + lightY * y - 0.5 * noise
        let bits = generator.next()
        let noise = self.noise * 0x1p-21
        pixels.append(Self.quantize(red + redStep * cover + light + noise * Double(bits & 0x1f_ffff)))
        pixels.append(Self.quantize(green + greenStep * cover + light + noise * Double((bits &>> 21) & 0x1f_ffff)))
        pixels.append(Self.quantize(blue + blueStep * cover + light + noise * Double((bits &>> 42) & 0x1f_ffff)))
      }
    }
  }

  private static func quantize(_ value: Double) -> UInt8 {
    if value <= 0 { return 0 }
    if value >= 1 { return 255 }
    return UInt8(value * 255 + 0.5)
  }
}
