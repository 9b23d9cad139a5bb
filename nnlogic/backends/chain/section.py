"""The section of a mixed design: its segments, what they take together, and the budgets."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.report.codec import to_json
from nnlogic.report.model import Report
from nnlogic.report.sections import Fact, Section, TableBlock
from nnlogic.report.words import NOT_RUN

NAME = "mixed"
KIND_WORDS = {"lut": "LUTs", "dsp": "engine", "mac": "sums"}


@dataclass(frozen=True)
class SegmentRow:
    """One segment.

    Attributes
    ----------
    number : int
    kind : str
        ``"lut"``, ``"dsp"`` or ``"mac"``.
    layers : tuple of str
    run : str
        Folder of the segment's own run and report, below this one.
    luts : int or None
        Estimated; of an engine, crossbar and small memories, None for the fabric variant.
    turn_luts : int
        Estimated LUTs of the corner turns around an engine.
    dsps, brams : int
        Slices, and estimated 36 Kb block RAMs.
    group, interval_cycles : int
        Vectors of a group, and clocks from one group to the next; 1 and 1 without an engine.
    latency_cycles : int
        At most, from the first vector of a group in to its last result out, vectors back to back.
    clock_mhz : float
        Assumed for this segment alone.
    """

    number: int
    kind: str
    layers: tuple[str, ...]
    run: str
    luts: int | None
    turn_luts: int
    dsps: int
    brams: int
    group: int
    interval_cycles: int
    latency_cycles: int
    clock_mhz: float

    @property
    def cycles_per_vector(self) -> float:
        """Clocks per vector at full rate."""
        return self.interval_cycles / self.group


@dataclass(frozen=True)
class BudgetRow:
    """A budget: its option, the limit, what the design takes as estimated, and whether it fits."""

    option: str
    limit: float
    got: float
    met: bool


@dataclass(frozen=True)
class MixedDesign:
    """A chain of segments.

    Attributes
    ----------
    choice : str
        Why this plan.
    segments : tuple of SegmentRow
    budgets : tuple of BudgetRow
    luts : int or None
        Sum of the segments, corner turns included; None where one is not known.
    dsps, brams : int
    group, interval_cycles : int
        The largest group, and the clocks it takes at full rate.
    latency_cycles : int
        At most, from the first vector of such a group in to its last result out.
    clock_mhz : float
    clock_source : str
    latency_ns, throughput : float
        At that clock; vectors per second.
    slowest : int
        Number of the segment that sets the throughput.
    simulated_latency, simulated_interval : int or None
        Clocks measured in simulation.
    measured_dsps, measured_brams, measured_luts, measured_ffs : int or None
        After synthesis of the whole; LUTs used as memory included.
    """

    choice: str
    segments: tuple[SegmentRow, ...]
    budgets: tuple[BudgetRow, ...]
    luts: int | None
    dsps: int
    brams: int
    group: int
    interval_cycles: int
    latency_cycles: int
    clock_mhz: float
    clock_source: str
    latency_ns: float
    throughput: float
    slowest: int
    simulated_latency: int | None = None
    simulated_interval: int | None = None
    measured_dsps: int | None = None
    measured_brams: int | None = None
    measured_luts: int | None = None
    measured_ffs: int | None = None


SEGMENT_COLUMNS = (
    "segment", "layers", ">LUTs", ">DSPs", ">BRAM", ">group", ">cycles", ">latency",
)  # fmt: skip
SEGMENT_CAPTION = (
    "Segments, in order: estimated LUTs (corner turns included), DSP slices and 36 Kb block RAMs; "
    "vectors of a group, cycles from one group to the next, and at most from the first vector of "
    "a group in to its last result out"
)


def section(mixed: MixedDesign) -> Section:
    """Return the section of a mixed design."""
    rows = tuple(_segment_cells(row) for row in mixed.segments)
    table = TableBlock("", SEGMENT_COLUMNS, rows, SEGMENT_CAPTION)
    return Section(NAME, "Mixed design", to_json(mixed), tuple(_facts(mixed)), (table,))


def of(report: Report) -> MixedDesign | None:
    """Return the mixed design a report tells of, if it does.

    Raises
    ------
    CheckpointError
        The section cannot be read.
    """
    found = report.section(NAME)
    return None if found is None else found.read(MixedDesign)


def _segment_cells(row: SegmentRow) -> tuple[str, ...]:
    """Return the cells of `SEGMENT_COLUMNS`."""
    return (
        f"{row.number} {KIND_WORDS.get(row.kind, row.kind)}",
        ", ".join(row.layers),
        NOT_RUN if row.luts is None else f"{row.luts + row.turn_luts:,}",
        str(row.dsps),
        str(row.brams),
        str(row.group),
        f"{row.interval_cycles:,}",
        f"{row.latency_cycles:,}",
    )


def _facts(mixed: MixedDesign) -> list[Fact]:
    turns = sum(row.turn_luts for row in mixed.segments)
    luts = "LUTs not known before synthesis" if mixed.luts is None else f"{mixed.luts:,} LUTs"
    simulated = (
        NOT_RUN
        if mixed.simulated_latency is None
        else f"{mixed.simulated_latency:,} cycles for a group alone, then one every "
        f"{mixed.simulated_interval:,}"
    )
    measured = (
        NOT_RUN
        if mixed.measured_dsps is None
        else f"{mixed.measured_dsps} DSP cells, {mixed.measured_brams} block RAMs, "
        f"{mixed.measured_luts:,} LUTs, {mixed.measured_ffs:,} FFs"
    )
    slow = mixed.segments[mixed.slowest]
    return [
        Fact("chosen", mixed.choice),
        *(
            Fact(
                "budget",
                f"{row.option} {row.limit:,.6g}: {row.got:,.6g}, "
                + ("met" if row.met else f"missed by {row.got - row.limit:,.6g}"),
            )
            for row in mixed.budgets
        ),
        Fact(
            "estimate",
            f"{luts}, {turns:,} of them in corner turns; {mixed.dsps} DSP slices, {mixed.brams} "
            "block RAMs (36 Kb)",
        ),
        Fact("a group", f"{mixed.group} input vectors, every {mixed.interval_cycles:,} cycles"),
        Fact(
            "cycles",
            f"at most {mixed.latency_cycles:,} from the first vector of a group in to its last "
            "result out: the sum over the segments",
        ),
        Fact("simulated", simulated),
        Fact("clock", f"{mixed.clock_mhz:,.1f} MHz, {mixed.clock_source}"),
        Fact("latency", f"at most {mixed.latency_ns:,.1f} ns at that clock"),
        Fact(
            "throughput",
            f"{mixed.throughput:,.0f} vectors per second at that clock, set by segment "
            f"{slow.number} ({slow.cycles_per_vector:.3g} cycles per vector)",
        ),
        Fact("synthesis", measured, measured=True),
    ]
