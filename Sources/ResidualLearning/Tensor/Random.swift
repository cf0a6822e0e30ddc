// Random.swift: random numbers whose stream is fixed for all time and on every platform.
//
// Initial weights, augmentation, the order of an epoch and the synthetic images all come from here, so a seed names a
// training run down to the last bit. That excludes the standard library's generators and distributions, whose
// algorithms may change, and the C library's logarithm, whose last bit differs between systems.
//
// Tests       Tests/ResidualLearningTests/Tensor/RandomTests.swift

import ResidualFiles
import ResidualKernels

/// A seeded random number generator: xoshiro256++ (Blackman and Vigna, 2019), period 2^256 - 1.
///
/// The four words of `state` are all there is: nothing is cached between calls, so a generator rebuilt from them
/// continues the stream. It is not meant for secrets.
public struct RandomGenerator: RandomNumberGenerator, Sendable, Equatable {
  private var s0, s1, s2, s3: UInt64

  /// A generator whose state is the first four numbers of SplitMix64 started at `seed`, as the authors advise.
  public init(seed: UInt64) {
    var mixer = SplitMix64(state: seed)
    s0 = mixer.next()
    s1 = mixer.next()
    s2 = mixer.next()
    s3 = mixer.next()
  }

  /// A generator that continues where the one with this `state` stood.
  ///
  /// - Throws: `InputError` unless there are four words, not all zero: from zeros only zeros follow.
  public init(state: [UInt64]) throws(InputError) {
    guard state.count == 4, state.contains(where: { $0 != 0 }) else {
      throw InputError("the state of a random generator is four words, not all zero, but \(state) was found")
    }
    (s0, s1, s2, s3) = (state[0], state[1], state[2], state[3])
  }

  /// The four words that determine everything that follows; for checkpoints.
  public var state: [UInt64] { [s0, s1, s2, s3] }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let sum = s0 &+ s3
    let result = Self.rotateLeft(sum, 23) &+ s0
    let shifted = s1 &<< 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = Self.rotateLeft(s3, 45)
    return result
  }

  /// A number drawn evenly from [0, 1): one of the 2^53 multiples of 2^-53.
  public mutating func uniform() -> Double {
    Double(next() &>> 11) * 0x1p-53
  }

  /// A number drawn evenly from `low` to `high`: `low + (high - low) * uniform()`.
  public mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * uniform()
  }

  /// A number from the normal distribution of mean 0 and variance 1.
  ///
  /// Marsaglia's polar method: a point drawn evenly from the unit disc, at squared distance s from the centre, gives
  /// u √(-2 ln s / s). Its twin v √(-2 ln s / s) is thrown away, so that `state` stays four words.
  public mutating func normal() -> Double {
    while true {
      let u = uniform(-1, 1)
      let v = uniform(-1, 1)
      let s = u * u + v * v
      if s > 0 && s < 1 {
        return u * (-2 * Double.logarithm(s) / s).squareRoot()
      }
    }
  }

  /// An integer drawn evenly from 0 to `n - 1`, without bias (Lemire, 2019): the high word of `next() * n`, drawn
  /// again when the low word falls into the incomplete last interval.
  public mutating func below(_ n: Int) -> Int {
    precondition(n > 0, "below(\(n)): expected a positive bound")
    let bound = UInt64(n)
    let incomplete = (0 &- bound) % bound
    while true {
      let product = next().multipliedFullWidth(by: bound)
      if product.low >= incomplete { return Int(product.high) }
    }
  }

  /// The numbers 0 to `n - 1` in random order, every order being equally likely (Fisher and Yates, from the end).
  public mutating func permutation(_ n: Int) -> [Int] {
    precondition(n >= 0, "permutation(\(n)): expected a count that is not negative")
    var order = Array(0..<n)
    var last = n - 1
    while last > 0 {
      order.swapAt(last, below(last + 1))
      last -= 1
    }
    return order
  }

  /// `count` numbers, drawn one after the other. Not generic, so that it is fast wherever it is called from.
  mutating func numbers(_ count: Int, _ draw: (inout RandomGenerator) -> Double) -> [Double] {
    var numbers: [Double] = []
    numbers.reserveCapacity(count)
    for _ in 0..<count { numbers.append(draw(&self)) }
    return numbers
  }

  /// A generator of its own for `label`, a function of this generator's state and of the label only.
  ///
  /// This generator does not move. Use it where work is done in any order or in parallel (image number i draws from
  /// `fork(i)`), or to keep one purpose from disturbing the numbers of another.
  public func fork(_ label: UInt64) -> RandomGenerator {
    var mixer = SplitMix64(state: label)
    for word in [s0, s1, s2, s3] {
      mixer.state = mixer.next() ^ word
    }
    return RandomGenerator(seed: mixer.next())
  }

  private static func rotateLeft(_ x: UInt64, _ bits: UInt64) -> UInt64 {
    (x &<< bits) | (x &>> (64 &- bits))
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): turns one word, however regular, into well-mixed ones.
private struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z &>> 31)
  }
}
