"""Outputs as parities of simpler functions: another basis of the space that outputs span.

Over the field of two elements the outputs span a vector space of functions. Where an invertible
linear map stands behind simple functions, as in codes and ciphers, each output mixes all of them;
the simplest functions of the space are independent of that map. They are found by enumerating the
space, ordered by inputs that matter, then by terms of the algebraic normal form.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.errors import ToolFailed
from nnlogic.core.formats import IntArray
from nnlogic.logic.cone import Cone, ConeBuilder, function_of
from nnlogic.logic.engines.base import Engine, smallest
from nnlogic.tables.ir import Function

LEAST_OUTPUTS = 4
MAX_CELLS = 1 << 24
"""Largest space looked at: functions times rows."""
SIMPLER = 0.6
"""Share of the terms of the outputs that the basis may have, to be worth building."""


@dataclass(frozen=True)
class Basis:
    """The simplest basis by other engines, then parities.

    Attributes
    ----------
    name : str
    engines : tuple of Engine
        Build the basis.
    """

    name: str
    engines: tuple[Engine, ...]

    def applicable(self, function: Function, k: int, effort: str) -> bool:
        """Several outputs without don't-cares, few enough for all their sums."""
        m = function.n_outputs
        return (
            effort != "fast"
            and function.care is None
            and m >= LEAST_OUTPUTS
            and m + function.n_inputs <= MAX_CELLS.bit_length() - 1
        )

    def solve(self, function: Function, k: int, timeout: float) -> Cone:
        """Build the basis, and each output as a parity of it.

        Raises
        ------
        ToolFailed
            No basis is much simpler than the outputs.
        """
        table = function.table()
        masks, terms = simplest_basis(table)
        before = int(normal_form(table).sum())
        if terms > SIMPLER * before:
            raise ToolFailed("no simpler basis", where=self.name, why=f"{terms} of {before} terms")
        which = (masks[:, None] >> np.arange(len(table))) & 1
        simple = (which @ table.astype(np.int64)) & 1 == 1
        cone = smallest(function_of(simple, None), k, timeout, self.engines)
        builder = ConeBuilder(function.n_inputs)
        signals = builder.add(cone, range(function.n_inputs))
        outputs = [
            _parity(builder, [signals[i] for i in np.flatnonzero(row).tolist()], k)
            for row in _inverse(which)
        ]
        return builder.cone(outputs)


def normal_form(table: Bools) -> Bools:
    """Return the algebraic normal form, shape (outputs, 2**n): which products are summed.

    Bit ``b`` of the index of a product says whether it holds input ``b``.
    """
    out = table.copy()
    for b in range(table.shape[1].bit_length() - 1):
        pairs = out.reshape(len(out), -1, 2, 1 << b)
        pairs[:, :, 1] ^= pairs[:, :, 0]
    return out


def simplest_basis(table: Bools) -> tuple[IntArray, int]:
    """Choose independent sums of outputs greedily, those of few inputs and terms first.

    Returns
    -------
    masks : int array, shape (outputs,)
        Bit ``i``: output ``i`` is in the sum. Outputs that depend on others leave masks of single
        outputs, so that there are always as many as outputs.
    terms : int
        Of all sums together.
    """
    m, size = table.shape
    n = size.bit_length() - 1
    forms = np.zeros((1 << m, size), bool)
    for i, row in enumerate(normal_form(table)):
        forms[1 << i : 2 << i] = forms[: 1 << i] ^ row
    terms = forms.sum(axis=1)
    index = np.arange(size)
    inputs = np.zeros(1 << m, np.int64)
    for b in range(n):
        inputs += forms[:, (index >> b) & 1 == 1].any(axis=1)
    chosen: list[int] = []
    reduced: list[int] = []
    total = 0
    for mask in np.lexsort((np.arange(1 << m), terms, inputs)).tolist():
        rest = reduce(lambda value, row: min(value, value ^ row), reduced, mask)
        if rest:
            reduced = sorted([*reduced, rest], reverse=True)
            chosen.append(mask)
            total += int(terms[mask])
    return np.array(chosen), total


def _inverse(matrix: IntArray) -> IntArray:
    """Invert a square matrix over the field of two elements."""
    m = len(matrix)
    rows = np.concatenate([matrix, np.eye(m, dtype=matrix.dtype)], axis=1)
    for column in range(m):
        pivot = column + int(rows[column:, column].argmax())
        rows[[column, pivot]] = rows[[pivot, column]]
        others = (rows[:, column] == 1) & (np.arange(m) != column)
        rows[others] ^= rows[column]
    return rows[:, m:]


def _parity(builder: ConeBuilder, signals: list[int], k: int) -> int:
    while len(signals) > 1:
        part, signals = signals[:k], signals[k:]
        table = sum(1 << i for i in range(1 << len(part)) if i.bit_count() & 1)
        signals.append(builder.lut(part, table))
    return signals[0]
