// COCOAnnotations.swift: boxes in the format of MS COCO.
//
// Paper       Lin et al. 2014 (MS COCO); the format: https://cocodataset.org/#format-data, "object detection"
// Tests       Tests/ResidualDetectionTests/Data/COCOAnnotationsTests.swift

import Foundation
import ResidualFiles
import ResidualLearning

/// Pictures by name, with the boxes and classes of the objects in them, as a JSON file lists them:
///
/// ```json
/// {"images": [{"id": 7, "file_name": "a.png", "width": 96, "height": 96}],
///  "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [10, 20, 30, 15], "iscrowd": 0}],
///  "categories": [{"id": 3, "name": "disc"}]}
/// ```
///
/// A `bbox` is left, top, width and height. Other keys are ignored. A box that marks a crowd is left out, since it is
/// not around an object. Classes are numbered in the order of their ids.
///
/// Refused, with a sentence that names the entry: what is no JSON (so NaN too, which JSON does not have), a missing key
/// or one of another type, an id given twice, a picture or a class that is not listed, a width or height that is not
/// positive, and a box that reaches beyond its picture by more than half a pixel. Less than that is rounding, and is
/// cut off.
public struct COCOAnnotations: Equatable, Sendable {
  /// A picture of the list.
  public struct Image: Equatable, Sendable {
    /// The file, relative to the folder with the pictures.
    public let file: String
    /// The size in pixels that the list says it has.
    public let width, height: Int
    /// The objects in it.
    public fileprivate(set) var objects: [LabelledBox]
  }

  /// The pictures in the order of the file.
  public let images: [Image]
  /// The classes in the order of their ids.
  public let classNames: [String]

  /// Reads a JSON file.
  ///
  /// - Throws: `InputError` when it cannot be read or is not as it should be.
  public init(contentsOf path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw InputError("\(path) must be a JSON file of annotations, but it cannot be read")
    }
    try self.init(decoding: data, source: path)
  }

  /// Reads the bytes of a file. `source` names it in error messages.
  ///
  /// - Throws: `InputError` when they are not as they should be.
  public init(decoding data: Data, source: String = "annotations") throws {
    let content: Content
    do {
      content = try JSONDecoder().decode(Content.self, from: data)
    } catch let error as DecodingError {
      throw InputError("\(source) \(error.sentence)")
    }
    var labels: [Int: Int] = [:]
    let categories = content.categories.sorted { $0.id < $1.id }
    for (label, category) in categories.enumerated() {
      guard labels.updateValue(label, forKey: category.id) == nil else {
        throw InputError("\(source): the category \(category.id) is listed twice")
      }
    }
    var numbers: [Int: Int] = [:]
    var images: [Image] = []
    for (i, image) in content.images.enumerated() {
      guard (1...1 << 16).contains(image.width) && (1...1 << 16).contains(image.height) else {
        throw InputError(
          "\(source): images[\(i)] (id \(image.id)) must have from 1 to 65536 pixels a side, but it is "
            + "\(image.width)x\(image.height)")
      }
      guard numbers.updateValue(i, forKey: image.id) == nil else {
        throw InputError("\(source): the image \(image.id) is listed twice")
      }
      images.append(Image(file: image.fileName, width: image.width, height: image.height, objects: []))
    }
    for (i, annotation) in content.annotations.enumerated() where annotation.isCrowd != 1 {
      let entry = "\(source): annotations[\(i)]" + (annotation.id.map { " (id \($0))" } ?? "")
      guard let number = numbers[annotation.image] else {
        throw InputError("\(entry) is of the image \(annotation.image), which is not listed")
      }
      guard let label = labels[annotation.category] else {
        throw InputError("\(entry) is of the category \(annotation.category), which is not listed")
      }
      let box = try Self.box(annotation.bbox, on: images[number], entry)
      images[number].objects.append(LabelledBox(box: box, label: label))
    }
    self.images = images
    classNames = categories.map(\.name)
  }

  private static func box(_ numbers: [Double], on image: Image, _ entry: String) throws -> Box {
    guard numbers.count == 4 else {
      throw InputError("\(entry) must have a bbox of 4 numbers, but it has \(numbers.count)")
    }
    guard numbers.allSatisfy(\.isFinite) else {
      throw InputError("\(entry) must have a bbox of finite numbers, but it is \(numbers)")
    }
    guard numbers[2] > 0 && numbers[3] > 0 else {
      throw InputError(
        "\(entry) must have a bbox of positive width and height, but they are \(numbers[2]) and \(numbers[3])")
    }
    let box = Box(
      left: numbers[0], top: numbers[1], right: numbers[0] + numbers[2], bottom: numbers[1] + numbers[3])
    guard
      box.left >= -0.5 && box.top >= -0.5 && box.right <= Double(image.width) + 0.5
        && box.bottom <= Double(image.height) + 0.5
    else {
      throw InputError(
        "\(entry) must have a bbox inside its picture of \(image.width)x\(image.height), but it is \(numbers)")
    }
    let clipped = box.clipped(width: image.width, height: image.height)
    guard clipped.width > 0 && clipped.height > 0 else {
      throw InputError("\(entry) must have a bbox inside its picture, but nothing of \(numbers) is")
    }
    return clipped
  }

  /// The pictures themselves, read from PNG files.
  ///
  /// - Parameters:
  ///   - folder: where they are.
  ///   - limit: the most pictures that are read, from the first on.
  /// - Throws: `InputError` when a file cannot be read or has another size than the list says.
  public func scenes(folder: String, limit: Int = .max) throws -> SceneDataset {
    let scenes = try images.prefix(limit).map { image in
      let path = URL(fileURLWithPath: folder).appendingPathComponent(image.file).path
      let picture = try Picture(contentsOf: path)
      guard (picture.width, picture.height) == (image.width, image.height) else {
        throw InputError(
          "\(path) is listed as \(image.width)x\(image.height), but it is \(picture.width)x\(picture.height)")
      }
      return Scene(picture: picture, objects: image.objects)
    }
    return SceneDataset(scenes: scenes, classNames: classNames)
  }

  /// What the file says.
  private struct Content: Decodable {
    struct Image: Decodable {
      let id: Int
      let fileName: String
      let width, height: Int

      enum CodingKeys: String, CodingKey {
        case id, width, height
        case fileName = "file_name"
      }
    }

    struct Annotation: Decodable {
      let id: Int?
      let image, category: Int
      let bbox: [Double]
      let isCrowd: Int?

      enum CodingKeys: String, CodingKey {
        case id, bbox
        case image = "image_id"
        case category = "category_id"
        case isCrowd = "iscrowd"
      }
    }

    struct Category: Decodable {
      let id: Int
      let name: String
    }

    let images: [Image]
    let annotations: [Annotation]
    let categories: [Category]
  }
}

extension DecodingError {
  /// What is wrong with a JSON file, in words that follow the file's name.
  fileprivate var sentence: String {
    func place(_ path: [any CodingKey]) -> String {
      path.reduce("") { text, key in
        text + (key.intValue.map { "[\($0)]" } ?? (text.isEmpty ? "" : ".") + key.stringValue)
      }
    }
    func entry(_ path: [any CodingKey]) -> String { path.isEmpty ? "its outermost value" : place(path) }
    switch self {
    case .keyNotFound(let key, let context):
      return "must have '\(key.stringValue)' in \(entry(context.codingPath)), but it has not"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return "must have \(Self.name(of: type)) as \(entry(context.codingPath)), but it has another value there"
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      return "has a number out of range as \(place(context.codingPath))"
    case .dataCorrupted:
      return "must be a JSON file of annotations, but it is no JSON"
    @unknown default:
      return "must be a JSON file of annotations, but it cannot be read"
    }
  }

  private static func name(of type: any Any.Type) -> String {
    switch type {
    case is Int.Type: "a whole number"
    case is Double.Type: "a number"
    case is String.Type: "a text"
    default: "\(type)".hasPrefix("Array") ? "a list" : "an object"
    }
  }
}
