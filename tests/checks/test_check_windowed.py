"""Windowed layers in the proofs: equal copies are proved once, a fault in any one is found."""

from dataclasses import replace

import numpy as np
import pytest

from nnlogic.checks import check
from nnlogic.checks.care import unjustified_care
from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.windows import Frame, Window
from nnlogic.logic.build import minimize
from nnlogic.quant.ir import INPUT, Enumerated, Linear, QuantNet, Windowed
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.pooling import pooling
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import Instance, Sum
from nnlogic.tables.passes import simplify

U2 = IntFormat(2)
FRAME, WINDOW = Frame(2, 4, 5), Window((3, 2), (1, 2), (1, 1, 0, 1), 1, (1, 2))


def kernel(rng, inputs, channels):
    """Hidden tables, then tables of these and the window; codes 0 to 2 of 3 occur."""
    x, hidden = (U2,) * inputs, (U2,) * 4
    pick = [tuple(rng.choice(inputs, 2, replace=False).tolist()) for _ in range(4)]
    last = [(c, (c + 1) % 4, 4 + int(rng.integers(inputs))) for c in range(channels)]
    return Kernel((
        Enumerated("hidden", (INPUT,), tuple(pick),
                   tuple(frozen(rng.integers(0, 3, 16), np.int64) for _ in pick), hidden, x),
        Enumerated("out", ("hidden", INPUT), tuple(last),
                   tuple(frozen(rng.integers(0, 3, 64), np.int64) for _ in last),
                   (U2,) * channels, (*hidden, *x)),
    ))  # fmt: skip


def make_net(window=WINDOW, seed=0, groups=1, shared=True, count=1, changed=lambda layer: layer):
    """Return a convolution, max pooling, and sums of a window of what comes out."""
    rng = np.random.default_rng(seed)
    kernels = tuple(kernel(rng, 6 * FRAME.channels // groups, 2) for _ in range(count))
    conv = changed(Windowed("conv", (INPUT,), FRAME, window, kernels, groups, shared))
    pool = pooling("pool", "conv", conv.output, Window((2, 2), (1, 1)), U2, "max")
    channels = pool.output.channels
    weights = frozen(rng.integers(-3, 4, (1, 4 * channels)), np.int64)
    sums = Kernel(
        (Linear("s", (INPUT,), weights, frozen([2], np.int64), None, (IntFormat(8, True),)),)
    )
    last = Windowed(
        "sums",
        ("pool",),
        pool.output,
        Window((2, 2), padding=(1, 0, 1, 0), padding_code=2),
        (sums,),
    )
    ports = tuple(Port(f"x{i}", U2) for i in range(FRAME.wires))
    outputs = tuple((Port(f"y{i}", f), "sums", i) for i, f in enumerate(last.formats))
    net = QuantNet("n", ports, (conv, pool, last), outputs)
    net.verify()
    return net


def tables_of(net):
    return tabulate(net, limit=8, arith="auto")


@pytest.fixture(scope="module")
def net():
    return make_net()


@pytest.fixture(scope="module")
def tables(net):
    return tables_of(net)


@pytest.mark.parametrize("options", [
    {}, {"groups": 2}, {"groups": 2, "count": 2}, {"shared": False, "count": 8},
    {"shared": False, "count": 16, "groups": 2},
])  # fmt: skip
def test_tables_of_windows_are_proved_all_the_way(options):
    net = make_net(**options)
    tables = tables_of(net)
    x = np.random.default_rng(1).integers(0, 4, (200, FRAME.wires))
    np.testing.assert_array_equal(tables.evaluate(x), net.evaluate(x))
    verdict = check(net, tables)
    assert (verdict.equal, verdict.how) == (True, "exhaustive")
    simple, _ = simplify(tables)
    assert check(tables, simple).how == "proved"
    logic = minimize(simple, effort="fast", jobs=1, cache_dir=False)
    verdict = check(simple, logic)
    assert (verdict.equal, verdict.how) == (True, "proved")
    assert "cones" in verdict.detail
    np.testing.assert_array_equal(logic.evaluate(x), net.evaluate(x))


def test_a_kernel_is_one_function_for_all_positions(net, tables):
    """Also after simplification, at the border as inside."""
    for stage in (tables, simplify(tables)[0]):
        mine = [b for b in stage.instances if b.layer == 0 and b.inputs]
        assert len({b.function for b in mine}) <= 6 < len(mine)


@pytest.mark.parametrize("window", [
    replace(WINDOW, padding_code=0), replace(WINDOW, padding=(1, 1, 1, 0)),
    replace(WINDOW, padding=(0, 2, 0, 1)),
])  # fmt: skip
def test_another_window_is_found(net, window):
    verdict = check(net, tables_of(make_net(window)))
    assert (verdict.equal, verdict.how) == (False, "exhaustive")
    assert verdict.where.startswith("conv")


def test_another_stride_dilation_and_order_of_groups_are_found():
    wide = Window((1, 2), (1, 1), (0, 0, 0, 0), 0, (1, 1))

    def of(window, **changes):
        rng = np.random.default_rng(4)
        kernels = tuple(kernel(rng, 2, 1) for _ in range(2))
        layer = Windowed("it", (INPUT,), Frame(2, 1, 6), window, kernels, 2)
        layer = replace(layer, **changes)
        ports = tuple(Port(f"x{i}", U2) for i in range(12))
        wires = tuple((Port(f"y{i}", layer.formats[i]), "it", i) for i in range(4))
        return QuantNet("n", ports, (layer,), wires)

    good = of(wide)
    assert check(good, tables_of(good)).equal
    kernels = good.layers[0].kernels
    for other in (
        of(replace(wide, stride=(1, 2))),
        of(replace(wide, dilation=(1, 2))),
        of(wide, kernels=kernels[::-1]),
        of(wide, kernels=kernels[:1]),
    ):
        assert not check(good, tables_of(other)).equal
        assert not check(other, tables_of(good)).equal


def change_block(stage, origin, change):
    at = next(i for i, b in enumerate(stage.blocks) if b.origin == origin)
    blocks = list(stage.blocks)
    blocks[at] = change(blocks[at])
    return replace(stage, blocks=tuple(blocks))


@pytest.mark.parametrize("position", range(8))
def test_one_copy_that_reads_elsewhere_is_found(net, tables, position):
    origin = f"conv/neuron{2 * position}"
    other = next(b for b in tables.blocks if b.origin == f"conv/neuron{2 * ((position + 1) % 8)}")
    wrong = change_block(tables, origin, lambda b: replace(b, inputs=other.inputs))
    ordered = max(other.inputs) < next(b for b in tables.blocks if b.origin == origin).outputs[0]
    assert ordered
    verdict = check(net, wrong)
    assert (verdict.equal, verdict.how, verdict.where) == (False, "exhaustive", origin)


def test_one_copy_with_two_pins_exchanged_is_found(net, tables):
    def exchanged(b):
        return replace(b, inputs=(*b.inputs[2:4], *b.inputs[:2], *b.inputs[4:]))

    wrong = change_block(tables, "conv/neuron9", exchanged)
    assert check(net, wrong).where == "conv/neuron9"


def test_one_copy_with_another_kernel_is_found(net, tables):
    by_origin = {b.origin: b for b in tables.blocks}
    other = by_origin["conv/hidden/neuron1"].function
    wrong = change_block(tables, "conv/hidden/neuron12", lambda b: replace(b, function=other))
    assert check(net, wrong).where == "conv/hidden/neuron12"


def test_a_wrong_padding_block_is_found(net, tables):
    block = next(b for b in tables.instances if b.origin == "conv/padding/u2")
    f = tables.functions[block.function]
    flipped = replace(f, bits=frozen(f.bits ^ np.uint64(1), np.uint64))
    wrong = replace(tables, functions=(*tables.functions, flipped))
    wrong = change_block(wrong, block.origin, lambda b: replace(b, function=len(tables.functions)))
    verdict = check(net, wrong)
    assert (verdict.equal, verdict.where) == (False, "conv/padding/u2")
    assert "expected 1, got" in verdict.detail


def test_padding_that_a_sum_forgets_is_found(net, tables):
    sums = [b for b in tables.blocks if isinstance(b, Sum)]
    inside = max(sums, key=lambda b: len(b.words))
    at_border = next(b for b in sums if len(b.words) < len(inside.words) and b.bias != inside.bias)
    wrong = change_block(tables, at_border.origin, lambda b: replace(b, bias=inside.bias))
    verdict = check(net, wrong)
    assert (verdict.equal, verdict.where) == (False, at_border.origin)
    assert verdict.detail.startswith("bias")


def test_care_sets_of_copies_hold_at_every_position(tables):
    """A set that excludes what only the border reads is not justified."""
    simple, _ = simplify(tables)
    assert unjustified_care(simple) is None
    padding = next(b for b in simple.instances if b.origin == "conv/padding/u2")
    at_border = next(
        b for b in simple.instances
        if b.layer == 0 and set(padding.outputs) & set(b.inputs) and len(b.inputs) > 2
    )  # fmt: skip
    pin = next(p for p, s in enumerate(at_border.inputs) if s in padding.outputs)
    f = simple.functions[at_border.function]
    index = np.arange(1 << f.n_inputs)
    value = int(padding.outputs.index(at_border.inputs[pin]) == 0)  # of code 1
    care = f.care_bools() & ((index >> pin & 1) != value)
    packed = bits.pack(care)
    narrow = replace(
        f, care=frozen(packed, np.uint64), bits=frozen(f.bits & packed, np.uint64),
        justification="exact SDC",
    )  # fmt: skip
    functions = list(simple.functions)
    functions[at_border.function] = narrow
    assert unjustified_care(replace(simple, functions=tuple(functions))) is not None


def test_one_copy_changed_by_simplification_is_found(tables):
    simple, _ = simplify(tables)
    block = next(b for b in simple.instances if b.origin.startswith("conv/neuron1"))
    assert isinstance(block, Instance)
    wrong = change_block(
        simple, block.origin, lambda b: replace(b, inputs=(*b.inputs[1:], b.inputs[0]))
    )
    verdict = check(tables, wrong)
    assert not verdict.equal


def test_one_node_of_one_copy_is_found(net, tables):
    simple, _ = simplify(tables)
    logic = minimize(simple, effort="fast", jobs=1, cache_dir=False)
    found = 0
    for node in range(0, logic.n_nodes, max(1, logic.n_nodes // 12)):
        wrong = logic.tables.copy()
        wrong[node] ^= np.uint64(1)
        verdict = check(simple, replace(logic, tables=frozen(wrong, np.uint64)))
        same = np.array_equal(
            logic.evaluate(x := bits.random_codes(net.inputs, 4096)),
            replace(logic, tables=frozen(wrong, np.uint64)).evaluate(x),
        )
        assert same or not verdict.equal
        found += not verdict.equal
    assert found >= 6
