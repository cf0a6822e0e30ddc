// PyTorchNames.swift: what PyTorch programs call the tensors of a residual network.
//
// Tests       Tests/ResidualLearningTests/Interchange/PyTorchWeightsTests.swift

import ResidualKernels

/// The names of a PyTorch `state_dict` for the tensors of this library's networks.
///
/// | here                            | in PyTorch                                                        |
/// |:--------------------------------|:------------------------------------------------------------------|
/// | `stem.conv`, `stem.bn`          | `conv1`, `bn1`                                                    |
/// | `stages.0.blocks.2.conv1`       | `layer1.2.conv1`                                                  |
/// | `stages.1.blocks.0.shortcut.conv`, `.bn` | `layer2.0.downsample.0`, `.1`, or `layer2.0.shortcut.0`, `.1` |
/// | `classifier`                    | `fc` or `linear`                                                  |
/// | `stages.1.convolutions.0`       | `features.5` (VGG: ReLUs and pools count)                         |
/// | `linear.1`                      | `classifier.3` (VGG: ReLU and dropout count)                      |
/// | `scale`, `shift`                | `weight`, `bias`                                                  |
/// | `runningMean`, `runningVariance`| `running_mean`, `running_var`                                     |
///
/// Kernels `[kH, kW, Cin, Cout]` are `[Cout, Cin, kH, kW]` there, linear weights `[in, out]` are `[out, in]`. VGG's
/// first linear layer sees the pixels of an image side by side: `[H, W, C]` here, `[C, H, W]` there.
public struct PyTorchNames: Equatable, Sendable {
  /// The name of the last layer.
  let classifier: String
  /// The name of a projection.
  let shortcut: String
  /// For a VGG network: the convolutions of each stage, and the channels of the last stage's output.
  var stages: [Int] = []
  var channels = 1

  /// The names in akamaster/pytorch_resnet_cifar10, which has the CIFAR networks.
  public static let akamaster = PyTorchNames(classifier: "linear", shortcut: "shortcut")
  /// The names in torchvision, which has the ImageNet networks.
  public static let torchvision = PyTorchNames(classifier: "fc", shortcut: "downsample")

  /// The names in torchvision's VGG network with these stages.
  static func vgg(_ stages: [Architecture.Stage]) -> PyTorchNames {
    PyTorchNames(
      classifier: "classifier", shortcut: "", stages: stages.map(\.blocks), channels: stages.last?.outputChannels ?? 1)
  }

  /// The names in the one of these programs that has this network.
  static func usual(for architecture: Architecture) -> PyTorchNames {
    if architecture.block == .convolution { return vgg(architecture.stages) }
    return architecture.stem == .cifar ? akamaster : torchvision
  }

  private static let tensors = [
    "scale": "weight", "shift": "bias", "runningMean": "running_mean", "runningVariance": "running_var",
  ]

  /// PyTorch's name for a tensor.
  func name(of ours: String) -> String {
    var parts = ours.split(separator: ".").map(String.init)
    let tensor = parts.removeLast()
    switch parts[0] {
    case "stem": parts = [parts[1] + "1"]
    case "stages" where parts[2] == "convolutions":
      // Each convolution is followed by a ReLU, each stage by a pool.
      parts = ["features", "\(stages.prefix(Int(parts[1])!).reduce(0) { $0 + 2 * $1 + 1 } + 2 * Int(parts[3])!)"]
    case "stages": parts = ["layer\(Int(parts[1])! + 1)"] + parts[3...]
    case "linear": parts = [classifier, "\(3 * Int(parts[1])!)"]
    default: parts = [classifier]
    }
    if parts.contains("shortcut") { parts[2...3] = [shortcut, parts[3] == "conv" ? "0" : "1"] }
    return (parts + [Self.tensors[tensor] ?? tensor]).joined(separator: ".")
  }

  /// PyTorch's shape for a tensor.
  static func shape(of ours: Shape) -> [Int] {
    switch ours.rank {
    case 4: [ours[3], ours[2], ours[0], ours[1]]
    case 2: [ours[1], ours[0]]
    default: ours.sizes
    }
  }

  /// The channels of a pixel, where the rows of a linear layer's weights are those of an image's pixels; else 1.
  func channels(inRowsOf ours: String) -> Int { ours == "linear.0.weight" ? channels : 1 }
}

extension Tensor {
  /// A tensor of this shape from elements in PyTorch's order of axes.
  ///
  /// - Parameter channels: of a matrix whose rows are pixels `[H, W, C]`, which PyTorch has as `[C, H, W]`: C.
  init(_ shape: Shape, inPyTorchOrder elements: [Scalar], channels: Int = 1) {
    guard shape.rank == 4 || shape.rank == 2 else {
      self.init(shape, elements)
      return
    }
    let (outputs, inputs, window) = Self.sizesInPyTorchOrder(shape, channels)
    self.init(uninitialized: shape)
    Kernels.reverseAxes(Storage(elements), outer: outputs, middle: inputs, inner: window, into: mutableStorage)
  }

  /// The elements in PyTorch's order of axes; `channels` as above.
  func elementsInPyTorchOrder(channels: Int = 1) -> [Scalar] {
    guard shape.rank == 4 || shape.rank == 2 else { return elements }
    let (outputs, inputs, window) = Self.sizesInPyTorchOrder(shape, channels)
    let result = Storage<Scalar>(uninitialized: count)
    Kernels.reverseAxes(storage, outer: window, middle: inputs, inner: outputs, into: result)
    return result.array(0..<count)
  }

  /// Rows and columns count as one axis; a matrix has inputs in their place.
  private static func sizesInPyTorchOrder(_ shape: Shape, _ channels: Int) -> (outer: Int, middle: Int, inner: Int) {
    shape.rank == 4 ? (shape[3], shape[2], shape[0] * shape[1]) : (shape[1], channels, shape[0] / channels)
  }
}
