import Foundation
import Synchronization

/// A run that SIGINT or SIGTERM stopped, after it has saved what it had: exit status 130 or 143.
struct Stopped: Error {
  let signal: Int32
}

/// Ctrl-C and SIGTERM as a flag that a long run polls between steps, so that it can save first. A second signal ends
/// the process at once.
enum Signals {
  private static let first = Atomic<Int32>(0)
  private static let installed = Atomic<Bool>(false)

  /// The first signal since `install()`.
  static var received: Int32? {
    let signal = first.load(ordering: .relaxed)
    return signal == 0 ? nil : signal
  }

  /// Catches SIGINT and SIGTERM from here on. Without it they end the process as usual.
  static func install() {
    // The handler may only do what is safe at any moment: one atomic, initialised here before it can run, and _exit.
    first.store(0, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
      _ = signal(number) { number in
        if Signals.first.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
      }
    }
    installed.store(true, ordering: .relaxed)
  }

  /// Whether a signal would be caught.
  static var isInstalled: Bool { installed.load(ordering: .relaxed) }

  /// Gives both signals their usual effect again, and forgets the one that came.
  static func uninstall() {
    installed.store(false, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] { _ = signal(number, SIG_DFL) }
    first.store(0, ordering: .relaxed)
  }

  /// Throws `Stopped` when a signal has come.
  static func check() throws {
    if let received { throw Stopped(signal: received) }
  }

  /// Makes writing to a pipe without a reader end the process without a message, even if the caller ignores SIGPIPE.
  static func endQuietlyOnClosedPipe() {
    _ = signal(SIGPIPE, SIG_DFL)
  }
}
