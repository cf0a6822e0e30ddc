import ResidualKernels

extension PNGImage {
  /// The picture in another size: its largest central part of that aspect ratio, resized (``Kernels/resize``).
  public func resized(height newHeight: Int, width newWidth: Int) -> PNGImage {
    precondition(newHeight > 0 && newWidth > 0, "a picture of \(newHeight)x\(newWidth) pixels")
    // As high as the picture if that is narrow enough, else as wide.
    let isWide = width * newHeight >= height * newWidth
    let partHeight = isWide ? height : max(width * newHeight / newWidth, 1)
    let partWidth = isWide ? max(height * newWidth / newHeight, 1) : width
    let (top, left) = ((height - partHeight) / 2, (width - partWidth) / 2)
    var part: [UInt8] = []
    part.reserveCapacity(partHeight * partWidth * 3)
    for y in top..<top + partHeight { part += pixels[(y * width + left) * 3..<(y * width + left + partWidth) * 3] }
    let resized =
      (partHeight, partWidth) == (newHeight, newWidth)
      ? part
      : Kernels.resize(
        part, height: partHeight, width: partWidth, channels: 3, toHeight: newHeight, width: newWidth)
    return PNGImage(width: newWidth, height: newHeight, pixels: resized)
  }
}
