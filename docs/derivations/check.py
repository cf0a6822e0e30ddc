"""Checks the equations and numbers of the derivation pages. Needs Python 3.8 or later, and nothing else.

python3 docs/derivations/check.py

Tensors are dictionaries from an index to a number. The random numbers are the same on every machine.
"""

import itertools
import math
import random
import struct

random.seed(1)


def indices(*sizes):
    return itertools.product(*(range(size) for size in sizes))


def normal(*sizes):
    return {i: random.gauss(0, 1) for i in indices(*sizes)}


def dot(a, b):
    return sum(a[i] * b[i] for i in a)


def agree(what, a, b, tolerance=1e-12):
    """Two numbers, lists or tensors are equal to the tolerance."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), f"{what}: not the same shape"
        a, b = [a[i] for i in a], [b[i] for i in a]
    a, b = (list(x) if isinstance(x, (list, tuple)) else [x] for x in (a, b))
    assert len(a) == len(b), f"{what}: {len(a)} numbers and {len(b)}"
    error = max(abs(p - q) for p, q in zip(a, b))
    assert error <= tolerance, f"{what}: off by {error}"
    print(f"{what}: {error:.1e}")


def difference(f, x, h=1e-5):
    """The gradient of the number f(x) with respect to a list or tensor, by central differences."""
    def moved(i, by):
        y = x.copy()
        y[i] += by
        return f(y)
    gradient = x.copy()
    for i in (x if isinstance(x, dict) else range(len(x))):
        gradient[i] = (moved(i, h) - moved(i, -h)) / (2 * h)
    return gradient


# convolution.md

H, W, CIN, COUT = 7, 8, 3, 2


def output_sizes(K, s, p):
    return (H + 2 * p - K) // s + 1, (W + 2 * p - K) // s + 1


def convolution(x, w, K, s, p):
    """(1) on one image [H, W, Cin] with weights [K, K, Cin, Cout]; x is 0 outside the image."""
    return {(iy, ix, o): sum(x.get((iy * s + ky - p, ix * s + kx - p, c), 0) * w[ky, kx, c, o]
                             for ky, kx, c in indices(K, K, CIN))
            for iy, ix, o in indices(*output_sizes(K, s, p), COUT)}


def input_gradient(dy, w, K, s, p):
    """(2) as in section 4: a pixel l·s + r meets the weights k = r + p (mod s), at the output l + (r + p − k)/s"""
    def one_axis(j):
        l, r = divmod(j, s)
        return [(k, l + (r + p - k) // s) for k in range((r + p) % s, K, s)]
    return {(jy, jx, c): sum(w[ky, kx, c, o] * dy.get((iy, ix, o), 0)
                             for ky, iy in one_axis(jy) for kx, ix in one_axis(jx) for o in range(COUT))
            for jy, jx, c in indices(H, W, CIN)}


def weight_gradient(dy, x, K, s, p):
    """(3)"""
    return {(ky, kx, c, o): sum(dy[iy, ix, o] * x.get((iy * s + ky - p, ix * s + kx - p, c), 0)
                                for iy, ix in indices(*output_sizes(K, s, p)))
            for ky, kx, c, o in indices(K, K, CIN, COUT)}


for K, s, p in [(3, 1, 1), (3, 2, 1), (1, 2, 0), (7, 2, 3), (2, 3, 1)]:
    x, w = normal(H, W, CIN), normal(K, K, CIN, COUT)
    dy = normal(*output_sizes(K, s, p), COUT)
    name = f"convolution {K}x{K}, stride {s}, padding {p}"
    agree(name + ", dx", input_gradient(dy, w, K, s, p),
          difference(lambda x: dot(convolution(x, w, K, s, p), dy), x), 1e-8)
    agree(name + ", dw", weight_gradient(dy, x, K, s, p),
          difference(lambda w: dot(convolution(x, w, K, s, p), dy), w), 1e-8)


def line(x, w):
    """The worked example: stride 2, padding 1."""
    x = [0] + x + [0]
    return [sum(x[i + k] * w[k] for k in range(3)) for i in range(0, len(x) - 2, 2)]


def line_loss(x, w):
    return sum(a * b for a, b in zip(line(x, w), [1, -1, 2]))


x, w = [1, 2, 0, 3, 1], [1, 2, -1]
agree("worked example, y", line(x, w), [0, -1, 5])
agree("worked example, dx", difference(lambda x: line_loss(x, w), x), [2, -2, -2, 3, 4], 1e-9)
agree("worked example, dw", difference(lambda w: line_loss(x, w), w), [4, 3, -1], 1e-9)

# batch-norm.md


def batch_norm(x, scale, shift):
    mean = sum(x) / len(x)
    variance = sum((v - mean) ** 2 for v in x) / len(x)
    return [scale * (v - mean) / math.sqrt(variance) + shift for v in x]


x, scale, dy, m = [1, 3, 3, 9], 3, [2, 1, 0, 1], 4
mean = sum(x) / m
r = 1 / math.sqrt(sum((v - mean) ** 2 for v in x) / m)
xhat = [(v - mean) * r for v in x]
dshift, dscale = sum(dy), sum(d * v for d, v in zip(dy, xhat))  # (a), (b)
dxhat = [d * scale for d in dy]  # (c)
dv = sum(d * (v - mean) for d, v in zip(dxhat, x)) * -0.5 * r ** 3  # (d)
dmean = -r * sum(dxhat) + dv * sum(-2 * (v - mean) for v in x) / m  # (e)
six = [d * r + dv * 2 * (v - mean) / m + dmean / m for d, v in zip(dxhat, x)]  # (f)
one = [scale * r * (d - dshift / m - v * dscale / m) for d, v in zip(dy, xhat)]  # (8)
agree("batch norm, y", batch_norm(x, scale, 1), [-2, 0, 0, 6])
agree("batch norm, dβ and dγ", [dshift, dscale], [4, -2 / 3])
agree("batch norm, dv and dμ", [dv, dmean], [1 / 9, -4])
agree("batch norm, six equations and one", six, one)
agree("batch norm, worked example", one, [15 / 18, -1 / 18, -19 / 18, 5 / 18])
agree("batch norm, differences", one,
      difference(lambda x: sum(d * v for d, v in zip(dy, batch_norm(x, scale, 1))), x), 1e-9)
agree("batch norm, Σ dx and Σ dx x̂", [sum(one), sum(d * v for d, v in zip(one, xhat))], [0, 0])

# softmax-cross-entropy.md


def softmax(row):
    return [math.exp(v) / sum(math.exp(u) for u in row) for v in row]


def cross_entropy(z):
    return (-math.log(softmax(z[:3])[1]) - math.log(softmax(z[3:])[0])) / 2


z = [0, math.log(2), math.log(5), 0, 0, 0]
agree("softmax, p", softmax(z[:3]), [1 / 8, 2 / 8, 5 / 8])
agree("softmax, L", cross_entropy(z), (math.log(4) + math.log(3)) / 2)
agree("softmax, dz", [1 / 16, -6 / 16, 5 / 16, -1 / 3, 1 / 6, 1 / 6], difference(cross_entropy, z), 1e-9)

# residual-block.md


def block(x, w2):
    return max(w2 * max(3 * x, 0) + x, 0)


agree("block, y and dx", [block(2, 0.25), difference(lambda x: block(x[0], 0.25), [2])[0]], [3.5, 1.75], 1e-9)
agree("block, closed ReLU", [block(2, -1), difference(lambda x: block(x[0], -1), [2])[0]], [0, 0])

# winograd.md; matrices are lists of rows


def transposed(a):
    return [list(column) for column in zip(*a)]


def polynomial(roots):
    """Π (x − root), as coefficients of 1, x, x², …"""
    coefficients = [1]
    for root in roots:
        coefficients = [high - root * low for low, high in zip(coefficients + [0], [0] + coefficients)]
    return coefficients


def matrices(a, b):
    """Bᵀ, G and Aᵀ for the points 0, a, −a, b, −b, ∞: Lagrange's polynomials, with their denominators in G."""
    points = [0, a, -a, b, -b]
    bt, g, at = [], [], []
    for p in points:
        others = [q for q in points if q != p]
        denominator = math.prod(p - q for q in others)
        bt.append(polynomial(others) + [0])
        g.append([1 / denominator, p / denominator, p * p / denominator])
        at.append([1, p, p ** 2, p ** 3])
    return bt + [polynomial(points)], g + [[0, 0, 1]], transposed(at + [[0, 0, 0, 1]])


def product(a, b, rounded=float):
    """The product of matrices, rounded after each operation. Nothing is multiplied by zero."""
    columns = transposed(b)
    result = []
    for row in a:
        result.append([])
        for column in columns:
            total = 0
            for p, q in zip(row, column):
                if p != 0 and q != 0:
                    total = rounded(total + rounded(p * q))
            result[-1].append(total)
    return result


def sandwich(a, b, rounded=float):
    """a b aᵀ"""
    return product(product(a, b, rounded), transposed(a), rounded)


def times(a, b, rounded=float):
    return [[rounded(p * q) for p, q in zip(*rows)] for rows in zip(a, b)]


def random_matrix(rows, columns):
    return [[random.gauss(0, 1) for _ in range(columns)] for _ in range(rows)]


def flat(a):
    return [v for row in a for v in row]


def meetings(d, w, rows):
    """(1) of convolution.md without a border: `rows` x `rows` sums over a window of the size of w."""
    return [[sum(d[i + k][j + l] * w[k][l] for k, l in indices(len(w), len(w))) for j in range(rows)]
            for i in range(rows)]


a, b, c = math.sqrt(0.5), math.sqrt(2), 2.5
bt, g, at = matrices(a, b)
agree("Bᵀ", flat(bt), [1, 0, -c, 0, 1, 0, 0, -a * b**2, -b**2, a, 1, 0, 0, a * b**2, -b**2, -a, 1, 0,
                       0, -a**2 * b, -a**2, b, 1, 0, 0, a**2 * b, -a**2, -b, 1, 0, 0, 1, 0, -c, 0, 1])
agree("G", flat(g), [1, 0, 0, -2/3, -2*a/3, -1/3, -2/3, 2*a/3, -1/3, 1/6, b/6, 1/3, 1/6, -b/6, 1/3, 0, 0, 1])
d, w, dy = random_matrix(6, 6), random_matrix(3, 3), random_matrix(4, 4)
v = sandwich(bt, d)
agree("F(4x4, 3x3)", flat(sandwich(at, times(sandwich(g, w), v))), flat(meetings(d, w, 4)))
agree("F(4x4, 3x3), gradient of the weights",
      flat(sandwich(transposed(g), times(v, sandwich(transposed(at), dy)))), flat(meetings(d, dy, 3)))


def float32(v):
    return struct.unpack("f", struct.pack("f", v))[0]


def errors(channels, points, tiles=100):
    """The root mean square of the float32 error over that of the output: plain sums, then tiles with these points."""
    transforms = [[[[float32(v) for v in row] for row in matrix] for matrix in matrices(*pair)] for pair in points]
    squares, outputs = [0] * (1 + len(points)), 0
    weights = [[[float32(v) for v in row] for row in random_matrix(3, 3)] for _ in range(channels)]
    transformed = [[sandwich(g, w, float32) for w in weights] for _, g, _ in transforms]
    for _ in range(tiles):
        exact, plain = [0] * 16, [0] * 16
        sums = [[[0] * 6 for _ in range(6)] for _ in points]
        for n, w in enumerate(weights):
            d = [[float32(v) for v in row] for row in random_matrix(6, 6)]
            exact = [p + q for p, q in zip(exact, flat(meetings(d, w, 4)))]
            for at, (i, j) in enumerate(indices(4, 4)):
                for k, l in indices(3, 3):
                    plain[at] = float32(plain[at] + float32(d[i + k][j + l] * w[k][l]))
            for t, (bt, _, _) in enumerate(transforms):
                products = times(transformed[t][n], sandwich(bt, d, float32), float32)
                sums[t] = [[float32(p + q) for p, q in zip(*rows)] for rows in zip(sums[t], products)]
        results = [plain] + [flat(sandwich(at, sums[t], float32)) for t, (_, _, at) in enumerate(transforms)]
        outputs += sum(v * v for v in exact)
        squares = [s + sum((p - q) ** 2 for p, q in zip(result, exact)) for s, result in zip(squares, results)]
    return [math.sqrt(s / outputs) for s in squares]


for channels in (16, 64):
    plain, ours, theirs = errors(channels, [(a, b), (1, 2)])
    print(f"{channels} channels, float32: definition {plain:.1e}, points ±√½ ±√2 {ours:.1e}, points ±1 ±2 {theirs:.1e}")
    assert plain < ours < 2.5 * plain and 1.5 * ours < theirs
