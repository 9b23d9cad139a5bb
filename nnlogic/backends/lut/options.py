"""Options of pipelines of LUTs."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.job.option import option
from nnlogic.job.options import Options


@dataclass(frozen=True, kw_only=True)
class LutOptions(Options):
    """Options of every run, and what the core reads."""

    raw: str | None = option(
        None,
        "Read raw features as words, and compare them with the thresholds inside: q4.12, u0.8, "
        "int8 or float32; single features by name, as q4.12,x3=int8.",
        metavar="FORMAT[,NAME=FORMAT...]", planned=False, until="quant",
    )  # fmt: skip
    drop_unused: bool = option(
        False, "Leave out of the ports what the network does not read.",
        flags="--drop-unused/--keep-unused", kind=bool, planned=False, until="design",
    )  # fmt: skip
