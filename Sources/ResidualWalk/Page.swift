// Page.swift: a walk as one page that opens from disk.
//
// Tests       Tests/ResidualWalkTests/PageTests.swift; scripts/check-walk.py opens it in a browser

import ResidualFiles
import ResidualKernels
import ResidualLearning

/// A walk as one HTML page, without a network and without a framework.
///
/// All numbers are computed here; the page's script only shows them and finds out which of them a number was made of.
public struct Page: Sendable {
  /// The largest number of numbers that a page holds: ``Walk/count`` of the walk.
  public static let limit = 60_000

  let walk: Walk
  /// The same step of a plain network, with the same weights; nil where the walk is a plain one.
  let plain: Walk?
  /// What the image is, in words.
  let picture: String
  /// Whether the page holds the numbers of tensors. One that a program fills, anew after every change, does not.
  let holdsNumbers: Bool

  /// A page of a walk.
  ///
  /// - Parameters:
  ///   - walk: the walk that the page shows.
  ///   - plain: the walk of the plain network that stands beside it.
  ///   - picture: what the image is: `a drawn picture, class 2`.
  ///   - holdsNumbers: false for a page whose tensors a program fills; ``data`` has null in their places.
  /// - Throws: `InputError` for a walk that is too large for a page.
  public init(_ walk: Walk, plain: Walk?, picture: String, holdsNumbers: Bool = true) throws(InputError) {
    let size = walk.values[0].shape
    guard walk.count <= Self.limit else {
      throw InputError(
        "a page of \(walk.architecture.name) on \(size[1])x\(size[2]) pixels would hold \(walk.count) numbers, and the "
          + "limit is \(Self.limit): take a narrower network (--width) or a smaller image (--size)")
    }
    (self.walk, self.plain, self.picture, self.holdsNumbers) = (walk, plain, picture, holdsNumbers)
  }

  /// The text of the page.
  public var html: String {
    let name = walk.architecture.name
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>One training step of \(name), number by number</title>
      <style>
      \(Self.style)
      </style>
      </head>
      <body>
      \(Self.body)
      <script>
      "use strict";
      const walk = \(data);
      \(Self.script)
      </script>
      </body>
      </html>

      """
  }

  /// The page's program, in the order in which it is read.
  static let script = [scriptNumbers, scriptTerms, scriptGrids, scriptMap, scriptStops, scriptWalk]
    .joined(separator: "\n")
}
