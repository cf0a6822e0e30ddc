import Testing

@testable import ResidualLearning

@Suite struct PrincipalColorsTests {
  @Test func `The components of a covariance satisfy its eigenvalue equation`() {
    let covariance = [[2.0, 0.5, -0.3], [0.5, 1.0, 0.2], [-0.3, 0.2, 3.0]]
    let colors = PrincipalColors(covariance: covariance)
    #expect(abs(colors.eigenvalues.reduce(0, +) - 6) < 1e-12)
    #expect(colors.eigenvalues[0] > colors.eigenvalues[1] && colors.eigenvalues[1] > colors.eigenvalues[2])
    for (value, vector) in zip(colors.eigenvalues, colors.eigenvectors) {
      for r in 0..<3 {
        let product = (0..<3).reduce(0) { $0 + covariance[r][$1] * vector[$1] }
        #expect(abs(product - value * vector[r]) < 1e-12)
      }
      #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-12)
    }
  }

  @Test func `The covariance is that of the pixels, in units of 255`() {
    // Red is 0 or 255, green follows it half as far, blue stays.
    let images = ImageDataset(
      height: 1, width: 2, channels: 3, pixels: [0, 50, 9, 255, 152, 9, 255, 152, 9, 0, 50, 9], labels: [0, 0],
      classNames: ["a"])
    let colors = PrincipalColors(of: images)
    let (red, green) = (0.5, 51.0 / 255)
    #expect(abs(colors.eigenvalues[0] - (red * red + green * green)) < 1e-12)
    #expect(abs(colors.eigenvalues[1]) < 1e-12 && abs(colors.eigenvalues[2]) < 1e-12)
    #expect(abs(abs(colors.eigenvectors[0][0]) - red / (red * red + green * green).squareRoot()) < 1e-12)
    #expect(colors.eigenvectors[0][2] == 0)
  }

  @Test func `Shifts have the deviation of 0.1 times the eigenvalue along each component`() {
    let colors = PrincipalColors(covariance: [[0.04, 0.01, 0], [0.01, 0.03, 0.005], [0, 0.005, 0.02]])
    var generator = RandomGenerator(seed: 1)
    var squares = [0.0, 0, 0]
    for _ in 0..<20_000 {
      let shift = colors.shift(using: &generator)
      for k in 0..<3 {
        let along = zip(shift, colors.eigenvectors[k]).reduce(0) { $0 + $1.0 * $1.1 }
        squares[k] += along * along / 20_000
      }
    }
    for k in 0..<3 { #expect(abs(squares[k].squareRoot() / (0.1 * colors.eigenvalues[k]) - 1) < 0.03) }
  }
}
