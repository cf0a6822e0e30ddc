import Foundation
import ResidualDetection
import ResidualKernels
import ResidualLearning

extension Command {
  static let detectTrain = Command(
    name: "detect-train",
    summary: "trains a detector",
    description: "x",
    options: [.output, .iterations, .batch.with(default: 8), .rate, .seed, .threads, .json]
  ) { arguments in
    Parallel.threads = 2
    let env = ProcessInfo.processInfo.environment
    let depth = Int(env["DEPTH"] ?? "10")!
    let t0 = ProgressLine.now
    let scenes = SyntheticScenes.make(count: Int(env["SCENES"] ?? "1000")!, seed: 2015)
    let test = SyntheticScenes.make(count: 200, seed: 2016)
    let figures = SyntheticImages.make(count: 5000, seed: 2015)
    let testFigures = SyntheticImages.make(count: 1000, seed: 2016)
    print("drawn", ProgressLine.now - t0, scenes.objectCount)
    var plan = DetectorPlan.scenes(depth: depth, plain: env["PLAIN"] != nil, classNames: SyntheticScenes.classNames)
    if let s = env["STRIDE4"] {
      plan.architecture.stages[Int(s)!].stride = 1
      plan.anchors.stride = 4
    }
    if let s = env["REGIONS"] { plan.regionSample = Int(s)! }
    var generator = RandomGenerator(seed: UInt64(arguments[.seed]))
    let network = ResidualNetwork<Fused<BasicBlock<Float>>>(plan.architecture, using: &generator)
    var recipe = Recipe.scaled(depth: depth, iterations: Int(env["PRE"] ?? "320")!)
    recipe.batch = 128
    let mean = scenes.meanColor
    let flat = Tensor<Float>([32, 32, 3], (0..<1024).flatMap { _ in mean.map { Float($0) } })
    var trainer = Trainer(network, recipe: recipe, images: figures, normalization: .perPixel(mean: flat), seed: 1)
    while !trainer.isFinished { _ = try trainer.step() }
    print("classifier", trainer.network.evaluate(testFigures, normalization: trainer.normalization).accuracy, ProgressLine.now - t0)
    let detector = Detector(plan, from: trainer.network, using: &generator)
    print("parameters", detector.parameters.count)
    var r = DetectionRecipe.scenes(iterations: arguments[.iterations] ?? 1000)
    if let rate = arguments[.rate] { r.rate = rate }
    r.batch = arguments[.batch]
    let normalization = DetectionNormalization(mean: mean)
    var t = DetectionTrainer(detector, recipe: r, scenes: scenes, normalization: normalization, seed: 1)
    var sum = DetectionLosses()
    while !t.isFinished {
      let s = try t.step()
      sum.objectness += s.losses.objectness / 50; sum.anchors += s.losses.anchors / 50
      sum.classes += s.losses.classes / 50; sum.boxes += s.losses.boxes / 50
      if t.iteration % 50 == 0 {
        print(t.iteration, fixed(sum.objectness, 4), fixed(sum.anchors, 4), fixed(sum.classes, 4), fixed(sum.boxes, 4), fixed(ProgressLine.now - t0, 1))
        sum = DetectionLosses()
      }
      if t.iteration % 250 == 0 || t.isFinished {
        let t1 = ProgressLine.now
        let e = t.detector.evaluate(test.scenes, normalization: normalization)
        print("mAP50", fixed(e.mAP50, 4), "mAP", fixed(e.mAP, 4), "eval", fixed(ProgressLine.now - t1, 1))
      }
    }
  }
}
