"""Patch functions over positions in the lanes."""

import numpy as np
import pytest

from nnlogic.backends.dsp.model.conv import PatchLayer, PatchNetwork, Window, plan_text
from nnlogic.backends.dsp.model.machine import Machine
from nnlogic.backends.dsp.model.ops import BY_NAME
from nnlogic.backends.dsp.model.place import compile_ops
from nnlogic.core.errors import InputError, UsageError
from tests.backends.dsp.dsp_graphs import op_graph

OR, XOR = BY_NAME["or"].table, BY_NAME["xor"].table


def reference(maps, window):
    padded = np.pad(maps, ((0, 0), *[(window.padding,) * 2] * 2, (0, 0)))
    rows, columns = window.positions(maps.shape[1:3])
    out = []
    for image in padded:
        for r in range(rows):
            for c in range(columns):
                out.append(
                    [
                        image[r * window.stride + h, c * window.stride + w, k]
                        for h in range(window.height)
                        for w in range(window.width)
                        for k in range(maps.shape[3])
                    ]
                )
    return np.array(out)


@pytest.mark.parametrize(
    "window", [Window(3, 3), Window(2, 3, stride=2), Window(3, 3, padding=1), Window(1, 1)]
)
def test_patches_are_cut_in_the_stated_order(window):
    maps = np.random.default_rng(0).integers(0, 4, (2, 5, 6, 3))
    assert np.array_equal(window.patches(maps), reference(maps, window))


def test_per_channel_patches():
    maps = np.arange(2 * 4 * 4 * 3).reshape(2, 4, 4, 3)
    patches = Window(2, 2, stride=2, per_channel=True).patches(maps)
    assert patches.shape == (2 * 4 * 3, 4)
    assert patches[1].tolist() == maps[0, :2, :2, 1].ravel().tolist()


def engine(graph):
    return compile_ops(graph, Machine(2, input_banks=1, output_slices=2, contexts=3))


@pytest.fixture(scope="module")
def network():
    """Two filters on 2x2x1 patches, pooling by OR, and a parity of everything."""
    filters = op_graph([(8, 0, 3), (XOR, 1, 2)], inputs=(1,) * 4)
    pool = op_graph([(OR, 0, 1), (OR, 2, 3), (OR, 4, 5)], inputs=(1,) * 4)
    parity = op_graph([(XOR, 0, 1), *[(XOR, i, 6 + i) for i in range(2, 8)]], inputs=(1,) * 8)
    return PatchNetwork(
        (
            PatchLayer("conv", Window(2, 2), engine(filters)),
            PatchLayer("pool", Window(2, 2, stride=2, per_channel=True), engine(pool)),
            PatchLayer("fc", None, engine(parity)),
        ),
        (5, 5, 1),
    )


def test_a_chain_of_layers_is_what_numpy_computes(network):
    maps = np.random.default_rng(1).integers(0, 2, (70, 5, 5, 1))
    x = maps[..., 0]
    corner = [x[:, :4, :4], x[:, :4, 1:], x[:, 1:, :4], x[:, 1:, 1:]]
    conv = np.stack([corner[0] & corner[3], corner[1] ^ corner[2]], axis=-1)
    pooled = conv.reshape(70, 2, 2, 2, 2, 2).max(axis=(2, 4))
    steps = network.trace(maps)
    assert np.array_equal(steps[0], conv)
    assert np.array_equal(steps[1], pooled)
    assert np.array_equal(network.evaluate(maps)[:, 0], pooled.sum(axis=(1, 2, 3)) % 2)


def test_the_plan_counts_groups_of_lanes(network):
    plans = network.plan(100)
    assert [p.patches for p in plans] == [100 * 16, 100 * 4 * 2, 100]
    conv = network.layers[0].function
    assert plans[0].groups == -(-1600 // (48 * 3))
    assert plans[0].cycles == plans[0].groups * conv.interval + conv.latency - 1
    assert plans[0].filled == pytest.approx(1600 / (plans[0].groups * 144))
    assert "conv" in plan_text(plans)


def test_misfits_are_refused(network):
    with pytest.raises(InputError, match="maps have the wrong shape"):
        network.evaluate(np.zeros((1, 4, 5, 1), np.int64))
    with pytest.raises(InputError, match="smaller than the window"):
        Window(7, 7).patches(np.zeros((1, 5, 5, 1), np.int64))
    with pytest.raises(InputError, match="9 codes, 4 input ports"):
        PatchLayer("c", Window(3, 3), network.layers[0].function).apply(
            np.zeros((1, 5, 5, 1), np.int64)
        )
    with pytest.raises(UsageError, match="no patch"):
        Window(0, 3)
    graph = op_graph([(8, 0, 3), (XOR, 1, 2)], inputs=(1,) * 4)
    loose = PatchNetwork((PatchLayer("conv", Window(2, 2), graph),), (5, 5, 1))
    with pytest.raises(UsageError, match="not compiled"):
        loose.plan(1)
