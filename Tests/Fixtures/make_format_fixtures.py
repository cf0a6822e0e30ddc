"""Writes Tests/ResidualFilesTests/FormatFixtures.swift: small files made by NumPy, safetensors and zlib.

Run from the package folder: python Tests/Fixtures/make_format_fixtures.py
Needs numpy, torch, safetensors and pillow (which must agree that the PNG files are readable).
"""

import base64
import io
import random
import struct
import textwrap
import zlib

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save

rng = np.random.default_rng(1)
random.seed(1)


def literal(data):
    lines = textwrap.wrap(base64.b64encode(data).decode(), 108)
    return '"""\n' + "".join(f"    {line}\n" for line in lines) + '    """'


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(row, depth):
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = "".join(format(v, f"0{depth}b") for v in row)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def filtered(samples, depth):
    """The rows of a [height, width, channels] array, each with a random filter."""
    step = max(1, samples.shape[2] * depth // 8)
    above = None
    result = b""
    for samples_of_row in samples:
        row = packed(samples_of_row.reshape(-1), depth)
        above = above or bytes(len(row))
        kind = random.randrange(5)
        result += bytes([kind])
        for i, value in enumerate(row):
            a = row[i - step] if i >= step else 0
            b = above[i]
            c = above[i - step] if i >= step else 0
            paeth = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            result += bytes([(value - [0, a, b, (a + b) // 2, paeth][kind]) & 255])
        above = row
    return result


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(color, depth, interlaced, transparent):
    """A PNG file of 5x4 random pixels, and its RGB pixels over white, computed with NumPy."""
    width, height, largest = 5, 4, 2**depth - 1
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    colors = min(16, largest + 1)
    samples = rng.integers(0, colors if color == 3 else largest + 1, (height, width, channels))
    raw = b""
    for left, top, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[top::dy, left::dx]
        if part.size:
            raw += filtered(part, depth)
    file = b"\x89PNG\r\n\x1a\n"
    file += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced))
    rgb = np.floor(samples * 255 / largest + 0.5).astype(int)
    alpha = rgb[..., -1] if color in (4, 6) else np.full((height, width), 255)
    rgb = rgb[..., :3] if color in (2, 6) else np.repeat(rgb[..., :1], 3, 2)
    if color == 3:
        palette = rng.integers(0, 256, (colors, 3))
        file += chunk(b"PLTE", palette.astype("u1").tobytes())
        rgb = palette[samples[..., 0]]
    if transparent and color == 3:
        alphas = rng.integers(0, 256, colors)
        file += chunk(b"tRNS", alphas.astype("u1").tobytes())
        alpha = alphas[samples[..., 0]]
    elif transparent:
        file += chunk(b"tRNS", samples[0, 0].astype(">u2").tobytes())
        alpha = np.where((samples == samples[0, 0]).all(-1), 0, 255)
    compressed = zlib.compress(raw)
    file += chunk(b"IDAT", compressed[:7]) + chunk(b"IDAT", compressed[7:]) + chunk(b"IEND", b"")
    Image.open(io.BytesIO(file)).load()
    rgb = np.floor((rgb * alpha[..., None] + 255 * (255 - alpha[..., None])) / 255 + 0.5)
    return file, rgb.astype("u1").tobytes()


def npy(array, version):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version)
    return file.getvalue()


safetensors = save(
    {
        "half": torch.tensor([1.5, -0.25, 65504.0, 2.0**-24, float("inf")]).half(),
        "bfloat": torch.tensor([1.5, -3.0e38]).bfloat16(),
        "double": torch.tensor([[0.1, -2.5]], dtype=torch.float64),
        "float": torch.tensor([[[0.5], [-8.0]]]),
        "steps": torch.tensor(-5),
        "bytes": torch.tensor([0, 255], dtype=torch.uint8),
        "int32": torch.tensor([-70000], dtype=torch.int32),
        "truth": torch.tensor([True, False]),
        "empty": torch.zeros(0, 3),
        'ü "q"\\': torch.tensor([1.0]),
    },
    metadata={"note": 'a "b"\n'},
)
arrays = [
    ("float32", npy(np.array([[0.5, -1, 2], [3, 4, 5]], "<f4"), (1, 0))),
    ("float64", npy(np.array([0.1, 0.2]), (2, 0))),
    ("int64", npy(np.array(-7), (3, 0))),
    ("uint8", npy(np.array([[1], [255]], "u1"), (1, 0))),
    ("fortran", npy(np.asfortranarray(np.ones((2, 3))), (1, 0))),
    ("bigEndian", npy(np.ones(2, ">f4"), (1, 0))),
]
kinds = [(0, 1, 0, 0), (0, 2, 1, 1), (0, 4, 0, 0), (0, 8, 1, 0), (0, 16, 0, 1), (2, 8, 0, 0), (2, 8, 1, 1)]
kinds += [(2, 16, 0, 0), (3, 1, 0, 0), (3, 4, 1, 1), (3, 8, 0, 0), (4, 8, 0, 0), (4, 16, 1, 0), (6, 8, 1, 0)]
kinds += [(6, 16, 0, 0)]
sequence = bytes(i * i % 251 * (i % 3) % 97 for i in range(3000))

with open("Tests/ResidualFilesTests/FormatFixtures.swift", "w") as out:
    out.write("import Foundation\n\n")
    out.write("/// Small files made by other programs. `Tests/Fixtures/make_format_fixtures.py` writes this file.\n")
    out.write("enum FormatFixtures {\n")
    out.write("  static func data(_ base64: String) -> Data {\n")
    out.write("    Data(base64Encoded: base64, options: .ignoreUnknownCharacters)!\n  }\n\n")
    out.write(f"  static let safeTensors = data(\n    {literal(safetensors)})\n\n")
    out.write("  static let npy: [String: Data] = [\n")
    for name, data in arrays:
        out.write(f'    "{name}": data(\n    {literal(data)}),\n')
    out.write("  ]\n\n")
    out.write("  /// The bytes `i * i % 251 * (i % 3) % 97` for `i` from 0 to 2999, compressed by zlib.\n")
    out.write(f"  static let zlib = data(\n    {literal(zlib.compress(sequence, 9))})\n\n")
    out.write("  /// Files of 5x4 pixels and their RGB pixels over white.\n")
    out.write("  static let png: [(name: String, file: Data, pixels: Data)] = [\n")
    for kind in kinds:
        file, pixels = png(*kind)
        name = "colour type {}, {} bits, interlaced {}, tRNS {}".format(*kind)
        out.write(f'    (\n    "{name}",\n    data(\n    {literal(file)}),\n    data(\n    {literal(pixels)})),\n')
    out.write("  ]\n}\n")
