// What every notebook begins with: pictures, and claims for the answers of exercises.
//
// A cell shows a picture by printing ESC "display", its MIME type, its bytes in base64, and ESC. client.py looks for that.

import Foundation
import ResidualExperiments
import ResidualLearning

/// Shows bytes as a picture of this MIME type.
func display(_ data: Data, as type: String) {
  print("\u{1b}display \(type) \(data.base64EncodedString())\u{1b}", terminator: "")
  fflush(nil)
}

/// Shows curves, in 560 pixels: without a width Jupyter makes them as wide as the window.
func display(_ plot: LinePlot) {
  let svg = plot.svg.replacingOccurrences(of: "<svg ", with: "<svg width=\"560\" ")
  display(Data(svg.utf8), as: "image/svg+xml")
}

/// Shows a picture, each of its pixels as a square of `scale` x `scale`.
func display(_ image: Picture, scale: Int = 1) {
  var pixels: [UInt8] = []
  for y in 0..<image.height * scale {
    for x in 0..<image.width * scale {
      let source = (y / scale * image.width + x / scale) * 3
      pixels += image.pixels[source..<source + 3]
    }
  }
  let large = Picture(height: image.height * scale, width: image.width * scale, pixels: pixels)
  display(large.encoded(), as: "image/png")
}

/// Shows the first images of a data set in rows of `columns`.
func display(_ images: ImageDataset, columns: Int = 10, scale: Int = 2) {
  let rows = (images.count + columns - 1) / columns
  let (height, width) = (rows * images.height, columns * images.width)
  var pixels = [UInt8](repeating: 255, count: height * width * 3)
  for i in 0..<images.count {
    let image = Array(images.image(i))
    for y in 0..<images.height {
      let target = ((i / columns * images.height + y) * width + i % columns * images.width) * 3
      let source = y * images.width * 3
      pixels.replaceSubrange(target..<target + images.width * 3, with: image[source..<source + images.width * 3])
    }
  }
  display(Picture(height: height, width: width, pixels: pixels), scale: scale)
}

/// Says that something holds, or stops the cell because it does not.
func claim(_ holds: Bool, _ words: String) {
  precondition(holds, "this does not hold: \(words)")
  print("✓", words)
}

// The terminal that this process prints to must not turn line feeds into carriage returns and line feeds.
do {
  var terminal = termios()
  tcgetattr(1, &terminal)
  terminal.c_oflag &= ~tcflag_t(OPOST)
  tcsetattr(1, TCSANOW, &terminal)
}
