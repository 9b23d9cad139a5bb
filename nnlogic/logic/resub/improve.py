"""LUT resubstitution with complete don't-cares, for functions that can be simulated completely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnlogic.core import bits
from nnlogic.core.errors import UsageError
from nnlogic.logic.cone import Cone, ConeBuilder, input_patterns
from nnlogic.tables.ir import Function
from nnlogic.tools.budget import budget

if TYPE_CHECKING:
    from nnlogic.logic.resub.state import State

PART = 512
"""Moves between two looks at the budget; a multiple of `search.MOVES_PER_NODE`."""


def improve(
    cone: Cone,
    function: Function,
    *,
    k: int = 6,
    depth: int | None = None,
    moves: int = 20_000,
    patience: int | None = None,
    seed: int = 1,
) -> Cone:
    """Remove LUTs from a network by exchanging inputs of its LUTs.

    A LUT may read any signal outside its transitive fan-out; what it must compute is only what
    the outputs can see on the care set. Both are known exactly, because every signal is
    simulated on all ``2**n_inputs`` patterns. Exchanges that free a LUT are taken, others at
    random, so that the network walks over equally large ones until another LUT falls away.
    The idea of resubstitution under don't-cares is Mishchenko et al., "Scalable don't-care-based
    logic optimization and resynthesis" (FPGA 2009); complete simulation replaces its windows.

    Parameters
    ----------
    cone : Cone
        Equal to `function` on its care set.
    function : Function
    k : int
        Inputs of a LUT.
    depth : int, optional
        Most levels of the result; by default those of `cone`.
    moves : int
        Exchanges tried; unless a budget (`nnlogic.tools.budget`) ends sooner, the only measure
        of effort, so that the result does not depend on the machine.
    patience : int, optional
        Exchanges that free nothing, after which no more are tried.
    seed : int
        Start of the random walk.

    Returns
    -------
    Cone
        Never with more LUTs than `cone`; equal to `function` on its care set.

    Raises
    ------
    UsageError
        `cone` is deeper than `depth` or has wider LUTs than `k`.
    """
    from nnlogic.logic.resub.search import walk

    limit = cone.depth if depth is None else depth
    if cone.depth > limit or cone.widest > k:
        raise UsageError(
            "a network to improve must be within its limits",
            why=f"depth {cone.depth} of {limit}, {cone.widest} inputs of {k}",
        )
    if not cone.n_nodes or moves < 1:
        return cone
    net = _state(cone, function, k, limit, seed)
    idle = 0
    for done in range(0, moves, PART):
        idle = 0 if walk(net, min(PART, moves - done)) else idle + PART
        if budget().spent or (patience is not None and idle >= patience):
            break
    order = net.order[: net.live[0]].tolist()
    builder = ConeBuilder(cone.n_inputs)
    signals = dict(enumerate(range(cone.n_inputs)))
    for i in order:
        fanin = [signals[s] for s in net.fan[i, : net.size[i]].tolist()]
        signals[cone.n_inputs + i] = builder.lut(fanin, int(net.tables[i]))
    return builder.cone([signals[s] for s in cone.outputs])


def load_kernels() -> None:
    """Compile what `improve` runs, or read it from numba's cache.

    Compiling takes about twenty seconds, once per installation. Worker processes that start
    afterwards read the result.
    """
    majority = np.array([[i.bit_count() >= 2 for i in range(8)]])
    builder = ConeBuilder(3)
    cone = builder.cone([builder.lut((0, 1, 2), 0b11101000)])
    improve(cone, Function(3, bits.pack(majority)), moves=1)


def _state(cone: Cone, function: Function, k: int, limit: int, seed: int) -> State:
    """Simulate a network and set up everything the kernels need."""
    from nnlogic.logic.resub.separate import PAIRS
    from nnlogic.logic.resub.split import MOST_SIGNALS
    from nnlogic.logic.resub.state import WIDTH, State

    n_in, nodes = cone.n_inputs, cone.n_nodes
    signals = n_in + nodes
    fan = np.zeros((nodes, WIDTH), np.int32)
    for row, fanin in zip(fan, cone.fanins, strict=True):
        row[: len(fanin)] = fanin
    read = [s for fanin in cone.fanins for s in fanin]
    everything = Cone(n_in, cone.fanins, cone.tables, tuple(range(signals)))
    values = bits.pack(everything.evaluate(input_patterns(n_in)))
    words = values.shape[1]
    return State(
        n_in=n_in,
        k=k,
        limit=limit,
        fan=fan,
        size=np.array([len(f) for f in cone.fanins], np.int64),
        tables=np.array(cone.tables, np.uint64),
        refs=np.bincount([*read, *cone.outputs], minlength=signals).astype(np.int32),
        outputs=np.array(cone.outputs, np.int32),
        care=bits.pack(function.care_bools()[None])[0],
        order=np.zeros(nodes, np.int32),
        level=np.zeros(signals, np.int32),
        required=np.zeros(signals, np.int32),
        values=values,
        other=values.copy(),
        above=np.zeros(signals, np.bool_),
        on=np.zeros(words, np.uint64),
        off=np.zeros(words, np.uint64),
        pairs=np.zeros((PAIRS, 2), np.int32),
        pair=np.zeros(2, np.int32),
        cells=np.zeros(1 << MOST_SIGNALS, np.uint8),
        random=np.array([0x9E3779B97F4A7C15 ^ (seed << 20 | 1)], np.uint64),
        live=np.zeros(1, np.int64),
    )
