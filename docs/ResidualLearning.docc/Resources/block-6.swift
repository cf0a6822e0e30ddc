import ResidualLearning

var generator = RandomGenerator(seed: 1)
let network = ResidualNetwork<Double>(.cifar(depth: 8), fused: false, using: &generator)
var block = network.stages[0][0]
let input = Tensor<Double>(normal: [2, 4, 4, 16], using: &generator)

let (output, cache) = block.forward(input)
print(output.shape, block.shortcut!)

let outputGradient = Tensor<Double>(normal: output.shape, using: &generator)
let (inputGradient, gradients) = block.backward(outputGradient, cache)
print(inputGradient.shape, gradients.units[0].conv.weight.shape)

let (sumGradient, _) = ReLU<Double>().backward(outputGradient, ReLU.Cache(output: output))
let residualGradient = inputGradient - sumGradient
print(residualGradient[0, 1, 2, 3], "+", sumGradient[0, 1, 2, 3], "=", inputGradient[0, 1, 2, 3])

let check = GradientCheck().run("block", block, input: input, using: &generator)
print(check.elements, check.passed)

func loss() -> Double { block.forward(input).output.dot(outputGradient) }
let before = loss()
var optimizer = SGD(block.parameters, momentum: 0, decay: 0)
optimizer.step(&block.parameters, gradients: gradients, rate: 1e-3)
print(before, "->", loss())
