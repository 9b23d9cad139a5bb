"""Options of every compile run, checked all at once before any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from nnlogic.core.errors import Problem, UsageError
from nnlogic.flows.targets import Target
from nnlogic.job.given import Held, source_name, source_of
from nnlogic.job.option import option, options_of, type_problems, value_problems
from nnlogic.tools.limits import MEGABYTES, SECONDS, Limits

STAGES = ("quant", "tables", "logic", "design", "rtl")
DEFAULT = "lut"
"""The backend of whoever names none."""
EXCLUSIVE = (("clock", "levels_per_stage"),)
"""Options of which one is given."""
DEFAULT_BUDGET = 0.1
"""Percentage points of accuracy that approximate mode may lose unless told otherwise."""
UNROLLED = 20_000
"""Tables that windows may become unless told otherwise: more take a quarter of an hour and up."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options that every backend has; a backend adds its own in a class derived from this one.

    Raises
    ------
    UsageError
        Values that are not allowed or exclude each other; all of them are named.
    """

    target: str | Path = option(
        Target.default().name, "Device target, or a file that describes one.",
        metavar="NAME|FILE.toml", shown=True,
    )  # fmt: skip
    clock: float | None = option(
        None, "Clock to meet; sets LUT levels per stage.", metavar="MHZ", kind=float, above=0
    )
    part: str | None = option(
        None, "Part that the scripts for Vivado name, such as xc7a35tcpg236-1.",
        metavar="PART", pattern="[A-Za-z0-9][A-Za-z0-9-]{3,47}",
    )  # fmt: skip
    levels_per_stage: int | None = option(
        None, "LUT levels per pipeline stage (default: as many stages as layers, evenly deep).",
        metavar="N", kind=int, least=1,
        until="design",
    )  # fmt: skip
    mode: str = option(
        "exact", "Exact keeps every output bit; approximate frees what --rows rarely show.",
        choices=("exact", "approximate"), shown=True,
    )  # fmt: skip
    effort: str = option(
        "normal",
        "Time spent on minimization.",
        choices=("fast", "normal", "high"),
        shown=True,
        until="logic",
    )
    objective: str = option(
        "balanced",
        "What to minimize: LUTs with a level worth 1 %, LUTs, levels, LUTs times levels.",
        choices=("balanced", "area", "depth", "adp"), shown=True,
        until="logic",
    )  # fmt: skip
    optimize: str = option(
        "none", "After each neuron, also optimize inside layers or across the network.",
        choices=("none", "layer", "network"), shown=True,
        until="logic",
    )  # fmt: skip
    backend: str = DEFAULT
    read: str | None = option(
        None, "Options of the importer, such as rounds=all (inspect lists them).",
        metavar="NAME=VALUE[,...]",
    )  # fmt: skip
    raw: str | None = option(
        None,
        "Read raw features as words, and compare them with the thresholds inside: q4.12, u0.8, "
        "int8 or float32; single features by name, as q4.12,x3=int8; of streams channels, c1=int8.",
        metavar="FORMAT[,NAME=FORMAT...]", until="quant",
    )  # fmt: skip
    arith: str = option(
        "never", "Auto builds neurons too wide for a table from adders and comparators.",
        choices=("never", "auto"), shown=True,
        until="tables",
    )  # fmt: skip
    table_limit: int = option(
        14,
        "Most input bits of a table.",
        metavar="BITS",
        kind=int,
        least=1,
        most=16,
        shown=True,
        until="tables",
    )
    unroll_limit: int = option(
        UNROLLED, "Most tables that copies at all positions of windows may become.",
        metavar="N", kind=int, least=1, until="tables",
    )  # fmt: skip
    rows: Path | Held | None = option(
        None,
        "Data rows for accuracy and simulation: .csv, .npz, .npy or Parquet, matched by name.",
        metavar="FILE", kind=Path,
    )  # fmt: skip
    label: str | None = option(
        None, "Column of --rows with the labels (default: y, label, class or target).",
        metavar="NAME",
    )  # fmt: skip
    validation_rows: Path | Held | None = option(
        None,
        "Approximate: rows that decide what the budget allows (default: a third of --rows).",
        metavar="FILE", kind=Path,
        until="tables",
    )  # fmt: skip
    test_rows: Path | Held | None = option(
        None, "Approximate: rows that take no part (default: a third of --rows).",
        metavar="FILE", kind=Path,
        until="tables",
    )  # fmt: skip
    rarity: int | None = option(
        None,
        "Approximate: free no entry used R times or more (default: as the budget allows).",
        metavar="R", kind=int, least=1,
        until="tables",
    )  # fmt: skip
    cut_columns: int | None = option(
        None, "Approximate: leave out up to N of the lowest columns of sums, with --arith auto.",
        metavar="N", kind=int, least=0, most=16,
        until="tables",
    )  # fmt: skip
    accuracy_budget: float | None = option(
        None,
        "Approximate: percentage points that may be lost on validation rows (default: 0.1).",
        metavar="POINTS", kind=float, least=0, most=100,
        until="tables",
    )  # fmt: skip
    stream: bool = option(
        True, "Write the valid/ready stream wrapper.", flags="--stream/--no-stream", kind=bool,
        shown=True,
    )  # fmt: skip
    stop_after: str | None = option(
        None, f"Stop after this stage: {', '.join(STAGES)}.", metavar="STAGE"
    )
    start_from: str | None = option(
        None,
        "Start from this stage; CHECKPOINT is then a run directory that holds the earlier ones.",
        metavar="STAGE", flags="--from",
    )  # fmt: skip
    jobs: int | None = option(
        None, "Parallel jobs (default: all cores).", metavar="N", kind=int, least=1
    )
    dask: str | None = option(
        None, "Scheduler of a Dask cluster that minimizes in place of jobs.", metavar="ADDRESS"
    )
    tool_timeout: float = option(
        SECONDS, "Seconds an external program may take.", metavar="SECONDS", kind=float, above=0,
        shown=True,
    )  # fmt: skip
    tool_output: float = option(
        MEGABYTES, "Megabytes an external program may print.", metavar="MB", kind=float, above=0,
        shown=True,
    )  # fmt: skip

    def __post_init__(self) -> None:
        for name in ("rows", "validation_rows", "test_rows"):
            object.__setattr__(self, name, source_of(getattr(self, name)))
        # Rules between options take values of the right types.
        problems = type_problems(self) or [*value_problems(self), *self.problems()]
        if problems:
            raise UsageError("options that do not fit", problems=problems)

    def problems(self) -> list[Problem]:
        """Return which options exclude each other."""
        out = []
        for flag, stage in (("--stop-after", self.stop_after), ("--from", self.start_from)):
            if stage is not None and stage not in STAGES:
                out.append(Problem(flag, f"no stage {stage!r}; stages are {', '.join(STAGES)}"))
        for one, other in EXCLUSIVE:
            if getattr(self, one) is not None and getattr(self, other) is not None:
                flags = [options_of(Options)[name][0].flag(name) for name in (one, other)]
                out.append(Problem(flags[0], f"excludes {flags[1]}", "give one of them"))
        if self.label is not None and self.rows is None:
            out.append(Problem("--label", "names a column of --rows", "give --rows FILE"))
        return out + self._approximate_problems()

    @property
    def budget(self) -> float:
        """Percentage points that approximate mode may lose on validation rows."""
        return DEFAULT_BUDGET if self.accuracy_budget is None else self.accuracy_budget

    @property
    def limits(self) -> Limits:
        """What external programs are held to."""
        return Limits(self.tool_timeout, self.tool_output)

    @property
    def makes_tables(self) -> bool:
        """Whether this run makes its tables, rather than going on from a run that has them."""
        return self.start_from in (None, "quant", "tables")

    def reuses(self, stage: str) -> bool:
        """Whether a stage comes from the run that is gone on from."""
        start = self.start_from
        return start is not None and STAGES.index(stage) < STAGES.index(start)

    def _approximate_problems(self) -> list[Problem]:
        given = {
            "--validation-rows": self.validation_rows,
            "--test-rows": self.test_rows,
            "--rarity": self.rarity,
            "--cut-columns": self.cut_columns,
            "--accuracy-budget": self.accuracy_budget,
        }
        if self.mode != "approximate":
            why = "only approximate mode uses it"
            return [
                Problem(name, why, "--mode approximate")
                for name, value in given.items()
                if value is not None
            ]
        if self.rows is None and self.makes_tables:
            why = "approximate mode learns from data which table entries matter"
            return [Problem("--rows", why, "--rows FILE with training rows")]
        return []

    def to_json(self) -> dict[str, Any]:
        """Return JSON data; of a file only its name."""
        out = {item.name: getattr(self, item.name) for item in fields(self)}
        for name, (what, _) in options_of(type(self)).items():
            if what.kind is Path and out[name] is not None:
                out[name] = source_name(out[name])
        if self.mode == "approximate":
            out["accuracy_budget"] = self.budget
        return out


def run_limits(
    config: Mapping[str, Any],
    seconds: float | None = None,
    megabytes: float | None = None,
    *,
    least: float = 0.0,
) -> Limits:
    """Return what programs are held to that work on a run.

    Parameters
    ----------
    config : mapping
        Options that the run was compiled with.
    seconds, megabytes : float, optional
        Given anew.
    least : float
        Seconds, where none are given anew.
    """
    given = {n: config[n] for n in ("tool_timeout", "tool_output") if n in config}
    known = Options(**given).limits
    if seconds is None:
        seconds = max(least, known.seconds or SECONDS)
    return Limits(seconds, megabytes or known.megabytes)


@dataclass(frozen=True, kw_only=True)
class Limited(Options):
    """Options of a backend that is held to budgets, as estimated before any tool runs."""

    max_luts: int | None = option(
        None, "Budget: LUTs, as estimated.", metavar="N", kind=int, above=0
    )
    max_latency: float | None = option(
        None, "Budget: latency, as estimated.", metavar="NS", kind=float, above=0
    )
    samples_per_second: float | None = option(
        None, "Vectors or frames per second that the design has to take at its clock.",
        metavar="N", kind=float, above=0,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Budgeted(Limited):
    """Options of a backend that can also choose how many DSP slices it takes."""

    max_dsps: int | None = option(
        None, "Budget: DSP slices; the fastest engine within is taken.",
        metavar="N", kind=int, above=0,
    )  # fmt: skip

    @property
    def budgeted(self) -> bool:
        """Whether a budget was given."""
        given = (self.max_luts, self.max_dsps, self.max_latency, self.samples_per_second)
        return any(v is not None for v in given)
