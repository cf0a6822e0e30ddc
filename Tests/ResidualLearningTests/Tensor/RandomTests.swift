import Foundation
import Testing

@testable import ResidualLearning

/// The expected numbers come from a separate implementation of the published algorithms in Python's integers.
@Suite struct RandomTests {
  @Test func `The generator is xoshiro256++: ten numbers from the state 1, 2, 3, 4`() throws {
    var generator = try RandomGenerator(state: [1, 2, 3, 4])
    let expected: [UInt64] = [
      41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386, 9_228_616_714_210_784_205,
      9_973_669_472_204_895_162, 14_011_001_112_246_962_877, 12_406_186_145_184_390_807,
      15_849_039_046_786_891_736, 10_450_023_813_501_588_000,
    ]
    #expect(expected.map { _ in generator.next() } == expected)
  }

  @Test func `A seed becomes the first four numbers of SplitMix64`() {
    #expect(
      RandomGenerator(seed: 0).state == [
        0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f, 0xf88b_b8a8_724c_81ec,
      ])
  }

  @Test func `The streams of seed 42 never change`() {
    var words = RandomGenerator(seed: 42)
    #expect((0..<3).map { _ in words.next() } == [0xd076_4d4f_4476_689f, 0x519e_4174_576f_3791, 0xfbe0_7cfb_0c24_ed8c])

    var uniform = RandomGenerator(seed: 42)
    #expect(
      (0..<3).map { _ in uniform.uniform() } == [0x1.a0ec9a9e88ecdp-1, 0x1.467905d15dbccp-2, 0x1.f7c0f9f61849dp-1])

    var normal = RandomGenerator(seed: 42)
    #expect(
      (0..<3).map { _ in normal.normal() } == [0.9813983900724986, 1.3403256427520227, -0.9642205062941384])

    var digits = RandomGenerator(seed: 42)
    #expect((0..<12).map { _ in digits.below(10) } == [8, 3, 9, 7, 7, 5, 1, 6, 2, 9, 5, 8])

    var order = RandomGenerator(seed: 42)
    #expect(order.permutation(10) == [5, 3, 1, 0, 9, 6, 4, 7, 2, 8])
  }

  @Test func `Numbers below a bound are redrawn where the interval is incomplete`() {
    // With this bound the second and the seventh word are thrown away.
    var generator = RandomGenerator(seed: 42)
    let bound = Int.max - 1 << 61
    #expect(
      (0..<6).map { _ in generator.below(bound) } == [
        5_632_979_478_745_212_730, 6_806_116_468_494_555_411, 4_850_125_852_409_664_548, 5_489_090_341_006_059_498,
        4_068_188_212_900_549_486, 4_185_952_103_863_241_785,
      ])
  }

  @Test func `A generator rebuilt from its state continues the stream`() throws {
    var generator = RandomGenerator(seed: 7)
    _ = generator.normal()
    var copy = try RandomGenerator(state: generator.state)
    #expect(copy == generator)
    #expect((0..<5).map { _ in copy.normal() } == (0..<5).map { _ in generator.normal() })
  }

  @Test(arguments: [[], [1, 2, 3], [0, 0, 0, 0], [1, 2, 3, 4, 5]] as [[UInt64]])
  func `A state that is not four words, or all zero, is refused`(state: [UInt64]) {
    let expected = "the state of a random generator is four words, not all zero, but \(state) was found"
    #expect(throws: InputError(expected)) { try RandomGenerator(state: state) }
  }

  @Test func `Uniform numbers have the moments of [0, 1)`() {
    var generator = RandomGenerator(seed: 1)
    let n = 100_000
    let values = (0..<n).map { _ in generator.uniform() }
    let mean = values.reduce(0, +) / Double(n)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
    // Five standard errors: 5 √(1/12 / n) and 5 √(1/180 / n).
    #expect(abs(mean - 0.5) < 0.0046)
    #expect(abs(variance - 1.0 / 12) < 0.0012)
    #expect(values.min()! >= 0 && values.min()! < 0.0002)
    #expect(values.max()! < 1 && values.max()! > 0.9998)
  }

  @Test func `Uniform numbers of an interval are the unit interval, stretched`() {
    var unit = RandomGenerator(seed: 5)
    var stretched = unit
    #expect((0..<9).map { _ in stretched.uniform(-3, 5) } == (0..<9).map { _ in -3 + 8 * unit.uniform() })
  }

  @Test func `Normal numbers have the moments and tails of the normal distribution`() {
    var generator = RandomGenerator(seed: 2)
    let n = 100_000
    let values = (0..<n).map { _ in generator.normal() }
    func moment(_ power: Int) -> Double {
      values.reduce(0) { sum, x in sum + (0..<power).reduce(1.0) { product, _ in product * x } } / Double(n)
    }
    // Five standard errors: the variances of x, x², x³, x⁴ are 1, 2, 15, 96.
    #expect(abs(moment(1)) < 0.016)
    #expect(abs(moment(2) - 1) < 0.023)
    #expect(abs(moment(3)) < 0.062)
    #expect(abs(moment(4) - 3) < 0.155)
    // 4.55 % lie beyond two standard deviations.
    let beyond = Double(values.filter { abs($0) > 2 }.count) / Double(n)
    #expect(abs(beyond - 0.0455) < 0.0033)
  }

  @Test func `Every number below a bound is equally likely`() {
    var generator = RandomGenerator(seed: 3)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[generator.below(7)] += 1 }
    // Chi squared with 6 degrees of freedom exceeds 27.9 once in ten thousand.
    let chiSquared = counts.reduce(0.0) { $0 + Double(($1 - 10_000) * ($1 - 10_000)) / 10_000 }
    #expect(chiSquared < 27.9)
    #expect(generator.below(1) == 0)
  }

  @Test func `Every order of three is equally likely`() {
    var generator = RandomGenerator(seed: 4)
    var counts: [[Int]: Int] = [:]
    for _ in 0..<12_000 { counts[generator.permutation(3), default: 0] += 1 }
    #expect(counts.count == 6)
    // Chi squared with 5 degrees of freedom exceeds 25.7 once in ten thousand.
    #expect(counts.values.reduce(0.0) { $0 + Double(($1 - 2000) * ($1 - 2000)) / 2000 } < 25.7)
    #expect(generator.permutation(0) == [])
    #expect(generator.permutation(100).sorted() == Array(0..<100))
  }

  @Test func `Forks depend on state and label only and leave the generator where it is`() {
    let generator = RandomGenerator(seed: 42)
    let first = (0..<3).map { label in
      var fork = generator.fork(UInt64(label))
      return fork.next()
    }
    #expect(first == [0x45af_d60d_76d3_48db, 0xcddb_190b_c313_44fb, 0xab45_e490_3cca_7741])
    #expect(generator == RandomGenerator(seed: 42))

    var moved = generator
    _ = moved.next()
    #expect(moved.fork(0) != generator.fork(0))
  }

  @Test func `The first numbers of neighbouring forks are spread evenly`() {
    let generator = RandomGenerator(seed: 9)
    let n = 20_000
    let first = (0..<n).map { label in
      var fork = generator.fork(UInt64(label))
      return fork.uniform() - 0.5
    }
    // Five standard errors of the mean and of the product of neighbours.
    #expect(abs(first.reduce(0, +) / Double(n)) < 0.0103)
    #expect(abs(zip(first, first.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / Double(n)) < 0.003)
  }
}
