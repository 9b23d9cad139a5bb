"""Options of a compile run, checked all at once before any work."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nnlogic.core.errors import Problem, UsageError

STAGES = ("quant", "tables", "logic", "design", "rtl")
CHOICES = {
    "mode": ("exact", "approximate"),
    "effort": ("fast", "normal", "high"),
    "backend": ("lut", "dsp", "auto"),
    "arith": ("never", "auto"),
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """Effective options of a run; see `nnlogic.run.compile` for their meaning."""

    target: str = "ecp5"
    clock: float | None = None
    levels_per_stage: int | None = None
    mode: str = "exact"
    effort: str = "normal"
    backend: str = "lut"
    arith: str = "never"
    table_limit: int = 14
    rows: Path | None = None
    stream: bool = True
    stop_after: str | None = None
    start_from: str | None = None
    jobs: int | None = None
    tool_timeout: float = 600.0

    def __post_init__(self) -> None:
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
        if self.mode == "approximate":
            why = "approximate mode is not part of this version"
            problems.append(Problem("--mode", why, "leave it at exact"))
        if self.backend == "dsp":
            why = "the DSP backend is not part of this version"
            problems.append(Problem("--backend", why, "leave it at lut"))
        if self.clock is not None and self.levels_per_stage is not None:
            problems.append(Problem("--clock", "excludes --levels-per-stage", "give one of them"))
        if problems:
            raise UsageError("options that do not fit", problems=problems)

    def to_json(self) -> dict[str, Any]:
        """Return JSON data."""
        out = asdict(self)
        out["rows"] = None if self.rows is None else Path(self.rows).name
        return out
