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
    var (labels, pixels, order) = ([UInt8](), [UInt8](), [Int]())
    pixels.reserveCapacity(count * size * size * 3)
    for i in 0..<count {
      var generator = source.fork(UInt64(i))
      if i % 10 == 0 {
        var orderGenerator = source.fork(UInt64(i)).fork(1)
        order = orderGenerator.permutation(10)
      }
      labels.append(UInt8(order[i % 10]))
      let scene = Scene(kind: SyntheticFigure.Kind(rawValue: order[i % 10])!, using: &generator)
      scene.draw(size: size, into: &pixels, using: &generator)
    }
    return ImageDataset(
      height: size, width: size, channels: 3, pixels: pixels, labels: labels, classNames: classNames)
  }
}

/// Everything random about one picture except the noise. Lengths are in pixels of a 32x32 picture, colours from 0 to 1.
private struct Scene {
  let figure: SyntheticFigure
  /// Red, green and blue.
  let background, foreground: SIMD3<Double>
  /// The change of brightness over one pixel to the right and one pixel down.
  let lightX, lightY: Double
  let noise: Double

  init(kind: SyntheticFigure.Kind, using generator: inout RandomGenerator) {
    let radius = generator.uniform(7.5, 12.5)
    let (centerX, centerY) = (generator.uniform(radius - 15, 15 - radius), generator.uniform(radius - 15, 15 - radius))
    figure = SyntheticFigure(kind, centerX: centerX, centerY: centerY, radius: radius, using: &generator)
    (background, foreground) = Self.colors(using: &generator)
    let (light, strength) = (SyntheticFigure.direction(using: &generator), generator.uniform(0, 0.015))
    (lightX, lightY) = (light.0 * strength, light.1 * strength)
    noise = generator.uniform(0.02, 0.2)
  }

  /// Two random colours, the second clearly lighter than the first.
  private static func colors(using generator: inout RandomGenerator) -> (SIMD3<Double>, SIMD3<Double>) {
    while true {
      let a = SIMD3(generator.uniform(), generator.uniform(), generator.uniform())
      let b = SIMD3(generator.uniform(), generator.uniform(), generator.uniform())
      if b.x + b.y + b.z > a.x + a.y + a.z + 0.6 { return (a, b) }
    }
  }

  /// Appends the picture, `[size, size, 3]`.
  func draw(size: Int, into pixels: inout [UInt8], using generator: inout RandomGenerator) {
    let pixel = 32 / Double(size)
    for row in 0..<size {
      let y = (Double(row) + 0.5) * pixel - 16
      for column in 0..<size {
        let x = (Double(column) + 0.5) * pixel - 16
        let light = lightX * x + lightY * y - 0.5 * noise
        let color = background + (foreground - background) * figure.cover(x, y, pixel: pixel) + light
        SyntheticImages.append(color, noise: noise, generator.next(), to: &pixels)
      }
    }
  }
}

extension SyntheticImages {
  /// Appends a colour of channels from 0 to 1, each with up to `noise` added by 21 bits of `random`, as three bytes.
  package static func append(_ color: SIMD3<Double>, noise: Double, _ random: UInt64, to pixels: inout [UInt8]) {
    for c in 0..<3 {
      let value = color[c] + noise * 0x1p-21 * Double((random &>> (21 * UInt64(c))) & 0x1f_ffff)
      pixels.append(value <= 0 ? 0 : value >= 1 ? 255 : UInt8(value * 255 + 0.5))
    }
  }
}

// MARK: - Figures

/// A figure with its place, size, rotation and texture, as distances to its edge. Lengths are in any one unit.
package struct SyntheticFigure: Sendable {
  /// The figures, numbered like the classes.
  package enum Kind: Int, CaseIterable, Sendable {
    case disc, ring, crescent, square, triangle, cross, star, stripes, checks, dots
  }

  let kind: Kind
  package let centerX, centerY: Double
  let radius: Double
  /// The cosine and sine of the rotation.
  let cosine, sine: Double
  /// Textures: the distance from one stripe, check or dot to the next, where the pattern starts, and whether the
  /// textured patch is round or square.
  let period, phaseU, phaseV: Double
  let isRound: Bool

  /// A figure with a random rotation and texture.
  package init(
    _ kind: Kind, centerX: Double, centerY: Double, radius: Double, using generator: inout RandomGenerator
  ) {
    (self.kind, self.centerX, self.centerY, self.radius) = (kind, centerX, centerY, radius)
    (cosine, sine) = Self.direction(using: &generator)
    period = generator.uniform(5, 7)
    (phaseU, phaseV) = (generator.uniform(), generator.uniform())
    isRound = generator.uniform() < 0.5
  }

  /// A random direction as a unit vector: a point of the unit disc, moved to the circle. No sine is needed.
  package static func direction(using generator: inout RandomGenerator) -> (Double, Double) {
    while true {
      let (x, y) = (generator.uniform(-1, 1), generator.uniform(-1, 1))
      let square = x * x + y * y
      if square > 0.01 && square < 1 {
        let length = square.squareRoot()
        return (x / length, y / length)
      }
    }
  }

  /// How much of the pixel of side `pixel` around (x, y) the figure covers, by the distance to the edge: 0 to 1.
  package func cover(_ x: Double, _ y: Double, pixel: Double) -> Double {
    min(max(0.5 - distance(x - centerX, y - centerY) / pixel, 0), 1)
  }

  /// The distance from the point (x, y), seen from the figure's centre, to the figure's edge, negative inside.
  private func distance(_ x: Double, _ y: Double) -> Double {
    let (u, v) = (cosine * x + sine * y, cosine * y - sine * x)
    switch kind {
    case .disc:
      return Self.length(u, v) - radius
    case .ring:
      return abs(Self.length(u, v) - 0.77 * radius) - 0.23 * radius
    case .crescent:
      return max(Self.length(u, v) - radius, 0.8 * radius - Self.length(u - 0.5 * radius, v))
    case .square:
      return max(abs(u), abs(v)) - 0.85 * radius
    case .triangle:
      return max(v, max(0.8660254037844386 * u - 0.5 * v, -0.8660254037844386 * u - 0.5 * v)) - 0.6 * radius
    case .cross:
      let (a, b) = (abs(u), abs(v))
      return max(max(a, b) - radius, min(a, b) - 0.28 * radius)
    case .star:
      return starDistance(u, v)
    case .stripes:
      return max(patchDistance(u, v), 0.25 * period - Self.wave(u, period, phaseU))
    case .checks:
      let a = Self.wave(u, period * 1.5, phaseU) - 0.375 * period
      let b = Self.wave(v, period * 1.5, phaseV) - 0.375 * period
      let nearest = min(abs(a), abs(b))
      return max(patchDistance(u, v), a * b < 0 ? -nearest : nearest)
    case .dots:
      let (a, b) = (Self.wave(u, period, phaseU), Self.wave(v, period, phaseV))
      return max(patchDistance(u, v), Self.length(a, b) - 0.3 * period)
    }
  }

  /// A point lies in the five-pointed star when it is inside at least four of the five lines that bound it: the second
  /// greatest of the five distances decides.
  private func starDistance(_ u: Double, _ v: Double) -> Double {
    let a = 0.30901699437494745 * u  // cos 72°
    let b = 0.9510565162951535 * v  // sin 72°
    let c = -0.8090169943749475 * u  // cos 144°
    let d = 0.5877852522924731 * v  // sin 144°
    // Of two pairs, the greatest and the second of all four; then the fifth.
    let (p, q, r, s) = (a + b, a - b, c + d, c - d)
    let second = max(min(max(p, q), max(r, s)), max(p, q) > max(r, s) ? min(p, q) : min(r, s))
    let greatest = max(max(p, q), max(r, s))
    return max(min(u, greatest), second) - 0.36 * radius
  }

  /// The distance to the edge of the patch that a texture fills.
  private func patchDistance(_ u: Double, _ v: Double) -> Double {
    isRound ? Self.length(u, v) - 1.1 * radius : max(abs(u), abs(v)) - radius
  }

  private static func length(_ u: Double, _ v: Double) -> Double { (u * u + v * v).squareRoot() }

  /// The distance from t to the nearest of the points (n + phase) period: from 0 to half a period.
  private static func wave(_ t: Double, _ period: Double, _ phase: Double) -> Double {
    let q = t / period - phase
    return abs(q - q.rounded()) * period
  }
}
