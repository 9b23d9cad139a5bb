"""The section of a stream: rates, latency, and what kernels, control and lines take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nnlogic.backends.stream.model.cycles import StreamTiming
from nnlogic.backends.stream.model.ir import MapLayer, StreamDesign
from nnlogic.backends.stream.options import StreamOptions
from nnlogic.backends.stream.plan import buffer_of
from nnlogic.backends.stream.rows import DEFINITION, counted
from nnlogic.core.errors import Problem, TargetMissed
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.targets import Target
from nnlogic.hw.stream.core import window_shape
from nnlogic.hw.stream.frame import frame_ages
from nnlogic.job.budgets import LATENCY, LUTS, limit_problems, luts_fix
from nnlogic.quant.encoder import ENCODER
from nnlogic.report.codec import to_json
from nnlogic.report.model import TOTAL, Report
from nnlogic.report.rows import ResourceRow
from nnlogic.report.sections import Fact, Section, TableBlock
from nnlogic.report.timing import Timing
from nnlogic.report.words import NOT_RUN

NAME = "stream"
KERNELS, DENSE, FRAME, LINES = "kernels", "dense layers", "frame register", "line buffers"
CONTROL, WRAPPER = "window generators", "stream wrapper"


@dataclass(frozen=True)
class LayerFacts:
    """A windowed layer.

    Attributes
    ----------
    name, window, frame : str
    lanes, output_lanes : int
        Positions of a beat that comes in, and that goes out.
    delay : int
        Beats that a window waits for.
    kernel_latency : int
    luts : int
        Of the kernels, all copies.
    buffer : str
    line_bits, brams : int
        Bits of the lines, and 18 Kb block memories.
    line_luts : int or None
        LUTs used as memory, estimated.
    registers : int
    """

    name: str
    window: str
    frame: str
    lanes: int
    output_lanes: int
    delay: int
    kernel_latency: int
    luts: int
    buffer: str
    line_bits: int
    brams: int
    line_luts: int | None
    registers: int


@dataclass(frozen=True)
class StreamFacts:
    """A stream.

    Attributes
    ----------
    choice : str
    layers : tuple of LayerFacts
    positions_per_clock, interval_cycles, latency_cycles, steady_cycles : int
        As `nnlogic.backends.stream.model.cycles.StreamTiming`; the latter two of a frame alone,
        and of frames back to back.
    clock_mhz, frames_per_second : float
    luts, kernel_luts, dense_luts, line_luts : int
        Estimates, without control.
    line_bits, brams, registers : int
        Bits of all lines, 18 Kb block memories, data registers.
    simulated_latency, simulated_steady, simulated_interval : int or None
        Measured in simulation.
    measured_luts, measured_line_luts, measured_brams, measured_ffs : int or None
        After synthesis.
    reach : int
        Samples a result depends on, of a stream without frames; 0 of one with frames. The interval
        is then that of results, and the latency from the sample that completes a result.
    """

    choice: str
    layers: tuple[LayerFacts, ...]
    positions_per_clock: int
    interval_cycles: int
    latency_cycles: int
    steady_cycles: int
    clock_mhz: float
    frames_per_second: float
    luts: int
    kernel_luts: int
    dense_luts: int
    line_luts: int
    line_bits: int
    brams: int
    registers: int
    simulated_latency: int | None = None
    simulated_steady: int | None = None
    simulated_interval: int | None = None
    measured_luts: int | None = None
    measured_line_luts: int | None = None
    measured_brams: int | None = None
    measured_ffs: int | None = None
    reach: int = 0


def described(
    report: Report,
    design: StreamDesign,
    cores: Mapping[str, HardwareDesign],
    target: Target,
    clock: float,
    choice: str,
) -> Report:
    """Return a report with times, estimates and section of a stream."""
    facts = stream_facts(design, cores, target, clock, choice)
    timing = timing_of(report, facts, cores, target, DEFINITION)
    rows = kernel_rows(report, facts)
    if design.dense is not None:
        rows.append(ResourceRow(DENSE, "estimate", facts.dense_luts))
    memory = f"{facts.line_bits:,} bits; {facts.brams} block memories of 18 Kb"
    rows += [
        ResourceRow(LINES, "estimate", facts.line_luts, detail=memory),
        ResourceRow(
            TOTAL, "estimate", facts.luts, facts.registers,
            detail="kernels, dense layers and lines; control is counted by synthesis",
        ),
    ]  # fmt: skip
    return report.replace(timing=timing).put(*rows).with_section(section(facts))


def encoders_of(report: Report) -> frozenset[str]:
    """Return the layers that compare raw words."""
    return frozenset(layer.name for layer in report.network.layers if layer.role == ENCODER)


def kernel_rows(report: Report, facts: StreamFacts) -> list[ResourceRow]:
    """Return the estimated LUTs of kernels; of an encoder apart, where there is one."""
    apart = encoders_of(report)
    luts = sum(layer.luts for layer in facts.layers if layer.name in apart)
    rows = [ResourceRow(KERNELS, "estimate", facts.kernel_luts - luts)]
    return [ResourceRow(ENCODER, "estimate", luts), *rows] if apart else rows


def timing_of(
    report: Report,
    facts: StreamFacts,
    cores: Mapping[str, HardwareDesign],
    target: Target,
    definition: str,
) -> Timing:
    """Return times of a stream, as estimated by the deepest segment of its kernels."""
    deepest = [max(depths) for core in cores.values() if (depths := core.segment_depths())]
    return Timing(
        latency_cycles=facts.latency_cycles,
        initiation_interval=facts.interval_cycles,
        levels_per_segment=tuple(deepest),
        clock_mhz=report.config.get("clock"),
        estimate_mhz=round(1000.0 / target.delay.segment_ns(max(deepest, default=1)), 2),
        definition=definition,
    ).estimated()


def stream_facts(
    design: StreamDesign,
    cores: Mapping[str, HardwareDesign],
    target: Target,
    clock: float,
    choice: str = "",
) -> StreamFacts:
    """Return the facts of a design, before any tool has run."""
    timing = StreamTiming.of(design)
    layers = tuple(_layer_facts(layer, cores, target) for layer in design.layers)
    dense = cores[design.dense.module] if design.dense else None
    registers = sum(layer.registers for layer in layers)
    if design.dense is not None and dense is not None:
        last = design.layers[-1].scan.output_beats
        ages = frame_ages(last, design.map_width, design.dense.reads)
        registers += sum(ages.values()) + dense.registers
    kernel_luts = sum(layer.luts for layer in layers)
    dense_luts = dense.logic.stats()["luts"] if dense else 0
    line_luts = sum(layer.line_luts or 0 for layer in layers)
    return StreamFacts(
        choice=choice,
        layers=layers,
        positions_per_clock=design.layers[0].lanes,
        interval_cycles=timing.interval,
        latency_cycles=timing.alone,
        steady_cycles=timing.steady,
        clock_mhz=clock,
        frames_per_second=round(1e6 * clock / timing.interval, 1),
        luts=kernel_luts + dense_luts + line_luts,
        kernel_luts=kernel_luts,
        dense_luts=dense_luts,
        line_luts=line_luts,
        line_bits=sum(layer.line_bits for layer in layers),
        brams=sum(layer.brams for layer in layers),
        registers=registers,
    )


def _layer_facts(
    layer: MapLayer, cores: Mapping[str, HardwareDesign], target: Target
) -> LayerFacts:
    bits, brams, line_luts = buffer_of(layer, target)
    copies = [
        cores[layer.kernels[group % len(layer.kernels)].module] for group in range(layer.groups)
    ] * layer.scan.output_lanes
    registers = window_shape(layer).registers + sum(core.registers for core in copies)
    if layer.buffer == "registers":
        registers += bits
    return LayerFacts(
        name=layer.name,
        window=str(layer.window),
        frame=str(layer.frame),
        lanes=layer.lanes,
        output_lanes=layer.scan.output_lanes,
        delay=layer.scan.delay,
        kernel_latency=layer.latency,
        luts=sum(core.logic.stats()["luts"] for core in copies),
        buffer=layer.buffer,
        line_bits=bits,
        brams=brams,
        line_luts=line_luts,
        registers=registers,
    )


COLUMNS = (
    "layer", "window", "map", ">positions", ">delay", ">kernel LUTs", "lines", ">bits", ">LUTs",
    ">BRAM",
)  # fmt: skip
CAPTION = (
    "Windowed layers, in order: positions that come in and go out per clock, beats that a window "
    "waits for, LUTs of all copies of its kernels, what its lines are made of with their bits, "
    "LUTs used as memory, and block memories of 18 Kb; estimates"
)


def section(facts: StreamFacts) -> Section:
    """Return the section of a stream."""
    rows = tuple(
        (
            f.name,
            f.window,
            f.frame,
            f"{f.lanes} -> {f.output_lanes}",
            f"{f.delay:,}",
            f"{f.luts:,}",
            f.buffer,
            f"{f.line_bits:,}",
            NOT_RUN if f.line_luts is None else f"{f.line_luts:,}",
            str(f.brams),
        )
        for f in facts.layers
    )
    table = TableBlock("", COLUMNS, rows, CAPTION)
    return Section(NAME, "Stream", to_json(facts), tuple(_facts(facts)), (table,))


def of(report: Report) -> StreamFacts | None:
    """Return the stream a report tells of, if it does.

    Raises
    ------
    CheckpointError
        The section cannot be read.
    """
    found = report.section(NAME)
    return None if found is None else found.read(StreamFacts)


def with_facts(report: Report, **changes: int | None) -> Report:
    """Return a report whose section has other values, measured ones for instance."""
    facts = of(report)
    if facts is None:
        raise ValueError("not the report of a stream")
    return report.with_section(section(replace(facts, **changes)))  # type: ignore[arg-type]


def check_budgets(report: Report, opts: StreamOptions) -> None:
    """Raise TargetMissed, with all budgets that the estimates miss."""
    problems = budget_problems(of(report), opts)
    if problems:
        raise TargetMissed("the stream misses the budgets", problems=problems)


def budget_problems(facts: StreamFacts | None, opts: StreamOptions) -> list[Problem]:
    """Return the budgets that a stream misses, by how much, and what would do."""
    if facts is None:
        return []
    latency = 1000.0 * facts.latency_cycles / facts.clock_mhz
    return limit_problems(
        "the stream",
        opts,
        luts=facts.luts,
        latency_ns=latency,
        rate=facts.frames_per_second,
        fixes={
            LUTS: luts_fix(facts.luts, opts, approximate=False),
            LATENCY: _latency_fix(facts, opts),
        },
    )


def _latency_fix(facts: StreamFacts, opts: StreamOptions) -> str:
    """Say how long a frame at least takes to come in, and what makes that shorter."""
    lanes = opts.positions_per_clock or 1
    frame = 1e9 / facts.frames_per_second
    least = f"a frame takes {frame:,.4g} ns to come in"
    return f"--positions-per-clock {2 * lanes} ({least}; then {frame / 2:,.4g}, estimate)"


def _facts(facts: StreamFacts) -> list[Fact]:
    simulated = measured = NOT_RUN
    if facts.simulated_latency is not None and facts.reach:
        simulated = (
            f"{facts.simulated_latency:,} cycles from the sample that completes a result, a result "
            f"every {facts.simulated_interval:,}"
        )
    elif facts.simulated_latency is not None:
        simulated = (
            f"{facts.simulated_latency:,} cycles for a frame alone, {facts.simulated_steady:,} "
            f"back to back, a frame every {facts.simulated_interval:,}"
        )
    if facts.measured_luts is not None:
        measured = (
            f"{facts.measured_luts:,} LUTs, {facts.measured_line_luts:,} of them memory; "
            f"{facts.measured_brams} block RAMs, {facts.measured_ffs:,} FFs"
        )
    return [
        Fact("chosen", facts.choice),
        *(_continuous_times(facts) if facts.reach else _framed_times(facts)),
        Fact(
            "estimate",
            f"{facts.luts:,} LUTs: {facts.kernel_luts:,} in kernels, {facts.dense_luts:,} in "
            f"dense layers, {facts.line_luts:,} in lines",
        ),
        Fact("lines", f"{facts.line_bits:,} bits, {facts.brams} block memories of 18 Kb"),
        Fact("simulated", simulated),
        Fact("synthesis", measured, measured=True),
    ]


def _framed_times(facts: StreamFacts) -> list[Fact]:
    return [
        Fact(
            "rate",
            f"{counted(facts.positions_per_clock, 'position')} per clock, a frame every "
            f"{facts.interval_cycles:,} cycles",
        ),
        Fact(
            "latency",
            f"{facts.latency_cycles:,} cycles from the first beat of a frame alone to its result, "
            f"{facts.steady_cycles:,} of frames back to back",
        ),
        Fact(
            "throughput",
            f"{facts.frames_per_second:,.0f} frames per second at {facts.clock_mhz:g} MHz",
        ),
    ]


def _continuous_times(facts: StreamFacts) -> list[Fact]:
    every = "clock" if facts.interval_cycles == 1 else f"{facts.interval_cycles:,} cycles"
    return [
        Fact("rate", f"a sample per clock, a result of the last {facts.reach:,} every {every}"),
        Fact(
            "latency",
            f"{facts.latency_cycles:,} cycles from the sample that completes a result; none before "
            f"{facts.reach:,} samples have come in",
        ),
        Fact(
            "throughput",
            f"{1e6 * facts.clock_mhz:,.0f} samples and {facts.frames_per_second:,.0f} results per "
            f"second at {facts.clock_mhz:g} MHz",
        ),
    ]
