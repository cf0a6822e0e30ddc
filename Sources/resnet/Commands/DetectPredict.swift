import Foundation
import ResidualDetection
import ResidualFiles
import ResidualLearning

extension Command {
  static let detectPredict = Command(
    name: "detect predict",
    summary: "finds the objects in pictures",
    description:
      "Prints the boxes, classes and scores of the objects in pictures (PNG), and writes each picture with the "
      + "boxes drawn on it, enlarged, to the output folder. Without pictures it draws scenes and looks at those.",
    positionals: [.optionalImages],
    options: [
      .checkpoint, .output.with(absent: "runs/detections"), .leastScore, .refine, .poolingScales, .json,
    ] + AnyOption.machineOptions
  ) { arguments in
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    let checkpoint = try DetectionCheckpoint(contentsOf: arguments[.checkpoint])
    let (detector, names) = (try checkpoint.detector(), checkpoint.description.plan.classNames)
    var settings = arguments.predictionSettings
    settings.leastScore = arguments[.leastScore]
    let folder = arguments[.output] ?? "runs/detections"
    try AtomicFile.makeFolder(folder)
    let paths = arguments[.optionalImages]
    let drawn = paths.isEmpty ? SyntheticScenes.make(count: 8, seed: Scenes.synthetic.seed + 1).scenes : []
    var results: [JSONValue] = []
    for i in 0..<max(paths.count, drawn.count) {
      let name = paths.isEmpty ? "scene-\(i).png" : URL(fileURLWithPath: paths[i]).lastPathComponent
      let picture = paths.isEmpty ? drawn[i].picture : try Picture(contentsOf: paths[i])
      let found = detector.detections(
        in: [picture], normalization: checkpoint.description.normalization, settings: settings)[0]
      var drawing = BoxDrawing(picture, factor: max(1, 480 / picture.shorterSide))
      drawing.draw(found, classNames: names)
      let target = "\(folder)/\(name)"
      try drawing.picture.write(to: target)
      output.line("\(target): \(found.isEmpty ? "nothing found" : "")")
      for detection in found {
        let box = detection.box
        let sides = [box.left, box.top, box.right, box.bottom].map { fixed($0, 1) }.joined(separator: " ")
        output.line("  " + padded(names[detection.label], to: 12) + padded(percent(detection.score), to: 10) + sides)
      }
      results.append([
        "file": .string(paths.isEmpty ? name : paths[i]), "picture": .string(target),
        "detections": .array(
          found.map {
            [
              "class": .string(names[$0.label]), "score": .double($0.score),
              "box": .array([.double($0.box.left), .double($0.box.top), .double($0.box.right), .double($0.box.bottom)]),
            ]
          }),
      ])
    }
    output.json(["network": .string(checkpoint.description.plan.architecture.name), "images": .array(results)])
  }
}
