// Times the five versions of docs/course/13-loops-to-simd.md: 1,024 pixels, 144 inputs (3x3x16), 16 channels.

import Foundation

let (pixels, depth) = (1024, 144)
let x = (0..<(pixels * depth)).map { Float($0 % 7) - 3 }
let w = (0..<(depth * 16)).map { Float($0 % 5) - 2 }
let rows = (0..<pixels).map { Array(x[($0 * depth)..<(($0 + 1) * depth)]) }
let weightRows = (0..<depth).map { Array(w[($0 * 16)..<(($0 + 1) * 16)]) }
let weightVectors = weightRows.map { SIMD16<Float>($0) }
func flattened(_ vectors: [SIMD16<Float>]) -> [Float] { vectors.flatMap { v in (0..<16).map { v[$0] } } }

let expected = FiveVersions.flat(x, w, depth: depth)
var slowest: Double?

/// Runs a version until half a second is over; prints its best time.
func time<Result>(_ name: String, _ run: () -> Result, _ values: (Result) -> [Float]) {
  guard values(run()) == expected else { fatalError("\(name) computes something else") }
  var best = Double.infinity
  let start = DispatchTime.now().uptimeNanoseconds
  while DispatchTime.now().uptimeNanoseconds - start < 500_000_000 {
    let before = DispatchTime.now().uptimeNanoseconds
    _ = run()
    best = min(best, Double(DispatchTime.now().uptimeNanoseconds - before) / 1e9)
  }
  slowest = slowest ?? best
  let speed = Double(2 * pixels * depth * 16) / best / 1e9
  print("| \(name) | " + String(format: "%.3f | %.1f | %.1f |", best * 1e3, speed, slowest! / best))
}

print("| version | ms | GFLOP/s | times the first |\n| --- | --- | --- | --- |")
time("1, arrays of arrays", { FiveVersions.nested(rows, weightRows) }) { $0.flatMap { $0 } }
time("2, one array", { FiveVersions.flat(x, w, depth: depth) }) { $0 }
time("3, loops exchanged", { FiveVersions.exchanged(x, w, depth: depth) }) { $0 }
time("4, a vector", { FiveVersions.vector(x, weightVectors, depth: depth) }, flattened)
time("5, a register tile", { FiveVersions.tile(x, weightVectors, depth: depth) }, flattened)
