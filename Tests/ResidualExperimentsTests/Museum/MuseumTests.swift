import Foundation
import ResidualExperiments
import TestSupport
import Testing

@testable import ResidualLearning

@Suite struct MuseumTests {
  @Test func `There are at least forty mistakes, each under a name of its own`() {
    let names = Museum.exhibits.map(\.label.name)
    #expect(names.count >= 40 && Set(names).count == names.count, "\(names.count) mistakes")
  }

  @Test(arguments: Museum.exhibits)
  func `Every check passes the right code, and at least one catches the wrong code`(exhibit: Exhibit) {
    for (check, passes) in exhibit.verdicts(isWrong: false) where check != .plainSum {
      #expect(passes, "\(exhibit.label.name): \(check) fails for the right code")
    }
    #expect(
      exhibit.verdicts(isWrong: true).contains { $0.check != .plainSum && !$0.passes }, "\(exhibit.label.name) survives"
    )
  }

  /// `WRITE_DOCS=1 swift test --filter MuseumTests` writes the table anew.
  @Test func `The page's table is made from the catalogue`() throws {
    let file = repository.appending(path: "docs/bug-museum.md")
    var page = try String(contentsOf: file, encoding: .utf8)
    let (begin, end) = ("<!-- begin table -->\n", "<!-- end table -->\n")
    let start = try #require(page.range(of: begin)).upperBound
    let stop = try #require(page.range(of: end)).lowerBound
    if ProcessInfo.processInfo.environment["WRITE_DOCS"] != nil {
      page.replaceSubrange(start..<stop, with: Museum.table)
      try Data(page.utf8).write(to: file)
    } else {
      #expect(page[start..<stop] == Museum.table, "out of date: WRITE_DOCS=1 swift test --filter MuseumTests")
    }
    #expect(page.contains("\(Museum.exhibits.count) mistakes"))
  }

  @Test func `A check with a plain sum lets mistakes in batch normalization pass, a random one none`() {
    let verdicts = Museum.exhibits.filter { $0.label.name.hasPrefix("bn-") }.map { $0.verdicts(isWrong: true) }
    let passed = verdicts.filter { $0.contains { $0.check == .plainSum && $0.passes } }
    #expect(passed.count >= 2)
    #expect(!verdicts.contains { $0.contains { $0.check == .finiteDifference && $0.passes } })
  }
}
