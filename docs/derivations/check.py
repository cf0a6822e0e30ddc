"""Checks the equations of the derivation pages with numbers. Needs numpy; the library itself does not.

python docs/derivations/check.py
"""

import numpy as np

random = np.random.default_rng(1)


def agree(what, a, b, tolerance=1e-12):
    error = np.abs(np.asarray(a) - np.asarray(b)).max()
    assert error <= tolerance, f"{what}: off by {error}"
    print(f"{what}: {error:.1e}")


def difference(f, x, h=1e-5):
    """The gradient of the number f(x) by central differences."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        gradient[i] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient


# convolution.md

def convolution(x, w, s, p):
    """(1) on one image [H, W, Cin] with weights [kH, kW, Cin, Cout]."""
    x = np.pad(x, ((p, p), (p, p), (0, 0)))
    rows = (x.shape[0] - w.shape[0]) // s + 1
    columns = (x.shape[1] - w.shape[1]) // s + 1
    y = np.zeros((rows, columns, w.shape[3]))
    for ky in range(w.shape[0]):
        for kx in range(w.shape[1]):
            y += x[ky:ky + s * rows:s, kx:kx + s * columns:s][:rows, :columns] @ w[ky, kx]
    return y


def input_gradient(dy, w, s, p, shape):
    """(2): pixels of one remainder r meet only the weights k with k = r + p (mod s), at output i + (r + p - k) / s."""
    dx = np.zeros(shape)
    for jy in range(shape[0]):
        for jx in range(shape[1]):
            (ly, ry), (lx, rx) = divmod(jy, s), divmod(jx, s)
            for ky in range((ry + p) % s, w.shape[0], s):
                for kx in range((rx + p) % s, w.shape[1], s):
                    y, x = ly + (ry + p - ky) // s, lx + (rx + p - kx) // s
                    if 0 <= y < dy.shape[0] and 0 <= x < dy.shape[1]:
                        dx[jy, jx] += w[ky, kx] @ dy[y, x]
    return dx


def weight_gradient(dy, x, s, p, shape):
    """(3): for each tap, the pixels that it read, times the gradients of the pixels that it wrote."""
    x = np.pad(x, ((p, p), (p, p), (0, 0)))
    dw = np.zeros(shape)
    for ky in range(shape[0]):
        for kx in range(shape[1]):
            read = x[ky:ky + s * dy.shape[0]:s, kx:kx + s * dy.shape[1]:s][:dy.shape[0], :dy.shape[1]]
            dw[ky, kx] = np.einsum("yxc,yxo->co", read, dy)
    return dw


for kernel, s, p in [(3, 1, 1), (3, 2, 1), (1, 2, 0), (7, 2, 3), (2, 3, 1)]:
    x, w = random.normal(size=(7, 8, 3)), random.normal(size=(kernel, kernel, 3, 2))
    y = convolution(x, w, s, p)
    dy = random.normal(size=y.shape)
    name = f"convolution {kernel}x{kernel}, stride {s}, padding {p}"
    agree(name + ", dx", input_gradient(dy, w, s, p, x.shape),
          difference(lambda x: (convolution(x, w, s, p) * dy).sum(), x), 1e-8)
    agree(name + ", dw", weight_gradient(dy, x, s, p, w.shape),
          difference(lambda w: (convolution(x, w, s, p) * dy).sum(), w), 1e-8)

# The worked example.
x, w = np.array([1., 2, 0, 3, 1]), np.array([1., 2, -1])
line = lambda v: v.reshape(1, -1, 1)
tap = lambda v: v.reshape(1, -1, 1, 1)


def convolution_of_a_line(x, w, s):
    x = np.pad(x, 1)
    return np.array([x[i:i + 3] @ w for i in range(0, len(x) - 2, s)])


y, dy = convolution_of_a_line(x, w, 2), np.array([1., -1, 2])
agree("worked example, y", y, [0, -1, 5])
agree("worked example, dx", difference(lambda x: convolution_of_a_line(x, w, 2) @ dy, x), [2, -2, -2, 3, 4], 1e-9)
agree("worked example, dw", difference(lambda w: convolution_of_a_line(x, w, 2) @ dy, w), [4, 3, -1], 1e-9)

# batch-norm.md

def batch_norm(x, scale, shift):
    return scale * (x - x.mean()) / np.sqrt(x.var()) + shift


x, scale, dy = np.array([1., 3, 3, 9]), 3., np.array([2., 1, 0, 1])
m, mean, r = 4, x.mean(), 1 / np.sqrt(x.var())
xhat = (x - mean) * r
dxhat = dy * scale
dv = (dxhat * (x - mean)).sum() * -0.5 * r ** 3
dmean = -r * dxhat.sum() + dv * (-2 * (x - mean)).mean()
six = dxhat * r + dv * 2 * (x - mean) / m + dmean / m
one = scale * r * (dy - dy.sum() / m - xhat * (dy * xhat).sum() / m)
agree("batch norm, y", batch_norm(x, scale, 1), [-2, 0, 0, 6])
agree("batch norm, dv and dmean", [dv, dmean], [1 / 9, -4])
agree("batch norm, six equations and one", six, one)
agree("batch norm, worked example", one, np.array([15, -1, -19, 5]) / 18)
agree("batch norm, differences", one, difference(lambda x: batch_norm(x, scale, 1) @ dy, x), 1e-9)
agree("batch norm, sum dx and sum dx xhat", [one.sum(), one @ xhat], [0, 0])

# softmax-cross-entropy.md

def cross_entropy(z, t):
    return np.mean([np.log(np.exp(row).sum()) - row[k] for row, k in zip(z, t)])


z, t = np.array([[0, np.log(2), np.log(5)], [0, 0, 0]]), [1, 0]
p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
dz = (p - np.eye(3)[t]) / 2
agree("softmax, p", p[0], np.array([1, 2, 5]) / 8)
agree("softmax, L", cross_entropy(z, t), (np.log(4) + np.log(3)) / 2)
agree("softmax, dz", dz, difference(lambda z: cross_entropy(z, t), z), 1e-9)

# residual-block.md

def block(x, w1=3., w2=0.25):
    return max(w2 * max(w1 * x, 0) + x, 0)


agree("block, y and dx", [block(2), (block(2 + 1e-6) - block(2 - 1e-6)) / 2e-6], [3.5, 1.75], 1e-9)
agree("block below zero", [block(2, 3, -1), (block(2 + 1e-6, 3, -1) - block(2 - 1e-6, 3, -1)) / 2e-6], [0, 0])

# winograd.md

def matrices(a, b):
    """Bᵀ, G, Aᵀ for the points 0, a, -a, b, -b, infinity: Lagrange's basis, its denominators in G."""
    points = [0, a, -a, b, -b]
    bt, g, at = np.zeros((6, 6)), np.zeros((6, 3)), np.zeros((4, 6))
    for i, p in enumerate(points):
        others = [q for q in points if q != p]
        bt[i, :5] = np.poly(others)[::-1]
        g[i] = np.array([1, p, p * p]) / np.prod([p - q for q in others])
        at[:, i] = [1, p, p ** 2, p ** 3]
    bt[5], g[5], at[:, 5] = np.poly(points)[::-1], [0, 0, 1], [0, 0, 0, 1]
    return bt, g, at


a, b, s = np.sqrt(0.5), np.sqrt(2), 2.5
bt, g, at = matrices(a, b)
agree("Bᵀ", bt, [[1, 0, -s, 0, 1, 0], [0, -a * b**2, -b**2, a, 1, 0], [0, a * b**2, -b**2, -a, 1, 0],
                 [0, -a**2 * b, -a**2, b, 1, 0], [0, a**2 * b, -a**2, -b, 1, 0], [0, 1, 0, -s, 0, 1]])
agree("G", g, [[1, 0, 0], [-2/3, -2*a/3, -1/3], [-2/3, 2*a/3, -1/3], [1/6, b/6, 1/3], [1/6, -b/6, 1/3], [0, 0, 1]])
d, w = random.normal(size=(6, 6)), random.normal(size=(3, 3))
definition = np.array([[(d[i:i + 3, j:j + 3] * w).sum() for j in range(4)] for i in range(4)])
agree("F(4x4, 3x3)", at @ ((g @ w @ g.T) * (bt @ d @ bt.T)) @ at.T, definition)
dy = random.normal(size=(4, 4))
agree("F(4x4, 3x3), gradient of the weights", g.T @ ((bt @ d @ bt.T) * (at.T @ dy @ at)) @ g,
      [[(d[i:i + 4, j:j + 4] * dy).sum() for j in range(3)] for i in range(3)])


def worst_error(a, b, channels, tiles=2000):
    """In float32, the largest error of a tile relative to the largest output."""
    bt, g, at = (m.astype(np.float32) for m in matrices(a, b))
    d = random.normal(size=(tiles, channels, 6, 6)).astype(np.float32)
    w = random.normal(size=(channels, 3, 3)).astype(np.float32)
    exact = sum(np.einsum("tcij,c->tij", d.astype(float)[:, :, k:k + 4, l:l + 4], w.astype(float)[:, k, l])
                for k in range(3) for l in range(3))
    direct = np.zeros((tiles, 4, 4), np.float32)
    for c in range(channels):
        for k in range(3):
            for l in range(3):
                direct += d[:, c, k:k + 4, l:l + 4] * w[c, k, l]
    products = np.zeros((tiles, 6, 6), np.float32)
    u = g @ w @ g.T
    for c in range(channels):
        products += u[c] * (bt @ d[:, c] @ bt.T)
    fast = at @ products @ at.T
    return [float(np.abs(y - exact).max() / np.abs(exact).max()) for y in (direct, fast)]


for channels in (16, 64):
    direct, ours = worst_error(a, b, channels)
    _, theirs = worst_error(1, 2, channels)
    print(f"{channels} channels, float32: definition {direct:.1e}, points ±√½ ±√2 {ours:.1e}, points ±1 ±2 {theirs:.1e}")
