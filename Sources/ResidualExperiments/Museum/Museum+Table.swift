// Museum+Table.swift: the catalogue as a whole, and as a table.
//
// Docs        docs/bug-museum.md: its table is made here
// Tests       Tests/ResidualExperimentsTests/Museum/MuseumTests.swift

extension Museum {
  /// All of them, room by room.
  public static var exhibits: [Exhibit] {
    convolutionExhibits + normalizationExhibits + activationExhibits + poolingExhibits + linearExhibits + lossExhibits
      + blockExhibits + optimizerExhibits + trainingExhibits + dataExhibits
  }

  /// The catalogue as a table in Markdown: what each check says of the wrong code.
  public static var table: String {
    var lines: [String] = []
    var room = ""
    for exhibit in exhibits {
      if exhibit.room != room {
        room = exhibit.room
        lines += [
          "", "### \(room)", "", "| mistake | symptom | where | finite difference | plain sum | law |",
          "| --- | --- | --- | --- | --- | --- |",
        ]
      }
      let verdicts = exhibit.verdicts(isWrong: true)
      func cell(_ check: Exhibit.Check) -> String {
        verdicts.first { $0.check == check }.map { $0.passes ? "passes" : "**caught**" } ?? ""
      }
      let law = verdicts.compactMap { verdict -> String? in
        guard case .law(let sentence) = verdict.check else { return nil }
        return (verdict.passes ? "passes: " : "**caught**: ") + sentence
      }
      let label = exhibit.label
      lines.append(
        "| `\(label.name)`: \(label.mistake) | \(label.symptom) | \(label.seen ?? "a common mistake") | "
          + "\(cell(.finiteDifference)) | \(cell(.plainSum)) | \(law.joined(separator: "; ")) |")
    }
    return lines.dropFirst().joined(separator: "\n") + "\n"
  }
}
