"""Approximate mode on windows: all copies of a wide kernel become the same smaller one."""

import numpy as np
import pytest

from nnlogic.approximate.rows import Split
from nnlogic.approximate.tables import approximate
from nnlogic.checks.agreement import measure
from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.windows import Frame, Window
from nnlogic.job.rows import Rows
from nnlogic.logic.portfolio import SolveOptions
from nnlogic.quant.ir import Linear, QuantNet
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.layers.windowed import Windowed
from nnlogic.quant.pooling import global_pooling
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import Instance, Threshold, block_inputs

WIDTH, TAPS = 26, 20


@pytest.fixture(scope="module")
def net():
    """One 20-tap filter at seven places; the class is the OR of them all."""
    rng = np.random.default_rng(2)
    weights = frozen(rng.integers(-9, 10, (1, TAPS)), np.int64)
    zero, limit = frozen(np.zeros(1), np.int64), frozen(np.full((1, 1), 12), np.int64)
    sums = Linear("sums", ("input",), weights, zero, limit, (IntFormat(1),))
    conv = Windowed("conv", ("input",), Frame(1, 1, WIDTH), Window((1, TAPS)), (Kernel((sums,)),))
    pool = global_pooling("class", "conv", conv.output, IntFormat(1), "max", role="output")
    ports = tuple(Port(f"x{i}", IntFormat(1)) for i in range(WIDTH))
    net = QuantNet("n", ports, (conv, pool), ((Port("y", IntFormat(1)), "class", 0),))
    net.verify()
    return net


def rows(net, n, seed):
    # Runs of six equal bits: most taps say what their neighbours say.
    rng = np.random.default_rng(seed)
    codes = np.repeat(rng.integers(0, 2, (n, 5)), 6, axis=1)[:, :WIDTH].astype(np.int64)
    return Rows(codes, net.evaluate(codes)[:, 0], f"rows of seed {seed}", ())


def test_copies_of_a_kernel_share_one_completion_within_the_budget(net):
    split = Split(rows(net, 600, 0), rows(net, 600, 1), rows(net, 600, 2), 0)
    exact = tabulate(net, arith="auto")
    places = [b for b in exact.blocks if isinstance(b, Threshold)]
    assert len(places) == WIDTH - TAPS + 1
    ask = SolveOptions(6, "fast", timeout=30.0)
    done = approximate(exact, split, ask, budget=2.0, arith="auto", jobs=1)
    conv = done.layers[0]
    assert (conv.sampled, conv.changed) == (1, 0)
    # Each copy was replaced, and all by the same blocks on wires of their own.
    built = {place.origin: [] for place in places}
    for block in done.net.blocks:
        if block.layer == places[0].layer:
            built[block.origin.rpartition("/")[0]].append(block)
    shapes = {
        tuple(b.function if isinstance(b, Instance) else (b.weights, b.thresholds) for b in blocks)
        for blocks in built.values()
    }
    assert len(shapes) == 1
    reads = [{s for b in blocks for s in block_inputs(b) if s < WIDTH} for blocks in built.values()]
    assert reads[1] == {wire + 1 for wire in reads[0]}
    assert 0 < len(reads[0]) < TAPS
    found = measure(net, done.net, split.test.codes, split.test.labels)
    assert found.exact == 100.0
    assert 97.0 < found.approximate <= 100.0
    # Without anything to lose, nothing is given up that the rows tell apart.
    kept = approximate(exact, split, ask, budget=0.0, arith="auto", jobs=1)
    assert measure(net, kept.net, split.validation.codes, split.validation.labels).lost == 0.0
