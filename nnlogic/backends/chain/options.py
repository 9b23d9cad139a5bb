"""Options of mixed designs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nnlogic.backends.dsp.options import DspOptions
from nnlogic.core.errors import Problem
from nnlogic.job.option import option

PLAN_KINDS = ("lut", "dsp", "mac")
"""Backends that a plan can give a layer to."""
ENTRY = re.compile(r"([^(]*)(?:\((\d+)\))?")


@dataclass(frozen=True, kw_only=True)
class ChainOptions(DspOptions):
    """Options of every run and of the engines in the chain, and the plan."""

    backend: str = "chain"
    plan: str | None = option(
        None,
        "Backend of each layer in order, lut, dsp or mac: a mixed design. dsp(N) gives the engine "
        "N slices.",
        metavar="KIND,...", implies=True,
    )  # fmt: skip

    @property
    def entries(self) -> tuple[tuple[str, int | None], ...]:
        """By layer: its backend, and the slices that were named."""
        found = [ENTRY.fullmatch(text.strip()) for text in (self.plan or "").split(",")]
        return tuple((m[1], int(m[2]) if m[2] else None) if m else ("", None) for m in found)

    def problems(self) -> list[Problem]:
        """Return which options exclude each other."""
        out = [p for p in super().problems() if p.where != "--from"]
        if self.most_kernels_asked:
            why = f"only an engine runs kernels, and --backend is {self.backend}"
            out.append(Problem("--kernels", why, "--backend dsp"))
        if self.plan is None:
            why = "a mixed design needs to know the backend of each layer"
            fix = f"--plan {PLAN_KINDS[0]},{PLAN_KINDS[1]},... with one entry per layer, or "
            fix += "--backend auto with budgets to have it choose"
            return [*out, Problem("--plan", why, fix)]
        wrong = sorted({kind for kind, _ in self.entries} - set(PLAN_KINDS))
        if wrong:
            names = ", ".join(map(repr, wrong))
            out.append(Problem("--plan", f"{names}: not one of {', '.join(PLAN_KINDS)}"))
        for flag, value in (("--from", self.start_from), ("--stop-after", self.stop_after)):
            if value is not None:
                why = "a mixed design is compiled as a whole; its segments are runs of their own"
                out.append(Problem(flag, why, "leave it out"))
        if not self.stream:
            why = "segments are connected by their streams"
            out.append(Problem("--no-stream", why, "leave it out"))
        return out

    @property
    def most_kernels_asked(self) -> bool:
        """Whether more than one kernel was allowed."""
        return str(self.kernels) != "1"
