// Linear.swift: the fully connected layer.
//
// Paper       He et al. 2015 Table 1: "1000-d fc"; §4.2: "a 10-way fully-connected layer"
// Kernels     Sources/ResidualKernels/MatrixProduct.swift
// Tests       Tests/ResidualLearningTests/Layers/LinearTests.swift

import ResidualKernels

/// Multiplies each row by a matrix and adds a bias.
///
///     forward    y[n, o] = Σ x[n, i] w[i, o] + b[o]     over i     (1)
///     backward   dx[n, i] = Σ dy[n, o] w[i, o]          over o     (2)
///                dw[i, o] = Σ x[n, i] dy[n, o]          over n     (3)
///                db[o] = Σ dy[n, o]                     over n     (4)
///
/// | symbol | in code                           | shape                |
/// |:-------|:----------------------------------|:---------------------|
/// | x, y   | `input`, `output`                 | `[N, in]`, `[N, out]`|
/// | w, b   | `parameters.weight`, `.bias`      | `[in, out]`, `[out]` |
/// | dx, dy | `inputGradient`, `outputGradient` | as x, y              |
/// | dw, db | `gradients.weight`, `.bias`       | as w, b              |
public struct Linear<Scalar: Element>: Layer {
  /// The learned tensors.
  public struct Parameters: ParameterSet {
    /// w `[in, out]`.
    public var weight: Tensor<Scalar>
    /// b `[out]`.
    public var bias: Tensor<Scalar>

    public mutating func visit(_ path: String, _ body: (String, inout Tensor<Scalar>) -> Void) {
      body(path + "weight", &weight)
      body(path + "bias", &bias)
    }
  }

  /// The input, which (3) needs.
  public struct Cache: Sendable {
    /// x `[N, in]`.
    public let input: Tensor<Scalar>
  }

  public var parameters: Parameters

  /// A layer with these weights `[in, out]` and this bias `[out]`.
  public init(weight: Tensor<Scalar>, bias: Tensor<Scalar>) {
    precondition(
      weight.shape.rank == 2 && bias.shape == [weight.shape[1]], "weights \(weight.shape), bias \(bias.shape)")
    parameters = Parameters(weight: weight, bias: bias)
  }

  /// A layer with random weights, normal with this standard deviation, and a bias of zero.
  ///
  /// The paper does not say how its last layer is initialized. With 0.01, as in AlexNet and VGG, the first logits are
  /// nearly zero and the first loss is nearly ln K.
  public init(_ inputs: Int, _ outputs: Int, deviation: Double = 0.01, using generator: inout RandomGenerator) {
    self.init(
      weight: Tensor(normal: [inputs, outputs], deviation: deviation, using: &generator),
      bias: Tensor(zeros: [outputs]))
  }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    (self(input), Cache(input: input))
  }

  public func callAsFunction(_ input: Tensor<Scalar>) -> Tensor<Scalar> {
    let weight = parameters.weight
    precondition(
      input.shape.rank == 2 && input.shape[1] == weight.shape[0],
      "the input is \(input.shape), the weights \(weight.shape)")
    var output = Tensor<Scalar>(uninitialized: [input.shape[0], weight.shape[1]])
    Kernels.matrixProduct(
      input.storage, weight.storage, into: output.storage, rows: input.shape[0], depth: weight.shape[0],
      columns: weight.shape[1])
    output.addToEachRow(parameters.bias)  // (1)
    return output
  }

  public func backward(
    _ outputGradient: Tensor<Scalar>, _ cache: Cache
  ) -> (inputGradient: Tensor<Scalar>, gradients: Parameters) {
    let (weight, x) = (parameters.weight, cache.input)
    precondition(
      outputGradient.shape == [x.shape[0], weight.shape[1]],
      "outputGradient is \(outputGradient.shape), the output was [\(x.shape[0]), \(weight.shape[1])]")
    let inputGradient = Tensor<Scalar>(uninitialized: x.shape)
    Kernels.matrixProductWithTransposed(
      outputGradient.storage, weight.storage, into: inputGradient.storage, rows: x.shape[0], depth: weight.shape[1],
      columns: weight.shape[0])  // (2)
    let weightGradient = Tensor<Scalar>(uninitialized: weight.shape)
    Kernels.transposedMatrixProduct(
      x.storage, outputGradient.storage, into: weightGradient.storage, rows: weight.shape[0], depth: x.shape[0],
      columns: weight.shape[1])  // (3)
    return (inputGradient, Parameters(weight: weightGradient, bias: outputGradient.sumOfRows))  // (4)
  }
}
