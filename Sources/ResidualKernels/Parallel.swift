// Parallel.swift: fixed chunks of work, spread over threads.

import Synchronization

/// How the kernels use threads.
///
/// Work is cut into chunks whose number depends on the shapes alone, never on the number of threads, and partial
/// sums are added in the order of the chunks. So a result has the same bits with one thread and with many. Only where
/// every output is one sum, at inference, does the number of threads decide how the outputs are shared out.
public enum Parallel {
  private static let threadCount = Atomic<Int>(System.processors)

  /// The number of threads that a kernel uses at once, for the whole process: at least 1, and all of the machine's
  /// processors unless it is set. It changes the speed of a kernel, never its result.
  public static var threads: Int {
    get { threadCount.load(ordering: .relaxed) }
    set {
      precondition(newValue >= 1, "\(newValue) threads")
      threadCount.store(newValue, ordering: .relaxed)
    }
  }

  /// Whether threads work on chunks already; what they call does its work alone.
  private static let isBusy = Atomic<Bool>(false)

  /// The number of threads that a loop which starts now would use.
  static var available: Int { isBusy.load(ordering: .relaxed) ? 1 : threads }

  /// Calls `body` once for each chunk, several at a time if that `pays`, which it does not where all is done sooner than
  /// other threads wake up; returns when all are done.
  package static func forEachChunk(_ chunks: Int, pays: Bool = true, _ body: (Int) -> Void) {
    let workers = pays ? min(threads, chunks) : 1
    if workers <= 1 || isBusy.exchange(true, ordering: .relaxed) {
      for chunk in 0..<chunks { body(chunk) }
      return
    }
    defer { isBusy.store(false, ordering: .relaxed) }
    // A counter hands out the chunks, so a thread that the system delays holds up one chunk only.
    let next = Atomic<Int>(0)
    withoutActuallyEscaping(body) { body in
      nonisolated(unsafe) let body = body
      System.concurrently(workers) {
        while true {
          let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
          if chunk >= chunks { return }
          body(chunk)
        }
      }
    }
  }

  /// The items of chunk number `chunk` when `count` items are cut into `chunks` parts as equal as can be.
  static func range(ofChunk chunk: Int, of chunks: Int, count: Int) -> Range<Int> {
    count * chunk / chunks..<count * (chunk + 1) / chunks
  }
}
