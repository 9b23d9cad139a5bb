"""Options of the DSP backend."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.core.errors import Problem
from nnlogic.job.option import option
from nnlogic.job.options import Budgeted

LEAST_ROWS = 16


@dataclass(frozen=True, kw_only=True)
class DspOptions(Budgeted):
    """Options of every run, budgets, and those of an engine."""

    backend: str = "dsp"
    dsps: int | None = option(
        None, "DSP backend: slices of the engine (default: the fastest engine that fits).",
        metavar="N", kind=int, above=0,
    )  # fmt: skip
    kernels: str | int = option(
        "1", "DSP backend: programs the engine may run one after the other, fed by a host.",
        metavar="auto|M", shown=True, planned=False,
    )  # fmt: skip
    program_words: int | None = option(
        None, "DSP backend: words of program memory (default: 65536).",
        metavar="N", kind=int, above=0,
    )  # fmt: skip
    bank_rows: int | None = option(
        None, "DSP backend: words of each operand memory (default: 2048).",
        metavar="N", kind=int, above=0,
    )  # fmt: skip

    @property
    def most_kernels(self) -> int | None:
        """Kernels an engine may run one after the other; None is no limit."""
        return None if self.kernels == "auto" else int(self.kernels)

    @property
    def memories(self) -> dict[str, int]:
        """The sizes of an engine's memories that were given, as fields of `Machine`."""
        given = {"program_steps": self.program_words, "bank_rows": self.bank_rows}
        return {name: value for name, value in given.items() if value is not None}

    def problems(self) -> list[Problem]:
        """Return which options exclude each other."""
        out = super().problems()
        kernels = str(self.kernels)
        if kernels != "auto" and not (kernels.isdecimal() and int(kernels)):
            why = f"{self.kernels!r} is neither auto nor a number of kernels from 1 on"
            fix = "--kernels auto, or at most M with --kernels M"
            out.append(Problem("--kernels", why, fix))
        if self.bank_rows is not None and 0 < self.bank_rows < LEAST_ROWS:
            why = f"{self.bank_rows} rows cannot hold the contexts of an engine"
            out.append(Problem("--bank-rows", why, f"{LEAST_ROWS} or more"))
        if self.dsps is not None and self.max_dsps is not None:
            out.append(Problem("--dsps", "excludes --max-dsps", "give one of them"))
        if self.mode == "approximate":
            why = "approximate mode is made for LUTs, the DSP backend does not take its networks"
            out.append(Problem("--backend", why, "--backend lut, or --mode exact"))
        if self.start_from == "rtl":
            out.append(Problem("--from", "the DSP backend makes its program anew", "--from design"))
        return out
