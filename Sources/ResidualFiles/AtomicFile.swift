// AtomicFile.swift: files that are replaced whole or not at all.
//
// Links, locks, permissions and flushing are asked of the system itself. Those calls are marked `unsafe`, since its
// functions take C strings.
//
// Tests       Tests/ResidualFilesTests/AtomicFileTests.swift

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads a regular file in one go.
///
/// - Throws: `InputError` if it does not exist, is no regular file or cannot be read.
package func readFile(_ path: String) throws -> Data {
  var status = stat()
  guard unsafe stat(path, &status) == 0 else { throw InputError("cannot read \(path): \(reason(errno))") }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw InputError("cannot read \(path): it should be a file and is a folder or device")
  }
  do {
    return try Data(contentsOf: URL(fileURLWithPath: path))
  } catch {
    throw InputError("cannot read \(path): \(reason(systemCode(error)))")
  }
}

/// Whether there is a folder with this path, or a link to one.
package func isFolder(_ path: String) -> Bool {
  var status = stat()
  return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// The system's number for one of Foundation's errors.
private func systemCode(_ error: any Error) -> Int32 {
  let error = error as NSError
  return Int32((error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error).code)
}

/// The meaning of an error number, to end a sentence.
func reason(_ code: Int32) -> String {
  switch code {
  case ENOENT: "it does not exist"
  case EACCES, EPERM: "permission is denied"
  case EROFS: "the file system is read-only"
  case ENOSPC, EDQUOT: "the disk is full"
  default: unsafe String(cString: strerror(code))
  }
}

/// Files that are replaced whole or not at all.
public enum AtomicFile {
  private static let suffix = ".partial"

  /// Writes a file so that the path holds the old contents or the new ones, whatever happens in between.
  ///
  /// The bytes go to a sibling file, which is flushed to disk and renamed to the path; then the folder is flushed.
  /// After a failure the sibling is removed and the old file is as it was. Siblings that a killed process left behind
  /// are removed. A link at the path stays: the file it leads to is replaced.
  ///
  /// - Throws: `InputError` if the folder is missing or not writable, the disk is full, or the path is no file.
  public static func write(_ data: Data, to path: String) throws {
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    let folder = target.deletingLastPathComponent().path
    var status = stat()
    let exists = unsafe stat(target.path, &status) == 0
    guard !exists || status.st_mode & S_IFMT == S_IFREG else {
      throw InputError("cannot write \(path): it should be a file and is a folder or device")
    }
    removeStaleSiblings(of: target.lastPathComponent, in: folder)

    let (sibling, descriptor) = try createSibling(of: target.lastPathComponent, in: folder, path: path)
    defer { close(descriptor) }
    do {
      if exists { fchmod(descriptor, status.st_mode & 0o7777) }
      try writeAll(data, to: descriptor, path: path)
      guard flush(descriptor), unsafe rename(sibling, target.path) == 0 else { throw failure(path, errno) }
    } catch {
      unsafe unlink(sibling)
      throw error
    }
    try flushFolder(folder, path: path)
  }

  /// Gives a file a second name beside its first one. A file that had the second name loses it.
  ///
  /// - Throws: `InputError` if the file cannot be read or the new name cannot be written.
  public static func keep(_ path: String, as other: String) throws {
    let sibling = other + suffix
    unsafe unlink(sibling)
    // Not every file system has links. A rename between two names of one file does nothing, so the sibling may be left.
    guard unsafe link(path, sibling) == 0 else { return try write(readFile(path), to: other) }
    defer { unsafe unlink(sibling) }
    guard unsafe rename(sibling, other) == 0 else { throw failure(other, errno) }
  }

  /// Makes a folder, and the folders above it, unless it exists.
  ///
  /// - Throws: `InputError` if there is a file of that name or the folder cannot be made.
  public static func makeFolder(_ path: String) throws {
    var folder = URL(fileURLWithPath: "/")
    for part in URL(fileURLWithPath: path).standardizedFileURL.pathComponents.dropFirst() {
      folder.appendPathComponent(part)
      var status = stat()
      if unsafe stat(folder.path, &status) == 0 {
        guard status.st_mode & S_IFMT == S_IFDIR else {
          throw InputError("cannot make the folder \(path): \(folder.path) is a file")
        }
      } else if unsafe mkdir(folder.path, 0o777) != 0 && errno != EEXIST {
        throw InputError("cannot make the folder \(path): \(reason(errno))")
      }
    }
  }

  /// Writes all bytes to an open file. `path` names it in the error.
  static func writeAll(_ data: Data, to descriptor: Int32, path: String) throws {
    do {
      try FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).write(contentsOf: data)
    } catch {
      throw failure(path, systemCode(error))
    }
  }

  /// Creates a sibling with a name that nobody else uses, and locks it as a sign that its writer lives.
  private static func createSibling(of name: String, in folder: String, path: String) throws -> (String, Int32) {
    while true {
      let sibling = "\(folder)/.\(name).\(String(UInt64.random(in: 0 ... .max), radix: 16))\(suffix)"
      let descriptor = unsafe open(sibling, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor < 0 && errno == EEXIST { continue }
      guard descriptor >= 0 else { throw failure(path, errno) }
      // Another process may take the file for stale between the two calls; then a new one is needed. File systems
      // without locks let both pass.
      var status = stat()
      let isTaken = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
      if !isTaken, unsafe fstat(descriptor, &status) == 0, status.st_nlink > 0 { return (sibling, descriptor) }
      close(descriptor)
    }
  }

  /// Removes siblings that no living process has locked.
  private static func removeStaleSiblings(of name: String, in folder: String) {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for file in files where file.hasPrefix(".\(name).") && file.hasSuffix(suffix) {
      let descriptor = unsafe open("\(folder)/\(file)", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unsafe unlink("\(folder)/\(file)") }
      close(descriptor)
    }
  }

  private static func flushFolder(_ folder: String, path: String) throws {
    let descriptor = unsafe open(folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path, errno) }
    defer { close(descriptor) }
    // Some file systems cannot flush a folder and say EINVAL; there is nothing more to do on them.
    guard flush(descriptor) || errno == EINVAL else { throw failure(path, errno) }
  }

  /// Flushes an open file or folder to the disk; false, with `errno` set, where that fails.
  private static func flush(_ descriptor: Int32) -> Bool {
    #if canImport(Darwin)
      // Here fsync hands the bytes to the drive, which may lose what it has not written when the power fails. Not every
      // file system knows this better way.
      if fcntl(descriptor, F_FULLFSYNC) == 0 { return true }
    #endif
    return fsync(descriptor) == 0
  }

  private static func failure(_ path: String, _ code: Int32) -> InputError {
    InputError("cannot write \(path): \(code == ENOENT ? "its folder does not exist" : reason(code))")
  }
}
