extension Page {
  static let style = "", body = "", scriptNumbers = "", scriptTerms = "", scriptGrids = "", scriptMap = ""
  static let scriptStops = "", scriptWalk = ""
}
