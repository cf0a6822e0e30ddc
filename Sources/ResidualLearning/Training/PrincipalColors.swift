// PrincipalColors.swift: the colours along which a set of images varies.
//
// Paper       He et al. 2015 §3.4: "the standard color augmentation", of Krizhevsky, Sutskever & Hinton 2012, §4.1
// Tests       Tests/ResidualLearningTests/Training/PrincipalColorsTests.swift

import ResidualKernels

/// The principal components of the colours of all pixels of a set of images, and random changes of light along them.
///
///     Σ  = covariance of (r, g, b) over all pixels, r, g, b from 0 to 1  (1)
///     Σ p_k = λ_k p_k                                                   (2)
///     shift = Σ_k α_k λ_k p_k,   α_k normal with deviation 0.1          (3)
///
/// One shift is drawn for each image and step, and added to all of its pixels.
///
/// λ is a variance, so (3) depends on the unit of the pixels: with r, g, b from 0 to 255 the shift would be 255 times
/// as large in relation to them. Neither paper names the unit. From 0 to 1 is the customary reading; fb.resnet.torch
/// takes it too, with λ = 0.2175, 0.0188 and 0.0045 for ImageNet.
public struct PrincipalColors: Equatable, Codable, Sendable {
  /// λ, the largest first.
  public let eigenvalues: [Double]
  /// p, of length 1, in the order of the eigenvalues.
  public let eigenvectors: [[Double]]
  /// The deviation of α.
  public let deviation: Double

  /// The principal colours of these images.
  public init(of images: ImageDataset, deviation: Double = 0.1) {
    precondition(images.count > 0, "the colours of no images")
    let sums = Kernels.colorSums(images.pixels)  // whole numbers: nothing has cancelled
    let n = Double(images.pixels.count / 3)
    let mean = sums[0..<3].map { Double($0) / n }
    func covariance(_ a: Int, _ b: Int, _ sum: Int) -> Double {  // (1)
      (Double(sum) / n - mean[a] * mean[b]) / (255 * 255)  // in units of 255: our choice, see above
    }
    let (rg, rb, gb) = (covariance(0, 1, sums[4]), covariance(0, 2, sums[5]), covariance(1, 2, sums[7]))
    self.init(
      covariance: [
        [covariance(0, 0, sums[3]), rg, rb], [rg, covariance(1, 1, sums[6]), gb], [rb, gb, covariance(2, 2, sums[8])],
      ], deviation: deviation)
  }

  /// The principal colours of a symmetric covariance matrix 3x3.
  public init(covariance: [[Double]], deviation: Double = 0.1) {
    let (values, vectors) = Self.eigen(covariance)  // (2)
    let order = (0..<3).sorted { values[$0] > values[$1] }
    eigenvalues = order.map { values[$0] }
    eigenvectors = order.map { vectors[$0] }
    self.deviation = deviation
  }

  /// A random shift (3) of red, green and blue.
  public func shift(using generator: inout RandomGenerator) -> [Double] {
    var shift = [0.0, 0, 0]
    for (value, vector) in zip(eigenvalues, eigenvectors) {
      let weight = deviation * generator.normal() * value
      for c in 0..<3 { shift[c] += weight * vector[c] }
    }
    return shift
  }

  /// Eigenvalues and eigenvectors of a symmetric 3x3 matrix by Jacobi's rotations: each makes one element beside the
  /// diagonal zero, and what is left beside it shrinks quadratically.
  private static func eigen(_ matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    var a = matrix
    var v = [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]
    for _ in 0..<20 {
      for (p, q) in [(0, 1), (0, 2), (1, 2)] where a[p][q] != 0 {
        // The rotation by the angle φ with cot 2φ = θ.
        let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
        let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        for k in 0..<3 { (a[k][p], a[k][q]) = (c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]) }
        for k in 0..<3 { (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]) }
        for k in 0..<3 { (v[p][k], v[q][k]) = (c * v[p][k] - s * v[q][k], s * v[p][k] + c * v[q][k]) }
      }
    }
    return ((0..<3).map { a[$0][$0] }, v)
  }
}
