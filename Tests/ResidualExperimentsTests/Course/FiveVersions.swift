import ResidualExperiments
import TestSupport
/// One kernel in five versions, from loops as one writes them in Python to a tile in registers: docs/course/13-loops-to-simd.md.
///
/// All compute y[p, o] = Σ x[p, k] w[k, o] over k, for 16 channels o: what a convolution is once the pixels under the kernel lie side by
/// side. `scripts/loops-to-simd.sh` compiles this file with `-O` and prints how long each takes.
enum FiveVersions {
  /// 1. Rows in arrays of arrays, like lists of lists in Python.
  static func nested(_ x: [[Float]], _ w: [[Float]]) -> [[Float]] {
    // begin
    var y = [[Float]](repeating: [Float](repeating: 0, count: 16), count: x.count)
    for p in 0..<x.count {
      for o in 0..<16 {
        for k in 0..<w.count {
          y[p][o] += x[p][k] * w[k][o]
        }
      }
    }
    // end
    return y
  }

  /// 2. One array, its index computed; a sum that is not an element of an array.
  static func flat(_ x: [Float], _ w: [Float], depth: Int) -> [Float] {
    let pixels = x.count / depth
    // begin
    var y = [Float](repeating: 0, count: pixels * 16)
    for p in 0..<pixels {
      for o in 0..<16 {
        var sum: Float = 0
        for k in 0..<depth {
          sum += x[p * depth + k] * w[k * 16 + o]
        }
        y[p * 16 + o] = sum
      }
    }
    // end
    return y
  }

  /// 3. The two inner loops exchanged: neighbours in memory are read one after the other.
  static func exchanged(_ x: [Float], _ w: [Float], depth: Int) -> [Float] {
    let pixels = x.count / depth
    // begin
    var y = [Float](repeating: 0, count: pixels * 16)
    for p in 0..<pixels {
      for k in 0..<depth {
        let value = x[p * depth + k]
        for o in 0..<16 {
          y[p * 16 + o] += value * w[k * 16 + o]
        }
      }
    }
    // end
    return y
  }

  /// 4. The loop over the channels is one vector.
  static func vector(_ x: [Float], _ w: [SIMD16<Float>], depth: Int) -> [SIMD16<Float>] {
    let pixels = x.count / depth
    // begin
    var y = [SIMD16<Float>](repeating: .zero, count: pixels)
    for p in 0..<pixels {
      var sum = SIMD16<Float>.zero
      for k in 0..<depth {
        sum.addProduct(SIMD16(repeating: x[p * depth + k]), w[k])
      }
      y[p] = sum
    }
    // end
    return y
  }

  /// 5. Eight pixels at once: each vector of weights is loaded once for eight, and eight sums do not wait for each other.
  static func tile(_ x: [Float], _ w: [SIMD16<Float>], depth: Int) -> [SIMD16<Float>] {
    let pixels = x.count / depth
    var y = [SIMD16<Float>](repeating: .zero, count: pixels)
    // begin
    for p in stride(from: 0, to: pixels, by: 8) {
      var (a, b, c, d) = (SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero)
      var (e, f, g, h) = (SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero)
      let row = p * depth
      for k in 0..<depth {
        let weights = w[k]
        a.addProduct(SIMD16(repeating: x[row + k]), weights)
        b.addProduct(SIMD16(repeating: x[row + depth + k]), weights)
        c.addProduct(SIMD16(repeating: x[row + 2 * depth + k]), weights)
        d.addProduct(SIMD16(repeating: x[row + 3 * depth + k]), weights)
        e.addProduct(SIMD16(repeating: x[row + 4 * depth + k]), weights)
        f.addProduct(SIMD16(repeating: x[row + 5 * depth + k]), weights)
        g.addProduct(SIMD16(repeating: x[row + 6 * depth + k]), weights)
        h.addProduct(SIMD16(repeating: x[row + 7 * depth + k]), weights)
      }
      for (i, sum) in [a, b, c, d, e, f, g, h].enumerated() { y[p + i] = sum }
    }
    // end
    return y
  }
}
