// Peak.swift: the most multiply-adds a second that this machine does.

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
        let grid = TapGrid(
          height: 1, width: pixels, inputRow: 0, inputPixel: depth, taps: 1, tapStep: 0, depth: depth, outputRow: 0,
          outputPixel: panelVectors)
        for _ in 0..<repeats {
          sumPanel(
            grid, input: input.base, panel: panel.vectors, width: panelVectors, output: output.vectors,
            accumulating: false)
        }
      }
      let nanoseconds = Double(System.nanoseconds - began)
      let operations = 2 * depth * pixels * panelVectors * Scalar.lanes * repeats * chunks
      best = max(best, Double(operations) / nanoseconds)
    }
    return best
  }
}
