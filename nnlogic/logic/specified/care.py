"""Approximate mode: only observed inputs matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.errors import UsageError
from nnlogic.logic.cone import Cone, input_patterns
from nnlogic.logic.formats.cover import Cover
from nnlogic.logic.formats.spec import Relaxed, Specification
from nnlogic.logic.support import Partial
from nnlogic.tables.ir import MAX_INPUTS


def with_care(spec: Specification, rows: Bools, rarity: int = 1) -> Specification:
    """Free the outputs on inputs that were seen fewer than `rarity` times.

    Parameters
    ----------
    spec : Specification
    rows : bool array, shape (rows, inputs)
        Observed inputs, with repetitions.
    rarity : int
        1 or more.

    Returns
    -------
    Specification
        Tabular for at most 16 inputs, otherwise a list of minterms.

    Raises
    ------
    UsageError
        No input was seen often enough.
    """
    seen, counts = np.unique(rows, axis=0, return_counts=True)
    kept = seen[counts >= rarity]
    if not len(kept):
        why = f"{len(rows)} rows, the most frequent one {counts.max()} times"
        raise UsageError(f"no input was seen {rarity} times", why=why, fix="lower --rarity")
    n = len(spec.inputs)
    if n <= MAX_INPUTS:
        part = tabulated(spec)
        care = np.zeros(1 << n, bool)
        care[kept @ (1 << np.arange(n))] = True
        return replace(spec, content=Partial(part.on & care, part.off & care, part.inputs))
    on, off = demanded(spec, kept)
    lines = np.zeros(len(kept), np.int64)
    content = Cover(kept, ~kept, on.T, off.T, np.zeros_like(on.T), lines, rest_off=False)
    return replace(spec, content=content)


def tabulated(spec: Specification) -> Partial:
    """Return a specification of at most 16 inputs as tables."""
    content = spec.content
    if isinstance(content, Partial):
        return content
    if isinstance(content, Cover):
        return content.table()
    on, off = demanded(spec, input_patterns(len(spec.inputs)).T)
    return Partial(on, off, tuple(range(len(spec.inputs))))


def demanded(spec: Specification, rows: Bools) -> tuple[Bools, Bools]:
    """Return where outputs must be 1, and where 0, for given input rows.

    Parameters
    ----------
    rows : bool array, shape (rows, inputs)

    Returns
    -------
    on, off : bool arrays, shape (outputs, rows)
    """
    content = spec.content
    if isinstance(content, Cone):
        on = content.evaluate(rows.T)
        return on, ~on
    if isinstance(content, Relaxed):
        on, free = (cone.evaluate(rows.T) for cone in (content.network, content.free))
        return on & ~free, ~(on | free)
    if isinstance(content, Partial):
        index = rows @ (1 << np.arange(rows.shape[1]))
        return content.on[:, index], content.off[:, index]
    on, off, free = (
        content.network(which).evaluate(rows.T) for which in (content.on, content.off, content.free)
    )
    on = on & ~free
    return on, ~(on | free) if content.rest_off else off & ~free
