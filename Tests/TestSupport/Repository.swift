import Foundation

/// The repository that the tests are in.
package let repository = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
