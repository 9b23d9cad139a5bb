"""Read what the tools report, always by name: yosys cell statistics and nextpnr's JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnlogic.core.errors import ToolFailed
from nnlogic.flows.targets import CELL_KINDS, Target


@dataclass(frozen=True)
class Cells:
    """Cells of a netlist by kind.

    Attributes
    ----------
    luts : mapping of str to int
        Count of each LUT cell type, named as the tool names it.
    wide_muxes : mapping of str to int
        Multiplexers that join LUTs into wider ones; not part of `luts_total`.
    ffs, carry, brams, dsps : int
    """

    luts: Mapping[str, int]
    wide_muxes: Mapping[str, int]
    ffs: int
    carry: int
    brams: int
    dsps: int

    @property
    def luts_total(self) -> int:
        """Sum over all LUT types."""
        return sum(self.luts.values())


@dataclass(frozen=True)
class PathStep:
    """One step of a timing path: a delay in ns, its kind, and the cell or net it is spent in."""

    kind: str
    name: str
    delay_ns: float


@dataclass(frozen=True)
class TimingPath:
    """A register-to-register path, its total delay in ns and its LUT levels."""

    start: str
    end: str
    delay_ns: float
    logic_ns: float
    routing_ns: float
    levels: int
    steps: tuple[PathStep, ...]


@dataclass(frozen=True)
class PnrReport:
    """What nextpnr's JSON report says.

    Attributes
    ----------
    fmax_mhz : float
        Of the clock, of several that which is nearest to its limit.
    utilization : mapping of str to (int, int)
        Used and available, for each resource in use.
    path : TimingPath or None
        The path that limits the clock.
    asked_mhz : float or None
        What this clock was held to.
    """

    fmax_mhz: float
    utilization: Mapping[str, tuple[int, int]]
    path: TimingPath | None
    asked_mhz: float | None = None


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object a tool wrote; raise ToolFailed when it is damaged or missing."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ToolFailed("cannot read a tool's report", where=str(path), why=str(error)) from error
    if not isinstance(value, dict):
        raise ToolFailed("cannot read a tool's report", where=str(path), why="not a JSON object")
    return value


def count_cells(types: Mapping[str, int], target: Target, where: str = "") -> Cells:
    """Sort cell counts by kind.

    Parameters
    ----------
    types : mapping of str to int
        Count of each cell type; types that start with ``$scopeinfo`` are notes, not cells.
    target : Target
    where : str
        Named in the error.

    Raises
    ------
    ToolFailed
        A cell type that the target does not list: it would go uncounted.
    """
    found: dict[str, dict[str, int]] = {kind: {} for kind in CELL_KINDS}
    unknown = []
    for cell, count in sorted(types.items()):
        if cell == "$scopeinfo":
            continue
        kind = target.kind_of(cell)
        if kind is None:
            unknown.append(f"{cell} ({count})")
        else:
            found[kind][cell] = count
    if unknown:
        raise ToolFailed(
            "synthesis left cells that the target does not know",
            where=where or target.name,
            why=", ".join(unknown),
            fix=f"add them to the cells of target {target.name}, or of its family",
        )
    totals = {kind: sum(found[kind].values()) for kind in ("ffs", "carry", "brams", "dsps")}
    return Cells(luts=found["luts"], wide_muxes=found["wide_muxes"], **totals)


def read_stat(path: Path, target: Target) -> tuple[Cells, dict[str, Cells]]:
    """Read the output of ``stat -json`` on a design with a top module.

    Parameters
    ----------
    path : Path
    target : Target

    Returns
    -------
    total : Cells
        The whole design, every instance counted.
    modules : dict of str to Cells
        Each module once, without its submodules; in order of name.

    Raises
    ------
    ToolFailed
        The file is damaged, or holds a cell type the target does not know.
    """
    stat = read_json(path)
    modules = _get(stat, "modules", path)
    names = {name.removeprefix("\\") for name in modules}

    def own(entry: Any, where: str) -> Cells:
        types = _get(entry, "num_cells_by_type", path)
        cells = {cell: count for cell, count in types.items() if cell not in names}
        return count_cells(cells, target, f"{path.name}, {where}")

    total = own(_get(stat, "design", path), "design")
    parts = {name.removeprefix("\\"): own(modules[name], name) for name in sorted(modules)}
    return total, parts


def read_pnr_report(path: Path, packed_suffix: str = "") -> PnrReport:
    """Read the JSON report of nextpnr; of several clocks, that which is nearest to its limit.

    Parameters
    ----------
    path : Path
    packed_suffix : str
        As in `PnrSettings`.

    Raises
    ------
    ToolFailed
        The file is damaged, or has no clock.
    """
    report = read_json(path)
    clocks = _get(report, "fmax", path)
    if not clocks:
        raise ToolFailed("nextpnr reported no clock", where=str(path), why="fmax is empty")
    clock, fmax = min(clocks.items(), key=lambda item: _slack(item[1]))
    used = {
        name: (int(entry["used"]), int(entry["available"]))
        for name, entry in _get(report, "utilization", path).items()
        if entry["used"]
    }
    edge = f"posedge {clock}"
    paths = [
        _path(entry["path"], packed_suffix)
        for entry in report.get("critical_paths", ())
        if entry["from"] == edge and entry["to"] == edge and entry["path"]
    ]
    worst = max(paths, key=lambda p: p.delay_ns, default=None)
    return PnrReport(float(fmax["achieved"]), used, worst, fmax.get("constraint"))


def _slack(fmax: Mapping[str, float]) -> float:
    """Return the clock that was reached, in units of the one that was asked for."""
    return fmax["achieved"] / (fmax.get("constraint") or 1.0)


def _path(entries: list[dict[str, Any]], packed_suffix: str) -> TimingPath:
    steps = tuple(
        PathStep(
            entry["type"],
            entry["net"] if entry["type"] == "routing" else entry["from"]["cell"],
            round(float(entry["delay"]), 3),
        )
        for entry in entries
    )
    routing = sum(step.delay_ns for step in steps if step.kind == "routing")
    total = sum(step.delay_ns for step in steps)
    packed = bool(packed_suffix) and entries[-1]["to"]["cell"].endswith(packed_suffix)
    return TimingPath(
        start=entries[0]["from"]["cell"],
        end=entries[-1]["to"]["cell"],
        delay_ns=round(total, 3),
        logic_ns=round(total - routing, 3),
        routing_ns=round(routing, 3),
        levels=sum(step.kind == "logic" for step in steps) + packed,
        steps=steps,
    )


def _get(value: Mapping[str, Any], key: str, path: Path) -> Any:
    try:
        return value[key]
    except (KeyError, TypeError) as error:
        raise ToolFailed(
            "a tool's report lacks an entry", where=str(path), why=f"no {key!r}"
        ) from error
