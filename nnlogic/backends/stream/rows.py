"""Rungs of a stream in the report."""

from __future__ import annotations

from collections.abc import Sequence

from nnlogic.backends.stream.checks.faults import STREAM_FAULTS
from nnlogic.backends.stream.model.cut import Cut
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.job.ladder import open_rungs
from nnlogic.job.part_runs import part_row
from nnlogic.quant.kernel_network import Part
from nnlogic.quant.word import WordFormat
from nnlogic.report.hardware import PinRow
from nnlogic.report.model import Report

CUT_CHECK = "kernels and wires"
FRAMES_CHECK = "whole frames, cycle model"
TAGS_CHECK = "window generators, unique tags"
NETLIST_PARTS = "kernels and dense layers, netlist"
NETLIST_CHECK = "Verilog = netlist"
NETLIST_FAULT = "fault in the netlist"
SIMULATED = ("cocotb on verilator", "cocotb on icarus")
LOGIC, DESIGN, VERILOG, FAULTS = "logic", "design", "Verilog", "faults"
INNER = {LOGIC: (2, 3), DESIGN: (4,), VERILOG: (5,), FAULTS: (0,)}
"""Rungs of a part's own ladder that each kind of row stands for."""
TITLES = {
    0: "planted faults are caught",
    2: "QuantNet = kernels and dense layers",
    3: "kernels: QuantNet = LogicNet",
    4: "QuantNet = StreamDesign",
    5: "StreamDesign = Verilog",
    6: "Verilog = post-synthesis netlist",
}
DEFINITION = (
    "Clock cycles from the first beat of a frame taken to the first beat of its result offered, "
    "at the ports of the AXI4-Stream wrapper, for a frame alone; the initiation interval is from "
    "one frame to the next, back to back. In ns: cycles divided by the clock, which is estimated "
    "by the kernels alone."
)


def title_of(part: Part, what: str) -> str:
    """Return the title of the row for some rungs of a part's own ladder."""
    return f"{part.title}, {what}"


def open_stream_ladder(report: Report, parts: Cut) -> Report:
    """Return a report whose rungs are those of a stream of frames, not run."""
    return open_ladder(report, parts, STREAM_FAULTS, FRAMES_CHECK)


def open_ladder(report: Report, parts: Cut, faults: tuple[str, ...], whole: str) -> Report:
    """Return a report with rungs, not run.

    Parameters
    ----------
    report : Report
    parts : Cut
    faults : tuple of str
        Faults planted in window generators.
    whole : str
        What compares the design with the network.
    """
    inner: dict[int, list[str]] = {0: [], 3: [], 4: [], 5: []}
    for what, numbers in INNER.items():
        inner[numbers[-1]] += [title_of(part, what) for part in parts.parts]
    return open_rungs(
        report,
        {
            0: (TITLES[0], (*inner[0], *faults)),
            2: (TITLES[2], (CUT_CHECK,)),
            3: (TITLES[3], inner[3]),
            4: (TITLES[4], (*inner[4], whole)),
            5: (TITLES[5], (*inner[5], TAGS_CHECK, *SIMULATED)),
            6: (TITLES[6], (NETLIST_PARTS, NETLIST_CHECK, NETLIST_FAULT)),
        },
    )


def with_part(report: Report, part: Part, own: Report, kinds: tuple[str, ...]) -> Report:
    """Return a report with what the own ladder of a part says, row by row."""
    for what in kinds:
        # Cores are simulated as parts of the stream.
        owes = what not in (VERILOG, FAULTS)
        row = part_row(title_of(part, what), own, INNER[what], owes=owes)
        report = report.with_check(INNER[what][-1], row)
    return report


def pin_rows(design: StreamDesign, words: Sequence[WordFormat] = ()) -> list[PinRow]:
    """Return what a beat carries that comes in, and one that goes out; `words` are raw inputs."""
    first, last = design.layers[0], design.layers[-1]
    formats = [str(word) for word in words] or [str(port.format) for port in design.inputs]
    channels = ", ".join(formats[: first.frame.channels])
    came = f"{counted(first.lanes, 'position')} of the map, channel by channel: {channels}"
    if design.dense is not None:
        went = ", ".join(f"{p.name} {p.format}" for p in design.outputs)
    else:
        each = ", ".join(f"u{bits}" for bits in last.output_channels)
        went = f"{counted(last.scan.output_lanes, 'position')} of the last map: {each}"
    rows = [
        PinRow("s_axis_tdata", "input", design.input_width, 0, came),
        PinRow("m_axis_tdata", "output", design.output_width, 0, went),
    ]
    if tag := design.tag:
        came = "with the first beat of a frame; it leaves with the result"
        rows.append(PinRow("s_axis_tuser", "input", tag, None, came))
        went = "bit 0 the first beat of a result, above it what came with the frame"
        rows.append(PinRow("m_axis_tuser", "output", 1 + tag, None, went))
    return rows


def counted(count: int, what: str) -> str:
    """Return a number with its noun."""
    return f"{count} {what}{'s' * (count != 1)}"
