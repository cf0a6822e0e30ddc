import ResidualKernels
import TestSupport
import Testing

// Vectors of another width add in another order.
#if !NARROW_VECTORS
  /// The bits of short training runs: the same on every machine, for any number of threads. One set of numbers belongs to
  /// builds with fused multiply-adds, one to those without.
  ///
  /// A change that is meant to round otherwise changes them: docs/reproducibility.md says how to take the new ones.
  @Suite(.serialized) struct GoldenTests {
    @Test(arguments: GoldenRun.all) func `Three training steps end with these bits, whatever the number of threads`(
      golden: GoldenRun
    ) throws {
      try forEachNumberOfThreads { threads in
        let found = try golden.train()
        #expect(found == golden.expected, "\(threads) threads: \(found)")
      }
    }

    @Test(arguments: GoldenTraining.all) func `The trainer's steps end with these bits`(golden: GoldenTraining) throws {
      try forEachNumberOfThreads { threads in
        let found = try golden.train()
        #expect(found == golden.expected, "\(threads) threads: 0x\(String(found, radix: 16))")
      }
    }

    private func forEachNumberOfThreads(_ body: (Int) throws -> Void) rethrows {
      let before = Parallel.threads
      defer { Parallel.threads = before }
      for threads in 1...3 {
        Parallel.threads = threads
        try body(threads)
      }
    }
  }
#endif
