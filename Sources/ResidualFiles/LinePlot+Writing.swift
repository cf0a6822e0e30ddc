// LinePlot+Writing.swift: curves as a file.
//
// Tests       Tests/ResidualFilesTests/LinePlotTests.swift

import Foundation

extension LinePlot {
  /// Writes the picture. What was at `path` stays until the new file is complete on disk.
  ///
  /// - Throws: `InputError` when it cannot be written.
  public func write(to path: String) throws { try AtomicFile.write(Data(svg.utf8), to: path) }
}
