// Kernels.swift: the namespace of all kernels, and the switch between their versions.

import Synchronization

/// The loops of the library: everything that touches each element of a tensor.
///
/// A kernel whose fast version uses vectors, register tiles or an algorithm of its own also has a reference version
/// with the same contract: plain loops that are the definition of the result. ``implementation`` switches all of them
/// at once. Kernels that are plain loops anyway, such as average pooling or
/// ``reverseAxes(_:outer:middle:inner:into:)``, have one version.
public enum Kernels {
  /// A version of the kernels.
  public enum Implementation: Int, AtomicRepresentable, Sendable, CaseIterable {
    /// SIMD vectors, register tiles, threads.
    case fast
    /// Plain loops, to read and to step through. They are much slower.
    case reference
  }

  private static let current = Atomic<Implementation>(.fast)

  /// The version that runs from now on, on every thread of the process.
  ///
  /// It is read when a kernel is called, so a change does not affect a kernel that is already running. Code that
  /// changes it for a while must not run beside other code that computes.
  public static var implementation: Implementation {
    get { current.load(ordering: .relaxed) }
    set { current.store(newValue, ordering: .relaxed) }
  }

  /// How products are added up, which decides to which of two sets of bits a run belongs (docs/reproducibility.md).
  public enum Arithmetic: String, Codable, Sendable {
    /// A product and the sum that it is added to are rounded once, in one operation.
    case fused
    /// A product is rounded, and then the sum.
    case separate
    /// Builds of both kinds have worked on the run, which belongs to neither set.
    case mixed

    /// That of this build.
    public static var ofThisBuild: Arithmetic { fusesMultiplyAdd ? .fused : .separate }

    /// That of a run when this build goes on with it.
    ///
    /// - Parameter before: that of the run so far; nil where it is unknown, and then it stays unknown.
    public static func ofRun(_ before: Arithmetic?) -> Arithmetic? {
      before.map { $0 == ofThisBuild ? $0 : .mixed }
    }
  }

  /// Whether a multiply-add is one instruction with one rounding in this build, as it is on arm64 and, unless the build is
  /// portable, on x86-64. All builds for which it is true give the same bits, and so do all others.
  public static var fusesMultiplyAdd: Bool {
    #if arch(arm64) || arch(x86_64) && FMA
      true
    #else
      false
    #endif
  }
}
