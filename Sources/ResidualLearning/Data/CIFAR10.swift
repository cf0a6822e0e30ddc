// CIFAR-10 in its official binary form: https://www.cs.toronto.edu/~kriz/cifar.html (Krizhevsky, 2009); paper 4.2.
//
// Tests: Tests/ResidualLearningTests/Data/CIFAR10Tests.swift

import Foundation

/// The reader of CIFAR-10: 50,000 training and 10,000 test images of ten classes, `[32, 32, 3]`.
///
/// A batch file is records without a header. A record is a label byte, 0 to 9, and the red, the green and the blue
/// plane, 1,024 bytes each, row by row. A file may hold any number of records, so a part of the data works as well.
public enum CIFAR10 {
  /// The ten classes in the order of the labels.
  public static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  static let folderName = "cifar-10-batches-bin"
  static let trainNames = (1...5).map { "data_batch_\($0).bin" }
  static let testName = "test_batch.bin"

  private static let side = 32
  private static let plane = side * side
  private static let recordSize = 1 + 3 * plane

  /// Reads `data_batch_1.bin` to `data_batch_5.bin`, those that are there, and `test_batch.bin`.
  ///
  /// - Parameter directory: the folder `cifar-10-batches-bin`, or the folder that contains it.
  /// - Throws: `InputError` when the folder, all training files or the test file are missing, when a file cannot be
  ///   read, is empty or is not whole records, and when a label is above 9.
  public static func load(directory: String) throws -> (train: ImageDataset, test: ImageDataset) {
    guard isFolder(directory) else {
      let found = FileManager.default.fileExists(atPath: directory) ? "it is a file" : "there is no such folder"
      throw InputError("the data folder \(directory) must hold the binary version of CIFAR-10, but \(found)")
    }
    let nested = path(directory, folderName)
    let folder = isFolder(nested) ? nested : directory

    let trainFiles = trainNames.map { path(folder, $0) }.filter { FileManager.default.fileExists(atPath: $0) }
    guard !trainFiles.isEmpty else {
      throw InputError(
        "the data folder \(folder) must hold \(trainNames[0]) to \(trainNames[4]) (CIFAR-10, binary version),"
          + " but none of them is there")
    }
    let testFile = path(folder, testName)
    guard FileManager.default.fileExists(atPath: testFile) else {
      throw InputError("the data folder \(folder) must hold \(testName) (CIFAR-10, binary version), but it is missing")
    }
    return (try read(files: trainFiles), try read(files: [testFile]))
  }

  /// All records of `files`, in order.
  private static func read(files: [String]) throws -> ImageDataset {
    try decode(files.map { ($0, try read(file: $0)) })
  }

  /// The records of batch files, each with the name that errors call it by.
  static func decode(_ batches: [(file: String, content: Data)]) throws -> ImageDataset {
    for (file, content) in batches {
      guard !content.isEmpty else {
        throw InputError("\(file) must hold records of \(recordSize) bytes, but it is empty")
      }
      guard content.count.isMultiple(of: recordSize) else {
        throw InputError(
          "\(file) must hold whole records of \(recordSize) bytes, but its \(content.count) bytes"
            + " leave \(content.count % recordSize) over")
      }
    }
    let total = batches.reduce(0) { $0 + $1.content.count / recordSize }
    var labels = [UInt8](repeating: 0, count: total)
    var pixels = [UInt8](repeating: 0, count: total * 3 * plane)
    var first = 0
    for (file, content) in batches {
      let count = content.count / recordSize
      for i in 0..<count {
        let label = content[i * recordSize]
        guard label < classNames.count else {
          throw InputError("record \(i) of \(file) must have a label from 0 to 9, but it has \(label)")
        }
        labels[first + i] = label
      }
      pixels.withUnsafeMutableBytes { target in
        content.withUnsafeBytes { source in
          for i in 0..<count {
            interleave(
              source.baseAddress! + i * recordSize + 1, into: target.baseAddress! + (first + i) * 3 * plane)
          }
        }
      }
      first += count
    }
    return ImageDataset(
      height: side, width: side, channels: 3, pixels: pixels, labels: labels, classNames: classNames)
  }

  /// The bytes of one batch file.
  private static func read(file: String) throws -> Data {
    guard !isFolder(file) else {
      throw InputError("\(file) must be a batch file of CIFAR-10, but it is a folder")
    }
    guard FileManager.default.isReadableFile(atPath: file) else {
      throw InputError("\(file) must be a batch file of CIFAR-10, but permission to read it is missing")
    }
    guard let content = FileManager.default.contents(atPath: file) else {
      throw InputError("\(file) must be a batch file of CIFAR-10, but reading it fails")
    }
    return content
  }

  /// Three planes of 1,024 bytes become 1,024 pixels of 3 bytes. A `while` over raw memory: quick in debug builds too.
  private static func interleave(_ planes: UnsafeRawPointer, into pixels: UnsafeMutableRawPointer) {
    let red = planes.assumingMemoryBound(to: UInt8.self)
    let green = red + plane
    let blue = green + plane
    let target = pixels.assumingMemoryBound(to: UInt8.self)
    let count = plane
    var i = 0
    while i < count {
      target[3 &* i] = red[i]
      target[3 &* i &+ 1] = green[i]
      target[3 &* i &+ 2] = blue[i]
      i &+= 1
    }
  }

  private static func path(_ folder: String, _ name: String) -> String {
    URL(fileURLWithPath: folder).appendingPathComponent(name).path
  }

  private static func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
  }
}
