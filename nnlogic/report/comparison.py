"""Several runs beside each other: their figures, which of them no other beats, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nnlogic.core.inert import ShellWord
from nnlogic.report.model import TOTAL, Report
from nnlogic.report.rows import CountSource
from nnlogic.report.sections import Scatter, ScatterPoint
from nnlogic.report.words import count, joined, quantity

ACCURACY, ERROR = "accuracy", "RMSE"
AFTER = {"quant": "tables", "tables": "logic", "logic": "design", "design": "rtl"}
"""What follows the stage that a run was stopped after."""
TABLES = "ir/tables.safetensors"
LEAST_ERROR = 1e-3
"""Where a run without errors stands on an axis that has no zero, in percent."""


@dataclass(frozen=True)
class Compared:
    """The figures of a run; None was not measured.

    Attributes
    ----------
    run, name, target, backend, mode, status : str
        Where it is, and what its report says.
    measure : str or None
        ``"accuracy"`` in percent, or ``"RMSE"`` of its last quantity.
    quality : float or None
    rows : int or None
        On how many rows.
    luts, ffs : int or None
    source : str or None
        ``"estimate"``, ``"synth"`` or ``"pnr"``: how LUTs and FFs are known.
    depth : int or None
        LUT levels of the deepest pipeline segment.
    fmax_mhz, latency_ns, samples_per_second : float or None
    clock_source : str or None
        ``"estimate"`` or ``"pnr"``.
    rungs : int
        Of the ladder, that passed.
    weakest : str
        ``"proved"`` where every check that passed holds for all inputs, else ``"sampled"``.
    best : bool
        No other run with these figures is as good in all of quality, LUTs and latency, and better
        in one.
    next : tuple of str
        Commands.
    """

    run: str
    name: str
    target: str
    backend: str
    mode: str
    status: str
    measure: str | None
    quality: float | None
    rows: int | None
    luts: int | None
    ffs: int | None
    source: CountSource | None
    depth: int | None
    fmax_mhz: float | None
    latency_ns: float | None
    samples_per_second: float | None
    clock_source: CountSource | None
    rungs: int
    weakest: str
    best: bool = False
    next: tuple[str, ...] = ()


def compared(runs: Sequence[tuple[str, Report]]) -> list[Compared]:
    """Return the figures of runs, given with their places, in the same order."""
    rows = [_figures(place, report) for place, report in runs]
    return [replace(row, best=not any(_beats(other, row) for other in rows)) for row in rows]


def _figures(place: str, report: Report) -> Compared:
    total, timing = report.resource(TOTAL), report.timing
    measure, quality, n = _quality(report)
    hows = [c.how for r in report.ladder for c in r.checks if c.verdict == "pass" and r.number]
    return Compared(
        run=place,
        name=report.name,
        target=report.target or "",
        backend=report.backend or "",
        mode=report.mode,
        status=report.status,
        measure=measure,
        quality=quality,
        rows=n,
        luts=total.luts if total else None,
        ffs=total.ffs if total else None,
        source=total.source if total else None,
        depth=max(timing.levels_per_segment, default=None),
        fmax_mhz=timing.fmax_mhz,
        latency_ns=timing.latency_ns,
        samples_per_second=timing.samples_per_second,
        clock_source=timing.fmax_source,
        rungs=sum(rung.verdict == "pass" for rung in report.ladder),
        weakest="sampled" if any(how.startswith("sampled") for how in hows) else "proved",
        next=tuple(_next(place, report)),
    )


def _quality(report: Report) -> tuple[str | None, float | None, int | None]:
    if report.network.quantities:
        off = [row for row in report.errors if row.rmse is not None and row.n is not None]
        return (ERROR, off[-1].rmse, off[-1].n) if off else (None, None, None)
    known = [row for row in report.accuracy if row.percent is not None]
    return (ACCURACY, known[-1].percent, known[-1].n) if known else (None, None, None)


def _next(place: str, report: Report) -> list[str]:
    """Return what would fill the gaps of a run; commands that can be given as they stand."""
    run, out = ShellWord(place), []
    if report.status == "stopped":
        stage = AFTER.get(str(report.config.get("stop_after")), "logic")
        return [f"nnlogic compile {run} -o NEW --from {stage}"]
    if report.status not in ("compiled", "verified"):
        return [f"nnlogic verify {run}"]
    made = next((c.line for c in report.commands if c.purpose == "compile"), "")
    again = made.replace(" -o RUN", " -o NEW", 1)
    if report.config.get("rows") is None and again:
        out.append(f"{again} --rows FILE")
    if report.status != "verified":
        out.append(f"nnlogic verify {run}")
    total = report.resource(TOTAL)
    if total is not None and total.source == "estimate":
        out.append(f"nnlogic synth {run}")
    if report.config.get("optimize") == "none":
        # A run made of others has no tables to go on from.
        goes_on = any(a.path == TABLES for a in report.artifacts)
        first = f"nnlogic compile {run} -o NEW --from logic" if goes_on else again
        out += [f"{first} --optimize network"] if first else []
    return out


def _beats(one: Compared, other: Compared) -> bool:
    """Whether a run is as good as another in everything that both know, and better in something."""
    if one.measure != other.measure:
        return False
    pairs = [(one.luts, other.luts), (one.latency_ns, other.latency_ns)]
    sign = 1 if one.measure == ERROR else -1
    if one.quality is not None and other.quality is not None:
        pairs.append((sign * one.quality, sign * other.quality))
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    return all(a <= b for a, b in known) and any(a < b for a, b in known)


COLUMNS = ("run", ">quality", ">LUTs", ">FFs", ">levels", ">MHz", ">ns", "checks")
BEST = "* no other run is as good in quality, LUTs and latency, and better in one of them"
SHORT = {"estimate": "est.", None: ""}


def cells(row: Compared) -> list[str]:
    """Print a run."""
    percent = row.measure == ACCURACY
    quality = quantity(row.quality, "%" if percent else row.measure or "", 2)
    luts, clock = (SHORT.get(s, s) for s in (row.source, row.clock_source))
    return [
        ("* " if row.best else "  ") + row.run,
        quality,
        f"{count(row.luts)} {luts}".strip(),
        count(row.ffs),
        count(row.depth),
        f"{quantity(row.fmax_mhz, clock or '', 0)}".strip(),
        quantity(row.latency_ns, "").strip(),
        f"{row.rungs}/7 {row.weakest}",
    ]


def cautions(rows: Sequence[Compared]) -> list[str]:
    """Say what makes figures of different runs differ for another reason than the runs."""
    out = []
    for what, values in (
        ("quality is measured on different numbers of rows", {r.rows for r in rows if r.rows}),
        ("quality is measured in different ways", {r.measure for r in rows if r.measure}),
        ("targets differ, and with them the size of a LUT", {r.target for r in rows}),
        ("LUTs are known in different ways", {r.source for r in rows if r.source}),
        ("clocks are known in different ways", {r.clock_source for r in rows if r.clock_source}),
    ):
        if len(values) > 1:
            out.append(f"{what}: {', '.join(sorted(map(str, values)))}")
    return out


def scatter(rows: Sequence[Compared]) -> Scatter | None:
    """Return LUTs against what is lost, or against latency where quality is not known.

    Runs that no other beats are filled, and named. None where there is nothing to show.
    """
    known = [row for row in rows if row.luts]
    lost = [(row, _lost(row)) for row in known]
    title, points = "rows wrong, %", [(row, value) for row, value in lost if value is not None]
    if len({row.measure for row, _ in points}) > 1:
        points = [(row, value) for row, value in points if row.measure == ACCURACY]
    elif points and points[0][0].measure == ERROR:
        title = ERROR
    if not points:
        title = "latency, ns"
        points = [(row, row.latency_ns) for row in known if row.latency_ns]
    if not points:
        return None
    return Scatter(
        "Runs compared; filled where no other is better",
        "LUTs",
        title,
        tuple(
            ScatterPoint(
                float(row.luts or 0),
                float(value),
                joined(row.run, f"{count(row.luts)} LUTs, {value:.4g} {title}"),
                row.run if row.best else "",
                row.best,
            )
            for row, value in points
        ),
    )


def _lost(row: Compared) -> float | None:
    if row.quality is None:
        return None
    return max(LEAST_ERROR, 100 - row.quality if row.measure == ACCURACY else row.quality)
