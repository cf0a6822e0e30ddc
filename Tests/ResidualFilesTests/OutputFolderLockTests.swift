import Foundation
import TestSupport
import Testing

@testable import ResidualFiles

@Suite struct OutputFolderLockTests {
  @Test func aSecondRunInTheSameFolderIsRefusedAndToldWhoHoldsIt() throws {
    let folder = try TemporaryFolder()
    let process = ProcessInfo.processInfo.processIdentifier
    let lock = try OutputFolderLock(folder: folder.path)
    #expect(
      throws: InputError(
        "the output folder \(folder.path) is in use by process \(process); choose another folder or stop that run")
    ) { try OutputFolderLock(folder: folder.path) }
    lock.release()
    lock.release()
    let next = try OutputFolderLock(folder: folder.path)
    next.release()
  }

  @Test func aMissingFolderIsNamed() throws {
    let folder = try TemporaryFolder()
    #expect(throws: InputError("cannot use the output folder \(folder.path)/b: it does not exist")) {
      try OutputFolderLock(folder: folder.path + "/b")
    }
  }
}
