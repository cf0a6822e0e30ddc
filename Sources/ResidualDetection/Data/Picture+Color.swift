// Picture+Color.swift: the mean colour of a picture.

import ResidualKernels
import ResidualLearning

extension Picture {
  /// The mean of each channel over all pixels, 0 to 1.
  var meanColor: [Double] {
    Kernels.colorSums(pixels).prefix(3).map { Double($0) / Double(height * width) / 255 }
  }
}
