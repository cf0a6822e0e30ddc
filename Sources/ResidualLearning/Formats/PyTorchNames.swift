// PyTorchNames.swift: what PyTorch programs call the tensors of a residual network.
//
// Tests       Tests/ResidualLearningTests/Formats/PyTorchWeightsTests.swift

import ResidualKernels

/// The names of a PyTorch `state_dict` for the tensors of this library's networks.
///
/// | here                            | in PyTorch                                                        |
/// |:--------------------------------|:------------------------------------------------------------------|
/// | `stem.conv`, `stem.bn`          | `conv1`, `bn1`                                                    |
/// | `stages.0.blocks.2.conv1`       | `layer1.2.conv1`                                                  |
/// | `stages.1.blocks.0.shortcut.conv`, `.bn` | `layer2.0.downsample.0`, `.1`, or `layer2.0.shortcut.0`, `.1` |
/// | `classifier`                    | `fc` or `linear`                                                  |
/// | `scale`, `shift`                | `weight`, `bias`                                                  |
/// | `runningMean`, `runningVariance`| `running_mean`, `running_var`                                     |
///
/// Kernels `[kH, kW, Cin, Cout]` are `[Cout, Cin, kH, kW]` there, the classifier's weights `[in, out]` are `[out, in]`.
public struct PyTorchNames: Equatable, Sendable {
  /// The last layer.
  let classifier: String
  /// A projection.
  let shortcut: String

  /// Those of akamaster/pytorch_resnet_cifar10, the CIFAR networks.
  public static let akamaster = PyTorchNames(classifier: "linear", shortcut: "shortcut")
  /// Those of torchvision, the ImageNet networks.
  public static let torchvision = PyTorchNames(classifier: "fc", shortcut: "downsample")

  private static let tensors = [
    "scale": "weight", "shift": "bias", "runningMean": "running_mean", "runningVariance": "running_var",
  ]

  /// PyTorch's name for one of ours.
  func name(of ours: String) -> String {
    var parts = ours.split(separator: ".").map(String.init)
    let tensor = parts.removeLast()
    switch parts[0] {
    case "stem": parts = [parts[1] + "1"]
    case "stages": parts = ["layer\(Int(parts[1])! + 1)"] + parts[3...]
    default: parts = [classifier]
    }
    if parts.contains("shortcut") { parts[2...3] = [shortcut, parts[3] == "conv" ? "0" : "1"] }
    return (parts + [Self.tensors[tensor] ?? tensor]).joined(separator: ".")
  }

  /// PyTorch's shape for one of ours.
  static func shape(of ours: Shape) -> [Int] {
    switch ours.rank {
    case 4: [ours[3], ours[2], ours[0], ours[1]]
    case 2: [ours[1], ours[0]]
    default: ours.sizes
    }
  }
}

extension Tensor {
  /// A tensor of this shape from elements in PyTorch's order of axes.
  init(_ shape: Shape, inPyTorchOrder elements: [Scalar]) {
    guard shape.rank == 4 || shape.rank == 2 else {
      self.init(shape, elements)
      return
    }
    let (outputs, inputs, window) = Self.sizesInPyTorchOrder(shape)
    self.init(uninitialized: shape)
    Kernels.reverseAxes(Storage(elements), outer: outputs, middle: inputs, inner: window, into: mutableStorage)
  }

  /// The elements in PyTorch's order of axes.
  var elementsInPyTorchOrder: [Scalar] {
    guard shape.rank == 4 || shape.rank == 2 else { return elements }
    let (outputs, inputs, window) = Self.sizesInPyTorchOrder(shape)
    let result = Storage<Scalar>(uninitialized: count)
    Kernels.reverseAxes(storage, outer: window, middle: inputs, inner: outputs, into: result)
    return result.array(0..<count)
  }

  /// Kernels' rows and columns count as one axis; a matrix has inputs in its place.
  private static func sizesInPyTorchOrder(_ shape: Shape) -> (outer: Int, middle: Int, inner: Int) {
    shape.rank == 4 ? (shape[3], shape[2], shape[0] * shape[1]) : (shape[1], 1, shape[0])
  }
}
