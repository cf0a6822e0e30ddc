"""Times this package and PyTorch in turns on the same machine and prints medians and their ratio.

    swift build -c release
    pip install "torch==2.13.0+cpu" numpy
    python3 scripts/compare_with_pytorch.py [--rounds 5] [--only train|infer|imagenet|deep|memory]

Every round runs one after the other: this package, PyTorch in the channels_last layout. Each is a process of its own
that warms up, times several steps and reports the median. The ratio is taken round by round, since other work on the
machine slows both; its median is quoted. Memory is the process's peak resident size.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

RESNET = ".build/release/resnet"

# name, network, batch, threads, mode, repeats
CASES = {
    "train": [("ResNet-20 training", "resnet20", 128, 2, "train", 8), ("ResNet-20 training", "resnet20", 128, 1, "train", 5)],
    "infer": [("ResNet-20 inference", "resnet20", 128, 2, "infer", 15)],
    "deep": [("ResNet-110 training", "resnet110", 128, 2, "train", 3)],
    "imagenet": [
        (f"ResNet-{depth} inference", f"resnet{depth}", batch, 2, "infer", 6) for depth in (34, 50) for batch in (8, 1)
    ],
}


def build(name):
    """The same network in PyTorch; option A for CIFAR's, option B for ImageNet's, stride in the first 1x1."""
    import torch.nn as nn
    import torch.nn.functional as F

    def conv(i, o, k, s=1):
        return nn.Conv2d(i, o, k, s, k // 2, bias=False)

    class Block(nn.Module):
        def __init__(self, i, width, o, s, bottleneck, option):
            super().__init__()
            if bottleneck:
                layers = [conv(i, width, 1, s), conv(width, width, 3), conv(width, o, 1)]
            else:
                layers = [conv(i, o, 3, s), conv(o, o, 3)]
            self.convs = nn.ModuleList(layers)
            self.bns = nn.ModuleList(nn.BatchNorm2d(layer.out_channels) for layer in layers)
            self.pad = o - i if option == "A" and (s != 1 or i != o) else None
            self.stride = s
            self.projection = None
            if option == "B" and (s != 1 or i != o):
                self.projection = nn.Sequential(conv(i, o, 1, s), nn.BatchNorm2d(o))

        def forward(self, x):
            y = x
            for k, (c, b) in enumerate(zip(self.convs, self.bns)):
                y = b(c(y))
                if k + 1 < len(self.convs):
                    y = F.relu(y)
            h = x
            if self.projection is not None:
                h = self.projection(x)
            elif self.pad is not None:
                h = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.pad))
            return F.relu(y + h)

    class Net(nn.Module):
        def __init__(self, stem, channels, stages, bottleneck, option, classes):
            super().__init__()
            layers, c = list(stem), channels
            for width, blocks, s in stages:
                for b in range(blocks):
                    o = width * (4 if bottleneck else 1)
                    layers.append(Block(c, width, o, s if b == 0 else 1, bottleneck, option))
                    c = o
            self.features = nn.Sequential(*layers)
            self.classifier = nn.Linear(c, classes)

        def forward(self, x):
            return self.classifier(self.features(x).mean((2, 3)))

    depth = int(name.removeprefix("resnet"))
    table = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]}
    if depth in table:
        stem = [conv(3, 64, 7, 2), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        stages = [(64 << i, blocks, 1 if i == 0 else 2) for i, blocks in enumerate(table[depth])]
        return Net(stem, 64, stages, depth >= 50, "B", 1000), 224, 1000
    n = (depth - 2) // 6
    stem = [conv(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU()]
    return Net(stem, 16, [(16, n, 1), (32, n, 2), (64, n, 2)], False, "A", 10), 32, 10


def pytorch(network, batch, threads, mode, repeats):
    """Runs in a process of its own; prints one line of JSON."""
    import torch
    import torch.nn.functional as F

    torch.manual_seed(0)
    torch.set_num_threads(threads)
    net, size, classes = build(network)
    net = net.to(memory_format=torch.channels_last)
    x = torch.randn(batch, 3, size, size).to(memory_format=torch.channels_last)
    y = torch.randint(0, classes, (batch,))
    optimizer = torch.optim.SGD(net.parameters(), 0.01, 0.9, weight_decay=1e-4)
    if mode == "infer":
        net.eval()

    def step():
        if mode == "infer":
            with torch.inference_mode():
                net(x)
            return
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()

    seconds = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"imagesPerSecondMedian": batch / statistics.median(seconds[2:]), "peakMemoryBytes": peak}))


def run(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=sorted(CASES), action="append")
    parser.add_argument("--pytorch", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pytorch:
        network, batch, threads, mode, repeats = options.pytorch
        pytorch(network, int(batch), int(threads), mode, int(repeats))
        return
    print("| what | batch | threads | here, images/s | PyTorch, images/s | ratio | memory here | memory PyTorch |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for group in options.only or CASES:
        for title, network, batch, threads, mode, repeats in CASES[group]:
            here, there = [], []
            for _ in range(options.rounds):
                here.append(
                    run([RESNET, "bench", mode, "--network", network, "--batch", str(batch), "--threads", str(threads),
                         "--repeats", str(repeats), "--json"]))
                there.append(
                    run([sys.executable, __file__, "--pytorch", network, str(batch), str(threads), mode, str(repeats)]))
            speed = lambda rows: statistics.median(row["imagesPerSecondMedian"] for row in rows)
            memory = lambda rows: statistics.median(row["peakMemoryBytes"] for row in rows) / 1e6
            ratio = statistics.median(
                a["imagesPerSecondMedian"] / b["imagesPerSecondMedian"] for a, b in zip(here, there))
            print(
                f"| {title} | {batch} | {threads} | {speed(here):.0f} | {speed(there):.0f} | {ratio:.2f} "
                f"| {memory(here):.0f} MB | {memory(there):.0f} MB |", flush=True)


if __name__ == "__main__":
    main()
