"""Small convolutional networks of random tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.windows import Frame, Window
from nnlogic.quant.ir import INPUT, Argmax, Enumerated, Linear, QuantNet, Windowed
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.pooling import global_pooling, pooling

U1, U2 = IntFormat(1), IntFormat(2)
SAME = (1, 1, 1, 1)


def tables(rng, name, source, x_formats, count, fan_in, fmt=U1):
    """A layer of random tables, each of `fan_in` wires."""
    wires = tuple(
        tuple(sorted(rng.choice(len(x_formats), fan_in, replace=False).tolist()))
        for _ in range(count)
    )
    sizes = [sum(x_formats[w].bits for w in one) for one in wires]
    rows = tuple(frozen(rng.integers(0, fmt.hi + 1, 1 << s), np.int64) for s in sizes)
    return Enumerated(name, (source,), wires, rows, (fmt,) * count, tuple(x_formats))


def conv(rng, name, source, frame, fmt, channels, *, size=(3, 3), fan_in=4, out=U1, groups=1,
         kernels=1, **window):  # fmt: skip
    """A windowed layer whose kernels are random tables."""
    shape = Window(size, **window)
    formats = (fmt,) * (shape.taps * frame.channels // groups)
    made = tuple(
        Kernel((tables(rng, "taps", INPUT, formats, channels // groups, fan_in, out),))
        for _ in range(kernels)
    )
    return Windowed(name, (source,), frame, shape, made, groups)


def network(layers, frame, fmt, outputs, name="digits"):
    ports = tuple(Port(f"p{i}", fmt) for i in range(frame.wires))
    net = QuantNet(name, ports, tuple(layers), tuple(outputs))
    net.verify()
    return net


def _rarer(rng, kernel):
    (layer,) = kernel.layers
    rows = tuple(frozen(t & (rng.random(len(t)) < 0.25), np.int64) for t in layer.tables)
    return replace(kernel, layers=(replace(layer, tables=rows),))


def digits_net(seed=1, *, channels=6, fmt=U1, classes=4, frame=None):
    """Convolution, pooling, a second convolution, dense tables, votes, argmax."""
    rng = np.random.default_rng(seed)
    frame = frame or Frame(1, 8, 8)
    first = conv(rng, "conv1", INPUT, frame, fmt, channels, padding=SAME)
    pool = pooling("pool1", "conv1", first.output, Window((2, 2), (2, 2)), U1, "max")
    # Random tables are true half of the time, and the largest of four nearly always: not enough
    # to see a difference. These are true an eighth of the time.
    first = replace(first, kernels=tuple(_rarer(rng, kernel) for kernel in first.kernels))
    second = conv(rng, "conv2", "pool1", pool.output, U1, channels, padding=SAME, fan_in=6)
    dense = tables(rng, "dense", "conv2", second.formats, 3 * classes, 5)
    weights = np.repeat(np.eye(classes, dtype=np.int64), 3, axis=1)
    votes = Linear("votes", ("dense",), frozen(weights, np.int64), frozen([0] * classes, np.int64),
                   None, (U2,) * classes)  # fmt: skip
    best = IntFormat(max(1, (classes - 1).bit_length()))
    layers = [first, pool, second, dense, votes, Argmax("class", ("votes",), (best,))]
    return network(layers, frame, fmt, [(Port("class", best), "class", 0)])


def sums_net(how="sum", seed=1):
    """A convolution, and each of its channels over the whole map."""
    rng = np.random.default_rng(seed)
    first = conv(rng, "conv1", INPUT, Frame(1, 4, 6), U1, 3, padding=SAME)
    total = global_pooling("total", "conv1", first.output, U1, how)
    outputs = [(Port(f"y{i}", fmt), "total", i) for i, fmt in enumerate(total.formats)]
    if how != "sum":
        return network([first, total], Frame(1, 4, 6), U1, outputs, "sums")
    best = Argmax("class", ("total",), (U2,))
    return network(
        [first, total, best], Frame(1, 4, 6), U1, [(Port("class", U2), "class", 0)], "sums"
    )


def constant_net():
    """A kernel that reads nothing, and a single wire of its map."""
    frame = Frame(2, 2, 3)
    kernel = Kernel(
        (Enumerated("one", (INPUT,), ((),), (frozen([1], np.int64),), (U1,), (U1,) * 8),)
    )
    layer = Windowed("flat", (INPUT,), frame, Window((2, 2), padding=(0, 1, 1, 0)), (kernel,))
    return network([layer], frame, U1, [(Port("y", U1), "flat", 2)], "constant")


def map_net(seed=1, *, length=32):
    """A one-dimensional stream whose last map goes out."""
    rng = np.random.default_rng(seed)
    frame = Frame(1, 1, length)
    first = conv(rng, "smooth", INPUT, frame, U2, 3, size=(1, 5), padding=(0, 0, 4, 0), out=U2)
    second = conv(rng, "find", "smooth", first.output, U2, 2, size=(1, 3), padding=(0, 0, 1, 1),
                  fan_in=3)  # fmt: skip
    outputs = [(Port(f"y{i}", f), "find", i) for i, f in enumerate(second.formats)]
    return network([first, second], frame, U2, outputs, "pulses")


def sliding_net(seed=1, *, length=40, dense=True, stride=2, **window):
    """A one-dimensional network of windows without padding, which slides over samples."""
    rng = np.random.default_rng(seed)
    frame = Frame(2, 1, length)
    smooth = conv(rng, "smooth", INPUT, frame, U2, 3, size=(1, 5), out=U2, **window)
    find = conv(rng, "find", "smooth", smooth.output, U2, 4, size=(1, 3), fan_in=3,
                stride=(1, stride), dilation=(1, 2))  # fmt: skip
    if not dense:
        outputs = [(Port(f"y{i}", f), "find", i) for i, f in enumerate(find.formats)]
        return network([smooth, find], frame, U2, outputs, "slides")
    last = tables(rng, "dense", "find", find.formats, 6, 5)
    weights = frozen(np.repeat(np.eye(2, dtype=np.int64), 3, axis=1), np.int64)
    votes = Linear("votes", ("dense",), weights, frozen([0, 0], np.int64), None, (U2,) * 2)
    outputs = [(Port("s0", U2), "votes", 0), (Port("class", U1), "class", 0)]
    layers = [smooth, find, last, votes, Argmax("class", ("votes",), (U1,))]
    return network(layers, frame, U2, outputs, "slides")
