"""Chain: the segments of a mixed design, in order, and how they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from nnlogic.core.errors import IRError, Problem
from nnlogic.core.formats import Port
from nnlogic.core.inert import printed
from nnlogic.core.limits import LAYERS
from nnlogic.core.names import identifier
from nnlogic.core.stored import Stored

KINDS = ("lut", "dsp", "mac")
"""Backends a layer can be given to: LUTs, an engine, multiply-accumulate chains."""


@dataclass(frozen=True)
class Segment:
    """Neighbouring layers of one backend.

    Attributes
    ----------
    number : int
    kind : str
        Of `KINDS`.
    first, last : int
        Layers ``first .. last - 1`` of the network.
    slices : int or None
        DSP slices of its engine; None where it has none.
    """

    number: int
    kind: str
    first: int
    last: int
    slices: int | None = None

    @property
    def folder(self) -> str:
        """Folder of its run inside the run of the chain."""
        return f"segments/{self.number}_{self.kind}"

    def title(self) -> str:
        """What the report calls it."""
        return f"segment {self.number} ({self.kind})"


def segments_of(plan: Sequence[str]) -> tuple[Segment, ...]:
    """Return the segments of a plan, one backend per layer.

    Neighbouring layers of a backend are one segment, but for ``mac``, which adds up one layer.
    """
    out: list[Segment] = []
    at = 0
    for _, layers in groupby(enumerate(plan), lambda item: (item[1], item[0] * (item[1] == "mac"))):
        run = [kind for _, kind in layers]
        out.append(Segment(len(out), run[0], at, at + len(run)))
        at += len(run)
    return tuple(out)


@dataclass(frozen=True)
class Chain(Stored):
    """What the top module connects.

    Attributes
    ----------
    name : str
        The network's, as a Verilog identifier.
    inputs, outputs : tuple of Port
        Of the network.
    segments : tuple of Segment
    """

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    segments: tuple[Segment, ...]

    kind: ClassVar[str] = "Chain"

    def verify(self) -> None:
        """Raise IRError, with all problems, when the segments are no chain."""
        problems, at = [], 0
        for number, s in enumerate(self.segments):
            where = f"segment {number}"
            if s.number != number or s.first != at or s.last <= s.first:
                why = f"number {s.number}, layers {s.first} to {s.last - 1}, {at} layers before it"
                problems.append(Problem(where, why))
            if s.kind not in KINDS or (s.slices is not None and s.slices < 1):
                problems.append(Problem(where, f"{s.kind!r} of {s.slices} slices"))
            at = s.last
        problems += LAYERS.problems("segments", at)
        if problems:
            raise IRError("Chain breaks its rules", where=self.name, problems=problems)

    @property
    def top(self) -> str:
        """Name of the top module."""
        return f"{self.name}_stream"

    @property
    def plan(self) -> tuple[str, ...]:
        """Backend of each layer."""
        return tuple(s.kind for s in self.segments for _ in range(s.last - s.first))

    def segment_name(self, segment: Segment) -> str:
        """Name of a segment's network, and of its modules."""
        return identifier(f"{self.name}_s{segment.number}")

    def text(self) -> str:
        """Return the stable printed form."""
        lines = [f"chain {self.name}", f"inputs {len(self.inputs)}, outputs {len(self.outputs)}"]
        for s in self.segments:
            slices = "" if s.slices is None else f", {s.slices} slices"
            lines.append(f"segment {s.number}: {s.kind}, layers {s.first}..{s.last - 1}{slices}")
        return printed(lines)

    def stats(self) -> dict[str, int]:
        """Counts for the report."""
        return {"segments": len(self.segments), "layers": len(self.plan)}
