"""Options of a compile run, checked all at once before any work."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nnlogic.core.errors import Problem, UsageError
from nnlogic.flows.targets import Target

STAGES = ("quant", "tables", "logic", "design", "rtl")
CHOICES = {
    "mode": ("exact", "approximate"),
    "effort": ("fast", "normal", "high"),
    "backend": ("lut", "dsp", "mac", "mixed", "auto"),
    "arith": ("never", "auto"),
    "objective": ("balanced", "area", "depth", "adp"),
    "optimize": ("none", "layer", "network"),
}
LEAST_ROWS = 16
PLAN_KINDS = ("lut", "dsp", "mac")
"""Backends that a plan can give a layer to."""
DEFAULT_BUDGET = 0.1
"""Percentage points of accuracy that approximate mode may lose unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Effective options of a run; see `nnlogic.run.compile` for their meaning."""

    target: str | Path = field(default_factory=lambda: Target.default().name)
    clock: float | None = None
    levels_per_stage: int | None = None
    mode: str = "exact"
    effort: str = "normal"
    objective: str = "balanced"
    optimize: str = "none"
    backend: str = "lut"
    arith: str = "never"
    table_limit: int = 14
    rows: Path | None = None
    validation_rows: Path | None = None
    test_rows: Path | None = None
    rarity: int | None = None
    accuracy_budget: float | None = None
    stream: bool = True
    stop_after: str | None = None
    start_from: str | None = None
    jobs: int | None = None
    tool_timeout: float = 600.0
    dsps: int | None = None
    max_luts: int | None = None
    max_dsps: int | None = None
    max_latency: float | None = None
    plan: str | None = None
    kernels: str | int = "1"
    program_words: int | None = None
    bank_rows: int | None = None

    def __post_init__(self) -> None:
        if self.plan is not None and self.backend == "lut":
            object.__setattr__(self, "backend", "mixed")
        problems = [
            Problem(f"--{name}", f"{getattr(self, name)!r} is not one of {', '.join(choices)}")
            for name, choices in CHOICES.items()
            if getattr(self, name) not in choices
        ]
        for option, stage in (("--stop-after", self.stop_after), ("--from", self.start_from)):
            if stage is not None and stage not in STAGES:
                problems.append(
                    Problem(option, f"no stage {stage!r}; stages are {', '.join(STAGES)}")
                )
        problems += self._approximate_problems()
        problems += self._dsp_problems() + self._plan_problems()
        if self.clock is not None and self.levels_per_stage is not None:
            problems.append(Problem("--clock", "excludes --levels-per-stage", "give one of them"))
        if problems:
            raise UsageError("options that do not fit", problems=problems)

    @property
    def budget(self) -> float:
        """Percentage points that approximate mode may lose on validation rows."""
        return DEFAULT_BUDGET if self.accuracy_budget is None else self.accuracy_budget

    @property
    def makes_tables(self) -> bool:
        """Whether this run makes its tables, rather than going on from a run that has them."""
        return self.start_from in (None, "quant", "tables")

    @property
    def most_kernels(self) -> int | None:
        """Kernels an engine may run one after the other; None is no limit."""
        return None if self.kernels == "auto" else int(self.kernels)

    @property
    def memories(self) -> dict[str, int]:
        """The sizes of an engine's memories that were given, as fields of `Machine`."""
        given = {"program_steps": self.program_words, "bank_rows": self.bank_rows}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def budgeted(self) -> bool:
        """Whether a budget was given."""
        return any(v is not None for v in (self.max_luts, self.max_dsps, self.max_latency))

    def _dsp_problems(self) -> list[Problem]:
        asked = {
            "--dsps": self.dsps,
            "--max-dsps": self.max_dsps,
            "--max-luts": self.max_luts,
            "--max-latency": self.max_latency,
            "--program-words": self.program_words,
            "--bank-rows": self.bank_rows,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        kernels = str(self.kernels)
        if kernels != "auto" and not (kernels.isdecimal() and int(kernels)):
            why = f"{self.kernels!r} is neither auto nor a number of kernels from 1 on"
            return [Problem("--kernels", why, "--kernels auto, or at most M with --kernels M")]
        if self.most_kernels != 1 and self.backend != "dsp":
            why = f"only an engine runs kernels, and --backend is {self.backend}"
            return [Problem("--kernels", why, "--backend dsp")]
        if self.backend == "lut":
            why = "the lut backend does not use it"
            return [Problem(name, why, "--backend dsp or auto") for name in given]
        out = [
            Problem(name, f"{value:g}, must be more than 0", "name a positive number")
            for name, value in given.items()
            if not 0 < value < float("inf")
        ]
        if self.backend == "mac":
            why = "the mac backend takes as many slices as the sums need"
            out += [Problem(n, why, "--max-dsps N") for n in given if n != "--max-dsps"]
        if self.bank_rows is not None and 0 < self.bank_rows < LEAST_ROWS:
            why = f"{self.bank_rows} rows cannot hold the contexts of an engine"
            out.append(Problem("--bank-rows", why, f"{LEAST_ROWS} or more"))
        if self.dsps is not None and self.max_dsps is not None:
            out.append(Problem("--dsps", "excludes --max-dsps", "give one of them"))
        if self.backend == "auto" and not self.budgeted:
            return out
        if self.mode == "approximate":
            why = "approximate mode is made for LUTs, the DSP backend does not take its networks"
            out.append(Problem("--backend", why, "--backend lut, or --mode exact"))
        if self.start_from == "rtl":
            out.append(Problem("--from", "the DSP backend makes its program anew", "--from design"))
        return out

    def _plan_problems(self) -> list[Problem]:
        if self.plan is None:
            why = "the mixed backend needs to know the backend of each layer"
            fix = f"--plan {PLAN_KINDS[0]},{PLAN_KINDS[1]},... with one entry per layer, or "
            ask = Problem("--plan", why, f"{fix}--backend auto with budgets to have it choose")
            return [ask] if self.backend == "mixed" else []
        out = []
        if self.backend != "mixed":
            why = f"--backend {self.backend} does not use it"
            out.append(Problem("--plan", why, "--backend mixed, which --plan implies"))
        wrong = sorted(set(self.plan.split(",")) - set(PLAN_KINDS))
        if wrong:
            names = ", ".join(map(repr, wrong))
            out.append(Problem("--plan", f"{names}: not one of {', '.join(PLAN_KINDS)}"))
        for option, value in (("--from", self.start_from), ("--stop-after", self.stop_after)):
            if value is not None:
                why = "a mixed design is compiled as a whole; its segments are runs of their own"
                out.append(Problem(option, why, "leave it out"))
        if not self.stream:
            why = "segments are connected by their streams"
            out.append(Problem("--no-stream", why, "leave it out"))
        return out

    def _approximate_problems(self) -> list[Problem]:
        given = {
            "--validation-rows": self.validation_rows,
            "--test-rows": self.test_rows,
            "--rarity": self.rarity,
            "--accuracy-budget": self.accuracy_budget,
        }
        if self.mode != "approximate":
            why = "only approximate mode uses it"
            return [
                Problem(name, why, "--mode approximate")
                for name, value in given.items()
                if value is not None
            ]
        out = []
        if self.rows is None and self.makes_tables:
            why = "approximate mode learns from data which table entries matter"
            out.append(Problem("--rows", why, "--rows FILE with training rows (.npz or .csv)"))
        if self.rarity is not None and self.rarity < 1:
            out.append(Problem("--rarity", f"{self.rarity}, at least 1 (never observed)"))
        if not 0 <= self.budget <= 100:
            why = f"{self.budget:g} percentage points, need 0 to 100"
            out.append(Problem("--accuracy-budget", why))
        return out

    def to_json(self) -> dict[str, Any]:
        """Return JSON data."""
        out = asdict(self)
        for name in ("rows", "validation_rows", "test_rows"):
            path = getattr(self, name)
            out[name] = None if path is None else Path(path).name
        if self.mode == "approximate":
            out["accuracy_budget"] = self.budget
        return out
