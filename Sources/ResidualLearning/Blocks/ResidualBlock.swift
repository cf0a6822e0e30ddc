// ResidualBlock.swift: what the blocks of a network have in common.

import ResidualKernels

/// A name and a tensor, as ``ResidualBlock/forward(_:observe:)`` reports them.
public typealias Observer<Scalar: Element> = (_ name: String, _ tensor: Tensor<Scalar>) -> Void

/// An observer that puts `prefix` before every name.
func prefixed<Scalar>(_ prefix: String, _ observe: Observer<Scalar>?) -> Observer<Scalar>? {
  observe.map { observe in { name, tensor in observe(prefix + name, tensor) } }
}

/// A building block of a network: a few convolutions, and for residual blocks a shortcut around them.
public protocol ResidualBlock<Scalar>: Layer {
  /// A block with random weights.
  ///
  /// - Parameters:
  ///   - inputChannels: channels of x.
  ///   - stage: how wide the block is, and of how many channels its output.
  ///   - stride: 2 in the first block of a stage that halves the image, else 1.
  ///   - options: the choices that the paper compares or leaves open.
  init(
    inputChannels: Int, stage: Architecture.Stage, stride: Int, options: Architecture.Options,
    using generator: inout RandomGenerator)

  /// Whether the block runs the fused kernels, so that the stem should too.
  static var fuses: Bool { get }

  /// The training pass, which shows every tensor on its way to `observe`, if there is one.
  func forward(_ input: Tensor<Scalar>, observe: Observer<Scalar>?) -> (output: Tensor<Scalar>, cache: Cache)
}

extension ResidualBlock {
  public static var fuses: Bool { false }

  public func forward(_ input: Tensor<Scalar>) -> (output: Tensor<Scalar>, cache: Cache) {
    forward(input, observe: nil)
  }
}
