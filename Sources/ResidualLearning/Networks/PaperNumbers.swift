// PaperNumbers.swift: what the paper prints about its networks.
//
// Paper       He et al. 2015 Tables 1 to 4 and 6
// Tests       Tests/ResidualLearningTests/Networks/SummaryTests.swift

/// The numbers that the paper prints about a network, as it rounds them.
public struct PaperNumbers: Equatable, Sendable {
  /// `0.27M`: Table 6.
  public var parameters: String?
  /// `3.6e9`: Table 1's FLOPs, which are multiply-adds.
  public var multiplyAdds: String?
  /// The error in per cent and where it stands: CIFAR-10's test error, or ImageNet's top-1 validation error.
  public var error: String?

  /// What the paper prints about this network; nil when it prints nothing.
  public init?(_ architecture: Architecture) {
    let option = architecture.options.shortcut
    if architecture.stem == .cifar && option != .a { return nil }
    switch architecture.name {
    case "resnet20": self.init("0.27M", nil, "8.75 (Table 6)")
    case "resnet32": self.init("0.46M", nil, "7.51 (Table 6)")
    case "resnet44": self.init("0.66M", nil, "7.17 (Table 6)")
    case "resnet56": self.init("0.85M", nil, "6.97 (Table 6)")
    case "resnet110": self.init("1.7M", nil, "6.43 (Table 6)")
    case "resnet1202": self.init("19.4M", nil, "7.93 (Table 6)")
    case "resnet18": self.init(nil, "1.8e9", option == .a ? "27.88 (Table 2)" : nil)
    case "plain18": self.init(nil, "1.8e9", "27.94 (Table 2)")
    case "resnet34":
      self.init(nil, "3.6e9", (option == .a ? "25.03" : option == .b ? "24.52" : "24.19") + " (Table 3)")
    case "plain34": self.init(nil, "3.6e9", "28.54 (Table 2)")
    case "resnet50": self.init(nil, "3.8e9", "22.85 (Table 3)")
    case "resnet101": self.init(nil, "7.6e9", "21.75 (Table 3)")
    case "resnet152": self.init(nil, "11.3e9", "21.43 (Table 3)")
    case "vgg16": self.init(nil, "15.3e9", "28.07 (Table 3)")
    case "vgg19": self.init(nil, "19.6e9", nil)
    default: return nil
    }
  }

  private init(_ parameters: String?, _ multiplyAdds: String?, _ error: String?) {
    (self.parameters, self.multiplyAdds, self.error) = (parameters, multiplyAdds, error)
  }
}
