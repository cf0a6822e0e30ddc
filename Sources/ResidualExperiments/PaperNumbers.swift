// PaperNumbers.swift: what the paper prints about its networks.
//
// Paper       He et al. 2015 Tables 1, 2, 3 and 6; §4.1 for VGG's FLOPs
// Tests       Tests/ResidualExperimentsTests/PaperNumbersTests.swift

import ResidualLearning

/// The numbers that the paper prints about a network, as it rounds them.
public struct PaperNumbers: Equatable, Sendable {
  /// `0.27M`: Table 6.
  public var parameters: String?
  /// `3.6e9`: Table 1's FLOPs, which are multiply-adds.
  public var multiplyAdds: String?
  /// The error in per cent and where it stands: CIFAR-10's test error, or ImageNet's top-1 validation error.
  public var error: String?

  /// What the paper prints about this network; nil when it prints nothing, or only something about other options.
  ///
  /// Tables 3 and 6 say which option a network has. Table 1's FLOPs have no option: those of 18 and 34 layers stand
  /// beside A and B, which differ by 1 %, and not beside C. A bottleneck's stride is taken to be in the first 1x1,
  /// which the FLOPs fit.
  public init?(_ architecture: Architecture) {
    let options = architecture.options
    guard architecture == (try? .named(architecture.name, shortcut: options.shortcut, options: options)),
      !architecture.block.hasStridePlacement || options.stridePlacement == .first1x1
    else { return nil }
    switch (architecture.name, options.shortcut) {
    case ("resnet20", .a): self.init("0.27M", nil, "8.75 (Table 6)")
    case ("resnet32", .a): self.init("0.46M", nil, "7.51 (Table 6)")
    case ("resnet44", .a): self.init("0.66M", nil, "7.17 (Table 6)")
    case ("resnet56", .a): self.init("0.85M", nil, "6.97 (Table 6)")
    case ("resnet110", .a): self.init("1.7M", nil, "6.43 (Table 6)")
    case ("resnet1202", .a): self.init("19.4M", nil, "7.93 (Table 6)")
    case ("plain18", _): self.init(nil, "1.8e9", "27.94 (Table 2)")
    case ("plain34", _): self.init(nil, "3.6e9", "28.54 (Table 2)")
    case ("resnet18", .a): self.init(nil, "1.8e9", "27.88 (Table 2)")
    case ("resnet18", .b): self.init(nil, "1.8e9", nil)
    case ("resnet34", .a): self.init(nil, "3.6e9", "25.03 (Table 3)")
    case ("resnet34", .b): self.init(nil, "3.6e9", "24.52 (Table 3)")
    case ("resnet34", .c): self.init(nil, nil, "24.19 (Table 3)")
    case ("resnet50", .b): self.init(nil, "3.8e9", "22.85 (Table 3)")
    case ("resnet101", .b): self.init(nil, "7.6e9", "21.75 (Table 3)")
    case ("resnet152", .b): self.init(nil, "11.3e9", "21.43 (Table 3)")
    case ("vgg16", _): self.init(nil, "15.3e9", "28.07 (Table 3)")
    case ("vgg19", _): self.init(nil, "19.6e9", nil)
    default: return nil
    }
  }

  private init(_ parameters: String?, _ multiplyAdds: String?, _ error: String?) {
    (self.parameters, self.multiplyAdds, self.error) = (parameters, multiplyAdds, error)
  }
}
