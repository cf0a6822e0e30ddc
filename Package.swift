// swift-tools-version: 6.3
// Residual learning in pure Swift: no dependencies, no C.
//
// Traits choose how the kernels are compiled. All are on by default.
//
//   Native          use every instruction of this machine (x86-64: -march=native). Without it the kernels are
//                   portable and several times slower; the results are right either way.
//   OptimizedKernels  compile the kernels with -O in debug builds too, so that layers can be stepped through
//                   while a training step stays fast. Leave it out to step into the kernels' own loops.
//
//   swift build --traits Native               kernels that can be stepped
//   swift build --disable-default-traits      portable
//   RESNET_MARCH=x86-64-v3 swift build        another x86-64 target than this machine (v3: AVX2, v4: AVX-512)
//
// A manifest does not know what it builds for: it runs on the machine that builds. So the flags for x86-64 say that they
// are for x86-64, and builds for other processors (--triple, --swift-sdk, --arch) leave them out. Other x86-64 machines
// than this one need RESNET_MARCH or --disable-default-traits. scripts/embedded.sh builds for arm64 and WebAssembly
// without an operating system.

import Foundation
import PackageDescription

/// What the x86-64 kernels are compiled for: the flags for Clang's target and the conditions the sources ask for.
///
/// The compiler takes the flag behind `-Xarch_x86_64` for x86-64 alone, and the sources ask for the conditions there alone.
/// `FMA`: a fused multiply-add is one instruction. `AVX512`: 32 registers of 64 bytes rather than 16 of 32.
func nativeSettings() -> [SwiftSetting] {
  let native = BuildSettingCondition.when(traits: ["Native"])
  #if arch(x86_64)
    let target = Context.environment["RESNET_MARCH"] ?? "native"
    let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let isNative = target == "native"
    let flags = ["-Xarch_x86_64", "-march=\(target)", "-Wno-unused-command-line-argument"]
    var settings: [SwiftSetting] = [.unsafeFlags(flags.flatMap { ["-Xcc", $0] }, native)]
    if isNative ? (processor.isEmpty || processor.contains(" fma ")) : target != "x86-64" && target != "x86-64-v2" {
      settings.append(.define("FMA", native))
    }
    if isNative ? processor.contains(" avx512vl ") : target == "x86-64-v4" {
      settings.append(.define("AVX512", native))
    }
    return settings
  #else
    return []
  #endif
}

/// For every target except the kernels and their tests: what uses a pointer does not compile unless it is marked
/// `unsafe`.
let safe: [SwiftSetting] = [.strictMemorySafety(), .treatWarning("StrictMemorySafety", as: .error)]

/// For what only talks, the experiments, the walk and the command: the layers and kernels do the work that they ask for.
/// Optimizing them would take a quarter of a release build; see docs/performance.md.
let talks: [SwiftSetting] = safe + [.unsafeFlags(["-Onone"], .when(configuration: .release))]

let package = Package(
  name: "ResidualLearning",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "ResidualLearning", targets: ["ResidualLearning"]),
    .library(name: "ResidualExperiments", targets: ["ResidualExperiments"]),
    // One file that a REPL can load: the notebooks' cells call the library in it.
    .library(
      name: "ResidualLearningDynamic", type: .dynamic,
      targets: [
        "ResidualDetection", "ResidualExperiments", "ResidualInference", "ResidualLearning", "ResidualKernels",
        "ResidualFiles",
      ]),
    .library(name: "ResidualDetection", targets: ["ResidualDetection"]),
    .library(name: "ResidualInference", targets: ["ResidualInference"]),
    .executable(name: "resnet", targets: ["resnet"]),
  ],
  traits: [
    .default(enabledTraits: ["Native", "OptimizedKernels"]),
    .trait(name: "Native", description: "Compile the kernels for this machine's processor"),
    .trait(name: "OptimizedKernels", description: "Compile the kernels with -O in debug builds too"),
  ],
  targets: [
    .target(
      name: "ResidualKernels",
      swiftSettings: nativeSettings() + [
        .unsafeFlags(
          ["-O", "-disable-batch-mode", "-whole-module-optimization", "-num-threads", "2"],
          .when(configuration: .debug, traits: ["OptimizedKernels"]))
      ]),
    .target(name: "ResidualFiles", swiftSettings: safe),
    .target(name: "ResidualLearning", dependencies: ["ResidualKernels", "ResidualFiles"], swiftSettings: safe),
    .target(name: "ResidualInference", dependencies: ["ResidualLearning"], swiftSettings: safe),
    .target(
      name: "ResidualExperiments", dependencies: ["ResidualLearning"],
      resources: [.copy("Resources/resnet20-cifar10.safetensors")], swiftSettings: talks),
    .target(name: "ResidualWalk", dependencies: ["ResidualExperiments"], swiftSettings: talks),
    .target(name: "ResidualDetection", dependencies: ["ResidualLearning"], swiftSettings: safe),
    .executableTarget(
      name: "resnet", dependencies: ["ResidualDetection", "ResidualExperiments", "ResidualInference", "ResidualWalk"],
      swiftSettings: talks),
    .target(
      name: "TestSupport", dependencies: ["ResidualLearning"], path: "Tests/TestSupport", swiftSettings: safe),
    .testTarget(name: "ResidualKernelsTests", dependencies: ["ResidualKernels"]),
    .testTarget(name: "ResidualFilesTests", dependencies: ["ResidualFiles", "TestSupport"], swiftSettings: safe),
    .testTarget(
      name: "ResidualLearningTests", dependencies: ["ResidualDetection", "ResidualExperiments", "TestSupport"],
      swiftSettings: safe),
    .testTarget(
      name: "ResidualInferenceTests", dependencies: ["ResidualInference", "TestSupport"], swiftSettings: safe),
    .testTarget(
      name: "ResidualExperimentsTests", dependencies: ["ResidualExperiments", "TestSupport"], swiftSettings: safe),
    .testTarget(
      name: "ResidualWalkTests", dependencies: ["ResidualWalk", "TestSupport"], swiftSettings: safe),
    .testTarget(
      name: "ResidualDetectionTests", dependencies: ["ResidualDetection", "TestSupport"], swiftSettings: safe),
    .testTarget(name: "resnetTests", dependencies: ["resnet", "TestSupport"], swiftSettings: safe),
  ],
  swiftLanguageModes: [.v6]
)
