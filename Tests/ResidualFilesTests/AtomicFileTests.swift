import Foundation
import TestSupport
import Testing

@testable import ResidualFiles

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct AtomicFileTests {
  @Test func aFileIsReplacedWhole() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a file"
    try AtomicFile.write(Data("old".utf8), to: path)
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    try AtomicFile.write(Data("newer".utf8), to: path)
    #expect(try readFile(path) == Data("newer".utf8))
    #expect(folder.files == ["a file"])
    let permissions = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(permissions == 0o640)
  }

  @Test func aLinkStaysAndItsFileIsReplaced() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write(Data("old".utf8), to: folder.path + "/file")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "file")
    try AtomicFile.write(Data("new".utf8), to: folder.path + "/link")
    #expect(try readFile(folder.path + "/file") == Data("new".utf8))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/link") == "file")
  }

  @Test func staleSiblingsAreRemovedAndThoseOfALivingWriterStay() throws {
    let folder = try TemporaryFolder()
    for name in [".a.1f.partial", ".a.2f.partial", ".b.1f.partial", ".a.txt"] {
      try Data().write(to: URL(fileURLWithPath: folder.path + "/" + name))
    }
    let writer = unsafe open(folder.path + "/.a.2f.partial", O_WRONLY)
    defer { close(writer) }
    #expect(flock(writer, LOCK_EX) == 0)
    try AtomicFile.write(Data("x".utf8), to: folder.path + "/a")
    #expect(folder.files == [".a.2f.partial", ".a.txt", ".b.1f.partial", "a"])
  }

  @Test func manyWritersOfOneFileLeaveOneOfTheirContents() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a"
    DispatchQueue.concurrentPerform(iterations: 40) { index in
      #expect(throws: Never.self) { try AtomicFile.write(Data(repeating: UInt8(index), count: 5000), to: path) }
    }
    let data = try readFile(path)
    #expect(data.count == 5000 && Set(data).count == 1)
    #expect(folder.files == ["a"])
  }

  @Test func aMissingFolderAFolderAndADeviceAreRefused() throws {
    let folder = try TemporaryFolder()
    let missing = folder.path + "/b/a"
    #expect(throws: InputError("cannot write \(missing): its folder does not exist")) {
      try AtomicFile.write(Data(), to: missing)
    }
    for path in [folder.path, "/dev/null"] {
      #expect(throws: InputError("cannot write \(path): it should be a file and is a folder or device")) {
        try AtomicFile.write(Data(), to: path)
      }
    }
    #expect(folder.files == [])
  }

  @Test func aFolderWithoutPermissionIsRefusedAndTheOldFileStays() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a"
    try AtomicFile.write(Data("old".utf8), to: path)
    unsafe chmod(folder.path, 0o555)
    defer { unsafe chmod(folder.path, 0o755) }
    // The superuser may write to any folder, but not add files to that of the kernel.
    let target = geteuid() == 0 ? "/proc/a" : path
    let error = #expect(throws: InputError.self) { try AtomicFile.write(Data("new".utf8), to: target) }
    #expect(error?.message.hasPrefix("cannot write \(target): ") == true)
    #expect(try readFile(path) == Data("old".utf8))
    #expect(reason(EACCES) == "permission is denied")
    #expect(reason(EROFS) == "the file system is read-only")
  }

  #if os(Linux)
    @Test func aFullDiskIsReported() {
      // /dev/full answers every write as a full disk does.
      let descriptor = unsafe open("/dev/full", O_WRONLY)
      defer { close(descriptor) }
      #expect(throws: InputError("cannot write a: the disk is full")) {
        try AtomicFile.writeAll(Data(count: 10), to: descriptor, path: "a")
      }
    }
  #endif

  /// In a process of its own, which may write files of at most 100 bytes.
  @Test func aFailureInTheMiddleLeavesTheOldFileAndNothingElse() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let path = folder.path + "/a"
      try AtomicFile.write(Data("old".utf8), to: path)
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 100, rlim_max: 100)
      #if os(Linux)
        let isLimited = unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0
      #else
        let isLimited = unsafe setrlimit(RLIMIT_FSIZE, &limit) == 0
      #endif
      #expect(isLimited)
      #expect(throws: InputError.self) { try AtomicFile.write(Data(count: 1000), to: path) }
      #expect(folder.files == ["a"])
      #expect(try readFile(path) == Data("old".utf8))
    }
  }

  @Test func aFileIsKeptUnderASecondNameWhileTheFirstIsReplaced() throws {
    let folder = try TemporaryFolder()
    let (path, other) = (folder.path + "/a", folder.path + "/b")
    try AtomicFile.write(Data("old".utf8), to: path)
    try AtomicFile.write(Data("older".utf8), to: other)
    try AtomicFile.keep(path, as: other)
    try AtomicFile.keep(path, as: other)
    #expect(try readFile(path) == Data("old".utf8))
    try AtomicFile.write(Data("new".utf8), to: path)
    #expect(try readFile(path) == Data("new".utf8))
    #expect(try readFile(other) == Data("old".utf8))
    #expect(folder.files == ["a", "b"])
    #expect(throws: InputError("cannot read \(folder.path)/c: it does not exist")) {
      try AtomicFile.keep(folder.path + "/c", as: other)
    }
  }

  @Test func aFolderIsMadeWithThoseAboveIt() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.makeFolder(folder.path + "/a/b")
    try AtomicFile.makeFolder(folder.path + "/a/b")
    try AtomicFile.write(Data(), to: folder.path + "/a/b/c")
    let file = folder.path + "/a/b/c"
    for path in [file, file + "/d"] {
      #expect(throws: InputError("cannot make the folder \(path): \(file) is a file")) {
        try AtomicFile.makeFolder(path)
      }
    }
  }

  @Test func aFileThatCannotBeReadIsNamed() throws {
    let folder = try TemporaryFolder()
    #expect(throws: InputError("cannot read \(folder.path)/a: it does not exist")) {
      try readFile(folder.path + "/a")
    }
    for path in [folder.path, "/dev/zero"] {
      #expect(throws: InputError("cannot read \(path): it should be a file and is a folder or device")) {
        try readFile(path)
      }
    }
  }

  @Test func formatsAreWrittenToFilesAndReadFromThem() throws {
    let folder = try TemporaryFolder()
    var file = SafeTensorsFile()
    file.append("a", shape: [1], [Float(1)])
    try file.write(to: folder.path + "/a.safetensors")
    #expect(try SafeTensorsFile(contentsOf: folder.path + "/a.safetensors").entries == file.entries)
    let array = NPYArray(shape: [1], .float32([1]))
    try array.write(to: folder.path + "/a.npy")
    #expect(try NPYArray(contentsOf: folder.path + "/a.npy") == array)
    let image = Picture(height: 1, width: 1, pixels: [1, 2, 3])
    try image.write(to: folder.path + "/a.png")
    #expect(try Picture(contentsOf: folder.path + "/a.png") == image)
  }
}
