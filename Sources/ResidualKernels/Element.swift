// Element.swift: the two kinds of numbers the kernels run in, and the vectors that hold them.

import Foundation

/// A number that tensors are made of: `Float` to train with, `Double` to check gradients with.
public protocol Element: BinaryFloatingPoint, SIMDScalar, Codable, Sendable, LosslessStringConvertible {
  /// One 64-byte vector of this element.
  associatedtype Vector: SIMD & Sendable where Vector.Scalar == Self

  /// `value` in the lanes where `condition` is positive, 0 in the others.
  static func keep(_ value: Vector, wherePositive condition: Vector) -> Vector

  /// The larger of each lane and 0; NaN stays NaN, so that no bad value hides behind a ReLU.
  static func rectified(_ value: Vector) -> Vector

  /// The larger number of each lane.
  static func larger(_ a: Vector, _ b: Vector) -> Vector

  /// e to the power of `x`.
  static func exponential(_ x: Self) -> Self

  /// The natural logarithm of `x`.
  static func logarithm(_ x: Self) -> Self
}

extension Float: Element {
  public typealias Vector = SIMD16<Float>

  // A bit mask, not `replacing(with:where:)`: that one spills the vector to memory, lane by lane.
  @inline(__always)
  public static func keep(_ value: Vector, wherePositive condition: Vector) -> Vector {
    let mask = unsafeBitCast(condition .> Vector.zero, to: SIMD16<Int32>.self)
    return unsafeBitCast(unsafeBitCast(value, to: SIMD16<Int32>.self) & mask, to: Vector.self)
  }

  @inline(__always)
  public static func rectified(_ value: Vector) -> Vector {
    let mask = unsafeBitCast(value .< Vector.zero, to: SIMD16<Int32>.self)
    return unsafeBitCast(unsafeBitCast(value, to: SIMD16<Int32>.self) & ~mask, to: Vector.self)
  }

  // `pointwiseMax` compares lane by lane.
  @inline(__always)
  public static func larger(_ a: Vector, _ b: Vector) -> Vector {
    let mask = unsafeBitCast(a .> b, to: SIMD16<Int32>.self)
    return unsafeBitCast(
      unsafeBitCast(a, to: SIMD16<Int32>.self) & mask | unsafeBitCast(b, to: SIMD16<Int32>.self) & ~mask,
      to: Vector.self)
  }

  public static func exponential(_ x: Float) -> Float { exp(x) }
  public static func logarithm(_ x: Float) -> Float { log(x) }
}

extension Double: Element {
  public typealias Vector = SIMD8<Double>

  @inline(__always)
  public static func keep(_ value: Vector, wherePositive condition: Vector) -> Vector {
    let mask = unsafeBitCast(condition .> Vector.zero, to: SIMD8<Int64>.self)
    return unsafeBitCast(unsafeBitCast(value, to: SIMD8<Int64>.self) & mask, to: Vector.self)
  }

  @inline(__always)
  public static func rectified(_ value: Vector) -> Vector {
    let mask = unsafeBitCast(value .< Vector.zero, to: SIMD8<Int64>.self)
    return unsafeBitCast(unsafeBitCast(value, to: SIMD8<Int64>.self) & ~mask, to: Vector.self)
  }

  // `pointwiseMax` compares lane by lane.
  @inline(__always)
  public static func larger(_ a: Vector, _ b: Vector) -> Vector {
    let mask = unsafeBitCast(a .> b, to: SIMD8<Int64>.self)
    return unsafeBitCast(
      unsafeBitCast(a, to: SIMD8<Int64>.self) & mask | unsafeBitCast(b, to: SIMD8<Int64>.self) & ~mask, to: Vector.self)
  }

  public static func exponential(_ x: Double) -> Double { exp(x) }
  public static func logarithm(_ x: Double) -> Double { log(x) }
}

extension Element {
  /// Elements in one vector: 16 of `Float`, 8 of `Double`.
  @inline(__always) static var lanes: Int { Vector.scalarCount }
}

extension SIMD where Scalar: FloatingPoint {
  /// `self += a · b`, in one instruction and one rounding where the target has it.
  ///
  /// Without such an instruction `addProduct` is a library call for every lane, so the portable build rounds twice.
  @inline(__always)
  mutating func multiplyAdd(_ a: Self, _ b: Self) {
    #if FMA || arch(arm64)
      addProduct(a, b)
    #else
      self += a * b
    #endif
  }
}

/// The smallest multiple of `step` that is at least `value`.
@inline(__always)
func roundUp(_ value: Int, to step: Int) -> Int { (value + step - 1) / step * step }
