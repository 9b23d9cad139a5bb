"""Populations on feature maps: windows and their gradients, export, and what a recipe says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import nnlogic
from nnlogic.core.windows import PADDING, Frame, Window
from nnlogic.model.window import WindowSpec
from nnlogic.nn.population import LutNetwork, LutPopulation, to_quantnet
from nnlogic.nn.population.functional import ROWS, K
from nnlogic.nn.population.tables import Phase
from nnlogic.nn.population.windows import WindowTables, as_map, flat, unfold
from nnlogic.quant.ir import Enumerated
from nnlogic.quant.layers.windowed import Windowed

WINDOWS = {
    "same": (Frame(2, 5, 6), Window((3, 3), padding=(1, 1, 1, 1))),
    "everything": (Frame(3, 7, 6), Window((3, 2), (2, 1), (2, 0, 1, 1), 0, (1, 2))),
    "one dimension": (Frame(1, 1, 9), Window((1, 4), (1, 3), (0, 0, 2, 1))),
    "one place": (Frame(3, 4, 4), Window((1, 1))),
}
CLASSES = 3
SHAPES = {
    "one": (1, (6, 6), (WindowSpec((3, 3), (5,), padding=(1, 1), pool=(2, 2)),)),
    "two kernels": (
        1,
        (8, 8),
        (
            WindowSpec((3, 3), (6,), padding=(1, 1), pool=(2, 2)),
            WindowSpec((3, 3), (7, 4), padding=(1, 1), pool=(2, 2)),
        ),
    ),
    "two bits, odd sides": (
        2,
        (5, 7),
        (WindowSpec((2, 3), (6, 5), stride=(1, 2), padding=(1, 0, 2, 1), pool=(2, 2)),),
    ),
    "one dimension": (
        1,
        (1, 16),
        (
            WindowSpec((1, 5), (4,), padding=(0, 2), dilation=(1, 1)),
            WindowSpec((1, 3), (5,), dilation=(1, 2), pool=(1, 3)),
        ),
    ),
}


def population(name, members=2, seed=0):
    bits, sides, windows = SHAPES[name]
    return LutPopulation(
        members, sides[0] * sides[1], bits, CLASSES, widths=(20, 9), frame=Frame(bits, *sides),
        windows=windows, seed=seed,
    )  # fmt: skip


def quantnet(model, network):
    bits = model.input_bits
    return to_quantnet(
        network,
        name="net",
        features=[f"x{i}" for i in range(model.features)],
        classes=[f"c{i}" for i in range(CLASSES)],
        thresholds=[np.arange(1, 1 << bits, dtype=np.float32)] * model.features,
        input_bits=bits,
    )


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_and_their_gradient_are_those_of_the_wires_they_name(name):
    frame, window = WINDOWS[name]
    torch.manual_seed(0)
    x = torch.rand((2, frame.channels, frame.height, frame.width, 3), requires_grad=True)
    wires = torch.from_numpy(window.wires_at(frame))
    assert PADDING == -1
    padded = torch.cat([flat(x), torch.zeros(2, 1, 3)], 1)
    want = padded[:, wires.reshape(-1)].view(2, *wires.shape, 3).transpose(1, 2)
    got = unfold(x, window)
    assert torch.equal(got, want)
    grad = torch.randn_like(got)
    mine, theirs = (torch.autograd.grad(y, x, grad)[0] for y in (got, want))
    torch.testing.assert_close(mine, theirs)


def test_a_map_and_its_wires():
    frame = Frame(2, 3, 4)
    wires = torch.arange(2 * frame.wires * 5).view(2, frame.wires, 5)
    assert torch.equal(flat(as_map(wires, frame)), wires)
    assert as_map(wires, frame)[0, 1, 2, 3, 0] == wires[0, (2 * 4 + 3) * 2 + 1, 0]


def naive(layer, x, phase, grad):
    """Output of one kernel layer and gradients of map, logits of wires and tables: by loops."""
    frame, window = layer.frame, layer.spec.window
    (tables,) = layer.kernel
    members, width, _ = tables.logits.shape
    at = window.wires_at(frame)
    wires = flat(x).detach()
    wires = torch.cat([wires, torch.zeros_like(wires[:, :1])], 1)
    out = torch.zeros((members, width, len(at), x.shape[-1]))
    to_x, to_wires = torch.zeros_like(wires), torch.zeros_like(tables.wires)
    to_tables = torch.zeros_like(tables.logits)
    share = torch.softmax(tables.wires.detach(), -1).view(members, width, K, -1)
    for m in range(members):
        for n in range(width):
            pull = torch.zeros((K, at.shape[1]))
            for p, window_wires in enumerate(at):
                read = wires[m, window_wires]
                z = read[tables.wires.view(members, width, K, -1)[m, n].argmax(-1)]
                z = z.clone().requires_grad_(True)
                theta = tables.logits[m, n].detach().clone().requires_grad_(True)
                value = torch.zeros(x.shape[-1])
                for entry in range(ROWS):
                    bits = [(entry >> k) & 1 for k in range(K)]
                    minterm = torch.stack([z[k] if b else 1 - z[k] for k, b in enumerate(bits)])
                    value = value + torch.sigmoid(theta[entry] * phase.sharpness) * minterm.prod(0)
                out[m, n, p] = value.detach()
                value.backward(grad[m, n, p])
                to_tables[m, n] += theta.grad
                pull += z.grad @ (read - 0.5).t()
                spread = share[m, n].t() @ z.grad
                to_x[m].index_add_(0, torch.from_numpy(window_wires % len(wires[m])), spread)
            jacobian = share[m, n] * (pull - (share[m, n] * pull).sum(-1, keepdim=True))
            to_wires.view(members, width, K, -1)[m, n] = jacobian
    return out, to_x[:, :-1], to_wires, to_tables


def test_gradients_of_a_windowed_layer_are_those_of_plain_loops():
    torch.manual_seed(1)
    frame = Frame(2, 3, 3)
    spec = WindowSpec((3, 2), (2,), padding=(1, 0))
    layer = WindowTables(2, frame, spec, torch.Generator().manual_seed(0))
    x = torch.rand((2, 2, 3, 3, 4), requires_grad=True)
    phase = Phase(False, torch.tensor(1.7))
    out = layer(x, phase)
    grad = torch.randn_like(out)
    out.backward(grad)
    want, to_x, to_wires, to_tables = naive(layer, x, phase, grad.flatten(2, 3))
    (tables,) = layer.kernel
    torch.testing.assert_close(out.flatten(2, 3), want)
    torch.testing.assert_close(flat(x.grad), to_x, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(tables.wires.grad, to_wires, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(tables.logits.grad, to_tables, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SHAPES)
def test_every_parameter_gets_a_gradient_in_both_phases(name):
    torch.manual_seed(2)
    model = population(name)
    codes = torch.randint(0, 1 << model.input_bits, (200, model.features), dtype=torch.int32)
    y = torch.randint(0, CLASSES, (2 * 200,))
    for hard in (False, True):
        model.zero_grad()
        model.phase = replace(model.phase, hard=hard, sharpness=torch.ones(()))
        torch.nn.functional.cross_entropy(model(codes).flatten(0, 1), y).backward()
        idle = [k for k, p in model.named_parameters() if p.grad is None or not p.grad.any()]
        assert idle == []


@pytest.mark.parametrize("name", SHAPES)
def test_hard_network_quantnet_and_tables_agree(name, tmp_path):
    torch.manual_seed(3)
    model = population(name)
    codes = torch.randint(0, 1 << model.input_bits, (300, model.features))
    scores = model.hard_scores(codes).numpy().astype(np.int64)
    for member in range(2):
        network = model.network(member)
        again = LutNetwork.from_arrays(network.to_arrays(), network.labels(), {})
        assert [p.place for p in again.parts] == [p.place for p in network.parts]
        net = quantnet(model, again)
        out = net.evaluate(codes.numpy())
        offset = out[0, :-1] - scores[member, 0]
        assert (out[:, :-1] - scores[member] == offset[0]).all()
        assert (out[:, -1] == scores[member].argmax(1)).all()
        maps = [layer for layer in net.layers if isinstance(layer, Windowed)]
        # The bits of a code are taken at every place: a stream has them once.
        encoders = [layer for layer in maps if layer.role == "encoder"]
        assert len(encoders) == (model.input_bits > 1)
        maps = maps[len(encoders) :]
        pooled = sum(spec.pooling.taps > 1 for spec in SHAPES[name][2])
        assert len(maps) == len(SHAPES[name][2]) + pooled
        assert (nnlogic.tabulate(net, arith="auto").evaluate(codes.numpy()) == out).all()


def test_a_channel_nothing_reads_is_dropped_and_a_flipped_bit_is_seen():
    model = population("two kernels", members=1)
    with torch.no_grad():
        # The second layer of kernel 1 never reads channel 0 of the first, nor the dense one.
        model.maps[1].kernel[1].wires[:, :, 0] = -100
    codes = np.random.default_rng(0).integers(0, 2, (300, 64))
    net = quantnet(model, model.network(0))
    maps = {layer.name: layer for layer in net.layers if isinstance(layer, Windowed)}
    inner = maps["conv1"].kernels[0].layers[0]
    assert isinstance(inner, Enumerated)
    assert len(inner.tables) == 6
    want = net.evaluate(codes)
    with torch.no_grad():
        model.maps[0].kernel[0].logits.neg_()
    assert (quantnet(model, model.network(0)).evaluate(codes) != want).any()
