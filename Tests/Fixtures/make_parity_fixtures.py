"""Writes what PyTorch computes: parity-layers, -blocks, -network, -vgg and -training.safetensors.

Run from the package folder: python Tests/Fixtures/make_parity_fixtures.py
Needs torch and safetensors. The files are committed; the tests that read them are in ParityTests.swift.

Weights and inputs are whole 32-bit numbers (F32), so that Float and Double start from the same values. PyTorch computes
in Double; its results are F64. Images are written as [N, H, W, C], parameters under PyTorch's names and in its order of
axes. For each case:

    CASE/input                what goes in
    CASE/state/NAME           weights and statistics before
    CASE/output               training mode
    CASE/outputGradient       the loss is the sum of the output times this
    CASE/inputGradient
    CASE/gradient/NAME        of every parameter
    CASE/after/NAME           running statistics after one step (momentum 0.1)
    CASE/evaluated            evaluation mode, with those statistics
"""

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(2015)
torch.use_deterministic_algorithms(True)


def rounded(tensor):
    return tensor.to(torch.float32).to(torch.float64)


def nhwc(tensor):
    return tensor.permute(0, 2, 3, 1) if tensor.dim() == 4 else tensor


def clean(tensors):
    return {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}


def shake(module):
    """Values that hide no mistake: no scale is 1, no shift or bias 0, no statistic what it is at the start."""
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            if name.endswith("running_var") or (tensor.dim() == 1 and name.endswith("weight")):
                tensor.copy_(rounded(torch.rand(tensor.shape) + 0.5))
            elif tensor.dim() == 1:
                tensor.copy_(rounded(torch.randn(tensor.shape) * 0.3))
            else:
                fan = tensor[0].numel()
                tensor.copy_(rounded(torch.randn(tensor.shape) * (2 / fan) ** 0.5))
    return module


def state(module):
    return {n: t for n, t in module.state_dict().items() if not n.endswith("num_batches_tracked")}


def case(name, module, input, prefix=""):
    module = shake(module.double())
    input = rounded(input).requires_grad_()
    result = {f"{name}/state/{prefix}{n}": t.to(torch.float32) for n, t in state(module).items()}
    module.train()
    output = module(input)
    gradient = rounded(torch.randn(output.shape))
    (output * gradient).sum().backward()
    result[f"{name}/input"] = nhwc(input).to(torch.float32)
    result[f"{name}/output"] = nhwc(output)
    result[f"{name}/outputGradient"] = nhwc(gradient).to(torch.float32)
    result[f"{name}/inputGradient"] = nhwc(input.grad)
    for n, parameter in module.named_parameters():
        result[f"{name}/gradient/{prefix}{n}"] = parameter.grad
    for n, tensor in state(module).items():
        if "running" in n:
            result[f"{name}/after/{prefix}{n}"] = tensor
    module.eval()
    result[f"{name}/evaluated"] = nhwc(module(input))
    return clean(result)


class GlobalAverage(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def layers():
    images = lambda n, c, h, w: torch.randn(n, c, h, w)
    result = {}
    result |= case("conv3x3", nn.Conv2d(3, 5, 3, padding=1, bias=False), images(2, 3, 7, 6))
    result |= case("conv3x3-stride2", nn.Conv2d(5, 7, 3, stride=2, padding=1, bias=False), images(2, 5, 7, 6))
    result |= case("conv3x3-bias", nn.Conv2d(2, 17, 3, padding=1), images(1, 2, 4, 5))
    result |= case("conv1x1-stride2", nn.Conv2d(4, 6, 1, stride=2, bias=False), images(3, 4, 5, 8))
    result |= case("conv7x7-stride2", nn.Conv2d(3, 4, 7, stride=2, padding=3, bias=False), images(1, 3, 9, 12))
    result |= case("batch-norm", nn.BatchNorm2d(5), images(3, 5, 4, 3) * 2 + 1)
    result |= case("relu", nn.ReLU(), images(2, 3, 4, 5))
    result |= case("max-pool", nn.MaxPool2d(3, stride=2, padding=1), images(2, 5, 7, 6))
    result |= case("average-pool", GlobalAverage(), images(2, 5, 3, 4))
    result |= case("linear", nn.Linear(6, 10), torch.randn(3, 6))

    logits = rounded(torch.randn(4, 10) * 3).requires_grad_()
    labels = torch.tensor([3, 0, 9, 3])
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    result |= clean({
        "cross-entropy/input": logits.to(torch.float32), "cross-entropy/labels": labels,
        "cross-entropy/output": loss, "cross-entropy/inputGradient": logits.grad,
    })
    return result


class ZeroPadding(nn.Module):
    """Option A: every second row and column, zeros for the new channels."""

    def __init__(self, inputs, outputs, stride, around):
        super().__init__()
        self.stride = stride
        front = (outputs - inputs) // 2 if around else 0
        self.padding = (0, 0, 0, 0, front, outputs - inputs - front)

    def forward(self, x):
        return F.pad(x[:, :, :: self.stride, :: self.stride], self.padding)


def shortcut(kind, inputs, outputs, stride):
    if kind == "identity":
        return nn.Sequential()
    if kind == "projection":
        return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
    return ZeroPadding(inputs, outputs, stride, kind == "around")


class BasicBlock(nn.Module):
    def __init__(self, kind, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = shortcut(kind, inputs, outputs, stride)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class Bottleneck(nn.Module):
    def __init__(self, kind, inputs, width, outputs, stride, in3x3):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, stride=1 if in3x3 else stride, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride if in3x3 else 1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.shortcut = shortcut(kind, inputs, outputs, stride)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.shortcut(x))


def blocks():
    result = {}
    for kind in ["identity", "after", "around", "projection"]:
        inputs, stride = (8, 1) if kind == "identity" else (5, 2)
        result |= case(
            f"basic-{kind}", BasicBlock(kind, inputs, 8, stride), torch.randn(2, inputs, 7, 6), "layer1.0.")
        for in3x3 in [False, True]:
            if kind == "identity" and in3x3:
                continue
            result |= case(
                f"bottleneck-{kind}-{'3x3' if in3x3 else '1x1'}",
                Bottleneck(kind, inputs, 3, 8, stride, in3x3), torch.randn(2, inputs, 7, 6), "layer1.0.")
    return result


class ResNet(nn.Module):
    """The CIFAR network of 6n + 2 layers under akamaster's names, with option A's zeros around."""

    def __init__(self, n, width):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        channels = width
        for stage in range(3):
            outputs, blocks = width << stage, []
            for block in range(n):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(BasicBlock("identity" if channels == outputs else "around", channels, outputs, stride))
                channels = outputs
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(channels, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(x.mean((2, 3)))


def network():
    model = shake(ResNet(3, 8).double())
    result = {f"state/{n}": t.to(torch.float32) for n, t in state(model).items()}
    images = rounded(torch.randn(2, 3, 32, 32)).requires_grad_()
    labels = torch.tensor([7, 2])
    logits = model(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    result |= {"images": nhwc(images).to(torch.float32), "labels": labels, "logits": logits, "loss": loss}
    result["imagesGradient"] = nhwc(images.grad)
    for n, parameter in model.named_parameters():
        if parameter.numel() < 1500:
            result[f"gradient/{n}"] = parameter.grad
    model.eval()
    result["evaluated"] = model(images)
    return clean(result)


class VGG(nn.Module):
    """VGG-16 as in torchvision, on images of 64x64."""

    def __init__(self, width, hidden, classes):
        super().__init__()
        layers, channels = [], 3
        for stage, count in enumerate([2, 2, 3, 3, 3]):
            for _ in range(count):
                outputs = width << min(stage, 3)
                layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU()]
                channels = outputs
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(channels * 4, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(),
            nn.Linear(hidden, classes))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


def vgg():
    model = shake(VGG(2, 6, 5).double()).eval()
    images = rounded(torch.randn(2, 3, 64, 64))
    result = {f"state/{n}": t.to(torch.float32) for n, t in state(model).items()}
    return clean(result | {"images": nhwc(images).to(torch.float32), "evaluated": model(images)})


def training():
    """Three steps of SGD. With a constant rate the authors' form and PyTorch's are the same."""
    model = shake(ResNet(1, 4).double())
    result = {f"state/{n}": t.to(torch.float32) for n, t in state(model).items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-2)
    for step in range(3):
        images, labels = rounded(torch.randn(4, 3, 8, 8)), torch.randint(0, 10, (4,))
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        result |= {f"images{step}": nhwc(images).to(torch.float32), f"labels{step}": labels, f"loss{step}": loss}
    result |= {f"after/{n}": t for n, t in state(model).items()}
    return clean(result)


results = {
    "layers": layers(), "blocks": blocks(), "network": network(), "training": training(), "vgg": vgg(),
}
for name, tensors in results.items():
    save_file(tensors, f"Tests/Fixtures/parity-{name}.safetensors", {"torch": torch.__version__})
