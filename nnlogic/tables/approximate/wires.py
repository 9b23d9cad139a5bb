"""Outputs of a table that give way to the input, or the constant, that is most often the same."""

from __future__ import annotations

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.tables.ir import Function


def wired(function: Function, counts: IntArray) -> list[Function]:
    """Return a function with all outputs as wires, and, of several outputs, with one each.

    Rare entries seldom free a table of one LUT; a wire in its place always does.

    Parameters
    ----------
    function : Function
    counts : int64 array, shape (2**n_inputs,)
        How often each entry is used, see `nnlogic.tables.approximate.observe.entry_counts`.

    Returns
    -------
    list of Function
        Without those that say what `function` says. Its don't-cares stay.
    """
    table = function.table()
    weight = np.where(function.care_bools(), counts, 0)
    wires = np.array([_nearest(row, weight) for row in table])
    found = [wires]
    if len(table) > 1:
        alone = np.eye(len(table), dtype=bool)[:, :, None]
        found += [np.where(one, wires, table) for one in alone]
    care = function.care_bools()
    out = []
    for other in found:
        if (other != table)[:, care].any():
            packed = frozen(bits.pack(other & care), np.uint64)
            out.append(Function(function.n_inputs, packed, function.care, function.justification))
    return out


def _nearest(row: Bools, weight: IntArray) -> Bools:
    """Return the constant, input or inverted input that agrees most; of equals the first."""
    index = np.arange(row.size)
    n = row.size.bit_length() - 1
    inputs = [((index >> i) & 1).astype(bool) for i in range(n)]
    constants = [np.zeros(row.size, bool), np.ones(row.size, bool)]
    candidates = [*constants, *inputs, *(~x for x in inputs)]
    return max(candidates, key=lambda x: int(weight[x == row].sum()))
