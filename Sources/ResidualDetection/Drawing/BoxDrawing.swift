// BoxDrawing.swift: detections drawn on their picture.
//
// Tests       Tests/ResidualDetectionTests/Drawing/BoxDrawingTests.swift

import ResidualLearning

/// A picture on which boxes and words are drawn.
public struct BoxDrawing: Sendable {
  /// Colours that are easy to tell apart, also for the colour-blind (Okabe & Ito 2008), one for each class in turn.
  static let colors: [[UInt8]] = [
    [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167],
    [255, 255, 255],
  ]

  /// Rows and columns of the drawing.
  public let height, width: Int
  /// `[height, width, 3]`.
  private var pixels: [UInt8]
  /// How many pixels of the drawing one pixel of the picture is wide.
  public let factor: Int

  /// The picture, each of its pixels as a square of `factor` x `factor`.
  public init(_ picture: Picture, factor: Int) {
    precondition(factor > 0, "a picture enlarged \(factor) times")
    (height, width, self.factor) = (picture.height * factor, picture.width * factor, factor)
    pixels = []
    pixels.reserveCapacity(height * width * 3)
    for y in 0..<picture.height {
      var row: [UInt8] = []
      for x in 0..<picture.width {
        let color = picture.pixels[(y * picture.width + x) * 3..<(y * picture.width + x + 1) * 3]
        for _ in 0..<factor { row += color }
      }
      for _ in 0..<factor { pixels += row }
    }
  }

  /// The drawing as it is now.
  public var picture: Picture { Picture(height: height, width: width, pixels: pixels) }

  /// Draws the frame of each detection, with the name of its class and its score, the least sure first.
  public mutating func draw(_ detections: [Detection], classNames: [String]) {
    for detection in detections.reversed() {
      let score = Int((detection.score * 100).rounded(.down))
      draw(detection.box, color: detection.label, words: "\(classNames[detection.label]) \(score)%")
    }
  }

  /// Draws a frame, and words above its upper left corner (below it where there is no room above).
  public mutating func draw(_ box: Box, color number: Int, words: String? = nil) {
    let color = Self.colors[number % Self.colors.count]
    func place(_ value: Double, _ size: Int) -> Int {
      Int(min(max((value * Double(factor)).rounded(), 0), Double(size)))
    }
    let (left, right) = (place(box.left, width), place(box.right, width))
    let (top, bottom) = (place(box.top, height), place(box.bottom, height))
    let line = max(1, factor / 2)
    fill(top, top + line, left, right, color)
    fill(bottom - line, bottom, left, right, color)
    fill(top, bottom, left, left + line, color)
    fill(top, bottom, right - line, right, color)
    guard let words else { return }
    let size = max(1, factor / 2)  // of a glyph's dot
    let (textHeight, textWidth) = (7 * size, (4 * words.count + 1) * size)
    let textTop = top >= textHeight ? top - textHeight : top
    let textLeft = max(0, min(left, width - textWidth))
    fill(textTop, textTop + textHeight, textLeft, textLeft + textWidth, color)
    for (i, letter) in words.lowercased().enumerated() {
      let rows = Self.glyphs[letter] ?? Self.glyphs["?"]!
      for (y, row) in rows.enumerated() {
        for x in 0..<3 where row >> (2 - x) & 1 == 1 {
          let (dotTop, dotLeft) = (textTop + (y + 1) * size, textLeft + (4 * i + x + 1) * size)
          fill(dotTop, dotTop + size, dotLeft, dotLeft + size, [0, 0, 0])
        }
      }
    }
  }

  private mutating func fill(_ top: Int, _ bottom: Int, _ left: Int, _ right: Int, _ color: [UInt8]) {
    let columns = max(left, 0)..<max(left, 0, min(right, width))
    for y in max(top, 0)..<max(top, 0, min(bottom, height)) {
      for x in columns {
        for c in 0..<3 { pixels[(y * width + x) * 3 + c] = color[c] }
      }
    }
  }

  /// Letters of 3x5 dots. A row is a digit from 0 to 7, whose three bits are its dots.
  private static let glyphs: [Character: [UInt8]] = {
    let table = """
      a25755 b65656 c34443 d65556 e74647 f74644 g34553 h55755 i72227 j11152 k55655 l44447 m57755 n65555 o25552 p65644
      q25573 r65655 s34216 t72222 u55557 v55552 w55775 x55255 y55222 z71247 075557 126227 261247 361216 455711 574616
      634757 771222 875757 975716 .00002 %51245 -00700 ?61202 _00007
      """
    var glyphs: [Character: [UInt8]] = [" ": [0, 0, 0, 0, 0]]
    for word in table.split(whereSeparator: \.isWhitespace) {
      glyphs[word.first!] = word.dropFirst().map { UInt8($0.wholeNumberValue!) }
    }
    return glyphs
  }()
}
