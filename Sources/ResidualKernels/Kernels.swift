// Kernels.swift: the name under which all kernels stand, and the switches between their versions.

import Synchronization

/// The loops of the library: everything that touches each element of a tensor.
///
/// Each kernel has a reference version (plain loops, the definition of the result) and a fast one with the same
/// contract. ``implementation`` switches all of them at once.
public enum Kernels {
  /// Which version of the kernels runs.
  public enum Implementation: Int, AtomicRepresentable, Sendable, CaseIterable {
    /// SIMD vectors, register tiles, threads.
    case fast
    /// Plain loops, to be read and stepped through. Much slower.
    case reference
  }

  private static let current = Atomic<Implementation>(.fast)

  /// The version that runs from now on, in the whole process.
  public static var implementation: Implementation {
    get { current.load(ordering: .relaxed) }
    set { current.store(newValue, ordering: .relaxed) }
  }
}
