// MatrixProduct.swift: products of matrices, computed as 1x1 convolutions.

extension Kernels {
  /// `c[m, n] = Σ a[m, k] · b[k, n]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func matrixProduct<Scalar: Element>(
    _ a: Storage<Scalar>, _ b: Storage<Scalar>, into c: Storage<Scalar>, rows: Int, depth: Int, columns: Int
  ) {
    convolution(pixels(rows, depth, columns), input: a, weight: b, output: c)
  }

  /// `c[m, k] = Σ a[m, n] · b[k, n]`: the product with b transposed.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func matrixProductWithTransposed<Scalar: Element>(
    _ a: Storage<Scalar>, _ b: Storage<Scalar>, into c: Storage<Scalar>, rows: Int, depth: Int, columns: Int
  ) {
    convolutionInputGradient(pixels(rows, columns, depth), outputGradient: a, weight: b, inputGradient: c)
  }

  /// `c[k, n] = Σ a[m, k] · b[m, n]`: the product with a transposed.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func transposedMatrixProduct<Scalar: Element>(
    _ a: Storage<Scalar>, _ b: Storage<Scalar>, into c: Storage<Scalar>, rows: Int, depth: Int, columns: Int
  ) {
    convolutionWeightGradient(pixels(depth, rows, columns), input: a, outputGradient: b, weightGradient: c)
  }

  /// A matrix as an image with one column: the rows are pixels, the columns are channels.
  private static func pixels(_ rows: Int, _ depth: Int, _ columns: Int) -> ConvolutionShape {
    ConvolutionShape(
      batch: 1, height: rows, width: 1, inputChannels: depth, outputChannels: columns, kernelHeight: 1,
      kernelWidth: 1)
  }
}
