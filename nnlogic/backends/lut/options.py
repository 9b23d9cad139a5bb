"""Options of pipelines of LUTs."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.core.errors import Problem
from nnlogic.core.inert import visible
from nnlogic.job.option import option
from nnlogic.job.options import Limited

SIDEBAND, WIDEST = ("tlast", "tkeep", "tuser"), 512
"""Signals of AXI4-Stream that may travel with a sample, and the most bits of `tuser`."""


@dataclass(frozen=True, kw_only=True)
class LutOptions(Limited):
    """Options of every run, budgets, and what the ports carry."""

    sideband: str | None = option(
        None, "Signals of the stream that pass from a sample to its result: tlast, tkeep, tuser=N.",
        metavar="NAME[=BITS],...", planned=False, until="design",
    )  # fmt: skip
    drop_unused: bool = option(
        False, "Leave out of the ports what the network does not read.",
        flags="--drop-unused/--keep-unused", kind=bool, planned=False, until="design",
    )  # fmt: skip

    @property
    def beside(self) -> tuple[tuple[str, int], ...]:
        """The signals of `sideband` and their bits."""
        return sideband_of(self.sideband)

    def problems(self) -> list[Problem]:
        """Return which options exclude each other."""
        out = [*super().problems(), *sideband_problems(self.sideband)]
        if self.sideband and not self.stream:
            out.append(Problem("--sideband", "needs the stream", "leave out --no-stream"))
        return out


def sideband_of(text: str | None) -> tuple[tuple[str, int], ...]:
    """Return the signals that ``--sideband`` names, and their bits."""
    found = (part.strip().partition("=") for part in (text or "").split(",") if part)
    return tuple((name, int(bits or 1)) for name, _, bits in found)


def sideband_problems(text: str | None) -> list[Problem]:
    """Return what of ``--sideband`` are no such signals."""
    out, names = [], []
    for part in text.split(",") if text is not None else ():
        name, given, bits = part.strip().partition("=")
        names.append(name)
        wide = name == "tuser" and bits.isdecimal() and 1 <= int(bits) <= WIDEST
        if name not in SIDEBAND or (given and not wide):
            why = f"{visible(part.strip())!r} is none of tlast, tkeep, tuser=1 to tuser={WIDEST}"
            out.append(Problem("--sideband", why))
    if len(set(names)) < len(names):
        out.append(Problem("--sideband", "a signal is named twice"))
    return out
