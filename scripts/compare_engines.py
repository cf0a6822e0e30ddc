"""The networks of scripts/compare.py in other engines: the same layers, random weights, one function for each engine.

Every function takes a case and a number of threads and returns what does one step: a training step or one inference.
"""

import tempfile

DEPTHS = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]}


class Plan:
    """The layers of a network: stem, blocks of (input, width, output, stride), classes; 6n + 2 layers are CIFAR's."""

    def __init__(self, name):
        depth = int(name.removeprefix("resnet"))
        self.imagenet = depth in DEPTHS
        self.bottleneck = self.imagenet and depth >= 50
        self.channels, self.size, self.classes = (64, 224, 1000) if self.imagenet else (16, 32, 10)
        stages = DEPTHS.get(depth, [(depth - 2) // 6] * 3)
        self.blocks, inputs = [], self.channels
        for i, count in enumerate(stages):
            for b in range(count):
                width = self.channels << i
                output = width * (4 if self.bottleneck else 1)
                self.blocks.append((inputs, width, output, 2 if i and not b else 1))
                inputs = output
        self.features = inputs

    def convolutions(self, block):
        """Inputs, outputs, kernel and stride of each: a bottleneck's stride is in its first 1x1."""
        inputs, width, output, stride = block
        if self.bottleneck:
            return [(inputs, width, 1, stride), (width, width, 3, 1), (width, output, 1, 1)]
        return [(inputs, output, 3, stride), (output, output, 3, 1)]

    def shortcut(self, block):
        """identity; option A for CIFAR's networks, option B for ImageNet's."""
        inputs, _, output, stride = block
        return "identity" if stride == 1 and inputs == output else "projection" if self.imagenet else "zeros"


# PyTorch, and what starts from its network


def torch_network(plan):
    import torch.nn as nn
    import torch.nn.functional as F

    def conv(i, o, k, s):
        return nn.Sequential(nn.Conv2d(i, o, k, s, k // 2, bias=False), nn.BatchNorm2d(o))

    class Block(nn.Module):
        def __init__(self, block):
            super().__init__()
            self.layers = nn.ModuleList(conv(*c) for c in plan.convolutions(block))
            self.kind, self.stride, self.added = plan.shortcut(block), block[3], block[2] - block[0]
            self.projection = conv(block[0], block[2], 1, block[3]) if self.kind == "projection" else None

        def forward(self, x):
            y = x
            for layer in self.layers[:-1]:
                y = F.relu(layer(y))
            if self.kind == "projection":
                h = self.projection(x)
            elif self.kind == "zeros":
                h = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.added))
            else:
                h = x
            return F.relu(self.layers[-1](y) + h)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            stem = [conv(3, plan.channels, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)] if plan.imagenet else [
                conv(3, plan.channels, 3, 1), nn.ReLU()]
            self.layers = nn.Sequential(*stem, *map(Block, plan.blocks))
            self.classifier = nn.Linear(plan.features, plan.classes)

        def forward(self, x):
            return self.classifier(self.layers(x).mean((2, 3)))

    return Network()


def torch_start(case, threads, channels_last):
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(threads)
    plan = Plan(case.network)
    net = torch_network(plan)
    x = torch.randn(case.batch, 3, plan.size, plan.size)
    if channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    return torch, plan, net if case.trains else net.eval(), x


def pytorch(case, threads, compiled=False):
    torch, plan, net, x = torch_start(case, threads, channels_last=True)
    run = torch.compile(net) if compiled else net
    if not case.trains:
        def infer():
            with torch.inference_mode():
                run(x)

        return infer
    y = torch.randint(0, plan.classes, (case.batch,))
    optimizer = torch.optim.SGD(net.parameters(), 0.01, 0.9, weight_decay=1e-4)

    def step():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(run(x), y).backward()
        optimizer.step()

    return step


def pytorch_compiled(case, threads):
    return pytorch(case, threads, compiled=True)


def pytorch_frozen(case, threads):
    torch, _, net, x = torch_start(case, threads, channels_last=True)
    with torch.inference_mode():
        frozen = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, x)))

    def infer():
        with torch.inference_mode():
            frozen(x)

    return infer


def openvino(case, threads):
    import openvino as ov

    torch, _, net, x = torch_start(case, threads, channels_last=False)
    model = ov.convert_model(net, example_input=x, input=[tuple(x.shape)])
    options = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    request = ov.Core().compile_model(model, "CPU", options).create_infer_request()
    images = x.numpy()
    return lambda: request.infer([images], share_inputs=True)


def onnxruntime(case, threads):
    import onnx  # noqa: F401 (the exporter needs it)
    import onnxruntime as ort

    torch, _, net, x = torch_start(case, threads, channels_last=False)
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        torch.onnx.export(net, (x,), file.name, input_names=["x"], dynamo=False)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        session = ort.InferenceSession(file.name, options, providers=["CPUExecutionProvider"])
    images = x.numpy()
    return lambda: session.run(None, {"x": images})


def ncnn(case, threads):
    """Written in ncnn's own format, with the normalizations folded; it takes one image at a time."""
    import ncnn
    import numpy as np

    torch, plan, net, x = torch_start(case, threads, channels_last=False)
    lines, blobs, data = ["Input input 0 1 x"], ["x"], []

    def layer(kind, inputs, outputs, parameters):
        name = f"layer{len(lines)}"
        lines.append(f"{kind} {name} {len(inputs)} {len(outputs)} {' '.join(inputs + outputs)} {parameters}")
        blobs.extend(outputs)
        return outputs

    def new(count=1):
        return [f"blob{len(blobs) + i}" for i in range(count)]

    def weights(module, bias):
        values = module.detach().numpy().astype(np.float32).ravel()
        data.append(np.uint32(0).tobytes() + values.tobytes() + bias.detach().numpy().astype(np.float32).tobytes())
        return values.size

    def conv(pair, source, rectifies):
        c, bn = pair
        scale = bn.weight / (bn.running_var + bn.eps).sqrt()
        size = weights(c.weight * scale[:, None, None, None], bn.bias - bn.running_mean * scale)
        return layer("Convolution", source, new(), f"0={c.out_channels} 1={c.kernel_size[0]} 3={c.stride[0]} "
                     f"4={c.padding[0]} 5=1 6={size} 9={1 if rectifies else 0}")

    y = ["x"]
    for module in net.layers:
        if isinstance(module, torch.nn.Sequential):
            y = conv(module, y, True)
        elif isinstance(module, torch.nn.MaxPool2d):
            y = layer("Pooling", y, new(), "0=0 1=3 2=2 3=1 5=1")
        elif not isinstance(module, torch.nn.ReLU):
            inside, h = [[blob] for blob in layer("Split", y, new(2), "")]
            for i, pair in enumerate(module.layers):
                inside = conv(pair, inside, i + 1 < len(module.layers))
            if module.kind == "projection":
                h = conv(module.projection, h, False)
            elif module.kind == "zeros":
                h = layer("Pooling", h, new(), f"0=0 1=1 2={module.stride} 5=1")
                h = layer("Padding", h, new(), f"4=0 5=0.0 7=0 8={module.added}")
            y = layer("ReLU", layer("BinaryOp", inside + h, new(), "0=0"), new(), "")
    y = layer("Pooling", y, new(), "0=1 4=1")
    size = weights(net.classifier.weight, net.classifier.bias)
    layer("InnerProduct", y, ["y"], f"0={plan.classes} 1=1 2={size}")

    engine = ncnn.Net()
    engine.opt.num_threads = threads
    # Sums in single precision, as everywhere.
    for option in ["use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"]:
        setattr(engine.opt, option, False)
    with tempfile.NamedTemporaryFile("w", suffix=".param") as parameters, tempfile.NamedTemporaryFile(suffix=".bin") as file:
        parameters.write("\n".join(["7767517", f"{len(lines)} {len(blobs)}"] + lines) + "\n")
        parameters.flush()
        file.write(b"".join(data))
        file.flush()
        if engine.load_param(parameters.name) or engine.load_model(file.name):
            raise RuntimeError("ncnn does not read the network")
    images = [ncnn.Mat(image.numpy()).clone() for image in x]

    def outputs():
        results = []
        for image in images:
            extractor = engine.create_extractor()
            extractor.input("x", image)
            results.append(np.array(extractor.extract("y")[1]))
        return results

    with torch.inference_mode():
        expected = net(x).numpy()
    error = np.abs(np.stack(outputs()) - expected).max() / np.abs(expected).max()
    if not error < 1e-3:
        raise RuntimeError(f"ncnn's logits differ by {error}")
    return outputs


# TensorFlow and JAX: training


def tensorflow(case, threads):
    import os

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    plan, layers = Plan(case.network), tf.keras.layers

    def conv(x, _, outputs, kernel, stride):
        x = layers.ZeroPadding2D(kernel // 2)(x)
        return layers.BatchNormalization()(layers.Conv2D(outputs, kernel, stride, use_bias=False)(x))

    images = x = tf.keras.Input((plan.size, plan.size, 3))
    x = layers.ReLU()(conv(x, 3, plan.channels, *((7, 2) if plan.imagenet else (3, 1))))
    if plan.imagenet:
        x = layers.MaxPool2D(3, 2)(layers.ZeroPadding2D(1)(x))
    for block in plan.blocks:
        y, h, (inputs, _, output, stride) = x, x, block
        *first, last = plan.convolutions(block)
        for c in first:
            y = layers.ReLU()(conv(y, *c))
        if plan.shortcut(block) == "projection":
            h = conv(x, inputs, output, 1, stride)
        elif plan.shortcut(block) == "zeros":
            h = layers.Lambda(lambda t, s=stride, n=output - inputs: tf.pad(t[:, ::s, ::s], [[0, 0]] * 3 + [[0, n]]))(x)
        x = layers.ReLU()(layers.Add()([conv(y, *last), h]))
    model = tf.keras.Model(images, layers.Dense(plan.classes)(layers.GlobalAveragePooling2D()(x)))
    x = tf.random.normal((case.batch, plan.size, plan.size, 3))
    y = tf.random.uniform((case.batch,), 0, plan.classes, tf.int32)
    velocities = [tf.Variable(tf.zeros_like(w)) for w in model.trainable_variables]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=True))
            loss = tf.reduce_mean(losses)
        for w, v, g in zip(model.trainable_variables, velocities, tape.gradient(loss, model.trainable_variables)):
            v.assign(0.9 * v + g + 1e-4 * w)
            w.assign_sub(0.01 * v)
        return loss

    return lambda: step().numpy()


def jax(case, threads):
    import os

    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    import jax
    import jax.numpy as jnp

    plan, keys = Plan(case.network), iter(jax.random.split(jax.random.key(0), 1000))

    def unit(i, o, k, s):
        weight = jax.random.normal(next(keys), (k, k, i, o)) * (2 / (k * k * i)) ** 0.5
        return {"w": weight, "scale": jnp.ones(o), "shift": jnp.zeros(o)}

    def conv(p, x, stride):
        k = p["w"].shape[0] // 2
        z = jax.lax.conv_general_dilated(
            x, p["w"], (stride, stride), ((k, k), (k, k)), dimension_numbers=("NHWC", "HWIO", "NHWC"))
        mean, variance = z.mean((0, 1, 2)), z.var((0, 1, 2))
        return (z - mean) * (jax.lax.rsqrt(variance + 1e-5) * p["scale"]) + p["shift"], (mean, variance)

    blocks = [
        {"units": [unit(*c) for c in plan.convolutions(b)],
         **({"projection": unit(b[0], b[2], 1, b[3])} if plan.shortcut(b) == "projection" else {})}
        for b in plan.blocks]
    stem = unit(3, plan.channels, *((7, 2) if plan.imagenet else (3, 1)))
    classifier = {"w": jax.random.normal(next(keys), (plan.features, plan.classes)) * 0.01, "b": jnp.zeros(plan.classes)}
    parameters = {"stem": stem, "blocks": blocks, "classifier": classifier}

    def loss(parameters, x, y):
        running = []

        def apply(p, x, stride):
            z, statistics = conv(p, x, stride)
            running.append(statistics)
            return z

        x = jax.nn.relu(apply(parameters["stem"], x, 2 if plan.imagenet else 1))
        if plan.imagenet:
            x = jax.lax.reduce_window(
                x, -jnp.inf, jax.lax.max, (1, 3, 3, 1), (1, 2, 2, 1), ((0, 0), (1, 1), (1, 1), (0, 0)))
        for block, p in zip(plan.blocks, parameters["blocks"]):
            (inputs, _, output, stride), z = block, x
            for i, (c, q) in enumerate(zip(plan.convolutions(block), p["units"])):
                z = apply(q, jax.nn.relu(z) if i else z, c[3])
            if "projection" in p:
                x = apply(p["projection"], x, stride)
            elif plan.shortcut(block) == "zeros":
                x = jnp.pad(x[:, ::stride, ::stride], ((0, 0),) * 3 + ((0, output - inputs),))
            x = jax.nn.relu(z + x)
        logits = x.mean((1, 2)) @ parameters["classifier"]["w"] + parameters["classifier"]["b"]
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean(), running

    @jax.jit
    def update(state, x, y):
        parameters, velocity, statistics = state
        (value, running), gradients = jax.value_and_grad(loss, has_aux=True)(parameters, x, y)
        velocity = jax.tree.map(lambda v, g, w: 0.9 * v + g + 1e-4 * w, velocity, gradients, parameters)
        parameters = jax.tree.map(lambda w, v: w - 0.01 * v, parameters, velocity)
        return (parameters, velocity, jax.tree.map(lambda s, r: 0.9 * s + 0.1 * r, statistics, running)), value

    x = jax.random.normal(next(keys), (case.batch, plan.size, plan.size, 3))
    y = jax.random.randint(next(keys), (case.batch,), 0, plan.classes)
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    statistics = jax.tree.map(jnp.zeros_like, jax.eval_shape(lambda: loss(parameters, x, y)[1]))
    state = [(parameters, zeros, jax.tree.map(lambda s: jnp.zeros(s.shape), statistics))]

    def step():
        state[0], value = update(state[0], x, y)
        value.block_until_ready()

    return step


class Engine:
    """Its name, the modules that it needs, what starts it, and whether it trains and infers here."""

    def __init__(self, title, modules, start, trains=False, infers=False):
        self.title, self.modules, self.start, self.trains, self.infers = title, modules, start, trains, infers


ENGINES = {
    "eager": Engine("PyTorch eager", ["torch"], pytorch, trains=True, infers=True),
    "compiled": Engine("PyTorch compiled", ["torch"], pytorch_compiled, trains=True, infers=True),
    "frozen": Engine("PyTorch frozen", ["torch"], pytorch_frozen, infers=True),
    "tensorflow": Engine("TensorFlow", ["tensorflow"], tensorflow, trains=True),
    "jax": Engine("JAX", ["jax"], jax, trains=True),
    "openvino": Engine("OpenVINO", ["torch", "openvino"], openvino, infers=True),
    "onnxruntime": Engine("ONNX Runtime", ["torch", "onnx", "onnxruntime"], onnxruntime, infers=True),
    "ncnn": Engine("ncnn", ["torch", "ncnn"], ncnn, infers=True),
}
