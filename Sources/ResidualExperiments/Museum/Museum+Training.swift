// Museum+Training.swift: mistakes in optimizers, training loops and data.

import ResidualKernels
import ResidualLearning

/// A parameter `[1]`: the smallest thing that can be trained.
private struct Weight: ParameterSet {
  var value: Tensor<Double>
  init(_ value: Double) { self.value = Tensor([value]) }
  mutating func visit(_ path: String, _ body: (String, inout Tensor<Double>) -> Void) { body(path + "weight", &value) }
}

extension Museum {
  /// The weight after each step of minimizing w²/2, from 1 on.
  private static func descent(
    rates: [Double], momentum: Double = 0.9, decay: Double = 0, gradient: (Double) -> Double = { $0 }
  ) -> [Double] {
    var weight = Weight(1)
    var optimizer = SGD(weight, momentum: momentum, decay: decay)
    return rates.map { rate in
      optimizer.step(&weight, gradients: Weight(gradient(weight.value[0])), rate: rate)
      return weight.value[0]
    }
  }

  static var optimizerExhibits: [Exhibit] {
    let room = "Optimiser"
    return [
      Exhibit(
        room,
        .init("sgd-climbs", "w ← w + v", symptom: "the loss rises from the first step on"),
        law: "a small step makes the loss smaller"
      ) { isWrong in abs(descent(rates: [0.1]) { isWrong ? -$0 : $0 }[0]) < 1 },
      Exhibit(
        room,
        .init(
          "sgd-velocity-forgotten", "the velocity starts from zero in every step",
          symptom: "training as slow as with a tenth of the rate"),
        law: "under a constant gradient, steps grow to ten times the first (momentum 0.9)"
      ) { isWrong in
        let places = [1] + descent(rates: .init(repeating: 0.1, count: 200), momentum: isWrong ? 0 : 0.9) { _ in 1 }
        return abs((places[199] - places[200]) - 1) < 1e-6
      },
      Exhibit(
        room,
        .init("decay-twice", "the penalty is λ w², whose gradient is 2 λ w", symptom: "a decay twice the paper's"),
        law: "with no gradient, a step of rate 0.1 and decay 0.1 leaves 0.99 of a weight"
      ) { isWrong in abs(descent(rates: [0.1], decay: isWrong ? 0.2 : 0.1) { _ in 0 }[0] - 0.99) < 1e-12 },
      Exhibit(
        room,
        .init(
          "decay-grows", "the decay has the wrong sign", symptom: "weights grow; behind normalization nobody notices"),
        law: "with no gradient, weights shrink"
      ) { isWrong in descent(rates: [0.1], decay: isWrong ? -0.1 : 0.1) { _ in 0 }[0] < 1 },
      Exhibit(
        room,
        .init(
          "gradients-not-cleared", "gradients of the last step are still there when the next is added",
          symptom: "steps grow until the loss is NaN", seen: issue("wenet-e2e/wekws", 73)),
        law: "the second step uses the second gradient alone"
      ) { isWrong in
        var kept = 0.0
        let places = descent(rates: [0.1, 0.1], momentum: 0) { w in
          kept = isWrong ? kept + w : w
          return kept
        }
        return abs(places[1] - 0.81) < 1e-12
      },
      Exhibit(
        room,
        .init(
          "gradients-cleared-before-the-step", "gradients are set to zero between backward and step",
          symptom: "nothing is learned, only decay and momentum move", seen: issue("lucidrains/byol-pytorch", 93)),
        law: "one step changes every parameter"
      ) { isWrong in descent(rates: [0.1]) { isWrong ? 0 : $0 }[0] != 1 },
    ]
  }

  static var trainingExhibits: [Exhibit] {
    let room = "Training loop"
    return [
      Exhibit(
        room,
        .init(
          "warm-up-never-ends", "the low rate of the warm-up is never raised again",
          symptom: "110 layers go on learning at a tenth of the rate",
          seen: issue("akamaster/pytorch_resnet_cifar10", 21)),
        law: "after the warm-up the rate is 0.1"
      ) { isWrong in Recipe.paper(depth: 110).rate(at: 1000, isWarmingUp: isWrong) == 0.1 },
      Exhibit(
        room,
        .init("milestones-in-epochs", "32,000 iterations are read as epochs", symptom: "the rate never falls"),
        law: "at iteration 40,000 the rate is 0.01"
      ) { isWrong in
        let iteration = isWrong ? 40000 / 352 : 40000
        return abs(Recipe.paper(depth: 20).rate(at: iteration) - 0.01) < 1e-12
      },
      Exhibit(
        room,
        .init(
          "micro-batches-not-averaged", "gradients of parts of a batch are added, and each is a mean already",
          symptom: "the rate grows with the number of parts", seen: issue("openai/guided-diffusion", 111)),
        law: "two halves of a batch give the gradient of the whole"
      ) { isWrong in
        var generator = RandomGenerator(seed: 6)
        let loss = SoftmaxCrossEntropy<Double>()
        let layer = Linear<Double>(3, 4, deviation: 1, using: &generator)
        let (images, labels) = (Tensor<Double>(normal: [4, 3], using: &generator), [0, 3, 1, 2])
        func gradient(_ range: Range<Int>) -> Tensor<Double> {
          let (logits, cache) = layer.forward(images.slice(range))
          let lossCache = loss.forward(logits, labels: Array(labels[range])).cache
          return layer.backward(loss.backward(lossCache), cache).gradients.weight
        }
        let parts = (gradient(0..<2) + gradient(2..<4)) * (isWrong ? 1 : 0.5)
        return (parts - gradient(0..<4)).maximum < 1e-12
      },
      Exhibit(
        room,
        .init(
          "mean-of-means", "the test error is the mean of the batches' errors, and the last batch is smaller",
          symptom: "an error that changes with the batch size"),
        law: "three images in batches of two have the error of three images"
      ) { isWrong in
        let wrongImages: [Double] = [0, 0, 1]
        let mean = wrongImages.reduce(0, +) / 3
        return (isWrong ? ((0 + 0) / 2 + 1) / 2 : mean) == 1.0 / 3
      },
      Exhibit(
        room,
        .init(
          "augmentation-at-test-time", "test images are cropped and flipped at random",
          symptom: "an error that differs from run to run"),
        law: "testing twice gives the same views"
      ) { isWrong in
        var generator = RandomGenerator(seed: 1)
        let augmentation: Augmentation = isWrong ? .paper : .none
        let images = SyntheticImages.make(count: 20, seed: 1)
        let first = augmentation.views(of: images, Array(0..<20), using: &generator)
        return first == augmentation.views(of: images, Array(0..<20), using: &generator)
      },
    ]
  }

  static var dataExhibits: [Exhibit] {
    let room = "Data"
    return [
      Exhibit(
        room,
        .init(
          "same-random-numbers", "every worker, or every epoch, begins with the same seed",
          symptom: "less variety than one thinks", seen: issue("pytorch/pytorch", 5059)
        ),
        law: "two epochs draw different crops"
      ) { isWrong in
        let images = SyntheticImages.make(count: 20, seed: 1)
        func views(epoch: UInt64) -> [PictureView] {
          var generator = RandomGenerator(seed: 1).fork(isWrong ? 0 : epoch)
          return Augmentation.paper.views(of: images, Array(0..<20), using: &generator)
        }
        return views(epoch: 1) != views(epoch: 2)
      },
      Exhibit(
        room,
        .init(
          "labels-not-shuffled-along", "the images are shuffled, the labels are not",
          symptom: "the loss stays at ln 10"),
        law: "an image keeps its label"
      ) { isWrong in
        var generator = RandomGenerator(seed: 1)
        let (images, labels) = (Array(0..<50), Array(0..<50))
        let order = generator.permutation(50)
        return order.indices.allSatisfy { images[order[$0]] == labels[isWrong ? $0 : order[$0]] }
      },
      Exhibit(
        room,
        .init(
          "reshape-for-transpose", "planes R, G, B are reshaped into [H, W, C] without moving a number",
          symptom: "pictures look like grey noise in threes",
          seen: "[Karpathy's list of 2018](https://threadreaderapp.com/thread/1013244313327681536.html)"),
        law: "green of the first pixel is number H·W of the record"
      ) { isWrong in
        let record = Tensor<Double>([3, 2, 2], (0..<12).map(Double.init))
        let image =
          isWrong
          ? record.reshaped([2, 2, 3])
          : Tensor<Double>([2, 2, 3], (0..<4).flatMap { pixel in (0..<3).map { Double($0 * 4 + pixel) } })
        return image[0, 0, 1] == 4
      },
      Exhibit(
        room,
        .init(
          "last-images-never-seen",
          "the last, smaller batch of every epoch is dropped, from an order that is never drawn anew",
          symptom: "a few images are never trained on"),
        law: "an epoch visits every image once"
      ) { isWrong in
        let (count, batch) = (10, 4)
        let starts = stride(from: 0, to: isWrong ? count / batch * batch : count, by: batch)
        return starts.flatMap { $0..<min($0 + batch, count) } == Array(0..<count)
      },
    ]
  }
}
