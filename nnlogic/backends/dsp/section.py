"""The DSP section of a report: an engine, how near it is to its bounds, and how fast it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nnlogic.backends.dsp.model.plot import Tried, activity_text
from nnlogic.report.codec import LATER, to_json
from nnlogic.report.model import Report
from nnlogic.report.sections import (
    Fact,
    PercentBars,
    Plot,
    Scatter,
    ScatterPoint,
    Section,
    TableBlock,
)
from nnlogic.report.words import NOT_RUN

NAME = "dsp"

KIND_WORDS = {
    "dsp48e1": "DSP48E1 slices",
    "dsp48e2": "DSP48E2 slices",
    "fabric": "slices of ordinary LUTs (fabric variant: the same program without DSP cells)",
}


@dataclass(frozen=True)
class DspEngine:
    """The engine that computes the network.

    Attributes
    ----------
    kind : str
        ``"dsp48e1"``, ``"dsp48e2"`` or ``"fabric"``.
    choice : str
        Why this backend and this engine.
    slices, input_banks, contexts, lanes : int
        A group is `lanes` times `contexts` input vectors.
    operations, depth : int
        Two-input operations per batch, and on the longest path.
    steps : int
        Words of the program.
    latency_cycles, interval_cycles : int
        From the issue of a group to its outputs being readable; from one group to the next.
    stream_cycles : int
        From the last beat in to the last beat out of a group alone.
    work, depth_bound, path, ports, load : int
        Lower bounds on `steps`, and of `load` on the steps of loading; see
        `nnlogic.backends.dsp.model.machine.Bounds`.
    bound : int
        The strongest of those on `steps`.
    utilization : float
        Percent of slice steps that do an operation.
    data_brams, program_brams : int
        36 Kb block RAMs, estimated.
    luts : int or None
        LUT6 of crossbar and small memories, estimated; None for the fabric variant.
    clock_mhz : float
        Assumed, as `clock_source` says.
    clock_source : str
    latency_ns : float
        `latency_cycles` at `clock_mhz`.
    throughput : float
        Input vectors per second at `clock_mhz`, with groups back to back.
    measured_dsps, measured_brams, measured_luts, measured_ffs : int or None
        After synthesis; LUTs used as memory included.
    tried : tuple of Tried
        Engines compared, this one among them.
    tried_why : str
        Why these, or how to have others tried.
    activity : tuple of float
        Percent of slices at work in equal parts of the program, first to last.
    kernels : int
        Programs the engine runs one after the other; figures are then of all of them, latency
        that of one group through all, packets and streams included.
    memory_words, loaded_words : int
        Words of program memory; words of program that a pass through several kernels sends.
    traffic_words : int
        Words of 48 lanes that several kernels have stored and loaded by the host, per batch.
    pass_cycles : int
        Cycles of a pass through several kernels beside `interval_cycles` for every group.
    """

    kind: str
    choice: str
    slices: int
    input_banks: int
    contexts: int
    lanes: int
    operations: int
    depth: int
    steps: int
    latency_cycles: int
    interval_cycles: int
    stream_cycles: int
    work: int
    depth_bound: int
    path: int
    ports: int
    load: int
    bound: int
    utilization: float
    data_brams: int
    program_brams: int
    luts: int | None
    clock_mhz: float
    clock_source: str
    latency_ns: float
    throughput: float
    measured_dsps: int | None = None
    measured_brams: int | None = None
    measured_luts: int | None = None
    measured_ffs: int | None = None
    tried: tuple[Tried, ...] = field(default=(), metadata=LATER)
    tried_why: str = field(default="", metadata=LATER)
    activity: tuple[float, ...] = field(default=(), metadata=LATER)
    kernels: int = field(default=1, metadata=LATER)
    memory_words: int = field(default=0, metadata=LATER)
    loaded_words: int = field(default=0, metadata=LATER)
    traffic_words: int = field(default=0, metadata=LATER)
    pass_cycles: int = field(default=0, metadata=LATER)

    @property
    def vectors(self) -> int:
        """Input vectors of a group."""
        return self.lanes * self.contexts


NOT_KEPT = "not kept by the version that wrote this report"
TRIED_COLUMNS = (
    "engine", ">slices", ">ctx", ">cycles", ">busy", ">BRAM", ">LUT6", ">MHz", ">us", ">vectors/s",
)  # fmt: skip
TRIED_CAPTION = (
    "Engines tried: contexts, cycles from one group to the next, slices busy, estimated 36 Kb "
    "block RAMs, LUT6 and clock; latency and throughput at the clock above. Front: no other "
    "engine beats it"
)


def section(dsp: DspEngine) -> Section:
    """Return the section of an engine."""
    plots: list[Plot] = []
    if dsp.activity:
        title = "Percent of slices at work, first step to last"
        plots.append(PercentBars(title, dsp.activity))
    tables = []
    if dsp.tried:
        plots.append(tried_plot(dsp.tried))
        rows = tuple(_tried_cells(row) for row in dsp.tried)
        tables.append(TableBlock("Engines tried", TRIED_COLUMNS, rows, TRIED_CAPTION))
    return Section(
        NAME, "DSP engine", to_json(dsp), tuple(_facts(dsp)), tuple(tables), tuple(plots)
    )


def of(report: Report) -> DspEngine | None:
    """Return the engine a report tells of, if it does.

    Raises
    ------
    CheckpointError
        The section cannot be read.
    """
    found = report.section(NAME)
    return None if found is None else found.read(DspEngine)


def tried_plot(rows: Sequence[Tried]) -> Scatter:
    """Return throughput over slices; what no other engine beats is filled."""
    points = tuple(
        ScatterPoint(
            x=row.slices,
            y=row.throughput,
            label=f"{row.slices} slices, {row.contexts} contexts: {row.throughput:.3g}/s",
            mark=str(row.slices) if row.best else "",
            filled=row.best,
            ring="chosen" if row.chosen else "",
        )
        for row in rows
    )
    title = "Throughput over DSP slices"
    return Scatter(title, "DSP slices", "input vectors per second", points)


def _tried_cells(row: Tried) -> tuple[str, ...]:
    """Return the cells of `TRIED_COLUMNS`: chosen, on the front (no other beats it), or beaten."""
    return (
        "chosen" if row.chosen else "front" if row.best else "beaten",
        str(row.slices),
        str(row.contexts),
        f"{row.interval_cycles:,}",
        f"{row.utilization:.0f} %",
        f"{row.brams:,}",
        f"{row.luts:,}",
        f"{row.fmax_mhz:.0f}",
        f"{row.latency_ns / 1e3:,.2f}",
        f"{row.throughput:.3g}",
    )


def _facts(dsp: DspEngine) -> list[Fact]:
    over = 100 * (dsp.steps / dsp.bound - 1) if dsp.bound else 0.0
    outside = "" if dsp.luts is None else f"; {dsp.luts:,} LUT6 for crossbar and small memories"
    return [
        Fact(
            "engine", f"{dsp.slices} {KIND_WORDS[dsp.kind]}; memories for inputs: {dsp.input_banks}"
        ),
        Fact("chosen", dsp.choice),
        Fact("operations", f"{dsp.operations:,}, {dsp.depth:,} on the longest path"),
        Fact(
            "program",
            f"{dsp.steps:,} steps for at least {dsp.bound:,} ({over:.1f} % above the bound)",
        ),
        Fact(
            "bounds",
            f"work {dsp.work:,}, depth {dsp.depth_bound:,}, work and depth {dsp.path:,}, "
            f"ports {dsp.ports:,}, loading {dsp.load:,}",
        ),
        Fact("slices busy", f"{dsp.utilization:.1f} % of all steps"),
        Fact("over time", f"|{activity_text(dsp.activity)}|" if dsp.activity else NOT_KEPT),
        Fact(
            "a group", f"{dsp.lanes} lanes x {dsp.contexts} contexts = {dsp.vectors} input vectors"
        ),
        *_cycles(dsp),
        Fact("clock", f"{dsp.clock_mhz:,.1f} MHz, {dsp.clock_source}"),
        Fact("latency", f"{dsp.latency_ns:,.1f} ns at that clock"),
        Fact("throughput", f"{dsp.throughput:,.0f} vectors per second at that clock{_many(dsp)}"),
        Fact(
            "estimate",
            f"{dsp.data_brams} block RAMs (36 Kb) for data, {dsp.program_brams} for the program"
            + outside,
        ),
        Fact("synthesis", _measured(dsp), measured=True),
        *([Fact("tried", dsp.tried_why)] if dsp.tried_why else []),
    ]


def _many(dsp: DspEngine) -> str:
    return "" if dsp.kernels == 1 else ", in passes of many groups"


def _cycles(dsp: DspEngine) -> list[Fact]:
    if dsp.kernels == 1:
        text = (
            f"{dsp.latency_cycles:,} from issue to outputs ({dsp.stream_cycles:,} from the last "
            f"beat in to the last beat out), a group every {dsp.interval_cycles:,}"
        )
        return [Fact("cycles", text)]
    loaded = (
        f"a pass sends their {dsp.loaded_words:,} words anew" if dsp.loaded_words else "all in it"
    )
    return [
        Fact("kernels", f"{dsp.kernels}; a program memory of {dsp.memory_words:,} words, {loaded}"),
        Fact(
            "between kernels",
            f"{dsp.traffic_words:,} words of {dsp.lanes} lanes a batch, which a host keeps",
        ),
        Fact(
            "cycles",
            f"{dsp.latency_cycles:,} for one group through all kernels; a pass of G groups takes "
            f"{dsp.pass_cycles:,} + {dsp.interval_cycles:,} x G",
        ),
    ]


def _measured(dsp: DspEngine) -> str:
    if dsp.measured_dsps is None:
        return NOT_RUN
    return (
        f"{dsp.measured_dsps} DSP cells, {dsp.measured_brams} block RAMs, "
        f"{dsp.measured_luts:,} LUTs, {dsp.measured_ffs:,} FFs"
    )
