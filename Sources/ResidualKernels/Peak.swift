// Peak.swift: the most multiply-adds and the most bytes a second that this machine manages.

extension Kernels {
  /// The most additions and multiplications per second that the register tiles reach, in 10⁹ (a multiply-add is two),
  /// on numbers that lie in the first-level cache. No kernel can be faster; the fraction that it reaches is its
  /// efficiency.
  ///
  /// Runs for about `seconds` on as many threads as ``Parallel/threads`` and takes the best of short stretches.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func peakGigaflops<Scalar: Element>(_: Scalar.Type, seconds: Double = 0.5) -> Double {
    let depth = 128
    let repeats = 125
    let pixels = 8 * 4
    // Many small chunks: a slow core takes fewer of them, and the others do not wait for it.
    let chunks = 16 * Parallel.threads
    var best = 0.0
    let start = System.nanoseconds
    while Double(System.nanoseconds - start) < seconds * 1e9 {
      let began = System.nanoseconds
      Parallel.forEachChunk(chunks) { _ in
        let input = Storage<Scalar>(repeating: 0.5, count: depth * pixels)
        let panel = Storage<Scalar>(repeating: 0.5, count: depth * panelVectors * Scalar.lanes)
        let output = Storage<Scalar>(repeating: 0, count: pixels * panelVectors * Scalar.lanes)
        let grid = TapGrid(width: pixels, inputPixel: depth, depth: depth, outputPixel: panelVectors)
        for _ in 0..<repeats {
          sumPanel(grid, input: input.base, panel: panel.vectors, width: panelVectors, output: output.vectors)
        }
      }
      let nanoseconds = Double(System.nanoseconds - began)
      let operations = 2 * depth * pixels * panelVectors * Scalar.lanes * repeats * chunks
      best = max(best, Double(operations) / nanoseconds)
    }
    return best
  }

  /// The most bytes a second, in 10⁹, that are read from memory and written there: those of a ReLU from 24 MB to another
  /// 24 MB, more than most caches hold. Runs for about `seconds` and takes the best of several times.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func memoryGigabytes<Scalar: Element>(_: Scalar.Type, seconds: Double = 0.2) -> Double {
    let bytes = 24 << 20
    let count = bytes / MemoryLayout<Scalar>.stride
    let (input, output) = (Storage<Scalar>(repeating: 1, count: count), Storage<Scalar>(repeating: 0, count: count))
    var best = 0.0
    let start = System.nanoseconds
    while Double(System.nanoseconds - start) < seconds * 1e9 {
      let began = System.nanoseconds
      rectify(input, into: output)
      best = max(best, Double(2 * bytes) / Double(System.nanoseconds - began))
    }
    return best
  }
}
