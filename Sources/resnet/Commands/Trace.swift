import Foundation
import ResidualFiles
import ResidualKernels
import ResidualLearning
import ResidualWalk

extension Command {
  static let trace = Command(
    name: "trace",
    summary: "walks through one training step, number by number",
    description:
      "Walks through one step of training: every layer forward, the loss, every layer backward, the step of SGD. Each "
      + "stop has its equation, its line of code, its shapes, and mean and deviation of value and gradient. With "
      + "--element it shows how one number was made; with --html it writes the walk as one page. Without --network and "
      + "--weights it takes a small residual net of 8 layers whose scales and shifts are random too, since 1 and 0 would "
      + "hide mistakes.",
    positionals: [.image],
    options: [
      .network.with(absent: "resnet8 with 4 channels", help: "the network, with random weights"), .shortcut,
      .strideIn.with(
        absent: "the first 1x1", help: "the convolution of a bottleneck that halves the image: 1x1 or 3x3"),
      .zeros.with(
        absent: "after the channels", help: "option A's zeros: after the channels of the input, or around them"),
      .width, .size, .weights.with(help: "a file of weights, instead of random ones"), .label,
      .batch.with(default: 1, help: "drawn images per step"), .rate.with(default: 0.1, help: "the rate of the step"),
      .seed, .layer, .element, .html, .json,
    ]
  ) { arguments in
    let output = Output(json: arguments[.json])
    let walk = try arguments.walk(output)
    if let path = arguments[.html] { try writePage(walk, to: path, arguments, output) }
    if let name = arguments[.layer] { output.line(try walk.tensors(ofLayer: name)) }
    if let element = arguments[.element] { output.line(try walk.arithmetic(ofElement: element)) }
    if arguments[.html] == nil && arguments[.layer] == nil && arguments[.element] == nil {
      output.line(walk.table)
    }
    output.json(walk.json)
  }
}

/// Writes the walk as a page, with the plain network of the same weights beside a residual one.
private func writePage(_ walk: Walk, to path: String, _ arguments: Arguments, _ output: Output) throws {
  let labels = walk.labels.map { "\($0)" }.joined(separator: ", ")
  let picture = (arguments[.image].map { _ in "a picture" } ?? "a drawn picture") + " of class \(labels)"
  let page = try Page(walk, plain: walk.withoutShortcuts, picture: picture)
  let html = page.html
  try AtomicFile.write(Data(html.utf8), to: path)
  output.line("\(path): \(walk.stops.count) stops, \(grouped(html.utf8.count)) bytes")
}
