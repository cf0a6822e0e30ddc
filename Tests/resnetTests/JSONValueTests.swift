import Testing

@testable import resnet

@Suite struct JSONValueTests {
  @Test func objectsKeepTheirOrder() {
    let value: JSONValue = ["b": 1, "a": [true, nil, 2.5, "x"], "empty": [:], "none": []]
    #expect(value.encoded == #"{"b": 1, "a": [true, null, 2.5, "x"], "empty": {}, "none": []}"#)
  }

  @Test func numbersReadBackAsTheSameBits() {
    for number in [
      0.1 as Double, 1.0 / 3, 1e-300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -0.0, 123456789.125,
    ] {
      #expect(Double(JSONValue.double(number).encoded)?.bitPattern == number.bitPattern)
    }
    #expect(JSONValue.int(.min).encoded == "-9223372036854775808")
    #expect(JSONValue.float(0.1).encoded == "0.1")
  }

  @Test func whatIsNoNumberIsNull() {
    #expect(JSONValue.double(.nan).encoded == "null")
    #expect(JSONValue.double(.infinity).encoded == "null")
    #expect(JSONValue.float(-.infinity).encoded == "null")
  }

  @Test func stringsAreEscaped() {
    #expect(JSONValue.string("\"\\\n\r\t\u{0}\u{1F}é😀/").encoded == #""\"\\\n\r\t\u0000\u001fé😀/""#)
    // "\r\n" is one Character, but two scalars.
    #expect(JSONValue.string("\r\n").encoded == #""\r\n""#)
  }
}
