import Foundation
import ResidualFiles

/// Makes mutated inputs from valid ones, the same from the same seed.
package struct Fuzzer {
  /// Inputs of a run: 20,000, or as many as the environment variable `FUZZ_ITERATIONS` says.
  package static let iterations = ProcessInfo.processInfo.environment["FUZZ_ITERATIONS"].flatMap { Int($0) } ?? 20_000

  private let seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  /// Gives mutated files to `read`, half of them after `repair`, and returns how many it accepts. Errors other than
  /// `InputError`, and one with a message that is empty or longer than 2,000 bytes, are thrown on.
  package func run(
    _ files: [[UInt8]], repair: (([UInt8]) -> [UInt8])? = nil, read: ([UInt8]) throws -> Void
  ) throws -> Int {
    var random = SplitMix64(state: seed)
    var accepted = 0
    for iteration in 0..<Self.iterations {
      var bytes = files[iteration % files.count]
      for _ in 0..<max(1, Int.random(in: -2...3, using: &random)) { mutate(&bytes, files, &random) }
      if let repair, Bool.random(using: &random) { bytes = repair(bytes) }
      do {
        try read(bytes)
        accepted += 1
      } catch let error as InputError {
        if error.message.isEmpty || error.message.utf8.count > 2000 {
          throw BadMessage(seed: seed, input: iteration, length: error.message.utf8.count)
        }
      }
    }
    return accepted
  }

  /// A safetensors file with the header length that leads to its last brace, so that a mutated header is read at all.
  package static func repairedHeaderLength(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count > 8, let brace = bytes.lastIndex(of: UInt8(ascii: "}")), brace >= 8 else { return bytes }
    return (0..<8).map { UInt8(truncatingIfNeeded: (brace - 7) >> (8 * $0)) } + bytes[8...]
  }

  private func mutate(_ bytes: inout [UInt8], _ files: [[UInt8]], _ random: inout SplitMix64) {
    guard !bytes.isEmpty else { return }
    let position = Int.random(in: 0..<bytes.count, using: &random)
    let end = min(bytes.count, position + Int.random(in: 1...16, using: &random))
    switch Int.random(in: 0..<8, using: &random) {
    case 0, 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: bytes[position] = UInt8.random(in: 0...255, using: &random)
    case 3: bytes.removeSubrange(Bool.random(using: &random) ? position..<bytes.count : position..<end)
    case 4: bytes.insert(contentsOf: bytes[position..<end], at: position)
    case 5:
      let other = files.randomElement(using: &random)!
      let start = Int.random(in: 0..<other.count, using: &random)
      bytes.replaceSubrange(position..<end, with: other[start..<min(other.count, start + 24)])
    case 6:
      // A length, offset or character class at its limits.
      let values: [[UInt8]] = [
        [0], [0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0x80],
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], Array("9223372036854775807".utf8), Array("00".utf8),
        Array("-1".utf8), Array("\"".utf8), Array("\\ud800".utf8), Array("[[[[".utf8), Array("4294967296,".utf8),
      ]
      bytes.replaceSubrange(position..<end, with: values.randomElement(using: &random)!)
    default:
      // Another digit in place of a digit, so that texts stay texts.
      let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
      guard let digit = bytes[position...].firstIndex(where: digits.contains) else { return }
      bytes[digit] = UInt8.random(in: UInt8(ascii: "0")...UInt8(ascii: "9"), using: &random)
    }
  }
}

/// Steele, Lea and Flood's generator: the same mutations on every machine.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

/// A reader refused an input with a message of a bad length.
private struct BadMessage: Error {
  let seed: UInt64
  let input, length: Int
}
