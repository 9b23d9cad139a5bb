"""Which entries of the tables a set of rows uses, and the don't-cares that follow."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.tables.evaluate import gather_index
from nnlogic.tables.ir import Function, Instance, TableNet, block_inputs

OBSERVED = "observed data"


def block_groups(net: TableNet) -> list[range]:
    """Split the blocks, front to back, into runs of one layer that do not read each other.

    Returns
    -------
    list of range
        Indices into ``net.blocks``; every block is in exactly one.
    """
    out: list[range] = []
    start, written = 0, set[int]()
    for i, block in enumerate(net.blocks):
        new_layer = block.layer != net.blocks[start].layer
        if i > start and (new_layer or written.intersection(block_inputs(block))):
            out.append(range(start, i))
            start, written = i, set()
        written.update(block.outputs)
    return [*out, range(start, len(net.blocks))] if net.blocks else []


def entry_counts(function: Function, uses: Iterable[Instance], values: Bools) -> IntArray:
    """Count how often each entry of a table is used.

    Parameters
    ----------
    function : Function
    uses : iterable of Instance
        Where it is used; the counts of all are added up.
    values : bool array, shape (signals, rows)

    Returns
    -------
    int64 array, shape (2**n_inputs,)
    """
    size = 1 << function.n_inputs
    total = np.zeros(size, dtype=np.int64)
    for use in uses:
        total += np.bincount(gather_index(values, use.inputs), minlength=size)
    return total


def without_rare(function: Function, counts: IntArray, rarity: int) -> Function:
    """Free the entries that were used fewer than `rarity` times.

    The care set becomes the intersection of the exact one and the entries observed often enough
    (NullaNet, Nazemi et al., ASP-DAC 2019: the incompletely specified functions of a neuron).
    Never empty: when no entry is left, the one used most is kept.

    Parameters
    ----------
    function : Function
    counts : int64 array, shape (2**n_inputs,)
        See `entry_counts`.
    rarity : int
        0 changes nothing, 1 frees what never occurred.
    """
    exact = function.care_bools()
    care = exact & (counts >= rarity)
    if not care.any():
        care[np.argmax(np.where(exact, counts, -1))] = True
    if (care == exact).all():
        return function
    packed = bits.pack(care)
    table = frozen(function.bits & packed, np.uint64)
    return Function(function.n_inputs, table, frozen(packed, np.uint64), OBSERVED)


def entries(function: Function) -> int:
    """Return the number of inputs a function cares about."""
    return int(function.care_bools().sum())
