import ResidualDetection
import ResidualLearning

// The one table of options, which the parser, the help text and the commands share. A command lists the options that
// it takes; `.with(default:)` in its list gives it a default of its own.

enum RecipeName: String, CaseIterable { case scaled, paper, imagenet }
enum KernelsName: String, CaseIterable { case fast, reference }
enum ConvolutionName: String, CaseIterable { case auto, direct }
enum StatisticsName: String, CaseIterable { case running, recomputed }
enum BlocksName: String, CaseIterable { case fused, layered }
enum BenchMode: String, CaseIterable { case train, infer, kernels }

extension AnyOption {
  // The network and the data
  static let network = Option(
    "--network", .text("NAME", "a network's name"), default: "resnet20", "the network: resnet20, plain20, resnet34, ..."
  )
  static let shortcut = Option(
    "--shortcut", .choice(ShortcutOption.self), "the shortcut where the shape changes: option A, B or C of the paper",
    absent: "A for CIFAR-10's networks, B for ImageNet's")
  static let zeros = Option(
    "--zeros", .choice(ZeroPlacement.self), default: .after,
    "option A's zeros: after the channels of the input, or around them")
  static let strideIn = Option(
    "--stride-in", .choice(StridePlacement.allCases) { $0 == .first1x1 ? "1x1" : "3x3" }, default: .first1x1,
    "the convolution of a bottleneck that halves the image: the first 1x1 (the authors' model) or the 3x3")
  static let data = Option("--data", .folder, "the folder with the images", absent: "synthetic images")
  static let weights = Option("--weights", repeated: .file, "a file of weights")
  static let normalization = Option(
    "--normalization", .choice(PixelNormalization.Kind.self), "how pixels are normalized",
    absent: "as the weights need it")
  static let limit = Option("--limit", .whole(1...), "use only the first N images", absent: "all")

  // Training
  static let output = Option("--output", .folder, "the folder that takes the results", absent: "runs/NETWORK")
  static let recipe = Option(
    "--recipe", .choice(RecipeName.self), default: .scaled,
    "section 4.2 scaled to the data at hand, section 4.2 as it stands (paper), or section 3.4, whose batch is 256 "
      + "(imagenet)")
  static let crop = Option(
    "--crop", .whole(8...1024), default: 224, "height and width of the crops of --recipe imagenet")
  static let batch = Option("--batch", .whole(1...65536), default: 128, "images per step")
  static let epochs = Option(
    "--epochs", .whole(1...1_000_000), "passes over the training images", absent: "the recipe's")
  static let iterations = Option(
    "--iterations", .whole(1...1_000_000_000), "steps, instead of epochs", absent: "the recipe's")
  static let rate = Option("--rate", .number(0...1000), "the learning rate at the start", absent: "the recipe's")
  static let momentum = Option("--momentum", .number(0...1), "the momentum of SGD", absent: "the recipe's")
  static let decay = Option("--decay", .number(0...1), "the weight decay", absent: "the recipe's")
  static let seed = Option("--seed", .whole(0...), default: 1, "the seed of all random numbers")
  static let resume = Option(
    flag: "--resume", "continue the run in the output folder, bit for bit, or begin it if there is none")
  static let statistics = Option(
    "--bn-statistics", .choice(StatisticsName.self), default: .running,
    "the statistics of batch normalization: running, or recomputed over the training set after training")

  static let logGradients = Option(
    flag: "--log-gradients", "write the norm of every weight's gradient and every layer's response after each epoch")

  /// What every command that trains takes.
  static func trainingOptions(batch: Int = 128) -> [AnyOption] {
    [
      .recipe, .crop, .batch.with(default: batch), .epochs, .iterations, .rate, .momentum, .decay, .statistics, .seed,
      .logGradients, .blocks,
    ]
  }

  // Testing
  static let crops = Option(
    "--crops", .choice(1, 10), default: 1,
    "the views of an image whose scores are averaged: the whole image, or ten crops of the network's own size, which "
      + "differ only where the image is larger (--scales)")
  static let scales = Option(
    "--scales", .list(.whole(1...4096)),
    "the shorter sides, in pixels, to which an image is resized; the scores are averaged",
    absent: "the network's own size")
  static let export = Option("--export", .file, "write the network for PyTorch, with its names and order of axes")
  static let lean = Option("--lean", .file, "write the checkpoint for predictions alone, in half precision")
  static let logits = Option("--logits", .whole(0...), default: 0, "print the logits of the first N images")

  /// What the user knows about weights besides their file.
  static let weightOptions: [AnyOption] = [
    .network.with(absent: "whatever it holds", help: "the network that the file must hold"),
    .zeros.with(
      absent: "around the channels, as akamaster's", help: "option A's zeros, where a file from PyTorch does not say"),
    .strideIn.with(
      absent: "3x3, as torchvision's", help: "a bottleneck's stride, where a file from PyTorch does not say"),
  ]

  // Detection
  static let detectorNetwork = Option(
    "--network", .text("NAME", "a network's name"), default: "resnet10",
    "the network under the detector: resnet or plain, and a depth of 8n+2 layers")
  static let scenes = Option(
    "--data", .folder, "the folder with train.json, test.json (COCO's format) and the pictures", absent: "drawn scenes")
  static let trunk = Option("--trunk", .file, "a classifier to begin with", absent: "trained first")
  static let context = Option(
    flag: "--context", "let every region see the features of the whole picture too (appendix B)")
  static let reference = Option(
    "--reference", .choice(RegionReference.self), default: .cells,
    "what a region's box is measured from: the cells that are pooled, or the proposal (Fast R-CNN)")
  static let checkpoint = Option("--weights", .file, default: nil, "the checkpoint of a detector")
  static let refine = Option(
    flag: "--refine", "pool every region again from its regressed box, and let boxes vote (appendix B)")
  static let poolingScales = Option(
    "--scales", .list(.whole(16...4096)), "shorter sides, in pixels, at which regions are pooled too (appendix B)",
    absent: "the picture's own size")
  static let leastScore = Option(
    "--least-score", .number(0...1), default: 0.5, "the lowest score of a detection that is drawn")

  // Machine and measurement
  static let threads = Option("--threads", .whole(1...1024), "the number of threads", absent: "one for each core")
  static let kernels = Option(
    "--kernels", .choice(KernelsName.self), default: .fast, "the fast kernels, or the plain loops that define them")
  static let blocks = Option(
    "--blocks", .choice(BlocksName.self), default: .fused,
    "blocks in few passes over memory, or layer by layer, so that a debugger shows every tensor")
  static let convolution = Option(
    "--convolution", .choice(ConvolutionName.self), default: .auto,
    "convolutions chosen by their shapes, or direct everywhere")
  static let construct = Option(
    flag: "--construct",
    "also train deep networks that begin as the shallowest one, learned, and layers that are the identity")
  static let networks = Option(
    "--networks", .list(.text("NAME", "a network's name")),
    "the networks, such as plain20,resnet20,resnet32:B,resnet18:16; behind a colon the shortcut, or how many channels "
      + "the first stage has", absent: "a plain and a residual one of every depth")
  static let seeds = Option(
    "--seeds", .whole(1...1000), "runs of each network, with --seed and the seeds that follow it", absent: "1")
  static let repeats = Option("--repeats", .whole(1...100_000), default: 10, "how often each measurement is taken")
  static let depths = Option("--depths", .list(.whole(8...2000)), default: [20, 32, 44], "the depths, 6n+2 layers")

  /// The options that hold for the whole process; see `applyMachineOptions()`.
  static let machineOptions: [AnyOption] = [.threads, .kernels, .convolution]

  // The walk through one step of training
  static let layer = Option("--layer", .text("NAME", "a layer's name"), "print the tensors of this layer")
  static let element = Option(
    "--element", .text("NAME[I,J,...]", "a tensor's name and a position, such as stem.conv[0,3,4,1]"),
    "print how this number and its gradient were made, term by term, and the finite difference")
  static let html = Option("--html", .file, "write the walk as one page for a browser")
  static let label = Option(
    "--label", .whole(0...), "the true class of the picture", absent: "that of the drawn one, 0 for a PNG file")
  static let size = Option(
    "--size", .whole(1...1024), "height and width of the image", absent: "8, or the size of a network that is named")
  static let width = Option(
    "--width", .whole(1...64), "the channels of the first stage", absent: "4, or those of a network that is named")

  // What is printed
  static let json = Option(
    flag: "--json", "print one JSON object on standard output at the end, and all else on standard error")
  static let all = Option(flag: "--all", "list every network, one row each")

  // Positional arguments
  static let networkName = Option(
    "NETWORK", .text("", "a network's name"), "the network: resnet20, plain20, resnet34, vgg16, ...",
    absent: "needs --all")
  static let images = Option("IMAGE", repeated: .file, "the pictures, PNG files", isRequired: true)
  static let image = Option("IMAGE", .file, "a picture, a PNG file", absent: "a drawn one")
  static let optionalImages = Option("IMAGE", repeated: .file, "the pictures, PNG files")
  static let mode = Option(
    "MODE", .choice(BenchMode.self), default: .train, "what is measured: train, infer or kernels")
  static let topic = Option("COMMAND", repeated: .text("", "a command"), "the command that is explained")
}
