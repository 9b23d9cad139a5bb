"""Features of a program as fixed-point numbers: the bits of them that count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.errors import Problem, UnsupportedModel
from nnlogic.core.formats import IntFormat
from nnlogic.frontend.alir.program import CUT, INPUT, Program

MOST_THRESHOLD_BITS = 12
"""Of a feature that is cut outside of the logic."""


@dataclass(frozen=True)
class Feature:
    """A fixed-point number ``code * 2**-frac``; bits above it make no difference."""

    format: IntFormat
    frac: int

    @property
    def thresholds(self) -> NDArray[np.float32]:
        """Where its code rises.

        Raises
        ------
        UnsupportedModel
            They are too many.
        """
        if self.format.bits > MOST_THRESHOLD_BITS:
            raise UnsupportedModel(
                "a feature of too many bits to be cut outside of the logic",
                why=f"{self.format.bits} bits, limit {MOST_THRESHOLD_BITS}",
                fix="--read inputs=codes",
            )
        codes = np.arange(self.format.lo + 1, self.format.hi + 1)
        return frozen(np.ldexp(codes.astype(np.float64), -self.frac), np.float32)


def features_of(program: Program) -> list[Feature]:
    """Return what the inputs of a program are.

    Raises
    ------
    UnsupportedModel
        One is wider than any integer here.
    """
    # Bits of every input: the least and the highest place, and whether there are signs.
    spans: list[tuple[int, int, bool] | None] = [None] * len(program.shifts)
    read = {i: op for i, op in enumerate(program.ops) if op.code == INPUT}
    wants: dict[int, list[tuple[int, int]] | None] = {i: [] for i in read}
    for op in program.ops:
        for a in op.args:
            if a in wants and (found := wants[a]) is not None:
                if op.code == CUT:
                    top = op.out.bits - op.out.frac - op.data[0]
                    found.append((-op.out.frac - op.data[0], top))
                else:
                    wants[a] = None
    for slot, _, _ in program.outputs:
        if slot in wants:
            wants[slot] = None
    for i, op in read.items():
        n, out = op.data[0], op.out
        low, high = -out.frac, out.bits - out.frac
        places = wants[i]
        if places is not None:
            # Whoever reads it drops bits at both ends.
            used = [(max(a, low), min(b, high)) for a, b in places if min(b, high) > max(a, low)]
            if not used:
                continue
            low, high = min(a for a, _ in used), max(b for _, b in used)
        if high <= low:
            continue
        shift = program.shifts[n]
        span, sign = (low - shift, high - shift), out.signed
        if (before := spans[n]) is not None:
            span = min(before[0], span[0]), max(before[1], span[1])
            sign = sign or before[2]
        spans[n] = (*span, sign)
    problems = [
        Problem(f"input {n}", f"{s[1] - s[0]} bits, limit 52", "narrower inputs")
        for n, s in enumerate(spans)
        if s is not None and s[1] - s[0] > 52
    ]
    if problems:
        raise UnsupportedModel("inputs too wide", problems=problems)
    return [
        Feature(IntFormat(1), 0) if s is None else Feature(IntFormat(s[1] - s[0], s[2]), -s[0])
        for s in spans
    ]
