"""Own engine, without external programs: shared cofactors under multiplexers."""

from __future__ import annotations

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.support import Partial
from nnlogic.tables.ir import Function


class Decompose:
    """Shannon expansion with sharing; the engine that always has an answer."""

    name = "decompose"

    def applicable(self, function: Function, k: int, effort: str) -> bool:
        """Any function."""
        return True

    def solve(self, function: Function, k: int, timeout: float) -> Cone:
        """Expand until what is left fits a LUT."""
        builder = ConeBuilder(function.n_inputs)
        part = Partial.of(function)
        known: dict[tuple[tuple[int, ...], bytes, bytes], int] = {}
        outputs = [_expand(part.output(i), k, builder, known) for i in range(len(part.on))]
        return builder.cone(outputs)


def _expand(part: Partial, k: int, builder: ConeBuilder, known: dict) -> int:
    part = part.reduced()
    key = (part.inputs, part.on.tobytes(), part.off.tobytes())
    if key in known:
        return known[key]
    n = len(part.inputs)
    if n <= k:
        table = sum(1 << int(i) for i in np.flatnonzero(part.on[0]))
        signal = builder.lut(part.inputs, table)
    else:
        selects = 2 if k >= 6 and n >= k + 2 else 1
        selectors = part.inputs[n - selects :]
        rest = part.inputs[: n - selects]
        data = [
            _expand(Partial(on, off, rest), k, builder, known)
            for on, off in zip(_split(part.on, selects), _split(part.off, selects), strict=True)
        ]
        signal = multiplexer(data, selectors, k, builder)
    known[key] = signal
    return signal


def _split(rows: Bools, selects: int) -> list[Bools]:
    return list(rows.reshape(1 << selects, 1, -1))


def multiplexer(data: list[int], selectors: tuple[int, ...], k: int, builder: ConeBuilder) -> int:
    """Build a multiplexer of two or four signals from LUTs of `k` inputs."""
    n = len(data)
    if n + len(selectors) <= k:
        table = 0
        for index in range(1 << (n + len(selectors))):
            table |= ((index >> (index >> n)) & 1) << index
        return builder.lut([*data, *selectors], table)
    low, high = data
    (select,) = selectors
    a = builder.lut([low, select], 0b0010)
    b = builder.lut([high, select], 0b1000)
    return builder.lut([a, b], 0b1110)
