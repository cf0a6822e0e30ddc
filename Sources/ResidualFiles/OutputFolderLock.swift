// OutputFolderLock.swift: one run in an output folder at a time.
//
// Tests       Tests/ResidualFilesTests/OutputFolderLockTests.swift

import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Keeps other processes, and other runs in this one, out of an output folder.
///
/// The lock is held from `init` until `release`, or until the process ends, however it ends.
public final class OutputFolderLock: Sendable {
  static let fileName = ".lock"

  private let descriptor: Mutex<Int32?>

  /// Locks an existing folder.
  ///
  /// - Throws: `InputError` if another run holds the lock, naming its process, or if the folder is not writable.
  public init(folder: String) throws {
    let path = URL(fileURLWithPath: folder).appendingPathComponent(Self.fileName).path
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw InputError("cannot use the output folder \(folder): \(reason(errno))") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      guard code == EWOULDBLOCK else {
        throw InputError("cannot lock the output folder \(folder): \(reason(code))")
      }
      let holder = (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { Int32($0) }
      throw InputError(
        "the output folder \(folder) is in use by \(holder.map { "process \($0)" } ?? "another process"); "
          + "choose another folder or stop that run")
    }
    self.descriptor = Mutex(descriptor)
    // Who holds the lock, for the other's message only.
    ftruncate(descriptor, 0)
    try AtomicFile.writeAll(Data(String(getpid()).utf8), to: descriptor, path: path)
  }

  /// Releases the folder. Further calls do nothing.
  public func release() {
    descriptor.withLock {
      if let open = $0 { close(open) }
      $0 = nil
    }
  }

  deinit { release() }
}
