/// The walk as a page for a browser.
public struct Page {
  /// The largest number of numbers that a page holds.
  public static let limit = 60_000
}
