"""What a mixed run says in the report: the rungs it has, and the section of the chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nnlogic.backends.chain import section as mixed_section
from nnlogic.backends.chain.model.chain import Chain, Segment
from nnlogic.backends.chain.options import ChainOptions
from nnlogic.backends.chain.section import BudgetRow, MixedDesign, SegmentRow
from nnlogic.backends.dsp.rows import COUNT_CHECK, NETLIST_CHECK
from nnlogic.flows.memories import Resources
from nnlogic.report.model import TOTAL, Report
from nnlogic.report.rows import Check, ResourceRow, Rung
from nnlogic.report.timing import Timing

NO_PROOF = "not part of this version: netlists with memories are counted, not proved"
STRUCTURE = "layers and wires"
OUTPUTS = "outputs of the chain"
LANES_FAULT = "lanes exchanged in a corner turn"
WIRES_FAULT = "wires exchanged between segments"
ORDER_FAULT = "segments in another order"
LOGIC, DESIGN, VERILOG, FAULTS = "logic", "design", "Verilog", "faults"
INNER = {LOGIC: (2, 3), DESIGN: (4,), VERILOG: (5,), FAULTS: (0,)}
"""Rungs of a segment's own ladder that each kind of row stands for."""
DEFINITION = (
    "Clock cycles, at most, from the first vector of the largest group in to its last result out, "
    "vectors back to back; the initiation interval is from one such group to the next. In ns: "
    "cycles divided by the clock."
)


def inner_title(segment: Segment, what: str) -> str:
    """Return the title of the row for some rungs of a segment's own ladder."""
    return f"{segment.title()}, {what}"


def open_mixed_ladder(report: Report, chain: Chain) -> Report:
    """Return a report whose rungs are those of a mixed design, not run."""
    segments = chain.segments
    engines = any(s.kind == "dsp" for s in segments)
    faults = [LANES_FAULT] if engines else []
    faults += [WIRES_FAULT] + ([ORDER_FAULT] if len(segments) > 1 else [])
    simulators = ["cocotb on verilator", "cocotb on icarus"]
    rungs = {
        0: ("planted faults are caught", [FAULTS], faults),
        2: ("QuantNet = chain of the segments' QuantNets", [], [STRUCTURE, OUTPUTS]),
        3: ("segments: QuantNet = LogicNet", [LOGIC], []),
        4: ("segments: LogicNet = pipeline or program", [DESIGN], []),
        5: ("QuantNet = Verilog of the chain", [VERILOG], simulators),
        6: ("Verilog = post-synthesis netlist", [], [COUNT_CHECK, NETLIST_CHECK]),
    }
    for number, (title, inner, parts) in rungs.items():
        report = report.put(Rung(number, title))
        titles = [inner_title(s, what) for what in inner for s in segments]
        for part in [*titles, *parts]:
            report = report.with_check(number, Check(part))
    return report.with_check(6, Check(NETLIST_CHECK, detail=NO_PROOF))


def with_segment(report: Report, segment: Segment, own: Report) -> Report:
    """Return a report with what a segment's own ladder says, row by row."""
    for what, numbers in INNER.items():
        rungs = [own.rung(n) for n in numbers]
        verdicts = [rung.verdict for rung in rungs]
        word = next((v for v in ("fail", "stale", "not run") if v in verdicts), "pass")
        ran = [rung for rung in rungs if rung.verdict != "not run"]
        how = "; ".join(dict.fromkeys(rung.how for rung in ran if rung.how))
        bad = next((c for rung in rungs for c in rung.checks if c.verdict == "fail"), None)
        detail = f"{bad.title}: {bad.detail}" if bad else ""
        seconds = sum(rung.seconds or 0.0 for rung in ran) if ran else None
        row = Check(inner_title(segment, what), word, how, detail, seconds)  # type: ignore[arg-type]
        report = report.with_check(min(numbers[-1], 5), row)
    return report


def mixed_design(
    rows: Sequence[SegmentRow], choice: str, clock: float | None, opts: ChainOptions
) -> MixedDesign:
    """Return the facts of a chain, from those of its segments.

    Parameters
    ----------
    rows : sequence of SegmentRow
    choice : str
        Why this plan.
    clock : float or None
        MHz asked for; None takes that of the slowest segment.
    opts : ChainOptions
        With the budgets.
    """
    group = max(row.group for row in rows)
    slowest = max(rows, key=lambda row: row.cycles_per_vector)
    fills = [-(-group // row.group) for row in rows]
    latency = sum(
        row.latency_cycles + (n - 1) * row.interval_cycles
        for row, n in zip(rows, fills, strict=True)
        if row.group > 1
    ) + sum(row.latency_cycles for row in rows if row.group == 1)
    if all(row.group == 1 for row in rows):
        interval = 1
    else:
        interval = -(-group * slowest.interval_cycles // slowest.group)
    mhz = min(row.clock_mhz for row in rows) if clock is None else clock
    limit = min(rows, key=lambda row: row.clock_mhz).number
    luts = [row.luts for row in rows if row.luts is not None]
    total = sum(luts) + sum(row.turn_luts for row in rows) if len(luts) == len(rows) else None
    design = MixedDesign(
        choice=choice,
        segments=tuple(rows),
        budgets=(),
        luts=total,
        dsps=sum(row.dsps for row in rows),
        brams=sum(row.brams for row in rows),
        group=group,
        interval_cycles=interval,
        latency_cycles=latency,
        clock_mhz=round(mhz, 2),
        clock_source=(
            "asked for with --clock" if clock is not None
            else f"assumed, that of segment {limit} (models; no tool was run)"
        ),
        latency_ns=round(1000.0 * latency / mhz, 2),
        throughput=round(mhz * 1e6 * slowest.group / slowest.interval_cycles, 1),
        slowest=slowest.number,
    )  # fmt: skip
    return replace(design, budgets=budget_rows(design, opts))


def budget_rows(design: MixedDesign, opts: ChainOptions) -> tuple[BudgetRow, ...]:
    """Return the user's budgets with what a design takes of each."""
    asked = (
        ("--max-luts", opts.max_luts, design.luts),
        ("--max-dsps", opts.max_dsps, design.dsps),
        ("--max-latency, ns", opts.max_latency, design.latency_ns),
    )
    return tuple(
        BudgetRow(option, float(limit), float(got), got <= limit)
        for option, limit, got in asked
        if limit is not None and got is not None
    ) + _rate_row(design, opts)


def _rate_row(design: MixedDesign, opts: ChainOptions) -> tuple[BudgetRow, ...]:
    rate, got = opts.samples_per_second, design.throughput
    return () if rate is None else (BudgetRow("--samples-per-second", rate, got, got >= rate),)


def with_mixed(report: Report, design: MixedDesign) -> Report:
    """Return a report with the section, timing and estimate of a chain."""
    timing = Timing(
        latency_cycles=design.latency_cycles,
        initiation_interval=design.interval_cycles,
        definition=DEFINITION,
        clock_mhz=report.config.get("clock"),
        estimate_mhz=design.clock_mhz,
        samples_per_interval=design.group,
    ).estimated()
    report = report.with_section(mixed_section.section(design)).replace(timing=timing)
    if design.luts is None:
        return report
    turns = sum(row.turn_luts for row in design.segments)
    detail = f"sum of the segments; {turns} of these are corner turns"
    return report.put(ResourceRow(TOTAL, "estimate", design.luts, detail=detail))


def with_simulated(report: Report, latency: int | None, interval: int | None) -> Report:
    """Return a report with what simulation measured."""
    design = mixed_section.of(report)
    if design is None:
        raise ValueError("not the report of a mixed run")
    found = replace(design, simulated_latency=latency, simulated_interval=interval)
    return report.with_section(mixed_section.section(found))


def with_measured(report: Report, found: Resources, how: str) -> Report:
    """Return a report with what synthesis counted, and whether the slices are all there."""
    mixed = mixed_section.of(report)
    if mixed is None:
        raise ValueError("not the report of a mixed run")
    measured = replace(
        mixed,
        measured_dsps=found.dsps,
        measured_brams=found.brams,
        measured_luts=found.luts,
        measured_ffs=found.ffs,
    )
    word = "pass" if found.dsps == mixed.dsps else "fail"
    detail = f"{found.dsps} DSP cells, {mixed.dsps} expected"
    row = ResourceRow(TOTAL, "synth", found.luts, found.ffs, found.wide_muxes, how)
    report = report.with_section(mixed_section.section(measured)).put(row)
    return report.with_check(6, Check(COUNT_CHECK, word, "exhaustive", detail))  # type: ignore[arg-type]
