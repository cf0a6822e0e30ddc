// Museum.swift: the catalogue of mistakes.
//
// Docs        docs/bug-museum.md: its table is made from this catalogue
// Tests       Tests/ResidualExperimentsTests/Museum/MuseumTests.swift: every mistake is caught, and the right code is not

import ResidualLearning

/// Real mistakes in hand-written backward passes and training loops.
public enum Museum {
  /// A link to an issue or a pull request on GitHub.
  static func issue(_ repository: String, _ number: Int) -> String {
    "[\(repository) #\(number)](https://github.com/\(repository)/issues/\(number))"
  }
}
