// System.swift: what the kernels ask of the system.
//
// Embedded Swift has neither Foundation nor Dispatch. There, on bare processors and in WebAssembly, one thread does
// everything; scripts/embedded.sh builds and runs that.

#if !hasFeature(Embedded)
  import Dispatch
  import Foundation

  /// A lock of Foundation's, not a `Mutex`: the thread sanitizer does not see that one on Linux and reports races where
  /// there are none.
  typealias Lock = NSLock

  enum System {
    /// The processors that this process may use.
    static let processors = ProcessInfo.processInfo.activeProcessorCount

    /// Runs `body` so many times, at once where processors are idle; returns when all are done.
    static func concurrently(_ times: Int, _ body: @Sendable () -> Void) {
      DispatchQueue.concurrentPerform(iterations: times) { _ in body() }
    }

    /// Nanoseconds on a clock that only goes forward.
    static var nanoseconds: UInt64 { DispatchTime.now().uptimeNanoseconds }

    /// Asks for pages of 2 MB under this memory.
    static func prefersHugePages(_ address: UnsafeMutableRawPointer, _ bytes: Int) {
      #if os(Linux)
        madvise(address, bytes, 14 /* MADV_HUGEPAGE */)
      #endif
    }
  }
#else
  /// There is one thread: nothing to lock.
  struct Lock {
    func lock() {}
    func unlock() {}
  }

  enum System {
    static let processors = 1
    static func concurrently(_ times: Int, _ body: @Sendable () -> Void) { for _ in 0..<times { body() } }
    static func prefersHugePages(_ address: UnsafeMutableRawPointer, _ bytes: Int) {}
  }
#endif
