// SyntheticFigure.swift: the figures of the synthetic images, as distances from a point to an edge.
//
// Only + - * / and square roots, whose every bit IEEE 754 fixes: a figure is the same on every platform.
//
// Tests       Tests/ResidualLearningTests/Data/SyntheticImagesTests.swift

/// A figure with its place, size, rotation and texture. Lengths are in any one unit.
package struct SyntheticFigure: Sendable {
  /// The figures, numbered like the classes of ``SyntheticImages``.
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
    phaseU = generator.uniform()
    phaseV = generator.uniform()
    isRound = generator.uniform() < 0.5
  }

  /// A random direction as a unit vector: a point of the unit disc, moved to the circle. No sine is needed.
  package static func direction(using generator: inout RandomGenerator) -> (Double, Double) {
    while true {
      let x = generator.uniform(-1, 1)
      let y = generator.uniform(-1, 1)
      let square = x * x + y * y
      if square > 0.01 && square < 1 {
        let length = square.squareRoot()
        return (x / length, y / length)
      }
    }
  }

  /// How much of the pixel around the point (x, y) the figure covers, 0 to 1, judged by the distance of the point to
  /// the nearest edge.
  ///
  /// - Parameter pixel: the side of a pixel.
  package func cover(_ x: Double, _ y: Double, pixel: Double) -> Double {
    let cover = 0.5 - distance(x - centerX, y - centerY) / pixel
    return cover < 0 ? 0 : cover > 1 ? 1 : cover
  }

  /// The distance from the point (x, y), seen from the figure's centre, to the figure's edge, negative inside.
  private func distance(_ x: Double, _ y: Double) -> Double {
    let u = cosine * x + sine * y
    let v = cosine * y - sine * x
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
      let a = Self.wave(u, period, phaseU)
      let b = Self.wave(v, period, phaseV)
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

  private static func length(_ u: Double, _ v: Double) -> Double {
    (u * u + v * v).squareRoot()
  }

  /// The distance from t to the nearest of the points (n + phase) period: from 0 to half a period.
  private static func wave(_ t: Double, _ period: Double, _ phase: Double) -> Double {
    let q = t / period - phase
    return abs(q - q.rounded()) * period
  }
}
