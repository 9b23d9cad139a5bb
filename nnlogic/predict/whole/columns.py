"""Single output bits of tables: what they depend on, with what was never seen left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.tables.evaluate import gather_index
from nnlogic.tables.ir import Function, Instance


@dataclass(frozen=True)
class Column:
    """One output bit of a table.

    Attributes
    ----------
    signals : tuple of int
        What it depends on, lowest index bit first.
    table : bytes
        Its values over them, as bool; the same for a function and its complement.
    """

    signals: tuple[int, ...]
    table: bytes

    @property
    def support(self) -> int:
        """How many signals it depends on."""
        return len(self.signals)


def columns_of(block: Instance, table: Bools, care: Bools) -> list[Column]:
    """Return the output bits of an instance, each with the inputs it cannot do without.

    Parameters
    ----------
    block : Instance
    table : bool array, shape (outputs, 2**inputs)
    care : bool array, shape (2**inputs,)
        Entries that matter; others are filled to depend on less.
    """
    return [_reduced(block.inputs, row & care, ~row & care) for row in table]


def _reduced(signals: tuple[int, ...], on: Bools, off: Bools) -> Column:
    for position in range(len(signals) - 1, -1, -1):
        ones, zeros = (part.reshape(-1, 2, 1 << position) for part in (on, off))
        if (ones[:, 0] & zeros[:, 1]).any() or (ones[:, 1] & zeros[:, 0]).any():
            continue
        on, off = ones.any(axis=1).ravel(), zeros.any(axis=1).ravel()
        signals = signals[:position] + signals[position + 1 :]
    filled = on if not on[0] else ~on
    return Column(signals, filled.tobytes())


def seen(block: Instance, function: Function, values: Bools) -> Bools:
    """Return which entries of a table occurred in a simulation, and matter.

    Parameters
    ----------
    block : Instance
    function : Function
    values : bool array, shape (signals, samples)
    """
    found = np.zeros(1 << function.n_inputs, bool)
    found[gather_index(values, block.inputs)] = True
    return found & function.care_bools()


def codes(table: Bools) -> IntArray:
    """Return the raw output codes of a table, shape (2**inputs,)."""
    weights = 1 << np.arange(len(table), dtype=np.int64)
    return np.asarray(weights @ table, np.int64)
