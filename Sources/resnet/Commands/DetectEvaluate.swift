import ResidualDetection
import ResidualLearning

extension Command {
  static let detectEvaluate = Command(
    name: "detect evaluate",
    summary: "measures a detector's average precision",
    description: "Measures the average precision of a detector's checkpoint on test scenes: COCO's mAP@.5 and "
      + "mAP@[.5, .95], PASCAL VOC's by eleven points and by area, and the AP@.5 of every class. --refine and --scales are "
      + "improvements of appendix B.",
    options: [.checkpoint, .scenes, .limit, .refine, .poolingScales, .json] + AnyOption.machineOptions
  ) { arguments in
    arguments.applyMachineOptions()
    let output = Output(json: arguments[.json])
    let checkpoint = try DetectionCheckpoint(contentsOf: arguments[.checkpoint])
    let plan = checkpoint.description.plan
    let test = try Scenes(arguments, purpose: "test").test
    guard test.classNames == plan.classNames else {
      throw InputError(
        "\(arguments[.checkpoint]) tells \(listed(plan.classNames, "and")) apart, the scenes have "
          + listed(test.classNames, "and"))
    }
    let start = ProgressLine.now
    var line = ProgressLine(total: test.count, unit: "scenes")
    let result = try checkpoint.detector().evaluate(
      test.scenes, normalization: checkpoint.description.normalization, settings: arguments.predictionSettings
    ) { output.progress(&line, $0) }
    var table = Table(.left("class"), .right("AP@.5"))
    for (label, precision) in result.byClass { table.row(plan.classNames[label], percent(precision)) }
    output.line(table.text)
    output.line(
      "\(plan.architecture.name) on \(grouped(test.count)) scenes: mAP@.5 \(percent(result.mAP50)), mAP@[.5, .95] "
        + "\(percent(result.mAP)), VOC \(percent(result.vocArea)) by area and \(percent(result.vocElevenPoints)) by 11 points"
    )
    let errors = result.boxErrors
    let sides = zip(["left", "top", "right", "bottom"], zip(errors.means, errors.deviations))
    output.line(
      "\(grouped(errors.found)) of \(grouped(errors.objects)) objects have a box, mean IoU \(fixed(errors.meanIoU, 3)); "
        + "sides in pixels: " + sides.map { "\($0) \(fixed($1.0, 1)) ± \(fixed($1.1, 1))" }.joined(separator: ", "))
    output.json([
      "network": .string(plan.architecture.name), "mAP50": .double(result.mAP50), "mAP": .double(result.mAP),
      "vocArea": .double(result.vocArea), "vocElevenPoints": .double(result.vocElevenPoints),
      "meanIoU": .double(errors.meanIoU), "scenes": .int(test.count), "seconds": .double(ProgressLine.now - start),
    ])
  }
}

extension Arguments {
  /// How a detector is tested.
  var predictionSettings: PredictionSettings {
    var settings = PredictionSettings()
    settings.refinesBoxes = self[.refine]
    settings.scales = self[.poolingScales] ?? []
    return settings
  }
}
