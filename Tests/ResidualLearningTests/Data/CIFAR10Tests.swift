import Foundation
import Testing

@testable import ResidualLearning

@Suite final class CIFAR10Tests {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("CIFAR10Tests-\(UUID().uuidString)", isDirectory: true)
  var batches: URL { folder.appendingPathComponent("cifar-10-batches-bin", isDirectory: true) }

  init() throws {
    try FileManager.default.createDirectory(at: batches, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  /// A record whose byte at (row, column) of plane c is row + 3 column + 50 c + label, modulo 256.
  func record(label: UInt8) -> [UInt8] {
    var bytes = [label]
    for c in 0..<3 {
      for row in 0..<32 {
        for column in 0..<32 {
          bytes.append(UInt8(truncatingIfNeeded: row + 3 * column + 50 * c + Int(label)))
        }
      }
    }
    return bytes
  }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: batches.appendingPathComponent(name))
  }

  func writeBatches() throws {
    try write("data_batch_1.bin", record(label: 3) + record(label: 9))
    try write("data_batch_4.bin", record(label: 0))
    try write("test_batch.bin", record(label: 5))
  }

  /// The sentence with which loading fails.
  func failure(_ directory: String? = nil) -> String? {
    let error = #expect(throws: InputError.self) { try CIFAR10.load(directory: directory ?? self.folder.path) }
    return error?.message
  }

  @Test func `The batches that are there are read in order`() throws {
    try writeBatches()
    let (train, test) = try CIFAR10.load(directory: folder.path)
    #expect(train.labels == [3, 9, 0])
    #expect(test.labels == [5])
    #expect(train.height == 32 && train.width == 32 && train.channels == 3)
    #expect(train.pixels.count == 3 * 3072)
    #expect(train.classNames[3] == "cat" && train.classNames[9] == "truck" && test.classNames.count == 10)
  }

  @Test func `Planes become pixels`() throws {
    try writeBatches()
    let (train, test) = try CIFAR10.load(directory: folder.path)
    for (dataset, i) in [(train, 0), (train, 1), (train, 2), (test, 0)] {
      let label = Int(dataset.labels[i])
      let image = Array(dataset.image(i))
      for (row, column) in [(0, 0), (0, 1), (1, 0), (17, 30), (31, 31)] {
        for c in 0..<3 {
          let expected = UInt8(truncatingIfNeeded: row + 3 * column + 50 * c + label)
          #expect(image[(row * 32 + column) * 3 + c] == expected)
        }
      }
    }
  }

  @Test func `The folder of the batches may be named itself`() throws {
    try writeBatches()
    let outer = try CIFAR10.load(directory: folder.path)
    let inner = try CIFAR10.load(directory: batches.path)
    #expect(outer.train == inner.train && outer.test == inner.test)
  }

  @Test func `Training and test images need no file of the other`() throws {
    try write("test_batch.bin", record(label: 5))
    #expect(try CIFAR10.test(directory: folder.path).labels == [5])
    try FileManager.default.removeItem(at: batches.appendingPathComponent("test_batch.bin"))
    try write("data_batch_2.bin", record(label: 7))
    #expect(try CIFAR10.training(directory: folder.path).labels == [7])
  }

  @Test func `A missing folder and a file in its place are refused`() throws {
    let missing = folder.appendingPathComponent("nowhere").path
    #expect(
      failure(missing)
        == "the data folder \(missing) must hold the binary version of CIFAR-10, but there is no such folder")
    try writeBatches()
    let file = batches.appendingPathComponent("test_batch.bin").path
    #expect(failure(file) == "the data folder \(file) must hold the binary version of CIFAR-10, but it is a file")
  }

  @Test func `A folder without training batches is refused`() throws {
    try write("test_batch.bin", record(label: 5))
    #expect(
      failure()
        == "the data folder \(batches.path) must hold data_batch_1.bin to data_batch_5.bin"
        + " (CIFAR-10, binary version), but none of them is there")
  }

  @Test func `A folder without the test batch is refused`() throws {
    try write("data_batch_2.bin", record(label: 5))
    #expect(
      failure()
        == "the data folder \(batches.path) must hold test_batch.bin (CIFAR-10, binary version), but it is missing")
  }

  @Test func `A batch cut short is refused`() throws {
    try writeBatches()
    try write("data_batch_4.bin", record(label: 1) + record(label: 2).dropLast(73))
    #expect(
      failure()
        == "\(batches.path)/data_batch_4.bin must hold whole records of 3073 bytes,"
        + " but its 6073 bytes leave 3000 over")
  }

  @Test func `An empty batch is refused`() throws {
    try writeBatches()
    try write("test_batch.bin", [])
    #expect(failure() == "\(batches.path)/test_batch.bin must hold records of 3073 bytes, but it is empty")
  }

  @Test func `A label above 9 is refused with file and record`() throws {
    try writeBatches()
    try write("data_batch_4.bin", record(label: 9) + record(label: 10))
    #expect(
      failure() == "record 1 of \(batches.path)/data_batch_4.bin must have a label from 0 to 9, but it has 10")
  }

  @Test func `A folder in the place of a batch is refused`() throws {
    try writeBatches()
    try FileManager.default.createDirectory(
      at: batches.appendingPathComponent("data_batch_5.bin"), withIntermediateDirectories: false)
    #expect(failure() == "\(batches.path)/data_batch_5.bin must be a batch file of CIFAR-10, but it is a folder")
  }
}
