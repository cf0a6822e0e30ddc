import Foundation
import Testing

@testable import ResidualKernels

/// Foundation's functions, those of the C library, are the yardstick here and stand nowhere in the sources.
@Suite struct ElementaryFunctionsTests {
  /// Evenly spread numbers, the same every time.
  private func inputs(_ count: Int, from low: Double, to high: Double, seed: Int) -> [Double] {
    let storage: Storage<Double> = numbers(count, seed: seed)
    return storage.array(0..<count).map { (low + high) / 2 + $0 * (high - low) / 2 }
  }

  /// The distance from the C library's result, in its units in the last place.
  private func error(_ value: Double, _ expected: Double) -> Double { abs(value - expected) / expected.ulp }

  @Test(arguments: [1e-300, 1e-9, 1e-3, 0.35, 1, 20, 88, 700])
  func `The exponential is at most one unit in the last place off`(range: Double) {
    let x = inputs(20_000, from: -range, to: range, seed: 1)
    #expect(x.map { error(.exponential($0), exp($0)) }.max()! <= 1)
    #expect(x.first { Float.exponential(Float($0)) != Float(exp(Double(Float($0)))) } == nil)
  }

  @Test func `The exponential of a Float is the C library's in Double, rounded, and never falls`() {
    let step = ProcessInfo.processInfo.environment["FLOAT_STEP"].flatMap { UInt32($0) } ?? 4099
    // The bits of negative numbers grow as the numbers fall.
    for (start, end) in [(Float(-0.0), Float(-104)), (0, 89)] {
      var (last, wrong): (Float, [Float]) = (1, [])
      for bits in stride(from: start.bitPattern, through: end.bitPattern, by: Int(step)) {
        let x = Float(bitPattern: bits)
        let y = Float.exponential(x)
        if y != Float(exp(Double(x))) || (x > 0 ? y < last : y > last) { wrong.append(x) }
        last = y
      }
      #expect(wrong.isEmpty)
    }
  }

  @Test(arguments: [(0x1p-104, 1), (0.9, 1.1), (1, 10), (1, 1000), (1e10, 1e300), (.leastNonzeroMagnitude, 1e-307)])
  func `The logarithm is at most three units in the last place off`(low: Double, high: Double) {
    let x = inputs(20_000, from: low, to: high, seed: 2)
    #expect(x.map { error(.logarithm($0), log($0)) }.max()! <= 3)
    #expect(x.first { Float.logarithm(Float($0)) != Float(log(Double(Float($0)))) } == nil)
  }

  @Test func `Special values`() {
    #expect(Double.exponential(0) == 1 && Double.exponential(-0.0) == 1)
    #expect(Double.exponential(.infinity) == .infinity && Double.exponential(-.infinity) == 0)
    #expect(Double.exponential(709.78) < .infinity && Double.exponential(709.79) == .infinity)
    #expect(Double.exponential(-745.13) == .leastNonzeroMagnitude && Double.exponential(-745.14) == 0)
    #expect(Double.exponential(.nan).isNaN && Float.exponential(.nan).isNaN)
    #expect(Float.exponential(88.72) < .infinity && Float.exponential(88.73) == .infinity)
    #expect(Float.exponential(-103.97) == .leastNonzeroMagnitude && Float.exponential(-104) == 0)

    #expect(Double.logarithm(1) == 0 && Double.logarithm(2) == M_LN2 && Double.logarithm(0.5) == -M_LN2)
    #expect(Double.logarithm(0) == -.infinity && Double.logarithm(-0.0) == -.infinity)
    #expect(Double.logarithm(.infinity) == .infinity && Double.logarithm(-1).isNaN && Double.logarithm(.nan).isNaN)
    #expect(error(.logarithm(.leastNonzeroMagnitude), log(.leastNonzeroMagnitude)) <= 1)
    #expect(error(.logarithm(.greatestFiniteMagnitude), log(.greatestFiniteMagnitude)) <= 1)
    #expect(Float.logarithm(0) == -.infinity && Float.logarithm(-1).isNaN)
  }

  /// Between two neighbours e^x is least safe where k of equation (1) changes: all such places are tried.
  @Test func `The exponential never falls, so that a larger logit never has a smaller probability`() {
    var falls: [Double] = []
    func k(_ x: Double) -> Double { (x / M_LN2).rounded() }
    for step in -1074...1023 {
      var (low, high) = (Double(step) * M_LN2, Double(step + 1) * M_LN2)
      while low.nextUp < high {
        let middle = low + (high - low) / 2
        if k(middle) <= Double(step) { low = middle } else { high = middle }
      }
      var x = low - 20 * low.ulp
      for _ in 0..<40 {
        if Double.exponential(x) > Double.exponential(x.nextUp) { falls.append(x) }
        x = x.nextUp
      }
    }
    for range in [1e-12, 0.01, 0.5, 3, 80] {
      for x in inputs(20_000, from: -range, to: range, seed: 3) {
        if Double.exponential(x) > Double.exponential(x.nextUp) { falls.append(x) }
        if Float.exponential(Float(x)) > Float.exponential(Float(x).nextUp) { falls.append(x) }
      }
    }
    #expect(falls == [])
  }

  /// On every processor and in every build: nothing here is fused.
  @Test func `The bits are these everywhere`() {
    var checksum: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ bits: UInt64) { checksum = (checksum ^ bits) &* 0x100_0000_01b3 }
    for x in inputs(50_000, from: -60, to: 60, seed: 4) {
      add(Double.exponential(x).bitPattern)
      add(UInt64(Float.exponential(Float(x)).bitPattern))
      add(Double.logarithm(abs(x)).bitPattern)
      add(UInt64(Float.logarithm(Float(abs(x))).bitPattern))
    }
    #expect(checksum == 0xe166_9f2a_fbfa_0325)
  }
}
