// Museum+Blocks.swift: mistakes in the loss and in residual blocks.

import Foundation
import ResidualKernels
import ResidualLearning

// MARK: - Loss

/// A mistake in the gradient of the loss.
public struct LossMistake: Sendable {
  /// What is known about it.
  public let label: Exhibit.Label
  /// The wrong gradient with respect to the logits.
  public let gradient: @Sendable (SoftmaxCrossEntropy<Double>.Cache) -> Tensor<Double>

  init(
    _ label: Exhibit.Label, _ gradient: @escaping @Sendable (SoftmaxCrossEntropy<Double>.Cache) -> Tensor<Double>
  ) {
    (self.label, self.gradient) = (label, gradient)
  }
}

extension Museum {
  /// Mistakes in the gradient of the loss.
  public static let loss: [LossMistake] = [
    LossMistake(
      .init(
        "loss-not-divided", "the loss is a mean over the batch, its gradient a sum",
        symptom: "the rate must change with the batch size", seen: issue("davharris/mistnet", 33))
    ) { SoftmaxCrossEntropy<Double>().backward($0) * Double($0.labels.count) },
    LossMistake(
      .init(
        "loss-true-class-forgotten", "dz = p/N: nothing is subtracted where the class is true",
        symptom: "the loss rises")
    ) { $0.probabilities / Double($0.labels.count) },
    LossMistake(
      .init(
        "loss-derivative-of-softmax-again", "(p − 1[t]) is multiplied by p (1 − p) once more",
        symptom: "confident mistakes are not corrected")
    ) { cache in
      let p = cache.probabilities
      return SoftmaxCrossEntropy<Double>().backward(cache) * (p - p * p)
    },
  ]

  static var lossExhibits: [Exhibit] {
    let room = "Softmax and cross-entropy"
    /// The gradient check of a wrong gradient of the logits.
    func exhibit(_ mistake: LossMistake) -> Exhibit {
      Exhibit(room, mistake.label, law: "the gradient is the finite difference of the loss") { isWrong in
        var generator = RandomGenerator(seed: 8)
        let loss = SoftmaxCrossEntropy<Double>()
        let (logits, labels) = (Tensor<Double>(normal: [4, 3], using: &generator), [2, 0, 1, 2])
        let cache = loss.forward(logits, labels: labels).cache
        let gradient = isWrong ? mistake.gradient(cache) : loss.backward(cache)
        return GradientCheck().run(
          "loss", at: [("logits", logits)], outputGradient: Tensor([1]), gradients: [gradient]
        ) { Tensor([loss.forward($0[0], labels: labels).loss]) }.passed
      }
    }
    return loss.map(exhibit) + [
      Exhibit(
        room,
        .init(
          "softmax-twice", "probabilities are given to a loss that expects logits",
          symptom: "the loss of ten classes never falls below 1.46", seen: issue("tflearn/tflearn", 562)),
        law: "a confident right answer costs nothing"
      ) { isWrong in
        let loss = SoftmaxCrossEntropy<Double>()
        let logits = Tensor<Double>([1, 10], (0..<10).map { $0 == 3 ? 50 : 0 })
        let probabilities = loss.forward(logits, labels: [3]).cache.probabilities
        return loss.forward(isWrong ? probabilities : logits, labels: [3]).loss < 1e-6
      },
      Exhibit(
        room,
        .init(
          "softmax-over-the-batch", "the sum of (1) runs over the images, not over the classes",
          symptom: "a batch of one is always sure",
          seen:
            "[LLM first principles](https://ttsugriy.github.io/llm-first-principles/stages/stage-03/common-mistakes)"),
        law: "each image's probabilities add up to 1"
      ) { isWrong in
        let logits = Tensor<Double>([2, 3], [0, 1, 2, 3, 1, 0])
        let p = SoftmaxCrossEntropy<Double>().forward(
          isWrong ? Tensor([3, 2], logits.moved { [$0[0], $0[1]] }.elements) : logits,
          labels: isWrong ? [0, 0, 0] : [0, 0]
        ).cache.probabilities
        return abs((p.elements[0] + p.elements[1] + p.elements[2]) - 1) < 1e-12
      },
      Exhibit(
        room,
        .init("softmax-overflows", "exponentials of the logits as they are", symptom: "NaN after some thousand steps"),
        law: "a logit of 1,000 has a finite loss"
      ) { isWrong in
        let loss = SoftmaxCrossEntropy<Double>().forward(Tensor([1, 2], [1000, 0]), labels: [1]).loss
        let wrong = -Double.logarithm(1 / (Double.exponential(1000) + 1))  // e⁰ = 1
        return (isWrong ? wrong : loss).isFinite
      },
    ]
  }
}

// MARK: - Residual blocks

extension Museum {
  /// Mistakes in the backward pass of a residual block.
  public static let block: [BackwardMistake<Block<Double>>] = [
    .init(
      Exhibit.Label(
        "block-skip-gradient-missing", "the input gradient is the branch's alone",
        symptom: "it trains, as a plain net does")
    ) { $0.inputGradient -= $0.skipGradient(of: $0.sumGradient) },
    .init(
      Exhibit.Label(
        "block-skip-gradient-twice", "the shortcut is added twice", symptom: "gradients double from block to block",
        seen: issue("yakhyo/darknet-pytorch", 2))
    ) { $0.inputGradient += $0.skipGradient(of: $0.sumGradient) },
    .init(
      Exhibit.Label(
        "block-skip-overwrites", "`=` for `+=`: the shortcut's gradient takes the place of the branch's",
        symptom: "early blocks learn, but not for the branch in front of them")
    ) { $0.inputGradient = $0.skipGradient(of: $0.sumGradient) },
    .init(
      Exhibit.Label(
        "block-skip-not-masked", "the shortcut gets dy, not what the ReLU after the addition lets through",
        symptom: "none where all sums are positive")
    ) { $0.inputGradient += $0.skipGradient(of: $0.outputGradient - $0.sumGradient) },
    .init(
      Exhibit.Label(
        "block-gradients-of-the-other-layer", "the first normalization is handed the second one's gradients",
        symptom: "shapes fit; training is slow")
    ) { pass in
      var values: [String: Tensor<Double>] = [:]
      for (name, tensor) in pass.gradients.named { values[name] = tensor }
      pass.gradients.visit("") { name, tensor in if name == "bn1.shift" { tensor = values["bn2.shift"]! } }
    },
  ]

  /// Mistakes in the backward pass of option A's shortcut. The other shortcuts have nothing that can be wrong.
  public static let shortcut: [BackwardMistake<Shortcut<Double>>] = [
    .init(
      Exhibit.Label(
        "option-a-wrong-channels", "the gradient is read from the channels of zeros",
        symptom: "a little gradient that belongs to nobody")
    ) { pass in
      guard case .zeroPadded(let zeros) = pass.layer else { return }
      let moved = ZeroPadding(
        stride: zeros.stride, front: zeros.front + 1, outputChannels: zeros.outputChannels)
      pass.inputGradient = moved.backward(pass.outputGradient, inputShape: pass.input.shape)
    },
    .init(
      Exhibit.Label(
        "option-a-stride-forgotten", "the gradient is put on pixels 0, 1, 2 in place of 0, 2, 4",
        symptom: "the gradient sits in the upper left quarter")
    ) { pass in
      guard case .zeroPadded(let zeros) = pass.layer else { return }
      let dense = ZeroPadding(stride: 1, front: zeros.front, outputChannels: zeros.outputChannels)
      let dy = pass.outputGradient.shape
      let corner = dense.backward(
        pass.outputGradient, inputShape: [dy[0], dy[1], dy[2], pass.input.shape[3]])
      pass.inputGradient = Tensor(zeros: pass.input.shape)
      corner.forEachPosition { pass.inputGradient[$0] = corner[$0] }
    },
  ]

  static var blockExhibits: [Exhibit] {
    let room = "Residual block and shortcut"
    let zeros = Shortcut<Double>.zeroPadded(ZeroPadding(stride: 2, front: 0, outputChannels: 6))
    return block.map { Exhibit(room, $0, on: madeBlock(.a, stride: 1), [2, 5, 4, 3]) }
      + shortcut.map { Exhibit(room, $0, on: zeros, [2, 5, 4, 3]) } + [
        Exhibit(
          room,
          .init(
            "relu-before-the-addition", "y = σ(F) + x: the last ReLU comes too early",
            symptom: "gradients are right; a block can only add", seen: issue("kuangliu/pytorch-cifar", 4)),
          law: "a block can make its input smaller"
        ) { isWrong in
          let (residual, x) = (Tensor<Double>([-1, 2]), Tensor<Double>([3, 3]))
          let relu = ReLU<Double>()
          return ((isWrong ? relu(residual) + x : relu(residual + x)) - x).minimum < 0
        },
        Exhibit(
          room,
          .init(
            "relu-in-place-in-front-of-the-shortcut", "a ReLU that works in place changes the x that the shortcut adds",
            symptom: "none behind a ReLU; wrong where x may be negative", seen: issue("rosinality/vq-vae-2-pytorch", 60)
          ),
          law: "with F = 0 the sum is x"
        ) { isWrong in
          var x = Tensor<Double>([-1, 2])
          let before = x
          let activated = ReLU<Double>()(x)
          if isWrong { x = activated }
          return activated * 0 + x == before
        },
        Exhibit(
          room,
          .init(
            "projection-not-registered", "layers in a list of their own: the optimizer never sees their parameters",
            symptom: "a part of the network stays as it was drawn", seen: issue("pytorch/pytorch", 715)),
          law: "one step changes every parameter"
        ) { isWrong in
          var block = madeBlock(.b, stride: 2)
          let before = block.parameters.named
          var generator = RandomGenerator(seed: 3)
          let (output, cache) = block.forward(Tensor(normal: [2, 5, 4, 3], using: &generator))
          let gradients = block.backward(Tensor(normal: output.shape, using: &generator), cache).gradients
          var optimizer = SGD(block.parameters)
          optimizer.step(&block.parameters, gradients: gradients, rate: 0.1)
          return zip(before, block.parameters.named).allSatisfy { old, new in
            let isForgotten = isWrong && old.name.hasPrefix("shortcut")
            return (isForgotten ? old.tensor : new.tensor) != old.tensor
          }
        },
      ]
  }

  /// A block on three channels with random weights.
  private static func madeBlock(_ option: ShortcutOption, stride: Int) -> Block<Double> {
    var generator = RandomGenerator(seed: 2)
    let options = Architecture.Options(shortcut: option)
    let stage = Architecture.Stage(blocks: 1, width: 3 * stride, outputChannels: 3 * stride, stride: stride)
    let description = Architecture.block(.basic, inputChannels: 3, stage: stage, stride: stride, options: options)
    return Block(description, fused: false, using: &generator)
  }
}

extension BackwardPass where Base == Block<Double> {
  /// The gradient of the sum: what the ReLU behind it lets through.
  fileprivate var sumGradient: Tensor<Double> {
    ReLU().backward(outputGradient, ReLU().forward(cache.output).cache).inputGradient
  }

  /// What the shortcut hands back when this arrives at its output.
  fileprivate func skipGradient(of gradient: Tensor<Double>) -> Tensor<Double> {
    layer.shortcut!.backward(gradient, cache.shortcut!).inputGradient
  }
}
