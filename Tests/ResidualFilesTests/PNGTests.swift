import Foundation
import Testing

@testable import ResidualFiles

@Suite struct PNGTests {
  private let pixel = Picture(height: 1, width: 1, pixels: [10, 20, 30])

  private func file(_ chunks: [(String, [UInt8])]) -> Data {
    Data(Picture.signature + chunks.flatMap { Picture.chunk($0.0, $0.1) })
  }

  private func header(width: [UInt8] = [0, 0, 0, 1], depth: UInt8 = 8, color: UInt8 = 2, rest: [UInt8] = [0, 0, 0])
    -> [UInt8]
  {
    width + [0, 0, 0, 1, depth, color] + rest
  }

  private func refusal(_ data: Data) -> String? {
    #expect(throws: InputError.self) { try Picture(decoding: data, source: "f") }?.message
  }

  @Test(arguments: FormatFixtures.png.indices)
  func everyKindOfFileIsReadAsNumPyComputesIt(index: Int) throws {
    let (name, file, pixels) = FormatFixtures.png[index]
    let image = try Picture(decoding: file)
    #expect(image == Picture(height: 4, width: 5, pixels: [UInt8](pixels)), "\(name)")
  }

  @Test func aPictureIsReadAsItWasWritten() throws {
    let color = Picture(height: 30, width: 40, pixels: (0..<3600).map { UInt8($0 * $0 / 77 & 255) })
    let grey = Picture(height: 2, width: 300, grey: (0..<600).map { UInt8($0 / 3 & 255) })
    for image in [pixel, color, grey] { #expect(try Picture(decoding: image.encoded()) == image) }
    #expect(grey.encoded()[25] == 0)
    #expect(color.encoded()[25] == 2)
    let plain = Picture(height: 100, width: 100, pixels: [UInt8](repeating: 7, count: 30000))
    #expect(plain.encoded().count < 400)
  }

  @Test func transparentPixelsAreLaidOverWhite() throws {
    let rows: [UInt8] = [0, 100, 0, 200, 51]
    let data = file([
      ("IHDR", header(width: [0, 0, 0, 1], color: 6)), ("IDAT", Deflate.zlib(rows)), ("IEND", []),
    ])
    #expect(try Picture(decoding: data).pixels == [224, 204, 244])
  }

  @Test func damageAnywhereIsRefused() {
    let data = Picture(height: 2, width: 3, pixels: (0..<18).map { UInt8($0 * 14) }).encoded()
    for index in data.indices {
      var damaged = data
      damaged[index] ^= 1 << UInt8(index % 8)
      #expect(throws: InputError.self) { try Picture(decoding: damaged) }
      #expect(throws: InputError.self) { try Picture(decoding: data.prefix(index)) }
    }
    #expect(refusal(data + [0]) == "f is a damaged PNG file: 1 bytes follow its end")
  }

  @Test func chunksMustBeCompleteAndInOrder() {
    let rows = Deflate.zlib([0, 1, 2, 3])
    let ihdr = ("IHDR", header())
    let idat = ("IDAT", rows)
    let iend = ("IEND", [] as [UInt8])
    #expect(throws: Never.self) { try Picture(decoding: file([ihdr, ("teXt", [1]), idat, iend])) }
    #expect(refusal(file([idat, ihdr, iend])) == "f is a damaged PNG file: IHDR should be the first chunk, and once")
    #expect(refusal(file([ihdr, ihdr, idat, iend])) != nil)
    #expect(refusal(file([ihdr, iend])) == "f is a damaged PNG file: it has no IDAT chunk")
    #expect(refusal(file([ihdr, idat])) == "f is a damaged PNG file: it ends before its IEND chunk")
    #expect(refusal(file([ihdr, idat, ("teXt", []), idat, iend])) != nil)
    #expect(
      refusal(file([ihdr, ("TEXT", []), idat, iend])) == "f is a damaged PNG file: its chunk \"TEXT\" is unknown")
    #expect(refusal(file([ihdr, ("tRNS", [1]), idat, iend])) != nil)
    #expect(refusal(file([ihdr, ("PLTE", [1, 2]), idat, iend])) != nil)
    #expect(refusal(file([("IHDR", header(color: 3)), idat, iend])) == "f is a damaged PNG file: it has no palette")
    #expect(
      refusal(file([("IHDR", header(color: 3)), ("PLTE", [1, 2, 3]), ("IDAT", Deflate.zlib([0, 1])), iend]))
        == "f: a pixel has colour 1 of a palette of 1")
  }

  @Test func aHeaderOfUnknownKindIsRefused() {
    let rest: [(String, [UInt8])] = [("IDAT", Deflate.zlib([0, 1, 2, 3])), ("IEND", [])]
    let headers = [
      header(width: [0, 0, 0, 0]), header(width: [255, 255, 255, 255]), header(depth: 4), header(color: 5),
      header(rest: [1, 0, 0]), header(rest: [0, 1, 0]), header(rest: [0, 0, 2]), header() + [0],
    ]
    for header in headers { #expect(refusal(file([("IHDR", header)] + rest)) != nil, "\(header)") }
    #expect(refusal(Data("GIF89a".utf8)) == "f is no PNG file")
  }

  @Test func aDecompressionBombIsRefused() throws {
    // A megabyte of zeros in a file that announces one pixel, and 2^25 pixels announced by a file of a few bytes.
    let bomb = Deflate.zlib([UInt8](repeating: 0, count: 1 << 20))
    #expect(
      refusal(file([("IHDR", header()), ("IDAT", bomb), ("IEND", [])]))
        == "f: its compressed data are damaged: they hold more than 4 bytes")
    let wide = header(width: [2, 0, 0, 0])
    #expect(
      refusal(file([("IHDR", wide), ("IDAT", Deflate.zlib([0])), ("IEND", [])]))
        == "f: 9 bytes of compressed data cannot hold the 100663297 bytes announced")
    #expect(
      refusal(file([("IHDR", header(width: [2, 0, 0, 1])), ("IEND", [])]))
        == "f: it should have from 1 to 33554432 pixels and announces 33554433x1")
  }

  @Test func anUnknownFilterIsRefused() {
    let data = file([("IHDR", header()), ("IDAT", Deflate.zlib([5, 1, 2, 3])), ("IEND", [])])
    #expect(refusal(data) == "f: a row has the unknown filter 5")
  }
}
