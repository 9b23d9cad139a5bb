"""Options of the mac backend."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.job.option import option
from nnlogic.job.options import Options


@dataclass(frozen=True, kw_only=True)
class MacOptions(Options):
    """Options of every run, and the one budget: the sums take the slices they need."""

    backend: str = "mac"
    max_dsps: int | None = option(
        None, "Budget: DSP slices; the fastest engine within is taken.",
        metavar="N", kind=int, above=0,
    )  # fmt: skip
