"""The report of a run: one model that the terminal, JSON and HTML views only print.

A number that was not measured is None and prints as "not run". Counts of hardware carry their
source: "bound", "estimate", "synth" or "pnr".
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import CheckpointError, UsageError
from nnlogic.core.limits import parse_json
from nnlogic.report.classes import ClassRow
from nnlogic.report.codec import LATER, from_json, to_json
from nnlogic.report.hardware import DeviceRow, PinRow, share_text
from nnlogic.report.notebook import as_html, in_a_line
from nnlogic.report.quantities import ErrorRow, PredictionRow
from nnlogic.report.rows import (
    RUNG_TITLES,
    AccuracyRow,
    Approximation,
    Artifact,
    Check,
    Command,
    DataRow,
    Engine,
    FunnelRow,
    Network,
    ResourceRow,
    Rung,
    Source,
    StepRow,
    ToolRow,
    rung_verdict,
)
from nnlogic.report.sections import Section
from nnlogic.report.timing import Timing

SCHEMA = "nnlogic.report/1"
FILE = "report.json"
TOTAL = "total"

Row = (
    ToolRow | FunnelRow | ResourceRow | AccuracyRow | Rung | StepRow | Engine | Artifact | Command
    | DataRow | ErrorRow | PredictionRow | ClassRow | PinRow | DeviceRow
)  # fmt: skip
# Field that holds each kind of row, and the fields that make two rows the same row.
PLACES: Mapping[type, tuple[str, tuple[str, ...]]] = {
    ToolRow: ("tools", ("name",)),
    FunnelRow: ("funnel", ("layer",)),
    ResourceRow: ("resources", ("part", "source")),
    AccuracyRow: ("accuracy", ("stage",)),
    ErrorRow: ("errors", ("stage", "quantity")),
    PredictionRow: ("predictions", ("row", "quantity")),
    Rung: ("ladder", ("number",)),
    StepRow: ("steps", ("name",)),
    Engine: ("minimization", ("name",)),
    Artifact: ("artifacts", ("path",)),
    Command: ("commands", ("purpose",)),
    DataRow: ("data", ("part",)),
    ClassRow: ("classes", ("label",)),
    PinRow: ("pins", ("name",)),
    DeviceRow: ("devices", ()),
}


def _has_stale(rung: Rung) -> bool:
    return any(check.verdict == "stale" for check in rung.checks)


def _with_sections(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a report in which each backend's section is one of ``sections``.

    In files of before, which have no ``sections``, such a section is a field of the report.
    """
    if "sections" in data:
        return data
    known = {f.name for f in dataclasses.fields(Report)}
    old = {k: v for k, v in data.items() if k not in known and (v is None or isinstance(v, dict))}
    made = [to_json(Section(name, name, v)) for name, v in old.items() if v is not None]
    return {k: v for k, v in data.items() if k not in old} | {"sections": made}


def _ladder() -> tuple[Rung, ...]:
    return tuple(Rung(number, title) for number, title in enumerate(RUNG_TITLES))


@dataclass(frozen=True, repr=False)
class Report:
    """Everything a run has to say about itself.

    Attributes
    ----------
    name : str
        Name of the design.
    version : str
        Version of nnlogic that wrote the report.
    status : str
        One word, as in the run's ``STATUS`` file.
    mode : str
        ``"exact"`` or ``"approximate"``.
    schema : str
        Always ``"nnlogic.report/1"``.
    target : str or None
        Name of the device target.
    backend : str or None
        What made the run; None in reports of before that was written.
    source : Source
        The file that was compiled.
    config : dict
        Effective options, JSON values.
    tools : tuple of ToolRow
        External programs used.
    network : Network
        Ports and layers.
    funnel : tuple of FunnelRow
        Per layer and, as layer ``"total"``, in all: tables, distinct tables, LUTs after
        minimization. See `funnel_total`.
    resources : tuple of ResourceRow
        Hardware counts by part and source; part ``"total"`` includes all others.
    timing : Timing
    errors : tuple of ErrorRow
        Of a network of quantities, instead of accuracies.
    predictions : tuple of PredictionRow
        For the first rows; ``predictions.csv`` of the run has all.
    accuracy : tuple of AccuracyRow
        One row per stage: float, quantized, tables, RTL.
    approximation : Approximation or None
        Approximate mode only.
    sections : tuple of Section
        What the backend has to say; see `section` and `with_section`.
    ladder : tuple of Rung
        Verification rungs 0 to 6; all present, "not run" until they are.
    steps : tuple of StepRow
        Passes and stages with time and size before and after.
    minimization : tuple of Engine
        How many functions each engine won.
    artifacts : tuple of Artifact
        Files of the run, relative to its directory.
    commands : tuple of Command
        Exact commands to reproduce the run.
    seconds : float or None
        Wall clock of the whole run.
    warnings : tuple of str
        What a reader must know before anything else.
    changes : tuple of str
        Options that are not as in the run that this one went on from, or was compiled with.
    data : tuple of DataRow
        How the files of rows were read; empty where codes are random.
    classes : tuple of ClassRow
        How the labelled rows of each class are taken; empty without labels.
    pins : tuple of PinRow
        Ports of the core, and their place in the stream.
    devices : tuple of DeviceRow
        What the target has; at most one.
    """

    name: str
    version: str
    status: str = "running"
    mode: str = "exact"
    schema: str = SCHEMA
    target: str | None = None
    source: Source = field(default_factory=Source)
    config: dict[str, Any] = field(default_factory=dict)
    tools: tuple[ToolRow, ...] = ()
    network: Network = field(default_factory=Network)
    funnel: tuple[FunnelRow, ...] = ()
    resources: tuple[ResourceRow, ...] = ()
    timing: Timing = field(default_factory=Timing)
    accuracy: tuple[AccuracyRow, ...] = ()
    errors: tuple[ErrorRow, ...] = field(default=(), metadata=LATER)
    predictions: tuple[PredictionRow, ...] = field(default=(), metadata=LATER)
    approximation: Approximation | None = None
    sections: tuple[Section, ...] = field(default=(), metadata=LATER)
    ladder: tuple[Rung, ...] = field(default_factory=_ladder)
    steps: tuple[StepRow, ...] = ()
    minimization: tuple[Engine, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    commands: tuple[Command, ...] = ()
    seconds: float | None = None
    warnings: tuple[str, ...] = field(default=(), metadata=LATER)
    backend: str | None = field(default=None, metadata=LATER)
    changes: tuple[str, ...] = field(default=(), metadata=LATER)
    data: tuple[DataRow, ...] = field(default=(), metadata=LATER)
    classes: tuple[ClassRow, ...] = field(default=(), metadata=LATER)
    pins: tuple[PinRow, ...] = field(default=(), metadata=LATER)
    devices: tuple[DeviceRow, ...] = field(default=(), metadata=LATER)

    def __repr__(self) -> str:
        """Return name, status and the main figures in one line."""
        return f"<Report {in_a_line(self)}>"

    def _repr_html_(self) -> str:
        """Return a short table, for notebooks."""
        return as_html(self)

    def replace(self, **changes: Any) -> Report:
        """Return a report with some fields replaced."""
        return dataclasses.replace(self, **changes)

    def put(self, *rows: Row) -> Report:
        """Return a report with `rows` in their places.

        A row replaces the one with the same key (`PLACES`), else it is appended.
        """
        changes: dict[str, tuple[Any, ...]] = {}
        for row in rows:
            place, key = PLACES[type(row)]
            have = changes.get(place, getattr(self, place))
            same = [all(getattr(old, k) == getattr(row, k) for k in key) for old in have]
            if any(same):
                changes[place] = tuple(
                    row if hit else old for old, hit in zip(have, same, strict=True)
                )
            else:
                changes[place] = (*have, row)
        return self.replace(**changes)

    def with_section(self, section: Section) -> Report:
        """Return a report with a section, in the place of the one with the same name."""
        old = self.section(section.name)
        kept = tuple(section if item is old else item for item in self.sections)
        return self.replace(sections=kept if old else (*kept, section))

    def with_timing(self, **changes: Any) -> Report:
        """Return a report with some fields of its timing replaced."""
        return self.replace(timing=dataclasses.replace(self.timing, **changes))

    def with_check(self, number: int, check: Check) -> Report:
        """Return a report with a check put in rung `number`, whose verdict follows its checks.

        A check replaces the one with the same title, in its place. A rung passes only when all
        its checks pass; one that was not run leaves it "not run".
        """
        old = self.rung(number)
        known = any(c.title == check.title for c in old.checks)
        checks = tuple(check if c.title == check.title else c for c in old.checks)
        checks = checks if known else (*checks, check)
        timed = [c.seconds for c in checks if c.seconds is not None]
        return self.put(
            dataclasses.replace(
                old,
                checks=checks,
                verdict=rung_verdict(checks),
                how="; ".join(dict.fromkeys(c.how for c in checks if c.how)),
                seconds=sum(timed) if timed else None,
            )
        )

    def section(self, name: str) -> Section | None:
        """Return the section of that name, if there is one."""
        return next((item for item in self.sections if item.name == name), None)

    def rung(self, number: int) -> Rung:
        """Return rung `number` of the ladder."""
        return next(rung for rung in self.ladder if rung.number == number)

    def resource(self, part: str, source: str | None = None) -> ResourceRow | None:
        """Return the row of `part`; without `source`, the one measured latest in the flow."""
        order = ("pnr", "synth", "estimate", "bound") if source is None else (source,)
        rows = {row.source: row for row in self.resources if row.part == part}
        return next((rows[s] for s in order if s in rows), None)

    @property
    def share(self) -> str:
        """What share of the device the design takes; empty where the one or the other is open."""
        total = self.resource(TOTAL)
        return share_text(self.devices[0], total) if self.devices and total else ""

    @property
    def failed(self) -> bool:
        """Whether any rung failed."""
        return any(rung.verdict == "fail" for rung in self.ladder)

    @property
    def stale(self) -> bool:
        """Whether any verdict is of other bytes than those that are there now."""
        return any(rung.verdict == "stale" or _has_stale(rung) for rung in self.ladder)

    @property
    def funnel_total(self) -> FunnelRow:
        """The row of layer ``"total"`` if there is one, else sums over the layers.

        A sum counts a distinct table once per layer that has it, and has no depth.
        """
        for row in self.funnel:
            if row.layer == TOTAL:
                return row

        def total(name: str) -> int | None:
            known = [getattr(row, name) for row in self.funnel if getattr(row, name) is not None]
            return sum(known) if known else None

        return FunnelRow(
            TOTAL,
            tables=total("tables"),
            distinct=total("distinct"),
            bound=total("bound"),
            luts=total("luts"),
        )

    @property
    def funnel_layers(self) -> tuple[FunnelRow, ...]:
        """The rows of single layers."""
        return tuple(row for row in self.funnel if row.layer != TOTAL)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return to_json(self)

    def dumps(self) -> str:
        """Return JSON text."""
        return json.dumps(self.to_json(), indent=1, allow_nan=False) + "\n"

    def save(self, path: Path) -> None:
        """Write ``report.json`` atomically."""
        write_bytes(Path(path), self.dumps().encode())

    @staticmethod
    def loads(text: str, where: str = "report") -> Report:
        """Read JSON text.

        Raises
        ------
        CheckpointError
            Not JSON, another schema, or a field that is missing, unknown or of a wrong type.
        """
        try:
            data = parse_json(text)
            if not isinstance(data, dict) or data.get("schema") != SCHEMA:
                found = data.get("schema") if isinstance(data, dict) else type(data).__name__
                raise ValueError(f"schema {found!r}, this nnlogic reads {SCHEMA!r}")
            return from_json(Report, _with_sections(data))
        except ValueError as error:
            raise CheckpointError("cannot read the report", where=where, why=str(error)) from error

    @staticmethod
    def load(path: Path) -> Report:
        """Read a report file, or the report of a run directory.

        Raises
        ------
        UsageError
            There is no such file.
        CheckpointError
            The file is not a report of this schema.
        """
        path = Path(path)
        file = path / FILE if path.is_dir() else path
        try:
            text = file.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise UsageError(
                "no report here",
                where=str(file),
                fix="name a run directory that `nnlogic compile -o` wrote",
            ) from error
        except UnicodeDecodeError as error:
            raise CheckpointError(
                "cannot read the report", where=str(file), why="not text"
            ) from error
        return Report.loads(text, str(file))
