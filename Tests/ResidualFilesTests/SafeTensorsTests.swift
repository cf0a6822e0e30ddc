import Foundation
import Testing

@testable import ResidualFiles

@Suite struct SafeTensorsTests {
  /// The bytes of a file from the text of its header.
  private func file(_ header: String, byteCount: Int = 0) -> Data {
    Data(bytesOf: [UInt64(header.utf8.count)]) + Data(header.utf8) + Data(count: byteCount)
  }

  private func refusal(_ data: Data) -> String? {
    #expect(throws: InputError.self) { try SafeTensorsFile(decoding: data, source: "f") }?.message
  }

  @Test func aFileOfThePythonLibraryIsReadWithEveryType() throws {
    let file = try SafeTensorsFile(decoding: FormatFixtures.safeTensors)
    #expect(file.metadata == ["note": "a \"b\"\n"])
    #expect(file.entries.count == 10)
    #expect(try file.floats("half") == [1.5, -0.25, 65504, 0x1p-24, .infinity])
    #expect(try file.floats("bfloat")[0] == 1.5)
    #expect(try abs(file.floats("bfloat")[1] / -3.0e38 - 1) < 0x1p-8)
    #expect(try file.doubles("double") == [0.1, -2.5])
    #expect(try file.floats("double") == [0.1, -2.5])
    #expect(try file.doubles("float") == [0.5, -8])
    #expect(file["float"]?.shape == [1, 2, 1])
    #expect(try file.integers("steps") == [-5])
    #expect(try file.floats("steps") == [-5])
    #expect(file["steps"]?.shape == [])
    #expect(try file.integers("bytes") == [0, 255])
    #expect(try file.integers("int32") == [-70000])
    #expect(try file.integers("truth") == [1, 0])
    #expect(try file.floats("empty") == [])
    #expect(file["empty"]?.shape == [0, 3])
    #expect(try file.floats("ü \"q\"\\") == [1])
  }

  @Test func aFileIsReadAsItWasWritten() throws {
    var file = SafeTensorsFile(metadata: ["b": "\u{1F}\\", "a": "🙂"])
    file.append("bytes", shape: [3], [1, 2, 3] as [UInt8])
    file.append("steps", shape: [], [Int.min])
    file.append("weight", shape: [2, 1], [Float.pi, -.infinity])
    file.append("exact", shape: [1], [0.1])
    let data = file.encoded()
    let read = try SafeTensorsFile(decoding: data)
    #expect(read.entries == file.entries)
    #expect(read.metadata == file.metadata)
    #expect(data == read.encoded())
    // The arrays begin at a multiple of 8, and so do those of 8-byte elements after them.
    let header = Int(data.prefix(8).elements(as: UInt64.self)[0])
    #expect(header % 8 == 0)
    #expect(data[(8 + header)...].prefix(8).elements(as: Int.self) == [.min])
    #expect(data.count == 8 + header + 8 + 8 + 8 + 3)
  }

  @Test func everyHalfPrecisionNumberIsConverted() {
    for bits in UInt16.min...UInt16.max {
      let exponent = Int(bits >> 10 & 31)
      let fraction = Double(bits & 1023) / 1024
      let magnitude = exponent == 0 ? fraction * 0x1p-14 : (1 + fraction) * exp2(Double(exponent - 15))
      let value = Float(halfBits: bits)
      if exponent == 31 {
        if fraction == 0 ? !value.isInfinite : !value.isNaN { Issue.record("\(bits) became \(value)") }
      } else if Double(value.magnitude) != magnitude {
        Issue.record("\(bits) became \(value) instead of \(magnitude)")
      }
      if !value.isNaN && (value.sign == .minus) != (bits >= 0x8000) { Issue.record("\(bits) became \(value)") }
    }
    #expect(Float(halfBits: 0x3555) == 0.333251953125)
  }

  @Test func numbersAreRoundedToTheNearestHalfPrecisionNumber() {
    for bits in UInt16.min...UInt16.max {
      let value = Float(halfBits: bits)
      #expect(value.isNaN ? value.halfBits & 0x7FFF == 0x7E00 : value.halfBits == bits)
    }
    // Between 1 and the next, 1 + 2^-10: ties go to the even one; the same among the subnormal numbers.
    for (value, bits) in [
      (1 + 0x1p-11, 0x3C00), (1 + 0x1.8p-11, 0x3C01), (1 + 0x1.8p-10, 0x3C02), (-1 - 0x1.8p-11, 0xBC01),
      (0x1p-25, 0), (0x1.8p-25, 1), (0x1.8p-24, 2), (65519, 0x7BFF), (65520, 0x7C00), (1e30, 0x7C00), (-1e30, 0xFC00),
    ] as [(Float, UInt16)] {
      #expect(value.halfBits == bits, "\(value)")
    }
  }

  @Test func namesAndShapesThatDoNotFitAreReportedTogether() throws {
    var file = SafeTensorsFile(source: "weights.safetensors")
    file.append("conv.weight", shape: [2], [Float(1), 2])
    file.append("extra", shape: [], [Float(0)])
    try file.check(expected: [("conv.weight", [2]), ("extra", [])])
    let error = #expect(throws: InputError.self) {
      try file.check(expected: [("conv.weight", [1, 2]), ("fc.bias", [3]), ("fc.weight", [3, 4])])
    }
    #expect(
      error?.message
        == "weights.safetensors does not fit: unknown: \"extra\"; missing: \"fc.bias\", \"fc.weight\"; "
        + "wrong shape: \"conv.weight\" is [2] and should be [1, 2]")
  }

  @Test func aDamagedCheckpointFailsItsChecksum() throws {
    var file = SafeTensorsFile(metadata: ["iteration": "12"])
    file.append("weight", shape: [2], [Float(1), 2])
    #expect(throws: InputError.self) { try file.checkSeal() }
    file.seal()
    let data = file.encoded()
    try SafeTensorsFile(decoding: data).checkSeal()
    for index in data.indices {
      for bit in 0..<8 {
        var damaged = data
        damaged[index] ^= 1 << UInt8(bit)
        #expect(throws: InputError.self) { try SafeTensorsFile(decoding: damaged).checkSeal() }
      }
    }
  }

  @Test func aMissingNameAndAnOverlargeOrBrokenNumberAreErrors() throws {
    var file = SafeTensorsFile(source: "f")
    file.append("a", type: .uint64, shape: [1], bytes: Data(repeating: 255, count: 8))
    file.append("b", shape: [1], [Float(1)])
    #expect(throws: InputError("f has no array \"c\"")) { try file.floats("c") }
    #expect(throws: InputError.self) { try file.integers("a") }
    #expect(throws: InputError("f: \"b\" should hold integers and holds F32")) { try file.integers("b") }
  }

  @Test(arguments: [
    "", " {}", "[]", "{", "{}x", "{}{}", "{\"a\":1}", "{\"__metadata__\":{\"a\":1}}",
    "{\"__metadata__\":{},\"__metadata__\":{}}", "{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}",
    "{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"b\":1}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[01],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775808],\"data_offsets\":[0,4]}}",
    "{\"\u{1}\":{}}", "{\"\\ud800\":{}}", "{\"\\ud800\\u0041\":{}}", "{\"\\u12G4\":{}}", "{\"\\x\":{}}",
  ])
  func aHeaderThatBreaksARuleIsRefused(header: String) {
    #expect(refusal(file(header, byteCount: 4)) != nil)
  }

  @Test func arraysMustFillTheBytesWithoutHolesOrOverlaps() throws {
    func two(_ first: (Int, Int), _ second: (Int, Int)) -> String {
      let array = { (name: String, place: (Int, Int)) in
        "\"\(name)\":{\"dtype\":\"U8\",\"shape\":[\(place.1 - place.0)],\"data_offsets\":[\(place.0),\(place.1)]}"
      }
      return "{\(array("a", first)),\(array("b", second))}"
    }
    #expect(try SafeTensorsFile(decoding: file(two((2, 4), (0, 2)), byteCount: 4)).entries.map(\.name) == ["a", "b"])
    #expect(
      refusal(file(two((0, 2), (3, 4)), byteCount: 4))
        == "f: the bytes of \"b\" should begin at 2, where those of the array before end, and begin at 3")
    #expect(refusal(file(two((0, 2), (1, 4)), byteCount: 4)) != nil)
    #expect(refusal(file(two((1, 2), (2, 4)), byteCount: 4)) != nil)
    #expect(
      refusal(file(two((0, 2), (2, 4)), byteCount: 5)) == "f should have 4 bytes after its header and has 5")
    #expect(refusal(file(two((0, 2), (2, 4)), byteCount: 3)) != nil)
  }

  @Test func theHeaderLengthIsCheckedBeforeItIsUsed() {
    #expect(refusal(Data(repeating: 0, count: 7)) == "f is no safetensors file: it has 7 bytes, fewer than 8")
    for length: UInt64 in [3, 100_000_001, 1 << 62, .max] {
      #expect(refusal(Data(bytesOf: [length]) + Data("{}".utf8)) != nil, "\(length)")
    }
  }

  @Test func aNameGivenTwiceIsRefused() {
    let array = "\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}"
    #expect(refusal(file("{\(array),\(array)}")) == "f: the header has the name \"a\" twice")
    #expect(refusal(file("{\(array),\(array.replacing("\"a\"", with: "\"\\u0061\""))}")) != nil)
  }

  @Test func escapesAndPaddingAreRead() throws {
    let header = #"{ "__metadata__" : {"\u00e9\t\/" : "\ud83d\ude42\b\f\r\"" }  }   "#
    #expect(try SafeTensorsFile(decoding: file(header)).metadata == ["é\t/": "🙂\u{8}\u{C}\r\""])
  }

  @Test func textThatIsNotUTF8IsRefused() {
    var data = file("{\"__metadata__\":{\"x\":\"\"}}")
    data[8 + 18] = 0xFF
    #expect(refusal(data) == "f: a string in the header that ends at byte 20 is not UTF-8")
  }
}
