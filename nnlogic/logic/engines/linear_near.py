"""Nearly linear functions: a sum of tables, corrected on the few rows where it is wrong."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.errors import IRError, ToolFailed
from nnlogic.core.formats import IntArray
from nnlogic.logic.cone import Cone, ConeBuilder, function_of, input_patterns
from nnlogic.logic.engines.abc import ABC_ENGINES
from nnlogic.logic.engines.decompose import Decompose
from nnlogic.logic.engines.linear import LINEAR_ENGINES, Linear, divided, levels_of
from nnlogic.logic.engines.linear_sums import ANY, Groups, Levels, recovered
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.logic.support import Partial
from nnlogic.tables.ir import Function

MAX_WRONG = 0.2
"""Largest share of rows the fit may get wrong; corrections of more cost more than they save."""
MARGIN = 0.01
"""Distance of right rows from the next level, in levels."""
MIN_EXPLAINED = 0.3
"""Least share of the variance of levels that weights explain in a function worth a fit."""
DIVISIONS = 4
"""Ways to divide the inputs that are looked at."""
SHIFT, HEAD = 6, 4
"""Bits of the sum below and above the level while looking."""
CORRECTORS = 3
"""ABC scripts tried on a correction."""


_LINEAR = Linear()


@dataclass(frozen=True)
class NearLinear:
    """The nearest linear function, exchanged or inverted where it differs.

    Attributes
    ----------
    name : str
    linear : Linear
        Builds the sum, for which wrong rows are don't-cares.
    efforts : tuple of str
    """

    name: str = "linear/near"
    linear: Linear = _LINEAR
    efforts: tuple[str, ...] = ("high",)

    def applicable(self, function: Function, k: int, effort: str) -> bool:
        """Whether two tables can hold the inputs, and there are enough rows to judge by."""
        return effort in self.efforts and k >= 4 and k + 2 <= function.n_inputs <= 2 * k

    def solve(self, function: Function, k: int, timeout: float) -> Cone:
        """Fit weights, build the sum, and correct it in two ways.

        Raises
        ------
        ToolFailed
            The function is linear, or too far from it.
        """
        deadline = time.monotonic() + timeout
        table, cares = function.table(), function.care_bools()
        codes = range(1 << function.n_outputs)
        levels = levels_of(function, codes)
        if explained(levels) < MIN_EXPLAINED:
            raise ToolFailed("not nearly linear", where=self.name)
        wrong = cares & (nearest_levels(levels, len(codes)) != levels)
        if not 0 < wrong.sum() <= MAX_WRONG * cares.sum():
            raise ToolFailed("not nearly linear", where=self.name, why=f"{wrong.sum()} rows differ")
        divisions = islice(divided(tuple(range(function.n_inputs)), k), DIVISIONS)
        fits = [fewer_wrong(levels, wrong, len(codes), groups) for groups in divisions]
        wrong = min(fits, key=lambda rows: int(rows.sum()))
        if not wrong.any():
            raise ToolFailed("a sum of tables as it is", where=self.name)
        rest = function_of(table, cares & ~wrong, "exact SDC")
        plain = self.linear.solve(rest, k, timeout)
        error = (plain.evaluate(input_patterns(function.n_inputs)) != table) & cares
        flag = error.any(axis=0)
        inverted = _small(function_of(error, cares, "exact SDC"), k, deadline)
        flagged = _small(function_of(flag[None], cares, "exact SDC"), k, deadline)
        other = Decompose().solve(function_of(table, flag, "exact SDC"), k, timeout)
        cones = [_inverted(plain, inverted), _exchanged(plain, flagged, other)]
        return min(cones, key=lambda c: (c.luts, c.depth))


def explained(levels: IntArray) -> float:
    """Return the share of the variance of levels that weights explain; spares a long fit."""
    n = levels.size.bit_length() - 1
    rows = np.flatnonzero(levels >= 0)
    x = input_patterns(n).T[rows].astype(np.float64)
    x -= x.mean(axis=0)
    y = levels[rows] - levels[rows].mean()
    total = float(y @ y)
    if total == 0.0:
        return 1.0
    weights = np.linalg.lstsq(x, y, rcond=None)[0]
    return 1.0 - float(np.square(y - x @ weights).sum()) / total


def nearest_levels(levels: IntArray, count: int) -> IntArray:
    """Fit a linear staircase with the least sum of violations.

    Parameters
    ----------
    levels : int64 array, shape (2**n,)
        Level of each row; negative where it does not matter.
    count : int
        Number of levels.

    Returns
    -------
    int64 array, shape (2**n,)
        Levels of the fit.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack, identity, vstack

    n = levels.size.bit_length() - 1
    x = np.hstack([input_patterns(n).T.astype(np.float64), np.ones((levels.size, 1))])
    rows = np.flatnonzero(levels >= 0)
    level = levels[rows]
    slack = identity(len(rows), format="csr")
    low, high = level > 0, level < count - 1
    left = vstack(
        [
            hstack([csr_array(-x[rows][low]), -slack[low]]),
            hstack([csr_array(x[rows][high]), -slack[high]]),
        ]
    )
    right = np.concatenate([-level[low], level[high] + 1.0]) - MARGIN
    price = np.concatenate([np.zeros(n + 1), np.ones(len(rows))])
    limits = [(None, None)] * (n + 1) + [(0, None)] * len(rows)
    result = linprog(price, left.tocsr(), right, bounds=limits, method="highs")
    if result.status != 0:
        raise ToolFailed("no linear fit", where="linprog", why=result.message)
    return np.clip(np.floor(x @ result.x[: n + 1]), 0, count - 1).astype(np.int64)


def fewer_wrong(levels: IntArray, wrong: Bools, count: int, groups: Groups) -> Bools:
    """Return rows that two tables still get wrong, which are freer than weights; greedy."""
    kept = np.where(wrong, ANY, levels)
    out = wrong.copy()
    for row in np.flatnonzero(wrong):
        kept[row] = levels[row]
        if recovered(Levels.of(kept, count, groups), SHIFT, HEAD) is None:
            kept[row] = ANY
        else:
            out[row] = False
    return out


def _small(function: Function, k: int, deadline: float) -> Cone:
    """Build a correction: the best of a few engines that suit sparse functions."""
    part = Partial.of(function).reduced()
    found = part.function(function.justification)
    cones = [Decompose().solve(found, k, 60)]
    scripts = [e for e in ABC_ENGINES if e.applicable(found, k, "normal")]
    for engine in scripts[:CORRECTORS]:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            cones.append(engine.solve(found, k, left))
        except (ToolFailed, IRError):
            continue
    best = min(cones, key=lambda c: (c.luts, c.depth))
    builder = ConeBuilder(function.n_inputs)
    return builder.cone(builder.add(best, part.inputs))


def _inverted(plain: Cone, errors: Cone) -> Cone:
    builder = ConeBuilder(plain.n_inputs)
    inputs = range(plain.n_inputs)
    right = builder.add(plain, inputs)
    wrong = builder.add(errors, inputs)
    outputs = [builder.lut([a, b], 0b0110) for a, b in zip(right, wrong, strict=True)]
    return propagate_constants(builder.cone(outputs)).cone


def _exchanged(plain: Cone, flag: Cone, other: Cone) -> Cone:
    builder = ConeBuilder(plain.n_inputs)
    inputs = range(plain.n_inputs)
    low, high = builder.add(plain, inputs), builder.add(other, inputs)
    (select,) = builder.add(flag, inputs)
    outputs = [builder.lut([a, b, select], 0b11001010) for a, b in zip(low, high, strict=True)]
    return propagate_constants(builder.cone(outputs)).cone


ARITHMETIC_ENGINES = (*LINEAR_ENGINES, NearLinear())
