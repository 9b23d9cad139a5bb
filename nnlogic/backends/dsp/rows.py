"""What a DSP run says in the report: the rungs it has, and the section of the engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nnlogic.backends.dsp import section as dsp_section
from nnlogic.backends.dsp.model.ir import Program
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.backends.dsp.model.plot import Tried, activity, tried_csv
from nnlogic.backends.dsp.model.search import Point
from nnlogic.backends.dsp.section import DspEngine
from nnlogic.core.archive import write_bytes
from nnlogic.flows.memories import Resources
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.hw.slice_kinds import FABRIC
from nnlogic.report.hardware import PinRow
from nnlogic.report.model import TOTAL, Report
from nnlogic.report.plots import scatter_file
from nnlogic.report.rows import (
    Artifact,
    Check,
    ResourceRow,
)
from nnlogic.report.timing import Timing

OPS_CHECK = "LogicNet = operations"
PROGRAM_CHECK = "operations = program"
INTERPRETER_CHECK = "program interpreter = LogicNet"
COUNT_CHECK = "DSP cells in the netlist"
NETLIST_CHECK = "Verilog = netlist"
NETLIST_FAULT = "fault in the netlist, simulation"
ENGINE_FAULT = "fault in the engine, simulation"
FAULTS = (
    "fault in a table", "fault in the logic", "fault in an opcode", "fault in an address",
    "fault in the schedule", ENGINE_FAULT,
)  # fmt: skip
RUNGS = {
    0: ("planted faults are caught", FAULTS),
    4: ("LogicNet = program of the DSP engine", (OPS_CHECK, PROGRAM_CHECK, INTERPRETER_CHECK)),
    5: ("program = Verilog of the engine", ("cocotb on verilator", "cocotb on icarus")),
    6: ("Verilog = post-synthesis netlist", (COUNT_CHECK, NETLIST_CHECK, NETLIST_FAULT)),
}
DEFINITION = (
    "Clock cycles from the issue of a group of vectors, loaded already, to its outputs being "
    "readable; the initiation interval is from one group to the next. In ns: cycles divided by "
    "the clock."
)


def engine_report(
    report: Report,
    point: Point,
    depth: int,
    kind: str,
    choice: str,
    compared: tuple[tuple[Tried, ...], str] = ((), ""),
) -> Report:
    """Return a report with the section, timing and estimate of an engine.

    `compared` are the engines tried, and why these.
    """
    program, cost, least = point.program, point.cost, point.bounds
    fabric = kind == FABRIC
    dsp = DspEngine(
        kind=kind,
        choice=choice,
        slices=program.slices,
        input_banks=program.input_banks,
        contexts=program.contexts,
        lanes=LANES,
        operations=program.n_ops,
        depth=depth,
        steps=program.steps,
        latency_cycles=program.cycles,
        interval_cycles=program.interval,
        stream_cycles=EngineShape.of(program).turnaround,
        work=least.work,
        depth_bound=least.depth,
        path=least.path,
        ports=least.ports,
        load=least.load,
        bound=least.steps,
        utilization=round(100 * program.utilization, 2),
        data_brams=cost.data_brams,
        program_brams=cost.program_brams,
        luts=None if fabric else cost.luts,
        clock_mhz=round(cost.mhz, 2),
        clock_source=cost.mhz_source,
        latency_ns=round(cost.latency_ns, 2),
        throughput=round(cost.throughput, 1),
        tried=compared[0],
        tried_why=compared[1],
        activity=activity(program),
    )
    timing = Timing(
        latency_cycles=program.cycles,
        initiation_interval=program.interval,
        definition=DEFINITION,
        clock_mhz=report.config.get("clock"),
        estimate_mhz=round(cost.mhz, 2),
        samples_per_interval=cost.vectors,
    ).estimated()
    report = report.with_section(dsp_section.section(dsp)).replace(timing=timing)
    if fabric:
        return report
    detail = "crossbar and small memories; the sequencer's few hundred LUTs are not counted"
    return report.put(ResourceRow(TOTAL, "estimate", cost.luts, detail=detail))


def write_tried(folder: Path, rows: tuple[Tried, ...]) -> list[Artifact]:
    """Write the engines tried as a table and as a plot below the folder of a run."""
    out = []
    for name, text, what in (
        ("engines.csv", tried_csv(rows), "engines tried: cycles, resources, speed"),
        (
            "engines.svg",
            scatter_file(dsp_section.tried_plot(rows)),
            "engines tried: throughput over slices",
        ),
    ):
        write_bytes(folder / "ir" / name, text.encode())
        out.append(Artifact(f"ir/{name}", what))
    return out


def measured_report(report: Report, found: Resources, how: str) -> Report:
    """Return a report with what synthesis counted, and whether the slices are all there."""
    dsp = dsp_section.of(report)
    if dsp is None:
        raise ValueError("not the report of a DSP run")
    want = 0 if dsp.kind == FABRIC else dsp.slices
    detail = f"{found.dsps} DSP cells, {want} expected"
    word = "pass" if found.dsps == want else "fail"
    measured = replace(
        dsp,
        measured_dsps=found.dsps,
        measured_brams=found.brams,
        measured_luts=found.luts,
        measured_ffs=found.ffs,
    )
    row = ResourceRow(TOTAL, "synth", found.luts, found.ffs, found.wide_muxes, how)
    report = report.with_section(dsp_section.section(measured)).put(row)
    return report.with_check(6, Check(COUNT_CHECK, word, "exhaustive", detail))  # type: ignore[arg-type]


def pin_rows(program: Program) -> list[PinRow]:
    """Return what the beats of an engine's streams carry; a bit of 48 vectors in each word."""
    emitting = int(program.emit.any(axis=0).sum())
    came = (
        f"row of {LANES} vectors by input bank; {program.input_rows} rows in each of "
        f"{program.contexts} contexts"
    )
    went = (
        f"output word of {LANES} vectors by slice; {program.output_rows} words in each of "
        f"{program.contexts} contexts"
    )
    return [
        PinRow("s_axis_tdata", "input", LANES * program.input_banks, 0, came),
        PinRow("m_axis_tdata", "output", LANES * emitting, 0, went),
    ]
