// Picture+Resizing.swift: the same picture in another size.
//
// Paper       He et al. 2015 §3.4: "resized with its shorter side randomly sampled"
// Kernels     Sources/ResidualKernels/Resize.swift
// Tests       Tests/ResidualLearningTests/Data/PictureResizingTests.swift

import ResidualFiles
import ResidualKernels

extension Picture {
  /// The shorter of height and width.
  public var shorterSide: Int { min(height, width) }

  /// The picture resized to this shorter side, in its aspect ratio; the longer side is rounded.
  ///
  /// The resizing is bilinear, as Pillow's is.
  public func resized(shorterSide: Int) -> Picture {
    precondition(shorterSide > 0, "a shorter side of \(shorterSide)")
    let longer = (max(height, width) * shorterSide * 2 + self.shorterSide) / (2 * self.shorterSide)
    return height <= width
      ? stretched(height: shorterSide, width: longer) : stretched(height: longer, width: shorterSide)
  }

  /// The picture in another size: its largest central part of that aspect ratio, resized.
  public func resized(height newHeight: Int, width newWidth: Int) -> Picture {
    precondition(newHeight > 0 && newWidth > 0, "a picture of \(newHeight)x\(newWidth) pixels")
    // As high as the picture if that is narrow enough, else as wide.
    let isWide = width * newHeight >= height * newWidth
    let partHeight = isWide ? height : max(width * newHeight / newWidth, 1)
    let partWidth = isWide ? max(height * newWidth / newHeight, 1) : width
    let (top, left) = ((height - partHeight) / 2, (width - partWidth) / 2)
    let rows = (top..<top + partHeight).map { pixels[($0 * width + left) * 3..<($0 * width + left + partWidth) * 3] }
    return Picture(height: partHeight, width: partWidth, pixels: Array(rows.joined()))
      .stretched(height: newHeight, width: newWidth)
  }

  private func stretched(height newHeight: Int, width newWidth: Int) -> Picture {
    if (height, width) == (newHeight, newWidth) { return self }
    return Picture(
      height: newHeight, width: newWidth,
      pixels: Kernels.resize(pixels, height: height, width: width, channels: 3, toHeight: newHeight, width: newWidth))
  }
}
