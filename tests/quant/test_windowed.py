"""Windowed layers: geometry, exact values, rules, files and text."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional

from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, IRError, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.windows import PADDING, Frame, Window
from nnlogic.quant.ir import INPUT, Enumerated, Linear, QuantNet, Windowed
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.kernel_network import kernel_network
from nnlogic.quant.pooling import global_pooling, pooling

U1, U2 = IntFormat(1), IntFormat(2)
small = st.integers(1, 3)


@st.composite
def shapes(draw):
    """A frame and a window that fits it."""
    frame = Frame(draw(small), draw(st.integers(1, 6)), draw(st.integers(1, 6)))
    pairs = st.tuples(small, small)
    padding = draw(st.tuples(*[st.integers(0, 2)] * 4))
    window = Window(draw(pairs), draw(pairs), padding, draw(st.integers(0, 3)), draw(pairs))
    assume(not window.problems(frame))
    return frame, window


def linear_kernel(rng, inputs, channels, thresholds=False):
    weights = frozen(rng.integers(-3, 4, (channels, inputs)), np.int64)
    bias = frozen(rng.integers(-4, 5, channels), np.int64)
    bounds = np.sort(rng.integers(-9, 9, (channels, 3)), axis=1) if thresholds else None
    out = U2 if thresholds else IntFormat.holding(-3 * 3 * inputs - 4, 3 * 3 * inputs + 4)
    return Kernel((Linear("sums", (INPUT,), weights, bias, bounds, (out,) * channels),))


def table_kernel(rng, inputs, channels, fmt=U1):
    """Two layers of tables: three hidden neurons, and channels that read them and the window."""
    x = (fmt,) * inputs

    def tables(wires, formats):
        size = [sum(formats[w].bits for w in one) for one in wires]
        return tuple(frozen(rng.integers(0, 2, 1 << s), np.int64) for s in size)

    first = tuple(tuple(rng.integers(0, inputs, 2).tolist()) for _ in range(3))
    both = (*(U1,) * 3, *x)
    second = tuple((int(rng.integers(3)), 3 + int(rng.integers(inputs))) for _ in range(channels))
    return Kernel((
        Enumerated("hidden", (INPUT,), first, tables(first, x), (U1,) * 3, x),
        Enumerated("out", ("hidden", INPUT), second, tables(second, both), (U1,) * channels, both),
    ))  # fmt: skip


@given(shapes(), st.integers(0, 1 << 20), st.integers(1, 70))
@settings(max_examples=40, deadline=None)
def test_bits_are_computed_64_at_a_time_and_alike(shape, seed, rows):
    frame, window = shape
    window = replace(window, padding_code=window.padding_code % 2)
    rng = np.random.default_rng(seed)
    kernel = table_kernel(rng, window.taps * frame.channels, 3)
    wide = [replace(one, x_formats=(U2,) * len(one.x_formats)) for one in kernel.layers]
    assert kernel.bitwise
    assert not any(one.bitwise for one in wide)
    layer = Windowed("it", (INPUT,), frame, window, (kernel,))
    x = rng.integers(0, 2, (rows, frame.wires))
    np.testing.assert_array_equal(layer.evaluate(x), naive(layer, x))


def naive(layer, x):
    """The layer by its definition, position by position, from pixels of the map."""
    frame, window, groups = layer.frame, layer.window, layer.groups
    height, width = window.output(frame)
    size, out = frame.channels // groups, []
    for sample in x:
        image = sample.reshape(frame.height, frame.width, frame.channels)
        for oy in range(height):
            for ox in range(width):
                for group in range(groups):
                    read = []
                    for ky in range(window.size[0]):
                        for kx in range(window.size[1]):
                            iy = oy * window.stride[0] + ky * window.dilation[0] - window.padding[0]
                            ix = ox * window.stride[1] + kx * window.dilation[1] - window.padding[2]
                            inside = 0 <= iy < frame.height and 0 <= ix < frame.width
                            for c in range(group * size, (group + 1) * size):
                                read.append(image[iy, ix, c] if inside else window.padding_code)
                    number = (
                        group % len(layer.kernels)
                        if layer.shared
                        else (oy * width + ox) * groups + group
                    )
                    out.append(layer.kernels[number].evaluate(np.array([read]))[0])
    return np.array(out).reshape(len(x), -1)


@given(shapes(), st.integers(0, 1 << 20), st.sampled_from(["one", "each", "turns", "none"]))
@settings(max_examples=60, deadline=None)
def test_any_geometry_is_what_a_naive_loop_says(shape, seed, sharing):
    frame, window = shape
    rng = np.random.default_rng(seed)
    groups = {"one": 1, "each": 3, "turns": 4, "none": 2}[sharing]
    frame = Frame(frame.channels * groups, frame.height, frame.width)
    positions = int(np.prod(window.output(frame)))
    count = {"one": 1, "each": 3, "turns": 2, "none": positions * groups}[sharing]
    inputs = window.taps * frame.channels // groups
    make = [linear_kernel, table_kernel][seed % 2]
    kernels = tuple(
        make(rng, inputs, 2, *([True] if make is linear_kernel else [U2])) for _ in range(count)
    )
    layer = Windowed("it", (INPUT,), frame, window, kernels, groups, shared=sharing != "none")
    formats = (U2,) * frame.wires
    assert layer.problems(formats) == []
    x = rng.integers(0, 4, (3, frame.wires))
    wanted = naive(layer, x)
    got = layer.evaluate(x)
    assert got.shape == (3, len(layer.formats)) == (3, layer.output.wires)
    np.testing.assert_array_equal(got, wanted)
    other = x.copy()
    for neuron in rng.integers(0, len(layer.formats), 4).tolist():
        wires = layer.wires(neuron, formats)
        other[:] = 3 - x
        other[:, list(wires)] = x[:, list(wires)]
        np.testing.assert_array_equal(layer.evaluate(other)[:, neuron], wanted[:, neuron])
        assert layer.fan_in_bits(formats)[neuron] == 2 * len(wires)


@given(shapes(), st.integers(1, 3), st.integers(0, 1 << 20))
@settings(max_examples=60, deadline=None)
def test_linear_kernels_are_convolutions_of_torch(shape, groups, seed):
    frame, window = shape
    window = replace(window, padding_code=0)
    rng = np.random.default_rng(seed)
    frame = Frame(frame.channels * groups, frame.height, frame.width)
    size, channels = frame.channels // groups, 2
    kernels = tuple(linear_kernel(rng, window.taps * size, channels) for _ in range(groups))
    layer = Windowed("it", (INPUT,), frame, window, kernels, groups)
    x = rng.integers(0, 4, (2, frame.wires))
    image = torch.from_numpy(x).reshape(2, frame.height, frame.width, -1).permute(0, 3, 1, 2)
    top, bottom, left, right = window.padding
    weight = torch.cat([
        torch.tensor(k.layers[0].weights).reshape(channels, *window.size, size)
        for k in kernels
    ]).permute(0, 3, 1, 2)  # fmt: skip
    bias = torch.cat([torch.tensor(k.layers[0].bias) for k in kernels])
    wanted = functional.conv2d(
        functional.pad(image, (left, right, top, bottom)).double(), weight.double(),
        bias.double(), window.stride, 0, window.dilation, groups,
    )  # fmt: skip
    got = layer.evaluate(x).reshape(2, layer.output.height, layer.output.width, -1)
    np.testing.assert_array_equal(got, wanted.permute(0, 2, 3, 1).numpy())


def test_one_dimension_is_conv1d_of_torch():
    rng = np.random.default_rng(1)
    frame, window = Frame(2, 1, 20), Window((1, 3), (1, 2), (0, 0, 2, 1), 0, (1, 2))
    layer = Windowed("it", (INPUT,), frame, window, (linear_kernel(rng, 6, 4),))
    x = rng.integers(0, 4, (5, frame.wires))
    padded = functional.pad(torch.from_numpy(x).reshape(5, 20, 2).permute(0, 2, 1), (2, 1))
    sums = layer.kernels[0].layers[0]
    weight = torch.tensor(sums.weights).reshape(4, 3, 2).permute(0, 2, 1)
    bias = torch.tensor(sums.bias)
    wanted = functional.conv1d(padded.double(), weight.double(), bias.double(), 2, 0, 2)
    got = layer.evaluate(x).reshape(5, layer.output.width, 4)
    np.testing.assert_array_equal(got, wanted.permute(0, 2, 1).numpy())


def test_wires_of_a_window_lie_in_raster_order_with_channels_inside():
    frame, window = Frame(2, 3, 4), Window((2, 2), padding=(1, 0, 0, 1))
    wires = window.wires_at(frame)
    assert window.output(frame) == (3, 4)
    assert wires.shape == (12, 8)
    assert wires[4].tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
    assert wires[3].tolist() == [PADDING] * 4 + [6, 7] + [PADDING] * 2


@pytest.mark.parametrize("how", ["max", "min", "sum", "average"])
@pytest.mark.parametrize(("fmt", "size"), [(U1, (2, 2)), (IntFormat(4), (3, 3)), (U2, (1, 1))])
def test_pooling_is_what_it_says(how, fmt, size):
    frame = Frame(3, 6, 6)
    layer = pooling("pool", INPUT, frame, Window(size, size), fmt, how)
    assert layer.problems((fmt,) * frame.wires) == []
    assert max(layer.kernels[0].layers[0].fan_in_bits((fmt,) * layer.window.taps)) <= 36
    x = np.random.default_rng(0).integers(0, fmt.hi + 1, (50, frame.wires))
    tiles = x.reshape(50, 6 // size[0], size[0], 6 // size[1], size[1], 3).swapaxes(2, 3)
    tiles = tiles.reshape(50, *tiles.shape[1:3], -1, 3)
    wanted = {
        "max": tiles.max(3), "min": tiles.min(3), "sum": tiles.sum(3),
        "average": np.floor(tiles.mean(3) + 0.5),
    }[how]  # fmt: skip
    np.testing.assert_array_equal(layer.evaluate(x), wanted.reshape(50, -1))


def test_global_sums_are_one_value_a_channel():
    frame = Frame(2, 4, 3)
    layer = global_pooling("sum", INPUT, frame, IntFormat(3, True), "sum")
    assert layer.output == Frame(2, 1, 1)
    x = np.random.default_rng(0).integers(-4, 4, (9, 24))
    np.testing.assert_array_equal(layer.evaluate(x), x.reshape(9, 12, 2).sum(1))


def test_pooling_that_is_not_possible_is_refused():
    with pytest.raises(UsageError, match="median"):
        pooling("pool", INPUT, Frame(1, 2, 2), Window((2, 2)), U1, "median")
    with pytest.raises(UsageError, match="averaged"):
        pooling("pool", INPUT, Frame(1, 2, 2), Window((2, 2)), IntFormat(2, True), "average")


def layer_of(**changes):
    rng = np.random.default_rng(3)
    made = Windowed(
        "conv", (INPUT,), Frame(2, 5, 4), Window((3, 2), padding=(1, 1, 0, 1)),
        (table_kernel(rng, 12, 3),),
    )  # fmt: skip
    return replace(made, **changes)


def net_of(layer, fmt=U1):
    ports = tuple(Port(f"x{i}", fmt) for i in range(layer.frame.wires))
    wires = tuple((Port(f"y{i}", f), layer.name, i) for i, f in enumerate(layer.formats))
    return QuantNet("n", ports, (layer,), wires)


def test_files_keep_it(tmp_path):
    net = net_of(layer_of())
    net.verify()
    net.save(tmp_path / "a")
    back = QuantNet.load(tmp_path / "a")
    back.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert back.text() == net.text()
    x = np.random.default_rng(0).integers(0, 2, (20, 40))
    np.testing.assert_array_equal(back.evaluate(x), net.evaluate(x))


def test_printed_form():
    (line,) = (line for line in net_of(layer_of()).text().splitlines() if "network" in line)
    assert line == (
        "  network conv(input) -> 60 x u1: windows 3x2 padding 1,1,0,1 of 0 of 2x5x4 -> 3x5x4, "
        "1 kernel [hidden(input) 3 x tables fan-in 2..2; out(hidden,input) 3 x tables fan-in 2..2]"
    )


@pytest.mark.parametrize(("changes", "why"), [
    ({"window": Window((8, 2), padding=(1, 1, 0, 1))}, "larger than the frame, 7 with its padding"),
    ({"window": Window((3, 2), stride=(0, 1))}, "is not possible"),
    ({"window": Window((3, 2), padding=(1, 1, 0, 1), padding_code=2)}, "outside the format u1"),
    ({"frame": Frame(2, 5, 5)}, "has 50 wires, 40 come from input"),
    ({"frame": Frame(0, 5, 5)}, "the frame is 0x5x5"),
    ({"sources": (INPUT, INPUT)}, "reads 2 layers"),
    ({"groups": 3}, "2 channels cannot be split into 3 groups"),
    ({"groups": 2}, "kernel 0: hidden: input formats differ"),
    ({"kernels": ()}, "0 kernels cannot take turns"),
    ({"shared": False}, "1 kernels for 20 positions"),
    ({"kernels": (Kernel(()),)}, "no layers"),
    ({"frame": Frame(2, 1 << 12, 1 << 12)}, "more than 4,194,304"),
    ({"window": Window((1 << 40, 1), padding=(1 << 40, 0, 0, 0))}, "larger than anything"),
    ({"groups": 0}, "cannot be split into 0 groups"),
    ({"period": 1}, "reads other wires"),
    ({"period": -1}, "a period of -1"),
])  # fmt: skip
def test_broken_rules_are_named(changes, why):
    layer = layer_of(**changes)
    found = layer.problems((U1,) * 40)
    assert any(why in one for one in found), found


def test_no_rows_give_no_rows():
    layer = layer_of()
    assert layer.evaluate(np.zeros((0, 40), np.int64)).shape == (0, len(layer.formats))


def test_kernels_do_not_nest_and_networks_name_what_is_wrong():
    inner = pooling("inner", INPUT, Frame(12, 1, 1), Window((1, 1)), U1, "max")
    nested = layer_of(kernels=(Kernel((inner,)),))
    with pytest.raises(IRError, match="windowed themselves: inner"):
        net_of(nested).verify()


@pytest.mark.parametrize("changes", [
    {"kernels": ()}, {"groups": 0}, {"window": Window((3, 2), (0, 0))}, {"frame": Frame(0, 0, 0)},
    {"window": Window((0, 0))}, {"kernels": (Kernel(()),)}, {"shared": False},
])  # fmt: skip
def test_files_that_break_rules_are_refused_as_such(changes, tmp_path):
    layer = layer_of(**changes)
    ports = tuple(Port(f"x{i}", U1) for i in range(40))
    net = QuantNet("n", ports, (layer,), ((Port("y", U1), "conv", 0),))
    net.save(tmp_path / "a")
    with pytest.raises(CheckpointError, match="conv "):
        QuantNet.load(tmp_path / "a")


def test_supports_that_repeat_are_stated_and_checked():
    """Channel i reads the wires of channel i - 2, with weights of its own."""
    rng = np.random.default_rng(0)
    weights = np.zeros((6, 9), np.int64)
    for channel, row in enumerate(weights):
        row[[[0, 4, 8], [2, 4, 6]][channel % 2]] = rng.choice([-2, -1, 1, 2], 3)
    bounds = frozen(np.zeros((6, 1)), np.int64)
    bias = frozen(np.arange(6), np.int64)
    sums = Linear("sums", (INPUT,), frozen(weights, np.int64), bias, bounds, (U1,) * 6)
    layer = Windowed("conv", (INPUT,), Frame(1, 4, 4), Window((3, 3)), (Kernel((sums,)),), period=2)
    assert layer.problems((U1,) * 16) == []
    assert "period 2 " in net_of(layer).text()
    why = "kernel 0: channel 1 reads other wires than channel 0"
    assert why in replace(layer, period=1).problems((U1,) * 16)[0]
    assert why.replace("1", "3", 1) in replace(layer, period=3).problems((U1,) * 16)[0]


def test_channels_have_one_format_each():
    formats = (*((U1, U2) * 20)[:39], U1)
    assert "channel 1 of the map has several formats" in layer_of().problems(formats)


def test_a_kernel_is_a_network_of_its_own():
    layer = layer_of()
    net = kernel_network(layer, (U1,) * 40)
    assert [p.name for p in net.inputs][:3] == ["y0_x0_c0", "y0_x0_c1", "y0_x1_c0"]
    assert [p.name for p in net.outputs] == ["c0", "c1", "c2"]
    x = np.random.default_rng(0).integers(0, 2, (7, 40))
    wanted = layer.evaluate(x).reshape(7, 20, 3)
    padded = np.concatenate([x, np.zeros((7, 1), np.int64)], axis=1)
    for position in range(20):
        window = padded[:, layer.windows[position, 0]]
        np.testing.assert_array_equal(net.evaluate(window), wanted[:, position])
    with pytest.raises(UsageError, match="no such kernel"):
        kernel_network(layer, (U1,) * 40, 1)
