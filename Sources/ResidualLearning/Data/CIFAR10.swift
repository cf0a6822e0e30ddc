// CIFAR10.swift: CIFAR-10 in its official binary form, https://www.cs.toronto.edu/~kriz/cifar.html (Krizhevsky, 2009).
//
// Paper       He et al. 2015 §4.2
// Tests       Tests/ResidualLearningTests/Data/CIFAR10Tests.swift

import Foundation
import ResidualFiles
import ResidualKernels

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

  /// Reads training and test images, and throws, as ``training(directory:)`` and ``test(directory:)`` do.
  public static func load(directory: String) throws -> (train: ImageDataset, test: ImageDataset) {
    (try training(directory: directory), try test(directory: directory))
  }

  /// Reads `data_batch_1.bin` to `data_batch_5.bin`, those that are there, and no other file.
  ///
  /// - Parameter directory: the folder `cifar-10-batches-bin`, or the folder that contains it.
  /// - Throws: `InputError` when the folder or all of the files are missing, when a file cannot be read, is empty or is
  ///   not whole records, and when a label is above 9.
  public static func training(directory: String) throws -> ImageDataset {
    let folder = try folder(in: directory)
    let files = trainNames.map { path(folder, $0) }.filter { FileManager.default.fileExists(atPath: $0) }
    guard !files.isEmpty else {
      throw InputError(
        "the data folder \(folder) must hold \(trainNames[0]) to \(trainNames[4]) (CIFAR-10, binary version),"
          + " but none of them is there")
    }
    return try decode(files.map { ($0, try read(file: $0)) })
  }

  /// Reads `test_batch.bin`, and no other file.
  ///
  /// - Parameter directory: the folder `cifar-10-batches-bin`, or the folder that contains it.
  /// - Throws: `InputError` as for the training images.
  public static func test(directory: String) throws -> ImageDataset {
    let folder = try folder(in: directory)
    let file = path(folder, testName)
    guard FileManager.default.fileExists(atPath: file) else {
      throw InputError("the data folder \(folder) must hold \(testName) (CIFAR-10, binary version), but it is missing")
    }
    return try decode([(file, try read(file: file))])
  }

  /// The folder that holds the batch files.
  private static func folder(in directory: String) throws -> String {
    guard isFolder(directory) else {
      let found = FileManager.default.fileExists(atPath: directory) ? "it is a file" : "there is no such folder"
      throw InputError("the data folder \(directory) must hold the binary version of CIFAR-10, but \(found)")
    }
    let nested = path(directory, folderName)
    return isFolder(nested) ? nested : directory
  }

  /// The images of batch files. Error messages call a file by the name given here.
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
    var labels: [UInt8] = []
    var pixels = [UInt8](repeating: 0, count: total * 3 * plane)
    for (file, content) in batches {
      Kernels.interleave(content, header: 1, size: plane, into: &pixels, first: labels.count)
      for i in 0..<content.count / recordSize {
        let label = content[content.startIndex + i * recordSize]
        guard label < classNames.count else {
          throw InputError("record \(i) of \(file) must have a label from 0 to 9, but it has \(label)")
        }
        labels.append(label)
      }
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

  private static func path(_ folder: String, _ name: String) -> String {
    URL(fileURLWithPath: folder).appendingPathComponent(name).path
  }
}
