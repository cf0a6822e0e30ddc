// InputError.swift: a mistake in what a person gave the program.
//
// Tests       Tests/ResidualFilesTests/InputErrorTests.swift

/// A mistake in what a person gave the program: a file, an option, a piece of data.
///
/// The message is one sentence that names the thing, what was expected and what was found. It is printed as it stands,
/// without a stack trace. A mistake in the calling code is a `precondition` instead.
public struct InputError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The sentence.
  public let message: String

  /// An error that says `message`.
  public init(_ message: String) {
    self.message = message
  }

  public var description: String { message }
}
