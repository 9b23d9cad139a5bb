"""Options of the mac backend."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.job.options import Budgeted


@dataclass(frozen=True, kw_only=True)
class MacOptions(Budgeted):
    """Options of every run, and budgets: the sums take the slices they need."""

    backend: str = "mac"
