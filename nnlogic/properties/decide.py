"""Decide a claim: by samples, by all points, by SAT; every counterexample is evaluated."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import numpy as np

from nnlogic.core.bits import bits_to_raw
from nnlogic.core.errors import Different, ToolFailed
from nnlogic.core.formats import IntArray
from nnlogic.logic.abc_blif import write_blif
from nnlogic.logic.cone import Cone
from nnlogic.logic.network.tidy import tidied
from nnlogic.properties.claim import Claim
from nnlogic.tools.abc import prove_equal

SAMPLES = 1024
ENUMERATED = 1 << 14
HOLDS, REFUTED, OPEN = "holds", "refuted", "open"


@dataclass(frozen=True)
class Decision:
    """What is known of a claim.

    Attributes
    ----------
    label : str
    verdict : str
        ``"holds"``, ``"refuted"``, or ``"open"`` where time did not suffice.
    how : str
        ``"proved"``, ``"exhaustive"``; ``"evaluated"`` for a counterexample.
    example : int64 array, shape (rows, inputs), or None
        Inputs that show the violation.
    seconds : float
    row : int or None
        See `Claim`.
    """

    label: str
    verdict: str
    how: str
    example: IntArray | None = None
    seconds: float = 0.0
    row: int | None = None


def decide(claim: Claim, *, timeout: float = 60.0) -> Decision:
    """Decide a claim.

    Parameters
    ----------
    claim : Claim
    timeout : float
        Seconds for SAT.

    Raises
    ------
    Different
        SAT gave an input that does not violate the claim: its logic is not what it says.
    """
    start = time.monotonic()

    def done(verdict: str, how: str, values: IntArray | None = None) -> Decision:
        example = None if values is None else claim.example(values)
        return Decision(claim.label, verdict, how, example, time.monotonic() - start, claim.row)

    if claim.size == 0:
        return done(HOLDS, "exhaustive")
    whole = claim.size <= ENUMERATED
    values = claim.points() if whole else claim.drawn(SAMPLES)
    bad = np.flatnonzero(claim.violated(values))
    if bad.size:
        return done(REFUTED, "evaluated", values[bad[0]])
    if whole:
        return done(HOLDS, "exhaustive")
    cone = tidied(claim.cone())
    try:
        equal, said = prove_equal(write_blif(cone), write_blif(_never(cone)), timeout=timeout)
    except ToolFailed:
        return done(OPEN, f"no verdict in {timeout:g} s")
    if equal:
        return done(HOLDS, "proved")
    found = _assignment(claim, said)
    if not claim.violated(found[None])[0]:
        raise Different("a counterexample does not violate the claim", where=claim.label)
    return done(REFUTED, "evaluated", found)


def _never(cone: Cone) -> Cone:
    return Cone(cone.n_inputs, ((),), (0,), (cone.n_inputs,))


def _assignment(claim: Claim, said: str) -> IntArray:
    """Return the codes of the variables in ABC's input pattern; what it leaves out is 0."""
    widths = [port.format.bits for port in claim.variables]
    bits = np.zeros((sum(widths), 1), bool)
    line = said.rsplit("Input pattern:", 1)[-1]
    for number, value in re.findall(r"\bx(\d+)=([01])", line):
        bits[int(number)] = value == "1"
    raw = bits_to_raw(bits, widths)[0]
    formats = [port.format for port in claim.variables]
    return np.array([f.from_raw(v) for f, v in zip(formats, raw, strict=True)], np.int64)
