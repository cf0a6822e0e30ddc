import Foundation
import ResidualFiles
import ResidualLearning
import TestSupport
import Testing

@testable import ResidualDetection

@Suite struct COCOAnnotationsTests {
  /// A list of two pictures and three boxes; `box` and the rest take a part's place.
  static func text(
    box: String = "[10, 20, 30.5, 15]", category: String = "3", image: String = "7", images: String? = nil
  ) -> String {
    """
    {"info": {"year": 2026},
     "images": [\(images ?? #"{"id": 7, "file_name": "a.png", "width": 96, "height": 64}"#),
                {"id": 2, "file_name": "b/c.png", "width": 40, "height": 50, "license": 1}],
     "annotations": [{"id": 1, "image_id": \(image), "category_id": \(category), "bbox": \(box), "iscrowd": 0},
                     {"id": 2, "image_id": 2, "category_id": 1, "bbox": [0, 0, 40.25, 50], "area": 2000},
                     {"id": 3, "image_id": 2, "category_id": 1, "bbox": [0, 0, 5, 5], "iscrowd": 1}],
     "categories": [{"id": 3, "name": "ring"}, {"id": 1, "name": "disc"}]}
    """
  }

  func read(_ text: String) throws -> COCOAnnotations {
    try COCOAnnotations(decoding: Data(text.utf8), source: "a.json")
  }

  func message(_ text: String) -> String {
    do {
      _ = try read(text)
      return "no error"
    } catch {
      return (error as? InputError)?.message ?? "another error: \(error)"
    }
  }

  @Test func `A list by hand`() throws {
    let annotations = try read(Self.text())
    // Classes are numbered by their ids: disc 1, ring 3.
    #expect(annotations.classNames == ["disc", "ring"])
    #expect(annotations.images.map(\.file) == ["a.png", "b/c.png"])
    #expect(
      annotations.images[0].objects
        == [LabelledBox(box: Box(left: 10, top: 20, right: 40.5, bottom: 35), label: 1)])
    // A quarter of a pixel too wide is rounding, and cut off; the crowd is left out.
    #expect(
      annotations.images[1].objects == [LabelledBox(box: Box(left: 0, top: 0, right: 40, bottom: 50), label: 0)])
  }

  @Test(arguments: [
    ("[10, 20, 0, 15]", "positive width and height, but they are 0.0 and 15.0"),
    ("[10, 20, 5, -1]", "positive width and height, but they are 5.0 and -1.0"),
    ("[90, 20, 7, 15]", "inside its picture of 96x64"), ("[-1, 20, 7, 15]", "inside its picture of 96x64"),
    ("[96.2, 20, 0.2, 15]", "nothing of [96.2, 20.0, 0.2, 15.0] is"),
    ("[10, 20, 7]", "a bbox of 4 numbers, but it has 3"), ("[10, 20, 7, 8, 9]", "a bbox of 4 numbers, but it has 5"),
  ])
  func `A bad box is refused with a sentence that names the entry`(box: String, expected: String) {
    let message = message(Self.text(box: box))
    #expect(message.hasPrefix("a.json: annotations[0] (id 1) ") && message.contains(expected), "\(message)")
  }

  @Test func `What else is refused`() {
    #expect(
      message(Self.text(category: "9")) == "a.json: annotations[0] (id 1) is of the category 9, which is not listed")
    #expect(message(Self.text(image: "8")) == "a.json: annotations[0] (id 1) is of the image 8, which is not listed")
    #expect(
      message(Self.text(box: "[NaN, 20, 7, 15]")) == "a.json must be a JSON file of annotations, but it is no JSON")
    #expect(message("") == "a.json must be a JSON file of annotations, but it is no JSON")
    #expect(
      message(Self.text(box: "[\"x\", 20, 7, 15]"))
        == "a.json must have a number as annotations[0].bbox[0], but it has another value there")
    #expect(
      message(Self.text(images: #"{"id": 7, "file_name": "a.png", "width": 96}"#))
        == "a.json must have 'height' in images[0], but it has not")
    #expect(
      message(Self.text(images: #"{"id": 2, "file_name": "a.png", "width": 96, "height": 64}"#, ))
        == "a.json: the image 2 is listed twice")
    #expect(
      message(Self.text(images: #"{"id": 7, "file_name": "a.png", "width": 0, "height": 64}"#))
        == "a.json: images[0] (id 7) must have from 1 to 65536 pixels a side, but it is 0x64")
    #expect(message("[]") == "a.json must have an object as its outermost value, but it has another value there")
    #expect(message("{}").hasPrefix("a.json must have '"))
  }

  @Test func `A file that is not there`() {
    #expect(throws: InputError("/no/such.json must be a JSON file of annotations, but it cannot be read")) {
      try COCOAnnotations(contentsOf: "/no/such.json")
    }
  }

  @Test func `Pictures are read, and their sizes compared`() throws {
    let temporary = try TemporaryFolder()
    let folder = temporary.path
    try AtomicFile.makeFolder(folder + "/b")
    try Picture(height: 64, width: 96, pixels: [UInt8](repeating: 9, count: 96 * 64 * 3)).write(to: folder + "/a.png")
    try Picture(height: 51, width: 40, pixels: [UInt8](repeating: 9, count: 40 * 51 * 3)).write(to: folder + "/b/c.png")
    let annotations = try read(Self.text())
    let scenes = try annotations.scenes(folder: folder, limit: 1)
    #expect(scenes.count == 1 && scenes.objectCount == 1 && scenes.scenes[0].picture.width == 96)
    #expect(throws: InputError("\(folder)/b/c.png is listed as 40x50, but it is 40x51")) {
      try annotations.scenes(folder: folder)
    }
  }

  /// Mutants of a valid file: flipped bits, cut and repeated parts, other digits, other numbers.
  @Test func `Twenty thousand mutants are read or refused, and none stops the program`() throws {
    var generator = RandomGenerator(seed: 14)
    let original = Array(Self.text().utf8)
    let pieces = [
      "NaN", "-1", "1e999", "1e-999", "-0", "null", "[", "]", "{", "}", "\"", "\\u", "\\ud800", ",", ":",
      "9223372036854775807",
      "9223372036854775808", "0.5", "true", "\"id\"", "[[[[[[[[", "\u{0}", "é",
    ].map { Array($0.utf8) }
    var (accepted, refused) = (0, 0)
    for _ in 0..<20_000 {
      var bytes = original
      for _ in 0...generator.below(3) {
        let start = generator.below(bytes.count)
        let end = min(bytes.count, start + 1 + generator.below(12))
        switch generator.below(5) {
        case 0: bytes[start] ^= 1 << UInt8(generator.below(8))
        case 1: bytes.removeSubrange(start..<(generator.below(8) == 0 ? bytes.count : end))
        case 2: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 3: bytes.replaceSubrange(start..<end, with: pieces[generator.below(pieces.count)])
        default:
          let digits = bytes.indices.filter { (48...57).contains(bytes[$0]) }
          if !digits.isEmpty { bytes[digits[generator.below(digits.count)]] = UInt8(48 + generator.below(10)) }
        }
        if bytes.isEmpty { break }
      }
      do {
        let annotations = try COCOAnnotations(decoding: Data(bytes))
        accepted += 1
        for image in annotations.images {
          for object in image.objects {
            let box = object.box
            let isRight =
              box.width > 0 && box.height > 0 && box.isInside(width: image.width, height: image.height)
              && annotations.classNames.indices.contains(object.label)
            if !isRight { Issue.record("\(String(decoding: bytes, as: UTF8.self)) gives \(object)") }
          }
        }
      } catch let error as InputError {
        refused += 1
        if error.message.isEmpty || error.message.contains("\n") || error.message.utf8.count > 2000 {
          Issue.record("\(error.message)")
        }
      }
    }
    #expect(accepted > 1000 && refused > 5000 && accepted + refused == 20_000, "\(accepted) read, \(refused) refused")
  }
}
