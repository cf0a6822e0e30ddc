"""Trains a residual net of section 4.2 in PyTorch with this package's short recipe: a control that nothing of ours holds deep nets back.

    pip install "torch==2.13.0+cpu" numpy
    python3 scripts/control_in_pytorch.py FOLDER resnet20 [--seed 1] [--epochs 60] [--batch 128] [--limit 5000]
        [--output log.csv]

FOLDER holds CIFAR-10's binary batches. The network, its initialisation and the recipe are those of

    resnet train --data FOLDER --network resnet20 --epochs 60 --batch 128

option A's shortcuts with the zeros behind, He initialisation by fan-in, the linear layer's weights normal with deviation
0.01, batch normalization with rate 0.1 and epsilon 1e-5, SGD with rate 0.1 divided by 10 at half and three
quarters of the way, momentum 0.9, weight decay 1e-4 on all parameters, crops of the image padded by 4 pixels, flips, and
the per-pixel mean subtracted. Only the random numbers differ. `plain20` is the same network without shortcuts. The log has
a row an epoch: epoch, training error (of the training passes), test error.
"""

import argparse
import pathlib

import numpy
import torch
import torch.nn.functional as F
from torch import nn


def images(folder, names):
    records = numpy.concatenate(
        [numpy.fromfile(path, numpy.uint8).reshape(-1, 3073) for name in names for path in [folder / name] if path.exists()])
    pixels = torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).astype(numpy.float32) / 255)
    return pixels, torch.from_numpy(records[:, 0].astype(numpy.int64))


def convolution(inputs, outputs, stride=1):
    layer = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
    return layer


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, plain):
        super().__init__()
        self.conv1, self.bn1 = convolution(inputs, outputs, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = convolution(outputs, outputs), nn.BatchNorm2d(outputs)
        self.stride, self.added, self.plain = stride, outputs - inputs, plain

    def forward(self, x):
        residual = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.plain:
            return F.relu(residual)
        return F.relu(residual + F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.added)))


def network(name):
    plain, depth = name.startswith("plain"), int(name.lstrip("plainresnet"))
    n = (depth - 2) // 6
    layers = [convolution(3, 16), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for outputs in (16, 32, 64):
        for block in range(n):
            layers.append(Block(inputs, outputs, 2 if block == 0 and outputs > 16 else 1, plain))
            inputs = outputs
    linear = nn.Linear(64, 10)
    nn.init.normal_(linear.weight, std=0.01)
    nn.init.zeros_(linear.bias)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)


def views(batch, generator):
    """A random 32x32 crop of each padded image, or of its mirror image."""
    padded = F.pad(batch, (4, 4, 4, 4))
    places = torch.randint(0, 9, (len(batch), 2), generator=generator)
    flips = torch.randint(0, 2, (len(batch),), generator=generator)
    crops = [image[:, y : y + 32, x : x + 32] for image, (y, x) in zip(padded, places.tolist())]
    return torch.stack([crop.flip(2) if flip else crop for crop, flip in zip(crops, flips.tolist())])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("network")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=pathlib.Path)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    generator = torch.Generator().manual_seed(arguments.seed)
    inner = arguments.folder / "cifar-10-batches-bin"
    folder = inner if inner.is_dir() else arguments.folder
    x, labels = images(folder, [f"data_batch_{i}.bin" for i in range(1, 6)])
    x, labels = x[: arguments.limit], labels[: arguments.limit]
    test, test_labels = images(folder, ["test_batch.bin"])
    mean = x.mean(0)
    x, test = x - mean, test - mean
    net = network(arguments.network).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    total = arguments.epochs * -(-len(x) // arguments.batch)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [total // 2, total * 3 // 4])
    rows = ["epoch,training_error,test_error"]
    for epoch in range(1, arguments.epochs + 1):
        net.train()
        wrong = 0
        for batch in torch.randperm(len(x), generator=generator).split(arguments.batch):
            logits = net(views(x[batch], generator).to(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            wrong += (logits.argmax(1) != labels[batch]).sum().item()
        net.eval()
        with torch.no_grad():
            errors = [(net(a).argmax(1) != b).sum().item() for a, b in zip(test.split(500), test_labels.split(500))]
        rows.append(f"{epoch},{wrong / len(x):.4f},{sum(errors) / len(test):.4f}")
        print(rows[-1], flush=True)
        if arguments.output:
            arguments.output.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
