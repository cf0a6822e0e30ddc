#!/usr/bin/env python3
"""Turns weights that PyTorch has saved (.th, .pt, .pth) into a safetensors file, which `resnet` reads.

  python3 -m venv venv && venv/bin/pip install torch numpy
  venv/bin/python scripts/convert_weights.py resnet20-12fca82f.th resnet20.safetensors
  swift run -c release resnet evaluate --weights resnet20.safetensors --normalization imagenet --data DIR

The file may hold a state_dict, or a dictionary with one under "state_dict" or "model"; "module." in front of the names,
which DataParallel leaves, is taken off. Only tensors are read: no code in the file is run.
"""

import json
import struct
import sys

import torch

types = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.int64: "I64", torch.int32: "I32"}


def main(source, target):
    saved = torch.load(source, map_location="cpu", weights_only=True)
    saved = saved.get("state_dict", saved.get("model", saved))
    tensors = {name.removeprefix("module."): value for name, value in saved.items() if torch.is_tensor(value)}
    if not tensors:
        sys.exit(f"{source} holds no tensors")
    header, data = {}, bytearray()
    for name, tensor in tensors.items():
        if tensor.dtype not in types:
            sys.exit(f"{name} is of {tensor.dtype}, which is not converted")
        start = len(data)
        data += tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": types[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    with open(target, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    print(f"{target}: {len(tensors)} tensors, {len(data):,} bytes")


if len(sys.argv) != 3:
    sys.exit("usage: convert_weights.py FILE.th FILE.safetensors")
main(*sys.argv[1:])
