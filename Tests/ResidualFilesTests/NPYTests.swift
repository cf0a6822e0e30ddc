import Foundation
import Testing

@testable import ResidualFiles

@Suite struct NPYTests {
  private func file(_ header: String, version: UInt8 = 1, byteCount: Int = 8) -> Data {
    Data([0x93]) + Data("NUMPY".utf8) + Data([version, 0]) + Data(bytesOf: [UInt16(header.utf8.count)])
      + Data(header.utf8) + Data(count: byteCount)
  }

  @Test func filesOfNumPyAreRead() throws {
    func read(_ name: String) throws -> NPYArray { try NPYArray(decoding: #require(FormatFixtures.npy[name])) }
    #expect(try read("float32") == NPYArray(shape: [2, 3], .float32([0.5, -1, 2, 3, 4, 5])))
    #expect(try read("float64") == NPYArray(shape: [2], .float64([0.1, 0.2])))
    #expect(try read("int64") == NPYArray(shape: [], .int64([-7])))
    #expect(try read("uint8") == NPYArray(shape: [2, 1], .uint8([1, 255])))
  }

  @Test func aFileIsWrittenByteForByteAsNumPyWritesIt() throws {
    for name in ["float32", "uint8"] {
      let data = try #require(FormatFixtures.npy[name])
      #expect(try NPYArray(decoding: data).encoded() == data)
    }
  }

  @Test func aFileIsReadAsItWasWritten() throws {
    let arrays = [
      NPYArray(shape: [], .float32([2])), NPYArray(shape: [0, 3], .float64([])),
      NPYArray(shape: [1, 2, 1], .int64([.min, .max])), NPYArray(shape: [3], .uint8([0, 1, 255])),
    ]
    for array in arrays {
      let data = array.encoded()
      #expect(try NPYArray(decoding: data) == array)
      #expect((data.count - array.values.bytes.count) % 64 == 0)
    }
  }

  @Test func valuesAreConvertedToFloatAndDouble() {
    #expect(NPYArray(shape: [1], .float64([0.1])).floats == [0.1])
    #expect(NPYArray(shape: [1], .float32([0.5])).doubles == [0.5])
    #expect(NPYArray(shape: [1], .int64([-3])).floats == [-3])
    #expect(NPYArray(shape: [1], .uint8([255])).doubles == [255])
  }

  @Test func fortranOrderAndOtherTypesAreRefusedWithASentence() throws {
    #expect(throws: InputError("f is in Fortran order; save it in C order with numpy.ascontiguousarray")) {
      try NPYArray(decoding: #require(FormatFixtures.npy["fortran"]), source: "f")
    }
    #expect(throws: InputError("f: its type should be <f4, <f8, <i8 or |u1 and is \">f4\"")) {
      try NPYArray(decoding: #require(FormatFixtures.npy["bigEndian"]), source: "f")
    }
  }

  @Test func keysMayComeInAnyOrderAndWithEitherQuotationMark() throws {
    let header = "{\"shape\": (2,),'fortran_order':False , 'descr': \"<f4\"} \n"
    #expect(try NPYArray(decoding: file(header)) == NPYArray(shape: [2], .float32([0, 0])))
  }

  @Test(arguments: [
    "", "{", "{}", "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2)}", "{'descr': '<f4', 'fortran_order': False, 'shape': [2]}",
    "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "{'descr': '<f4', 'fortran_order': False}",
    "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 2)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
  ])
  func aHeaderThatBreaksARuleIsRefused(header: String) {
    #expect(throws: InputError.self) { try NPYArray(decoding: file(header)) }
  }

  @Test func otherFilesVersionsAndLengthsAreRefused() throws {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"
    #expect(try NPYArray(decoding: file(header)).shape == [2])
    #expect(throws: InputError.self) { try NPYArray(decoding: file(header, byteCount: 9)) }
    #expect(throws: InputError.self) { try NPYArray(decoding: file(header, version: 4)) }
    #expect(throws: InputError.self) { try NPYArray(decoding: file(header, version: 2)) }
    #expect(throws: InputError.self) { try NPYArray(decoding: file(header).prefix(40)) }
    #expect(throws: InputError("f is no npy file: it does not begin with \"\\x93NUMPY\"")) {
      try NPYArray(decoding: Data("PK and more bytes".utf8), source: "f")
    }
  }
}
