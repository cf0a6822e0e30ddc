// Element.swift: the two types of numbers that the kernels compute with, and their vectors.

/// The type of a tensor's elements: `Float` for training, `Double` for gradient checks.
public protocol Element: BinaryFloatingPoint, SIMDScalar, Codable, Sendable, LosslessStringConvertible {
  /// `Float` or `Double`, for texts.
  static var typeName: String { get }

  /// A vector of these elements.
  associatedtype Vector: SIMD & Sendable where Vector.Scalar == Self

  /// `value` in the lanes where `condition` is positive, 0 in the others.
  static func masked(_ value: Vector, wherePositive condition: Vector) -> Vector

  /// The larger of each lane and 0; NaN stays NaN, so that no bad value hides behind a ReLU.
  static func rectified(_ value: Vector) -> Vector

  /// The larger number of each lane; NaN where either is, so that no bad value hides behind a pooling.
  static func larger(_ a: Vector, _ b: Vector) -> Vector

  /// e to the power of `x`, with the same bits on every machine.
  static func exponential(_ x: Self) -> Self

  /// The natural logarithm of `x`, with the same bits on every machine.
  static func logarithm(_ x: Self) -> Self
}

// With NARROW_VECTORS vectors have 16 bytes, the most that the thread sanitizer watches: docs/testing.md.
#if NARROW_VECTORS
  /// One vector of `Float`.
  public typealias FloatVector = SIMD4<Float>
  /// One vector of `Double`.
  public typealias DoubleVector = SIMD2<Double>
#else
  /// One vector of `Float`: 64 bytes.
  public typealias FloatVector = SIMD16<Float>
  /// One vector of `Double`: 64 bytes.
  public typealias DoubleVector = SIMD8<Double>
#endif

// These use bit masks because `replacing(with:where:)` and `pointwiseMax` compile to code that goes lane by lane. So do
// comparisons of vectors whose type is generic, which is why Float and Double each have their own three functions: with
// one version for both, a training step takes 1.6 times as long.

extension Float: Element {
  public static let typeName = "Float"
  public typealias Vector = FloatVector
  private typealias Bits = Vector.MaskStorage

  @inline(__always)
  public static func masked(_ value: Vector, wherePositive condition: Vector) -> Vector {
    let mask = unsafeBitCast(condition .> Vector.zero, to: Bits.self)
    return unsafeBitCast(unsafeBitCast(value, to: Bits.self) & mask, to: Vector.self)
  }

  @inline(__always)
  public static func rectified(_ value: Vector) -> Vector {
    let mask = unsafeBitCast(value .< Vector.zero, to: Bits.self)
    return unsafeBitCast(unsafeBitCast(value, to: Bits.self) & ~mask, to: Vector.self)
  }

  @inline(__always)
  public static func larger(_ a: Vector, _ b: Vector) -> Vector {
    let mask = unsafeBitCast(a .> b .| (a .!= a), to: Bits.self)
    return unsafeBitCast(
      unsafeBitCast(a, to: Bits.self) & mask | unsafeBitCast(b, to: Bits.self) & ~mask, to: Vector.self)
  }
}

extension Double: Element {
  public static let typeName = "Double"
  public typealias Vector = DoubleVector
  private typealias Bits = Vector.MaskStorage

  @inline(__always)
  public static func masked(_ value: Vector, wherePositive condition: Vector) -> Vector {
    let mask = unsafeBitCast(condition .> Vector.zero, to: Bits.self)
    return unsafeBitCast(unsafeBitCast(value, to: Bits.self) & mask, to: Vector.self)
  }

  @inline(__always)
  public static func rectified(_ value: Vector) -> Vector {
    let mask = unsafeBitCast(value .< Vector.zero, to: Bits.self)
    return unsafeBitCast(unsafeBitCast(value, to: Bits.self) & ~mask, to: Vector.self)
  }

  @inline(__always)
  public static func larger(_ a: Vector, _ b: Vector) -> Vector {
    let mask = unsafeBitCast(a .> b .| (a .!= a), to: Bits.self)
    return unsafeBitCast(
      unsafeBitCast(a, to: Bits.self) & mask | unsafeBitCast(b, to: Bits.self) & ~mask, to: Vector.self)
  }
}

extension Element {
  /// The number of elements in a vector: 16 of `Float`, 8 of `Double` (4 and 2 with narrow vectors).
  @inline(__always) static var lanes: Int { Vector.scalarCount }
}

extension SIMD where Scalar: FloatingPoint {
  /// `self += a · b`, in one instruction and one rounding where the target has it.
  ///
  /// Without such an instruction `addProduct` is a library call for every lane, so the portable build rounds twice.
  @inline(__always)
  mutating func multiplyAdd(_ a: Self, _ b: Self) {
    #if arch(arm64) || arch(x86_64) && FMA
      addProduct(a, b)
    #else
      self += a * b
    #endif
  }
}

/// The smallest multiple of `step` that is at least `value`.
@inline(__always)
func roundUp(_ value: Int, to step: Int) -> Int { (value + step - 1) / step * step }
